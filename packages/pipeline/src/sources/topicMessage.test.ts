import { expect, test } from 'vitest'
import type { TopicMessage } from '../topic/reader.ts'
import { resultsOf } from './reader.ts'
import type { SourceEvent } from './source.ts'
import { mapperOf, type TopicMapping } from './topicMapping.ts'
import { foundIn, MappingSuggestions, namingMapping } from './topicMessage.ts'

const sentAt = Date.UTC(2026, 0, 2, 3, 4, 5)
const sent = '2026-01-02T03:04:05.000Z'

interface Written {
  readonly key?: unknown
  readonly value: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly timestampMs?: number
}

const bytes = (value: unknown): Buffer | null => {
  if (value === null || Buffer.isBuffer(value)) return value
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
}
const message = ({ key = null, value, headers = {}, timestampMs = sentAt }: Written): TopicMessage => ({
  ...{ partition: 0, offset: '7', key: bytes(key), value: bytes(value), headers, timestampMs },
})

/** What a message gives: columns of a record, `-code` with the moment of a delete, or the reason for a skip. */
const read = async (written: Written, mapping: TopicMapping | null = null): Promise<readonly unknown[]> => {
  const found = foundIn('t', message(written), await mapperOf(mapping))
  return resultsOf(found, { source: 'topic', site: null }).map(result => {
    if (result?.kind === 'product') {
      const { code, product_name, as_of } = JSON.parse(String(result.product.json))
      return { code, product_name, as_of }
    }
    if (result?.kind === 'gone') return [`-${result.removal.code}`, result.removal.as_of]
    const named = mapping === null ? namingMapping(message(written), result) : result
    return named?.kind === 'unreadable' ? `${named.skippedBy}: ${named.reason}` : named
  })
}

const code = '8001120000014'
const riso = { code, product_name: 'Riso', as_of: sent }
const change = { op: 'd', ts_ms: sentAt - 5_000, source: { db: 'x' } }
const noFields =
  'no-product-fields: its key may be a barcode, but it has no field that only products have; if it has another format, set `topic.mapping`'
const id = { schema: { type: 'struct' }, payload: { code } }

test.each<[string, Written, readonly unknown[]]>([
  ['a key as text', { key: code, value: { product_name: 'Riso' } }, [riso]],
  ['a key as JSON text', { key: JSON.stringify(code), value: { product_name: 'Riso' } }, [riso]],
  ['a key as an object', { key: { code }, value: { product_name: 'Riso' } }, [riso]],
  ['a key of Kafka Connect', { key: id, value: { product_name: 'Riso' } }, [riso]],
  [
    'a key with the header of a schema registry',
    { key: Buffer.from(`\0\0\0\0\u0001{"code":"${code}"}`), value: { product_name: 'Riso' } },
    [riso],
  ],
  ['a key of Debezium for MongoDB', { key: { id: `"${code}"` }, value: { product_name: 'Riso' } }, [riso]],
  [
    'the key of another table',
    { key: { id: 42 }, value: { product_name: 'Riso' } },
    ['no-code: it has no `code`; if it has another format, set `topic.mapping`'],
  ],
  [
    'two products: the key does not belong to either of them',
    { key: code, value: [{ product_name: 'a' }, { code: '10000001', product_name: 'b' }] },
    [expect.stringContaining('no-code: '), { code: '10000001', product_name: 'b', as_of: sent }],
  ],
  ['a tombstone', { key: id, value: null }, [[`-${code}`, sent]]],
  [
    'a tombstone of offstream',
    { key: code, value: null, headers: { 'as-of': '2025-05-05T00:00:00.000Z' } },
    [[`-${code}`, '2025-05-05T00:00:00.000Z']],
  ],
  [
    'a tombstone of another table',
    { key: { id: 42 }, value: null },
    ['invalid-code: its key is not a barcode'],
  ],
  [
    'a delete of Debezium',
    { key: id, value: { schema: {}, payload: { ...change, before: { code, product_name: null } } } },
    [[`-${code}`, '2026-01-02T03:04:00.000Z']],
  ],
  [
    'a delete of Debezium without the row: its key counts',
    { key: id, value: { ...change, before: null, after: null } },
    [[`-${code}`, '2026-01-02T03:04:00.000Z']],
  ],
  [
    'a delete in another table',
    { key: { id: 42 }, value: { ...change, before: { id: 42 }, after: null } },
    ['no-code: it deletes a row without a `code`; if it has another format, set `topic.mapping`'],
  ],
  [
    'a null payload of Kafka Connect',
    { key: code, value: { schema: {}, payload: null } },
    [[`-${code}`, sent]],
  ],
  [
    'an event of another program',
    { key: '1234567890', value: { event: 'order-created', amount: 12.5 } },
    [noFields],
  ],
  [
    'an order with a numeric key',
    { key: '1234567890', value: { quantity: '2 pieces', countries: 'France', image_url: 'https://a/b.jpg' } },
    [noFields],
  ],
  [
    'a code of another program',
    { value: { code: 'ORDER_CREATED', product_name: 'Shoes' } },
    [
      'invalid-code: its code `ORDER_CREATED` is not a barcode; if it has another format, set `topic.mapping`',
    ],
  ],
  [
    'a truncated table',
    { key: code, value: { op: 't', ts_ms: 1, source: {} } },
    [expect.stringMatching(/^no-product-in-envelope: .*`op: t`.*set `topic.mapping`$/)],
  ],
  [
    'Avro',
    { key: code, value: Buffer.from([0, 0, 0, 0, 9, 26, 56, 48]) },
    [expect.stringMatching(/^binary-message: .*\(schema 9\).*`topic.mapping` needs JSON/)],
  ],
  ['invalid UTF-8', { value: Buffer.from([0x22, 0xff, 0x22]) }, ['invalid-utf8: it is not valid UTF-8']],
  ['a text', { value: '"Riso"' }, [expect.stringContaining('not-an-object: ')]],
  ['JSON null', { key: code, value: 'null' }, [expect.stringContaining('not-an-object: ')]],
  ['JSON in JSON', { value: JSON.stringify(JSON.stringify({ code, product_name: 'Riso' })) }, [riso]],
])('%s', async (_what, written, results) => {
  expect(await read(written)).toEqual(results)
})

test.each([0, -1, 1e17, Number.NaN])(
  'a message with the timestamp %d is as of its reading',
  async timestampMs => {
    const before = new Date().toISOString()
    const [product] = await read({ value: { code, product_name: 'Riso' }, timestampMs })
    const { as_of } = product as { readonly as_of: string }
    expect(as_of >= before && as_of <= new Date().toISOString()).toBe(true)
  },
)

test('a delete from the future counts as of its reading', async () => {
  const [[, as_of]] = (await read({
    ...{ key: code, value: null, headers: { 'as-of': '2099-01-01T00:00:00.000Z' } },
  })) as [[string, string]]
  expect(as_of <= new Date().toISOString()).toBe(true)
})

const mapping = { code: '$.payload.after.gtin', product_name: '$.payload.after.name' } as const

test.each<[string, Written, TopicMapping, readonly unknown[]]>([
  [
    'a change of a row',
    { value: { schema: {}, payload: { op: 'u', before: null, after: { gtin: code, name: 'Riso' } } } },
    mapping,
    [riso],
  ],
  [
    'a delete: the paths for the new row are applied to the old one',
    { value: { schema: {}, payload: { ...change, before: { gtin: code }, after: null } } },
    mapping,
    [[`-${code}`, '2026-01-02T03:04:00.000Z']],
  ],
  [
    'JSON in a text',
    { value: { body: JSON.stringify({ gtin: code, name: 'Riso' }) } },
    { code: '$.body.gtin', product_name: '$.body.name' },
    [riso],
  ],
])('with a mapping: %s', async (_what, written, paths, results) => {
  expect(await read(written, paths)).toEqual(results)
})

const suggestionsFor = async (messages: readonly Written[]): Promise<readonly SourceEvent[]> => {
  const events: SourceEvent[] = []
  const suggestions = new MappingSuggestions(event => events.push(event))
  const map = await mapperOf(null)
  for (const each of messages.map(message))
    suggestions.add(each, resultsOf(foundIn('t', each, map), { source: 'topic', site: null }))
  return events
}

test('a dry run suggests a mapping for the first messages that are not products, each once', async () => {
  const order = { event: 'order', amount: 1 }
  const item = { gtin: code, item: { title: 'Riso' } }
  const events = await suggestionsFor([
    ...[{ value: { code, brands: 'A' } }, { key: '1234567890', value: order }, { value: item }],
    ...[{ value: item }, { value: null }, { value: 'x' }, { value: { ean: code } }, { value: { upc: code } }],
  ])
  expect(events).toEqual([
    { kind: 'mapping', address: 't[0]@7', mapping: {}, paths: ['$.event', '$.amount'] },
    {
      ...{ kind: 'mapping', address: 't[0]@7', paths: ['$.gtin', '$.item.title'] },
      mapping: { code: '$.gtin', product_name: '$.item.title' },
    },
    { kind: 'mapping', address: 't[0]@7', mapping: { code: '$.ean' }, paths: ['$.ean'] },
  ])
})

test('a suggested mapping reads the message that it was made from', async () => {
  const value = {
    schema: { type: 'struct', fields: [{ field: 'code', type: 'string' }] },
    payload: {
      op: 'u',
      after: {
        barcode: '8001120000014',
        'product name': 'Riso',
        brand: { name: 'Bianchi' },
        nutrients: [
          { id: 'fat', value: 0.6 },
          { id: "it's salt", value: 3 },
          { id: 'Salt', value: '0,01 g' },
        ],
        detail: '{"energy-kcal_100g": 350}',
      },
    },
  }
  const [event] = await suggestionsFor([{ value }])
  const suggested = event?.kind === 'mapping' ? event.mapping : {}
  expect(suggested).toEqual({
    code: '$.payload.after.barcode',
    product_name: "$.payload.after['product name']",
    fat_100g: "$.payload.after.nutrients[?@.id == 'fat'].value",
    salt_100g: "$.payload.after.nutrients[?@.id == 'Salt'].value",
    energy_kcal_100g: "$.payload.after.detail['energy-kcal_100g']",
  })
  const map = await mapperOf(suggested)
  expect(map(value)).toEqual([
    {
      value: {
        ...{ code: '8001120000014', product_name: 'Riso', fat_100g: 0.6, salt_100g: '0,01 g' },
        energy_kcal_100g: 350,
      },
    },
  ])
})
