import { Readable } from 'node:stream'
import { messageOf, type OffstreamError } from '@offstream/runtime'
import type { CsvError, InfoCallback } from 'csv-parse'
import { PipelineError } from '../../errors.ts'
import { apiFields } from '../../product/fields.ts'
import type { JsonObject } from '../../product/json.ts'
import { nutrients } from '../../product/nutriments.ts'
import type { Entry } from './entry.ts'

/** No honest row is as long: a quote in it was never closed. */
const longestRow = 4 * 1024 * 1024
const atOnce = 200

const wanted: ReadonlySet<string> = new Set([
  ...Object.keys(apiFields),
  ...nutrients.map(name => `${name}_100g`),
])

/**
 * The products of a CSV, some at a time. Of its 210 columns those are read that the record needs; the nutrients stand
 * among them under the names that they have in `nutriments` elsewhere.
 *
 * @throws OffstreamError FILE_DAMAGED at a row without an end: where the next one begins can't be known
 */
export async function* csvEntries(
  chunks: AsyncIterable<Buffer>,
  { name, delimiter }: { readonly name: string; readonly delimiter: string },
): AsyncGenerator<readonly Entry[]> {
  const { parse } = await import('csv-parse')
  const entries: Entry[] = []
  let lastLine = 1
  let damage: CsvError | undefined
  let trouble: { readonly error: unknown } | undefined
  const parser = parse({
    delimiter,
    bom: true,
    columns: (names: string[]) => names.map(name => (wanted.has(name) ? name : null)),
    info: true,
    relax_quotes: true,
    relax_column_count: true,
    max_record_size: longestRow,
    skip_empty_lines: true,
    // Thrown, it would take the rows with it that are read and not yet taken.
    skip_records_with_error: true,
    on_skip: error => {
      damage ??= error
      return undefined
    },
  })
  const untilTrouble = async function* () {
    try {
      for await (const chunk of chunks) {
        if (damage !== undefined) return
        yield chunk
      }
    } catch (error) {
      trouble = { error }
    }
  }
  const source = Readable.from(untilTrouble())
  try {
    for await (const { record, info } of source.pipe(parser) as AsyncIterable<Row>) {
      lastLine = info.lines
      entries.push({ place: info.lines, value: { ...record, nutriments: record } })
      if (entries.length > atOnce) yield entries.splice(0, atOnce)
    }
  } finally {
    source.destroy()
  }
  // Of a file that breaks off, the last row may be a part of one.
  yield trouble === undefined ? entries : entries.slice(0, -1)
  if (trouble !== undefined) throw trouble.error
  if (damage !== undefined) throw damaged(name, lastLine, damage)
}

interface Row {
  readonly record: JsonObject
  readonly info: InfoCallback
}

const withoutEnd: ReadonlySet<string> = new Set(['CSV_QUOTE_NOT_CLOSED', 'CSV_MAX_RECORD_SIZE'])

const damaged = (name: string, lastLine: number, cause: CsvError): OffstreamError =>
  new PipelineError(
    'FILE_DAMAGED',
    `\`${name}\` can't be read after line ${lastLine}: ${withoutEnd.has(cause.code) ? 'a quote that begins there is never closed' : messageOf(cause)}`,
    {
      hint: 'put the quote right, or get the file again; the rows before were taken',
      cause,
    },
  )
