import { Readable } from 'node:stream'
import { messageOf, type OffstreamError } from '@offstream/runtime'
import type { CsvError, InfoCallback } from 'csv-parse'
import { PipelineError } from '../../errors.ts'
import { apiFields } from '../../product/fields.ts'
import type { JsonObject } from '../../product/json.ts'
import { nutrients } from '../../product/nutriments.ts'
import type { Entry } from './entry.ts'

/** A longer row has a quote that is never closed. */
const maxRowBytes = 4 * 1024 * 1024
const batchSize = 200

const wanted: ReadonlySet<string> = new Set([
  ...Object.keys(apiFields),
  ...nutrients.map(name => `${name}_100g`),
])

/**
 * The products of a CSV file, in batches. Of its 210 columns only those of the record are read. The columns of the
 * nutrients have the names that other forms have in `nutriments`.
 *
 * @throws OffstreamError FILE_DAMAGED at a row that never ends, because the start of the next one is unknown
 */
export async function* csvEntries(
  chunks: AsyncIterable<Buffer>,
  { name, delimiter }: { readonly name: string; readonly delimiter: string },
): AsyncGenerator<readonly Entry[]> {
  const { parse } = await import('csv-parse')
  const entries: Entry[] = []
  let lastLine = 1
  let firstError: CsvError | undefined
  let inputError: { readonly error: unknown } | undefined
  const parser = parse({
    delimiter,
    bom: true,
    columns: (names: string[]) => names.map(name => (wanted.has(name) ? name : null)),
    info: true,
    relax_quotes: true,
    relax_column_count: true,
    max_record_size: maxRowBytes,
    skip_empty_lines: true,
    // If csv-parse threw the error, rows that were read before would be lost.
    skip_records_with_error: true,
    on_skip: error => {
      firstError ??= error
      return undefined
    },
  })
  const untilError = async function* () {
    try {
      for await (const chunk of chunks) {
        if (firstError !== undefined) return
        yield chunk
      }
    } catch (error) {
      inputError = { error }
    }
  }
  const source = Readable.from(untilError())
  try {
    for await (const { record, info } of source.pipe(parser) as AsyncIterable<Row>) {
      lastLine = info.lines
      entries.push({ place: info.lines, value: { ...record, nutriments: record } })
      if (entries.length > batchSize) yield entries.splice(0, batchSize)
    }
  } finally {
    source.destroy()
  }
  // If the input fails, the last row may be incomplete.
  yield inputError === undefined ? entries : entries.slice(0, -1)
  if (inputError !== undefined) throw inputError.error
  if (firstError !== undefined) throw damaged(name, lastLine, firstError)
}

interface Row {
  readonly record: JsonObject
  readonly info: InfoCallback
}

const codesOfUnclosedQuotes: ReadonlySet<string> = new Set(['CSV_QUOTE_NOT_CLOSED', 'CSV_MAX_RECORD_SIZE'])

const damaged = (name: string, lastLine: number, cause: CsvError): OffstreamError =>
  new PipelineError(
    'FILE_DAMAGED',
    `\`${name}\` cannot be read after line ${lastLine}: ${codesOfUnclosedQuotes.has(cause.code) ? 'a quote that starts there is never closed' : messageOf(cause)}`,
    {
      hint: 'correct the quote, or download the file again; the preceding rows were read',
      cause,
    },
  )
