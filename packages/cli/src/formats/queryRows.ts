import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { stripVTControlCharacters } from 'node:util'
import type { Batch } from '@offstream/pipeline'
import { PipelineError } from '@offstream/pipeline/errors'
import { messageOf } from '@offstream/runtime/errors'
import type { Context } from '../context.ts'
import { CliError } from '../errors.ts'
import { plural } from '../format.ts'
import type { Output } from '../output.ts'
import { writeFileOfParts } from '../outputFile.ts'
import { csv } from './csv.ts'
import { json, jsonObject, ndjson } from './json.ts'
import { type FormatName, formatOfFile } from './names.ts'
import { parquet } from './parquet.ts'
import type { RowFormat } from './rows.ts'
import { table } from './table.ts'

/**
 * The statement to run: the argument, the content of a file, or standard input.
 * @throws CliError STATEMENT_MISSING, OffstreamError FILE_MISSING
 */
export const statementOf = async (
  argument: string | undefined,
  file: string | undefined,
): Promise<string> => {
  if (argument !== undefined && file !== undefined) throw statementMissing('Two statements were given')
  const statement =
    file !== undefined
      ? await fileText(file)
      : argument === undefined || argument === '-'
        ? await inputText(argument)
        : argument
  if (statement.trim() === '') throw statementMissing('The statement is empty')
  return statement
}

const inputText = async (argument: string | undefined): Promise<string> => {
  if (argument === undefined && process.stdin.isTTY) throw statementMissing('The statement is missing')
  return text(process.stdin)
}

const fileText = async (file: string): Promise<string> => {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new PipelineError('FILE_MISSING', `\`${file}\` cannot be read: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

const statementMissing = (message: string): CliError =>
  new CliError('STATEMENT_MISSING', message, {
    hint: 'pass one statement in quotes, in a file with `-f`, or on standard input',
  })

/** A statement, and how its rows are written. */
export interface RowsRequest {
  readonly statement: string
  readonly format: FormatName | undefined
  /** The file to write; otherwise standard output. */
  readonly target: string | undefined
  readonly timeoutMs: number | undefined
}

/**
 * Runs a statement and writes its rows as they arrive.
 * @throws CliError OUTPUT_UNWRITABLE, OffstreamError as `queryInBatches` does
 */
export const writeRows = async (
  { stack, pipeline, output, signal, force }: Context,
  { statement, format, target, timeoutMs }: RowsRequest,
): Promise<void> => {
  const name = format ?? formatOfFile(target ?? '') ?? 'table'
  if (target === undefined && name === 'parquet' && process.stdout.isTTY)
    throw new CliError('OUTPUT_UNWRITABLE', 'A terminal cannot show Parquet', {
      hint: 'add `--output <file>`, or choose another `--format`',
    })
  const { config, state } = await stack()
  const address = await pipeline.thriftOf(config, state)
  const options = { signal, ...(timeoutMs === undefined ? {} : { timeoutMs }) }
  const batches = pipeline.queryInBatches(address, statement, options)
  if (target === undefined) return printParts(printedFormat(name, output)(batches), output, signal)
  let rows = 0
  const counted = tap(batches, ({ rowCount }) => {
    rows += rowCount
  })
  await writeFileOfParts(target, fileFormat(name, output)(counted), force)
  output.result({ file: target, format: name, rows }, () => '')
  output.note(`Wrote ${plural(rows, 'row')} to \`${target}\``)
}

/** Prints rows on standard output as they arrive. @returns how many; null if the statement has no result */
export const printRows = async (
  batches: AsyncIterable<Batch>,
  format: FormatName,
  { output, signal }: Pick<Context, 'output' | 'signal'>,
): Promise<number | null> => {
  let rows = 0
  let hasColumns = false
  const counted = tap(batches, ({ rowCount, columns }) => {
    rows += rowCount
    hasColumns ||= columns.length > 0
  })
  const parts = printedFormat(format, output)(counted)
  // Without columns, a table is an empty line.
  await printParts(format === 'table' ? withoutEmptyLine(parts) : parts, output, signal)
  return hasColumns ? rows : null
}

async function* withoutEmptyLine(
  parts: AsyncIterable<string | Uint8Array>,
): AsyncGenerator<string | Uint8Array, void, undefined> {
  for await (const part of parts) if (part !== '\n') yield part
}

const printParts = async (
  parts: AsyncIterable<string | Uint8Array>,
  output: Output,
  signal: AbortSignal,
): Promise<void> => {
  let last: string | Uint8Array = '\n'
  try {
    for await (const part of parts) {
      last = part
      await output.write(part, signal)
    }
  } catch (error) {
    // The error is printed on the next line.
    if (typeof last === 'string' && !last.endsWith('\n')) await output.write('\n', signal)
    throw error
  }
}

async function* tap(
  batches: AsyncIterable<Batch>,
  see: (batch: Batch) => void,
): AsyncGenerator<Batch, void, undefined> {
  for await (const batch of batches) {
    see(batch)
    yield batch
  }
}

const printedFormat = (name: FormatName, output: Output): RowFormat =>
  output.mode === 'json' ? jsonObject : name === 'table' ? table(output) : formats[name]

const fileFormat = (name: FormatName, { table: draw }: Output): RowFormat =>
  name === 'table'
    ? table({ table: (...block) => stripVTControlCharacters(draw(...block)), dataWidth: undefined })
    : formats[name]

const formats: Readonly<Record<Exclude<FormatName, 'table'>, RowFormat>> = { json, ndjson, csv, parquet }
