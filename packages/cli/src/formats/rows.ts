import type { Batch, Column, Value } from '@offstream/pipeline'

/** A format converts the batches of a result to the consecutive parts of the output. */
export type RowFormat = (
  batches: AsyncIterable<Batch>,
) => AsyncGenerator<string | Uint8Array, void, undefined>

/** The values of a column as text; JSON for arrays, maps and structs; null is null. */
export const textOf = (column: Column): ((value: Value) => string | null) => {
  const text = column.type === 'timestamp' ? isoTimestamp : String
  return value => (value === null ? null : text(value))
}

/** `2026-01-31T12:00:00.25Z`. The session's time zone is UTC. */
const isoTimestamp = (value: string | number | boolean): string => `${String(value).replace(' ', 'T')}Z`

/** A name for each column. The second column of the same name is `name_2`. */
export const uniqueNames = (columns: readonly Column[]): string[] => {
  const seen = new Map<string, number>()
  return columns.map(({ name }) => {
    const count = (seen.get(name) ?? 0) + 1
    seen.set(name, count)
    return count === 1 ? name : `${name}_${count}`
  })
}
