import { parquetMetadata, parquetReadObjects } from 'hyparquet'
import { expect, test } from 'vitest'
import { parquet } from './parquet.ts'
import { batchOf, formattedBytes, resultOf } from './testRows.ts'

const readBack = async (batches: Parameters<typeof formattedBytes>[1]) => {
  const file = new Uint8Array(await formattedBytes(parquet, batches)).buffer
  return { file, metadata: parquetMetadata(file), rows: await parquetReadObjects({ file, utf8: false }) }
}

test.each([
  ['boolean', true, true],
  ['tinyint', -128, -128],
  ['int', -2_147_483_648, -2_147_483_648],
  ['bigint', 1, 1n],
  ['bigint', '-9223372036854775808', -9_223_372_036_854_775_808n],
  ['double', 1e300, 1e300],
  ['float', 0.5, 0.5],
  ['string', 'Pâte à tartiner 🧀', 'Pâte à tartiner 🧀'],
  ['binary', '/wA=', new Uint8Array([255, 0])],
  ['date', '2026-01-31', new Date('2026-01-31')],
  ['date', '0001-01-01', new Date('0001-01-01')],
  ['timestamp', '2026-01-31 12:00:00.25', new Date('2026-01-31T12:00:00.250Z')],
  ['timestamp', '1969-12-31 23:59:59.999', new Date(-1)],
  ['array', '["a"]', '["a"]'],
  ['interval_day_time', '1 00:00:00.000000000', '1 00:00:00.000000000'],
])('the %s %j is read from Parquet as %o', async (type, value, expected) => {
  const { rows } = await readBack(resultOf([`it:${type}`, 'other'], [value, 'x'], [null, null]))
  expect(rows).toEqual([
    { it: expected, other: 'x' },
    { it: null, other: null },
  ])
})

test.each([
  ['decimal(10,2)', '1.50', 150n],
  ['decimal(10,2)', '-0.01', -1n],
  ['decimal(18,0)', '999999999999999999', 999_999_999_999_999_999n],
  [
    'decimal(38,18)',
    '-12345678901234567890.123456789012345678',
    -12_345_678_901_234_567_890_123_456_789_012_345_678n,
  ],
])('the %s %s has all its digits in Parquet', async (type, value, unscaled) => {
  const { file, metadata } = await readBack(resultOf([`it:${type}`], [value]))
  expect(metadata.schema[1]).toMatchObject({ converted_type: 'DECIMAL' })
  // hyparquet would convert a decimal to an inexact number.
  const schema = metadata.schema.map(({ converted_type: _, ...element }) => element)
  const [row] = await parquetReadObjects({ file, metadata: { ...metadata, schema } })
  expect(wholeOf(row?.['it'])).toBe(unscaled)
})

const wholeOf = (stored: bigint | Uint8Array): bigint =>
  typeof stored === 'bigint' ? stored : BigInt.asIntN(128, BigInt(`0x${Buffer.from(stored).toString('hex')}`))

test('Parquet has one row group for each 16 MB of a result', async () => {
  const batch = { ...batchOf(['n:int'], [[1], [2]]), byteLength: 9_000_000 }
  const { metadata, rows } = await readBack([batch, batch, batch])
  expect(metadata.row_groups.map(({ num_rows }) => num_rows)).toEqual([4n, 2n])
  expect(rows.map(({ n }) => n)).toEqual([1, 2, 1, 2, 1, 2])
})

test('a result without rows is a Parquet file with columns', async () => {
  const { metadata, rows } = await readBack(resultOf(['a:int', 'a:string']))
  expect(rows).toEqual([])
  expect(metadata.schema.slice(1).map(({ name, type }) => [name, type])).toEqual([
    ['a', 'INT32'],
    ['a_2', 'BYTE_ARRAY'],
  ])
})
