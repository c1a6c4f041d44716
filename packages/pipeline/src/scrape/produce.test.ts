import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { until } from '@offstream/runtime'
import { expect, onTestFinished, test } from 'vitest'
import { type SerializedProduct, serialize } from '../product/message.ts'
import { type Product, productColumns } from '../product/product.ts'
import type { Source, SourceRun } from '../sources/source.ts'
import { addFetched, FetchedCount, type ProduceCounts, produce, readFetched } from './produce.ts'

const moment = '2026-01-02T03:04:05.678Z'
const product = (code: string): SerializedProduct =>
  serialize({
    ...Object.fromEntries(productColumns.map(name => [name, null])),
    ...{ code, as_of: moment, observed_at: moment, source: 'stdin' },
  } as Product)

const source = (run: (run: SourceRun) => Promise<void>): Source => ({ name: 'stdin', run })
const never = new AbortController().signal

test('products are counted, and the counts are reported at the end', async () => {
  const reported: ProduceCounts[] = []
  const delivered: string[] = []
  const counts = await produce({
    source: source(async ({ report, deliver, remove }) => {
      report({ kind: 'found', count: 4 })
      report({ kind: 'fetched', code: '10000001', address: 'a' })
      await deliver(product('10000001'))
      report({ kind: 'fetched', code: '10000002', address: 'b' })
      await remove?.({ code: '10000002', as_of: moment, source: 'stdin' })
      report({ kind: 'skipped', address: 'c', skippedBy: 'no-code', reason: 'it has no code' })
      report({ kind: 'partial', address: 'a', missing: ['nutriments'] })
      report({ kind: 'filtered', count: 7 })
    }),
    deliver: async ({ code }) => void delivered.push(code),
    remove: async ({ code }) => void delivered.push(`-${code}`),
    onProgress: counts => reported.push(counts),
    signal: never,
  })
  expect([counts, delivered]).toEqual([
    {
      ...{ found: 4, fetched: 2, delivered: 1, removed: 1, skipped: 1, skippedBy: { 'no-code': 1 } },
      ...{ partial: 1, filtered: 7 },
    },
    ['10000001', '-10000002'],
  ])
  expect(reported.at(-1)).toEqual(counts)
})

test('a skip is reported at once with its reason', async () => {
  const reported: unknown[] = []
  await produce({
    source: source(async ({ report }) => {
      report({ kind: 'skipped', address: 'a', skippedBy: 'no-code', reason: 'no' })
      report({ kind: 'skipped', address: 'b', skippedBy: 'not-found', reason: 'never' })
    }),
    deliver: async () => undefined,
    onProgress: (_, event) => event !== null && reported.push(event),
    signal: never,
  })
  expect(reported).toEqual([
    { kind: 'skipped', address: 'a', skippedBy: 'no-code', reason: 'no' },
    { kind: 'skipped', address: 'b', skippedBy: 'not-found', reason: 'never' },
  ])
})

test('a failed delivery stops the run with its error, and is not counted', async () => {
  const reported: ProduceCounts[] = []
  const running = produce({
    source: source(async ({ report, deliver }) => {
      report({ kind: 'fetched', code: '10000001', address: 'a' })
      await deliver(product('10000001'))
    }),
    deliver: () => Promise.reject(new Error('the broker is gone')),
    onProgress: counts => reported.push(counts),
    signal: never,
  })
  await expect(running).rejects.toThrow('the broker is gone')
  expect(reported.at(-1)).toMatchObject({ fetched: 1, delivered: 0 })
})

test('producers that count at the same time lose nothing', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'offstream-produce-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const file = join(directory, 'not', 'yet', 'fetched.json')
  expect(await readFetched(file)).toBe(0)
  await Promise.all(Array.from({ length: 12 }, (_, count) => addFetched(file, count)))
  expect(await readFetched(file)).toBe(66)
  expect(await readdir(dirname(file))).toEqual(['fetched.json'])
})

test('a count that cannot be written is written later, and does not stop the run', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'offstream-fetched-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const file = join(directory, 'state', 'fetched.json')
  await writeFile(dirname(file), 'no folder')
  const count = new FetchedCount(file, 5)
  count.is(3)
  const failed = new FetchedCount(file, 60_000)
  failed.is(5)
  // This one meets the same obstacle, after the other's clock has.
  await failed.close()
  await rm(dirname(file))
  await until(async () => expect(await readFetched(file)).toBe(3), { what: 'the count', timeoutMs: 5_000 })
  count.is(7)
  await count.close()
  expect(await readFetched(file)).toBe(7)
})
