import { expect, test } from 'vitest'
import { Product } from '../product/product.ts'
import { readLine } from './topicLine.ts'

const moment = '2026-01-02T03:04:05.678Z'
const product = Product.parse({
  ...Object.fromEntries(Object.keys(Product.shape).map(name => [name, null])),
  ...{ code: '3017620422003', product_name: 'Nutella', as_of: moment, observed_at: moment, source: 'api' },
})
const message = {
  key: '3017620422003',
  value: JSON.stringify(product),
  headers: { 'schema-version': '1' },
}

const read = (value: unknown, raw = false) =>
  readLine(typeof value === 'string' ? value : JSON.stringify(value), { raw, now: moment })

test.each([
  ['a record', product],
  [
    'a record with fewer columns',
    Object.fromEntries(Object.entries(product).filter(([, value]) => value !== null)),
  ],
  ['key and value', { key: product.code, value: product }],
  [
    'a line of `topic peek`',
    {
      partition: 0,
      offset: 7,
      timestamp: moment,
      key: product.code,
      headers: { source: 'x' },
      value: product,
    },
  ],
])('%s is a product', (_, line) => {
  expect(read(line)).toEqual({ kind: 'message', message })
})

test('a null value is a delete as of its header, otherwise as of now', () => {
  const headers = { 'as-of': '2025-01-01T00:00:00.000Z' }
  const removal = (as_of: string) => ({
    kind: 'message',
    message: {
      key: '10000001',
      value: null,
      headers: { 'schema-version': '1', 'as-of': as_of, source: 'stdin' },
    },
  })
  expect([
    read({ key: '10000001', value: null }),
    read({ key: '10000001', value: null, headers }),
    read({ key: '10000001', value: null, headers: { 'as-of': 'yesterday' } }),
  ]).toEqual([removal(moment), removal(headers['as-of']), removal(moment)])
})

test('a record from the future counts as of now, and a change in the future is flagged', () => {
  const future = '2099-01-01T00:00:00.000Z'
  const seconds = Date.parse(future) / 1000
  const value = (line: object) => {
    const result = read(line)
    return result.kind === 'message' ? JSON.parse(String(result.message.value)) : result
  }
  const bounded = { ...product, as_of: moment, observed_at: moment }
  expect([
    value({ ...product, as_of: future }),
    value({ ...product, as_of: future, observed_at: future }),
    value({ ...product, as_of: future, last_modified_t: seconds }),
    value({ ...product, as_of: '2025-01-01T00:00:00.000Z', observed_at: future }),
    value({ ...product, observed_at: '2025-01-01T00:00:00.000Z' }),
    read({ key: '10000001', value: null, headers: { 'as-of': future } }),
  ]).toEqual([
    bounded,
    bounded,
    { ...bounded, last_modified_t: seconds, quality_flags: 'last-modified-in-the-future' },
    { ...bounded, as_of: '2025-01-01T00:00:00.000Z' },
    { ...product, as_of: '2025-01-01T00:00:00.000Z', observed_at: '2025-01-01T00:00:00.000Z' },
    read({ key: '10000001', value: null }),
  ])
})

test.each([
  ['{', 'invalid-json', expect.stringContaining('it is not valid JSON: ')],
  ['7', 'invalid-record', expect.stringContaining('expected object')],
  [
    { ...product, nova_group: 5, salt_100g: 'much' },
    'invalid-record',
    expect.stringMatching(/^nova_group: .*; salt_100g: /),
  ],
  [{ ...product, brand: 'Ferrero' }, 'invalid-record', expect.stringContaining('"brand"')],
  [{ code: '1' }, 'invalid-record', expect.stringMatching(/^code: [^;]*; as_of: [^;]*; observed_at: [^;]*$/)],
  [{ key: '10000001', value: product }, 'invalid-record', 'code: differs from the key'],
  [{ key: 'x', value: null }, 'invalid-code', 'key: must be 8 to 24 digits'],
  [{ key: '10000001' }, 'invalid-record', expect.stringMatching(/^code: /)],
  [
    { code: '10000001', as_of: moment, observed_at: moment, source: 'stdin' },
    'no-product-fields',
    'it has a code, but no product fields',
  ],
])('%j is not a product: %s', (line, skippedBy, problem) => {
  expect(read(line)).toEqual({ kind: 'problem', skippedBy, problem })
})

test.each([
  [
    { key: 'a', value: 'no JSON' },
    { key: 'a', value: 'no JSON', headers: {} },
  ],
  [
    { key: 'a', value: { b: [1] }, headers: { c: 'd' } },
    { key: 'a', value: '{"b":[1]}', headers: { c: 'd' } },
  ],
  [
    { key: 'a', value: null },
    { key: 'a', value: null, headers: {} },
  ],
  ['{ "code": "1",  "x": 2 }', { key: '1', value: '{ "code": "1",  "x": 2 }', headers: {} }],
])('raw, %j is sent unchanged', (line, expected) => {
  expect(read(line, true)).toEqual({ kind: 'message', message: expected })
})

test.each(['{"value":1}', '{"code":1}', '[]', '"text"'])('raw, %s has no key', line => {
  expect(read(line, true)).toEqual({
    kind: 'problem',
    skippedBy: 'no-code',
    problem: 'it has neither `key` and `value` nor a `code`',
  })
})
