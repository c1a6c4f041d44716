import { type Column, columnsOf, productIn } from './columns.ts'
import { type CsvDialect, CsvRows, type Fields } from './csvRows.ts'
import type { Entry } from './entry.ts'

/**
 * The products of a CSV file, in batches. Of its 210 columns only those of the record are read.
 *
 * A row that is not valid UTF-8, or has another number of fields than the header, is skipped.
 *
 * @param isTruncated whether the end of the input is missing, called after its last chunk
 */
export async function* csvEntries(
  chunks: AsyncIterable<Buffer>,
  dialect: CsvDialect,
  isTruncated: () => boolean,
): AsyncGenerator<readonly Entry[]> {
  const rows = new CsvRows(dialect)
  let columns: readonly Column[] = []
  const entriesOf = (chunk: Buffer, isLast: boolean): Entry[] => {
    const entries: Entry[] = []
    for (const row of rows.take(chunk, isLast)) {
      if ('skippedBy' in row) entries.push(row)
      else if (rows.header === null) {
        columns = columnsOf(namesOf(row.fields))
        const code = columns.find(({ field }) => field === 'code')?.index ?? 0
        rows.header = { width: row.fields.count, codeColumn: code }
      } else entries.push({ place: row.place, ...productIn(columns, row.fields.text) })
    }
    return entries
  }
  for await (const chunk of chunks) yield entriesOf(chunk, false)
  // The last field of a row without a line end may be incomplete, which nothing shows.
  if (!isTruncated()) yield entriesOf(Buffer.alloc(0), true)
}

/** A byte order mark before the first name hides its quotes. */
const namesOf = (header: Fields): readonly string[] =>
  Array.from({ length: header.count }, (_, index) => header.text(index).replace(/^\ufeff"(.*)"$/, '$1'))
