import { apiFields } from '../../product/fields.ts'
import { nutrients } from '../../product/nutriments.ts'
import { type CsvDialect, CsvRows, type Fields } from './csvRows.ts'
import type { Entry } from './entry.ts'
import { isNested, nestedValue } from './nestedText.ts'

const nutrientColumns: ReadonlySet<string> = new Set(nutrients.map(name => `${name}_100g`))
const wanted: ReadonlySet<string> = new Set(Object.keys(apiFields))

/**
 * The products of a CSV file, in batches. Of its 210 columns only those of the record are read. The columns of the
 * nutrients have the names that other forms have in `nutriments`.
 *
 * A row that is not valid UTF-8, or has another number of fields than the header, is skipped.
 */
export async function* csvEntries(
  chunks: AsyncIterable<Buffer>,
  dialect: CsvDialect,
): AsyncGenerator<readonly Entry[]> {
  const rows = new CsvRows(dialect)
  let columns: readonly Column[] = []
  const entriesOf = (chunk: Buffer, isLast: boolean): Entry[] => {
    const entries: Entry[] = []
    for (const row of rows.take(chunk, isLast)) {
      if ('skippedBy' in row) entries.push(row)
      else if (rows.header === null) {
        columns = columnsOf(namesOf(row.fields))
        const code = columns.find(({ name }) => name === 'code')?.index ?? 0
        rows.header = { width: row.fields.count, codeColumn: code }
      } else entries.push(entryOf(row.fields, columns, row.place))
    }
    return entries
  }
  for await (const chunk of chunks) yield entriesOf(chunk, false)
  // If the input fails, the last row may be incomplete and is not read.
  yield entriesOf(Buffer.alloc(0), true)
}

interface Column {
  readonly index: number
  readonly name: string
  readonly isNutrient: boolean
}

const namesOf = (header: Fields): readonly string[] =>
  Array.from({ length: header.count }, (_, index) => columnName(header.text(index)))

/** The name of a column, which people write in any case and with blanks. */
export const columnName = (written: string): string =>
  written
    .replace(/^\ufeff/, '')
    .trim()
    .toLowerCase()

/** The columns that are read. Of two with the same name, the first. */
const columnsOf = (names: readonly string[]): readonly Column[] =>
  names.flatMap((name, index) => {
    const isNutrient = nutrientColumns.has(name)
    return (isNutrient || wanted.has(name)) && names.indexOf(name) === index
      ? [{ index, name, isNutrient }]
      : []
  })

const entryOf = (fields: Fields, columns: readonly Column[], place: number): Entry => {
  const nutriments: Record<string, unknown> = {}
  // A file without columns of nutrients does not say that the product has none.
  const value: Record<string, unknown> = columns.some(({ isNutrient }) => isNutrient) ? { nutriments } : {}
  for (const { index, name, isNutrient } of columns) {
    const text = fields.text(index)
    if (isNutrient) nutriments[name] = text
    if (!isNested(name, text)) {
      if (!isNutrient || wanted.has(name)) value[name] = text
      continue
    }
    const nested = nestedValue(text)
    if (nested === undefined)
      return { place, skippedBy: 'invalid-row', reason: `its \`${name}\` is a list in an unknown format` }
    value[name] = nested
  }
  return { place, value }
}
