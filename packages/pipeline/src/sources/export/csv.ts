import { Readable } from 'node:stream'
import { CsvError, type InfoCallback, parse } from 'csv-parse'
import type { JsonObject } from '../record/json.ts'
import { nutrientNames, otherNutrients } from '../record/nutriments.ts'
import type { Entry } from './entry.ts'
import { apiFields } from './fields.ts'

/** No honest row is as long; a quote that nobody closes must not swallow the rest of the file. */
const longestRow = 4 * 1024 * 1024
const atOnce = 200

const nutrientColumns = [...Object.values(nutrientNames), ...otherNutrients].map(name => `${name}_100g`)
const wanted: ReadonlySet<string> = new Set([...Object.keys(apiFields), ...nutrientColumns])

/**
 * The products of a CSV, some at a time. Of its 210 columns those are read that the record needs; the nutrients stand
 * among them under the names that they have in `nutriments` elsewhere.
 */
export async function* csvEntries(
  chunks: AsyncIterable<Buffer>,
  delimiter: string,
): AsyncGenerator<readonly Entry[]> {
  let entries: Entry[] = []
  let brokenAt = 0
  const parser = parse({
    delimiter,
    bom: true,
    columns: (names: string[]) => names.map(name => (wanted.has(name) ? name : null)),
    info: true,
    relax_quotes: true,
    relax_column_count: true,
    max_record_size: longestRow,
    skip_empty_lines: true,
    skip_records_with_error: true,
    on_skip: error => {
      const place = lineOf(error)
      // A row without an end is told again with each chunk of it.
      if (place !== brokenAt)
        entries.push({ place, problem: `it is no CSV: ${error?.message ?? 'unreadable'}` })
      brokenAt = place
      return undefined
    },
  })
  const source = Readable.from(chunks).on('error', error => parser.destroy(error))
  try {
    for await (const { record, info } of source.pipe(parser) as AsyncIterable<Row>) {
      entries.push({ place: info.lines, value: { ...record, nutriments: record } })
      if (entries.length < atOnce) continue
      yield entries
      entries = []
    }
  } finally {
    source.destroy()
  }
  yield entries
}

interface Row {
  readonly record: JsonObject
  readonly info: InfoCallback
}

const lineOf = (error: unknown): number =>
  error instanceof CsvError && typeof error['lines'] === 'number' ? error['lines'] : 0
