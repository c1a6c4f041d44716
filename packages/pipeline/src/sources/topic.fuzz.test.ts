import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nutrientNames } from '../product/nutriments.ts'
import { Product } from '../product/product.ts'
import { changes, mutated, parameters, replaced, replacements, runs, seed } from '../testFuzz.ts'
import type { TopicMessage } from '../topic/reader.ts'
import { type ReadResult, resultsOf } from './reader.ts'
import { mapperOf } from './topicMapping.ts'
import { foundIn, MappingSuggestions, namingMapping } from './topicMessage.ts'

const amount = fc.integer({ min: 0, max: 99_999 }).map(thousandths => thousandths / 1_000)
const product = fc.record({
  code: fc.integer({ min: 3_000_000_000_000, max: 3_999_999_999_999 }).map(String),
  product_name: fc.string({ unit: 'grapheme', maxLength: 20 }),
  brands: fc.constantFrom('A', 'B, C', ''),
  nutriments: fc.record({ fat_100g: amount, salt_100g: amount, sugars_100g: amount }),
  countries_tags: fc.constant(['en:france']),
  last_modified_t: fc.integer({ min: 1_600_000_000, max: 1_700_000_000 }),
})

type Wrap = (value: unknown) => unknown
const wraps: readonly Wrap[] = [
  value => value,
  value => ({ schema: { type: 'struct', fields: [{ field: 'code', type: 'string' }] }, payload: value }),
  value => ({ before: null, after: value, op: 'u', ts_ms: 1_767_323_045_678, source: { db: 'x' } }),
  value => ({ before: value, after: null, op: 'd', ts_ms: 1_767_323_045_678, source: { db: 'x' } }),
  value => ({ operationType: 'insert', ns: {}, documentKey: {}, fullDocument: value }),
  value => ({ specversion: '1.0', type: 'x', data: value }),
  value => ({ partition: 0, offset: 1, key: null, value }),
  value => JSON.stringify(value),
  value => [value, value],
  value => ({ status: 1, status_verbose: 'product found', product: value }),
  value => ({ count: 1, products: [value] }),
]
const headers = ['', '\0\0\0\0\u0007', '\0\0\0\0\0\0\0\0\u0007', '\ufeff']

const readWith = async (mapping: Parameters<typeof mapperOf>[0]) => {
  const map = await mapperOf(mapping)
  return (key: Buffer | null, value: Buffer): readonly (ReadResult | null)[] => {
    const message: TopicMessage = {
      ...{ partition: 0, offset: '0', key, value, headers: {}, timestampMs: 1_767_323_045_678 },
    }
    const results = resultsOf(foundIn('t', message, map), { source: 'topic', site: null })
    new MappingSuggestions(() => undefined).add(message, results)
    return results.map(result => namingMapping(message, result))
  }
}
const read = await readWith(null)
const readMapped = await readWith({
  code: '$..code',
  product_name: '$..product_name',
  fat_100g: '$..fat_100g',
})

/** The numbers and digits that a text contains, as a reader sees them. */
const numbersIn = (text: string): readonly number[] =>
  (text.match(/-?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?/g) ?? []).map(number => Number(number.replace(',', '.')))

const isIn = (numbers: readonly number[], value: number): boolean =>
  numbers.some(number => Math.abs(number - value) <= Math.abs(value) * 1e-9)

/** The values of a record that its input does not contain. */
const inventedIn = (result: ReadResult | null, key: string, value: string): readonly unknown[] => {
  if (result === null || result.kind === 'unreadable') return []
  const digits = `${key} ${value}`.replace(/[\s-]/g, '')
  if (result.kind === 'gone')
    return digits.includes(unpadded(result.removal.code)) ? [] : [result.removal.code]
  const record = Product.parse(JSON.parse(String(result.product.json)))
  const numbers = numbersIn(value)
  const amounts = Object.keys(nutrientNames).map(column => record[column as keyof typeof nutrientNames])
  return [
    ...(digits.includes(unpadded(record.code)) ? [] : [record.code]),
    ...amounts.filter(each => each !== null && !isIn(numbers, each)),
  ]
}

const unpadded = (code: string): string => code.replace(/^0+/, '')

const seen = { product: 0, gone: 0, unreadable: 0 }

test(`a mutated message never fails, and its record has no code or number that it does not contain (seed ${seed}, ${runs} mutants)`, () => {
  fc.assert(
    fc.property(
      product,
      fc.array(fc.constantFrom(...wraps), { maxLength: 3 }),
      replacements,
      fc.constantFrom(...headers),
      changes,
      changes,
      fc.boolean(),
      (good, envelopes, ofJson, header, ofValue, ofKey, hasKey) => {
        const whole = replaced(
          envelopes.reduce<unknown>((value, wrap) => wrap(value), good),
          ofJson,
        )
        const value = mutated(Buffer.from(header + JSON.stringify(whole), 'utf8'), ofValue)
        const key = hasKey ? mutated(Buffer.from(good.code), ofKey) : null
        const [keyText, text] = [key?.toString('utf8') ?? '', value.toString('utf8')]
        const results = [...read(key, value), ...readMapped(key, value)]
        for (const result of results) if (result !== null) seen[result.kind] += 1
        expect(results.flatMap(result => inventedIn(result, keyText, text))).toEqual([])
        // The next message is read as if the damaged one were not there.
        const [next] = read(null, Buffer.from(JSON.stringify(good)))
        expect(next?.kind === 'product' && next.product.code).toBe(good.code)
      },
    ),
    parameters,
  )
  // Each outcome was tested.
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(0)
})
