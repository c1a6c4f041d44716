import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type Product, productColumns } from '../../product/product.ts'
import { FillMemory, FillRates, type LayoutAlarm } from './fillRates.ts'

/** A record that has these columns and no others. */
const having = (...columns: readonly (keyof Product)[]): Product =>
  Object.fromEntries(productColumns.map(name => [name, columns.includes(name) ? 'x' : null])) as never

const typical = (share: number) => ({ pages: 500, filled: 500 * share })
const known = { categories: typical(0.9), labels: typical(0.4), quantity: typical(0.3) }
const whole = having('product_name', 'lang', 'categories', 'labels', 'quantity')

const taken = (rates: FillRates, records: readonly Product[]): readonly LayoutAlarm[] =>
  records.flatMap(rates.add)
const times = (count: number, record: Product) => Array.from({ length: count }, () => record)

test('a field that is filled far less often than before raises one alarm, with its selector and both rates', () => {
  const rates = new FillRates(known)
  const moved = having('product_name', 'lang', 'labels', 'quantity')
  expect(taken(rates, [...times(100, whole), ...times(30, moved)])).toEqual([])
  expect(taken(rates, times(70, moved))).toEqual([
    { field: 'categories', selector: '#field_categories_value', rate: 0.225, typicalRate: 0.9 },
  ])
  // A field with an alarm does not change its typical rate.
  expect(Object.keys(rates.learnt())).not.toContain('categories')
  expect(rates.learnt()).toMatchObject({ labels: { pages: 200, filled: 200 } })
})

test.each<[string, Record<string, { pages: number; filled: number }>, Product, readonly string[]]>([
  [
    'a rare field may be missing from forty pages',
    known,
    having('product_name', 'lang', 'categories', 'labels'),
    [],
  ],
  [
    'a host with few visits has no typical rates',
    { categories: { pages: 39, filled: 39 } },
    having('product_name', 'lang'),
    [],
  ],
  ['every host has names and languages', {}, having('categories'), ['product_name', 'lang']],
])('%s', (_fact, memory, record, alarms) => {
  expect(taken(new FillRates(memory), times(100, record)).map(({ field }) => field)).toEqual(alarms)
})

test('fewer pages than a window raise no alarm', () => {
  expect(taken(new FillRates(known), times(39, having()))).toEqual([])
})

test('counts are added by host, and the last thousand pages count', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'offstream-rates-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const memory = new FillMemory(join(directory, 'web'))
  expect(await memory.read('fr.example.org')).toEqual({})
  await Promise.all(
    Array.from({ length: 4 }, () => memory.add('fr.example.org', { labels: { pages: 100, filled: 40 } })),
  )
  await memory.add('world.example.org', { labels: { pages: 10, filled: 1 } })
  expect(await memory.read('fr.example.org')).toEqual({ labels: { pages: 400, filled: 160 } })
  await memory.add('fr.example.org', { labels: { pages: 1_600, filled: 1_440 } })
  expect(await memory.read('fr.example.org')).toEqual({ labels: { pages: 1_000, filled: 800 } })
  expect(await readdir(join(directory, 'web'))).toEqual(['fill-rates.json'])

  await writeFile(join(directory, 'web', 'fill-rates.json'), '{"version":1,"hos')
  expect(await memory.read('fr.example.org')).toEqual({})
})
