import type { Batch, Column, Value } from '@offstream/pipeline'
import type { SchemaElement } from 'hyparquet'
import { type RowFormat, uniqueNames } from './rows.ts'

/** A row group is in memory as a whole, here and in readers. */
const groupBytes = 16 * 1024 * 1024

/** Parquet, compressed with Snappy. */
export const parquet: RowFormat = async function* (batches) {
  const { ByteWriter, ParquetWriter } = await import('hyparquet-writer')
  const bytes = new ByteWriter()
  const written = (): Uint8Array => {
    const part = bytes.getBytes().slice()
    bytes.index = 0
    return part
  }
  let file: InstanceType<typeof ParquetWriter> | null = null
  for await (const { columns, group } of groupsOf(batches)) {
    const names = uniqueNames(columns)
    const kinds = columns.map(kindOf)
    file ??= new ParquetWriter({ writer: bytes, schema: schemaOf(names, kinds) })
    const columnData = kinds.map(({ value }, index) => ({
      name: names[index] ?? '',
      data: (group[index] ?? []).map(one => (one === null ? null : value(one))),
    }))
    await file.write({ columnData, rowGroupSize: Number.MAX_SAFE_INTEGER })
    yield written()
  }
  await file?.finish()
  yield written()
}

interface Group {
  readonly columns: readonly Column[]
  readonly group: readonly (readonly Value[])[]
}

async function* groupsOf(batches: AsyncIterable<Batch>): AsyncGenerator<Group, void, undefined> {
  let columns: readonly Column[] = []
  let group: Value[][] = []
  let size = 0
  let isFirst = true
  for await (const batch of batches) {
    columns = batch.columns
    group = batch.values.map((values, index) => [...(group[index] ?? []), ...values])
    size += batch.byteLength
    if (size < groupBytes) continue
    yield { columns, group }
    isFirst = false
    group = []
    size = 0
  }
  if (isFirst || group.length > 0) yield { columns, group }
}

/** How Parquet stores a column, and a value of it that is not null. */
interface Kind {
  readonly element: Omit<SchemaElement, 'name'>
  readonly value: (value: string | number | boolean) => unknown
}

const text: Kind = { element: { type: 'BYTE_ARRAY', converted_type: 'UTF8' }, value: String }
const whole = { element: { type: 'INT32' }, value: Number } as const satisfies Kind

/** By the types of SQL. Others, such as arrays and intervals, are text. */
const kinds: Readonly<Record<string, Kind>> = {
  boolean: { element: { type: 'BOOLEAN' }, value: Boolean },
  tinyint: { ...whole, element: { type: 'INT32', converted_type: 'INT_8' } },
  smallint: { ...whole, element: { type: 'INT32', converted_type: 'INT_16' } },
  int: whole,
  bigint: { element: { type: 'INT64' }, value: value => BigInt(value) },
  float: { element: { type: 'FLOAT' }, value: Number },
  double: { element: { type: 'DOUBLE' }, value: Number },
  binary: { element: { type: 'BYTE_ARRAY' }, value: value => Buffer.from(String(value), 'base64') },
  date: {
    element: { type: 'INT32', converted_type: 'DATE' },
    value: value => Number(microsecondsOf(`${value} 00:00:00`) / microsecondsADay),
  },
  timestamp: {
    element: {
      type: 'INT64',
      logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
      converted_type: 'TIMESTAMP_MICROS',
    },
    value: value => microsecondsOf(String(value)),
  },
}

const kindOf = ({ type, precision = 38, scale = 0 }: Column): Kind =>
  type === 'decimal' ? decimal(precision, scale) : (kinds[type] ?? text)

const decimal = (precision: number, scale: number): Kind => ({
  element: {
    ...(precision <= 18 ? { type: 'INT64' } : { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16 }),
    converted_type: 'DECIMAL',
    precision,
    scale,
  },
  // Spark writes all digits of the scale: the digits without the point are the number that Parquet stores.
  value: value => BigInt(String(value).replace('.', '')),
})

const schemaOf = (names: readonly string[], columns: readonly Kind[]): SchemaElement[] => [
  { name: 'root', num_children: names.length },
  ...columns.map(
    ({ element }, index): SchemaElement => ({
      name: names[index] ?? '',
      repetition_type: 'OPTIONAL',
      ...element,
    }),
  ),
]

const microsecondsADay = 86_400_000_000n

/** Microseconds since 1970 of a timestamp in UTC, as Spark writes it. Years can have a sign and more than four digits. */
const microsecondsOf = (timestamp: string): bigint => {
  const [, year = '', rest = '', fraction = ''] =
    /^([+-]?\d+)-(\d\d-\d\d \d\d:\d\d:\d\d)(?:\.(\d+))?$/.exec(timestamp) ?? []
  const date = new Date(`2000-${rest.replace(' ', 'T')}Z`)
  date.setUTCFullYear(Number(year))
  return BigInt(date.getTime()) * 1_000n + BigInt(fraction.slice(0, 6).padEnd(6, '0'))
}
