import { expect, test } from 'vitest'
import { productsIn } from './answer.ts'

const rice = { code: '8001120000014', product_name: 'Riso' }
const changedAt = 1_767_323_045_678
const moment = '2026-01-02T03:04:05.678Z'
const dated = { ...rice, as_of: moment }
const change = (op: string, rows: object, more: object = {}) => ({
  ...{ before: null, after: null, ...rows, op, ts_ms: changedAt, source: { table: 'products' }, ...more },
})
const inConnect = (payload: unknown) => ({ schema: { type: 'struct', fields: [] }, payload })
const noRow = {
  skippedBy: 'no-product-in-envelope',
  reason: expect.stringContaining('which contains no row'),
}

test.each<[string, unknown, readonly unknown[]]>([
  ['Kafka Connect, with a schema', inConnect(rice), [{ value: rice }]],
  ['Kafka Connect, without a schema', { schema: null, payload: rice }, [{ value: rice }]],
  ['Kafka Connect, text', inConnect(JSON.stringify(rice)), [{ value: rice }]],
  ['Kafka Connect, an answer', inConnect({ products: [rice, rice] }), [{ value: rice }, { value: rice }]],
  ['Kafka Connect, null', inConnect(null), [{ gone: null, as_of: null }]],
  ['Debezium, create', change('c', { after: rice }), [{ value: dated }]],
  [
    'Debezium, update',
    change('u', { before: { ...rice, product_name: 'Rice' }, after: rice }),
    [{ value: dated }],
  ],
  ['Debezium, snapshot', change('r', { after: rice }), [{ value: dated }]],
  ['Debezium in Kafka Connect', inConnect(change('c', { after: rice })), [{ value: dated }]],
  [
    'Debezium, a row with its own time',
    change('u', { after: { ...rice, last_modified_t: 1_700_000_000 } }),
    [{ value: { ...rice, last_modified_t: 1_700_000_000 } }],
  ],
  [
    'Debezium, the time of the database before that of the connector',
    change('c', { after: rice }, { ts_ms: changedAt + 9_000, source: { ts_ms: changedAt } }),
    [{ value: dated }],
  ],
  [
    'Debezium, a document of MongoDB as text',
    change('c', { after: JSON.stringify(rice) }),
    [{ value: dated }],
  ],
  ['Debezium, delete', change('d', { before: rice }), [{ gone: rice.code, as_of: moment }]],
  ['Debezium, delete without the row', change('d', {}), [{ gone: null, as_of: moment }]],
  ['Debezium, truncate', change('t', {}), [noRow]],
  ['Debezium, a message', change('m', { message: { prefix: 'x' } }), [noRow]],
  ['Debezium, an update without a row', change('u', { before: rice }), [noRow]],
  [
    'Debezium, flattened',
    { ...rice, __op: 'u', __deleted: 'false' },
    [{ value: { ...rice, __op: 'u', __deleted: 'false' } }],
  ],
  [
    'Debezium, flattened delete',
    { ...rice, __deleted: 'true', __ts_ms: changedAt },
    [{ gone: rice.code, as_of: moment }],
  ],
  [
    'MongoDB’s connector, insert',
    { operationType: 'insert', ns: { db: 'off' }, documentKey: { _id: rice.code }, fullDocument: rice },
    [{ value: rice }],
  ],
  [
    'MongoDB’s connector, delete',
    {
      operationType: 'delete',
      ns: { db: 'off' },
      documentKey: { _id: rice.code },
      wallTime: { $date: changedAt },
    },
    [{ gone: rice.code, as_of: moment }],
  ],
  [
    'MongoDB’s connector, update without the document',
    { operationType: 'update', documentKey: { _id: rice.code }, fullDocument: null },
    [noRow],
  ],
  [
    'CloudEvents',
    { specversion: '1.0', type: 'x', source: '/x', id: '1', time: moment, data: rice },
    [{ value: dated }],
  ],
  [
    'CloudEvents, base64',
    { specversion: '1.0', type: 'x', data_base64: Buffer.from(JSON.stringify(rice)).toString('base64') },
    [{ value: rice }],
  ],
  ['CloudEvents, empty', { specversion: '1.0', type: 'x', id: '1' }, [noRow]],
  [
    'a printed message',
    {
      partition: 0,
      offset: 3,
      timestamp: moment,
      key: rice.code,
      headers: {},
      value: { product_name: 'Riso' },
    },
    [{ value: dated }],
  ],
  [
    'a message that kcat printed',
    { topic: 't', partition: 0, offset: 3, ts: changedAt, key: rice.code, payload: JSON.stringify(rice) },
    [{ value: dated }],
  ],
  [
    'a printed delete',
    {
      partition: 0,
      offset: 3,
      timestamp: '2026-05-05T00:00:00.000Z',
      key: rice.code,
      headers: { 'as-of': moment },
      value: null,
    },
    [{ gone: rice.code, as_of: moment }],
  ],
  ['JSON in a string', JSON.stringify(rice), [{ value: rice }]],
  ['JSON in a string in a string', JSON.stringify(JSON.stringify(rice)), [{ value: rice }]],
  ['a list of products and envelopes', [rice, inConnect(rice)], [{ value: rice }, { value: rice }]],
  ['an empty list', [], [{ skippedBy: 'not-an-object', reason: 'it is an empty list' }]],
  ['a list in a list', [[rice]], [{ value: [rice] }]],
  [
    'another event',
    { event: 'order-created', amount: 12.5 },
    [{ value: { event: 'order-created', amount: 12.5 } }],
  ],
  ['another schema', { schema: 'v2', code: '1' }, [{ value: { schema: 'v2', code: '1' } }]],
])('%s', (_what, value, candidates) => {
  expect(productsIn(value)).toEqual(candidates)
})

const decimalField = (field: string, scale: string) => ({
  ...{ field, type: 'bytes', name: 'org.apache.kafka.connect.data.Decimal', parameters: { scale } },
})

test.each([
  ['Aew=', '2', '4.92'],
  ['/w==', '1', '-0.1'],
  ['BQ==', '0', '5'],
  ['BQ==', '-2', '500'],
  ['AA==', '3', '0.000'],
  ['', '2', null],
  ['BQ==', 'x', null],
])('the decimal %s with the scale %s is %s', (bytes, scale, number) => {
  const fields = [{ field: 'code', type: 'string' }, decimalField('fat_100g', scale)]
  const after = { type: 'struct', field: 'after', fields }
  const row = { code: '8001120000014', fat_100g: bytes }
  const value = { code: '8001120000014', fat_100g: number }
  expect(productsIn({ schema: { type: 'struct', fields }, payload: row })).toEqual([{ value }])
  expect(
    productsIn({ schema: { type: 'struct', fields: [after] }, payload: { op: 'c', after: row } }),
  ).toEqual([{ value }])
})
