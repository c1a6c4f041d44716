import type { Batch, Column, Value } from '@offstream/pipeline'
import type { RowFormat } from './rows.ts'

/** A result in one batch. A column is a name, with its type after a colon: `n:int`; the default is `string`. */
export const resultOf = (names: readonly string[], ...rows: readonly (readonly Value[])[]): Batch[] => [
  batchOf(names, rows),
]

export const batchOf = (names: readonly string[], rows: readonly (readonly Value[])[]): Batch => ({
  columns: names.map(columnOf),
  rowCount: rows.length,
  values: names.map((_, column) => rows.map(row => row[column] ?? null)),
  byteLength: rows.length * 100,
})

const columnOf = (text: string): Column => {
  const [, name = '', type = 'string', precision, scale] =
    /^(.*?)(?::(\w+)(?:\((\d+),(\d+)\))?)?$/s.exec(text) ?? []
  return precision === undefined
    ? { name, type }
    : { name, type, precision: Number(precision), scale: Number(scale) }
}

/** The output of a format for a result, as text. */
export const formatted = async (format: RowFormat, batches: readonly Batch[]): Promise<string> =>
  (await formattedBytes(format, batches)).toString()

export const formattedBytes = async (format: RowFormat, batches: readonly Batch[]): Promise<Buffer> => {
  const parts: Buffer[] = []
  for await (const part of format(streamOf(batches))) parts.push(Buffer.from(part))
  return Buffer.concat(parts)
}

async function* streamOf(batches: readonly Batch[]): AsyncGenerator<Batch, void, undefined> {
  yield* batches
}
