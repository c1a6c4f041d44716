import type { Column, Value } from '@offstream/pipeline'
import { replaceControls } from '@offstream/runtime/controls'
import { type RowFormat, textOf } from './rows.ts'

/**
 * CSV by RFC 4180, with a line feed after each record, as `psql --csv` and DuckDB write it. NULL is an empty field and an
 * empty string is `""`, so that a reader can distinguish them.
 */
export const csv: RowFormat = async function* (batches) {
  let isFirst = true
  for await (const { columns, values, rowCount } of batches) {
    const head = isFirst ? `${columns.map(({ name }) => field(name)).join(',')}\n` : ''
    isFirst = false
    // CSV has no escapes for control characters.
    yield replaceControls(head + records(columns, values, rowCount), { kept: '\t\n\r' })
  }
}

const records = (
  columns: readonly Column[],
  values: readonly (readonly Value[])[],
  rowCount: number,
): string => {
  const texts = columns.map(textOf)
  let text = ''
  for (let row = 0; row < rowCount; row++) {
    for (let column = 0; column < texts.length; column++) {
      if (column > 0) text += ','
      const value = texts[column]?.(values[column]?.[row] ?? null) ?? null
      if (value !== null) text += field(value)
    }
    text += '\n'
  }
  return text
}

const field = (text: string): string =>
  text === '' || /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
