import { once } from 'node:events'
import { stripVTControlCharacters } from 'node:util'
import { jsonText } from '@offstream/runtime/controls'
import { messageOf, OffstreamError } from '@offstream/runtime/errors'
import chalk from 'chalk'
import Table from 'cli-table3'
import type { Ora } from 'ora'
import { CliError } from './errors.ts'
import { printable, printableLines } from './format.ts'

// Only a terminal shows a spinner, and loading ora takes a tenth of a command's time.
const ora = process.stderr.isTTY ? (await import('ora')).default : null

// chalk knows FORCE_COLOR but not NO_COLOR.
if (process.env['NO_COLOR'] && !process.env['FORCE_COLOR']) chalk.level = 0

/** `terminal` shows a spinner and colors, `plain` writes lines, `json` writes one object a line. */
export type OutputMode = 'terminal' | 'plain' | 'json'

/** A cell of a table: plain text, or text with a tone. */
export type Cell = string | { readonly text: string; readonly tone: Tone }

/** What a text means: `paint` chooses its colour. */
export type Tone = 'good' | 'bad' | 'warning' | 'dim' | 'bold'

const tones: Readonly<Record<Tone, (text: string) => string>> = {
  good: chalk.green,
  bad: chalk.red,
  warning: chalk.yellow,
  dim: chalk.dim,
  bold: chalk.bold,
}

/** The mode for `stream`: live lines need a terminal with a known width, outside of CI. */
export const modeFor = (
  json: boolean,
  stream: NodeJS.WriteStream,
  environment: NodeJS.ProcessEnv,
): OutputMode => {
  if (json) return 'json'
  const drawable = stream.isTTY && hasWidth(stream) && !environment['CI'] && environment['TERM'] !== 'dumb'
  return drawable ? 'terminal' : 'plain'
}

/** A terminal that does not know its width reports 0 columns; a spinner there would never find the end of a line. */
const hasWidth = ({ columns }: NodeJS.WriteStream): boolean => columns !== 0

/**
 * The only place that prints. Data goes to standard output; progress, notes and errors go to standard error. With
 * `--json`, events and the result are data: one object a line, the result last.
 */
export class Output {
  readonly mode: OutputMode
  // Members, so that the definition of a command, which help waits for, does not import this module.
  readonly table = table
  readonly paint = paint
  readonly jsonText = jsonText
  #live: Ora | null = null

  constructor(mode: OutputMode) {
    this.mode = mode
  }

  /** The result of a command: an object with a `version` for programs, text for people. Empty text is not printed. */
  result(value: Readonly<Record<string, unknown>>, text: () => string): void {
    this.endLive()
    if (this.mode === 'json') writeLine(process.stdout, jsonText({ version: 1, ...value }))
    else {
      const written = text()
      if (written !== '') writeLine(process.stdout, written)
    }
  }

  /** Lines of data that have their own format in every mode, for example messages of a topic. */
  data(lines: string): void {
    writeLine(process.stdout, lines)
  }

  /** Writes a part of the data as soon as it is available. Resolves when the reader has received it. */
  async write(part: string | Uint8Array, signal: AbortSignal): Promise<void> {
    this.endLive()
    process.stdout.write(part)
    await this.drained(signal)
  }

  /** Resolves when standard output has no backlog, so that a slow reader (a pager) does not fill our memory. */
  async drained(signal: AbortSignal): Promise<void> {
    if (process.stdout.writableNeedDrain)
      await once(process.stdout, 'drain', { signal }).catch(() => undefined)
  }

  /** The width of the terminal that shows the data; undefined if it goes to a file or a pipe. */
  get dataWidth(): number | undefined {
    return process.stdout.isTTY ? process.stdout.columns || undefined : undefined
  }

  /** Something that happened while a command runs. */
  event(event: Readonly<Record<string, unknown>>, line: string): void {
    if (this.mode === 'json') writeLine(process.stdout, jsonText({ version: 1, ...event }))
    else this.#line(line)
  }

  /** Text for people only: what to do next, which port was chosen. */
  note(text: string): void {
    if (this.mode !== 'json') this.#line(text)
  }

  /** What is in progress, in one or more lines. It replaces the previous call. Only a terminal shows it. */
  live(text: string): void {
    if (this.mode !== 'terminal') return
    if (ora === null || !hasWidth(process.stderr)) {
      this.endLive()
      return
    }
    if (this.#live === null) this.#live = ora({ stream: process.stderr, discardStdin: false }).start()
    this.#live.text = text
  }

  endLive(): void {
    this.#live?.stop()
    this.#live = null
  }

  error(error: unknown, verbose: boolean): void {
    this.endLive()
    if (error instanceof OffstreamError) {
      const { code, message, hint, lastLogLines } = error
      if (this.mode === 'json') {
        writeLine(process.stdout, jsonText({ version: 1, error: { code, message, hint, lastLogLines } }))
        return
      }
      writeLine(process.stderr, `${chalk.red('✖')} ${printableLines(message)} ${chalk.dim(`[${code}]`)}`)
      for (const line of lastLogLines) writeLine(process.stderr, chalk.dim(`  │ ${printable(line)}`))
      writeLine(process.stderr, `${chalk.cyan('→')} ${printableLines(hint)}`)
      if (verbose && error.cause !== undefined) writeLine(process.stderr, chalk.dim(stackOf(error.cause)))
      return
    }
    const { code, hint } = new CliError('UNEXPECTED', messageOf(error))
    if (this.mode === 'json')
      writeLine(
        process.stdout,
        jsonText({
          version: 1,
          error: { code, message: messageOf(error), hint, lastLogLines: [] },
        }),
      )
    const [what, ...frames] = stackOf(error).split('\n')
    writeLine(
      process.stderr,
      `${chalk.red('✖')} This is a bug in offstream: ${what} ${chalk.dim(`[${code}]`)}`,
    )
    for (const frame of frames) writeLine(process.stderr, frame)
    writeLine(process.stderr, `${chalk.cyan('→')} ${hint}`)
  }

  #line(text: string): void {
    // Remove the spinner, and draw it again below the line.
    this.#live?.clear()
    writeLine(process.stderr, text)
    this.#live?.render()
  }
}

/**
 * Text in aligned columns, without borders.
 * @param width the maximum width of a line. Cells of the widest columns are cut with `…`.
 */
export const table = (
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  width = Number.POSITIVE_INFINITY,
): string => {
  const drawn = new Table({
    head: head.map(title => chalk.bold(title)),
    ...columnWidths([head, ...rows], width),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': columnGap },
    chars: Object.fromEntries(borders.map(name => [name, ''])),
  })
  drawn.push(...rows.map(row => row.map(paint)))
  return drawn
    .toString()
    .split('\n')
    .map(line => line.trimEnd())
    .join('\n')
}

const columnGap = 2
/** A narrower column is not worth showing. */
const minColumnWidth = 4

/** If the rows are wider than `width`: the widths of the columns with their gap, the widest columns reduced. */
const columnWidths = (rows: readonly (readonly Cell[])[], width: number): { colWidths?: number[] } => {
  const widths: number[] = []
  for (const row of rows)
    for (const [column, cell] of row.entries()) {
      const { length } = stripVTControlCharacters(typeof cell === 'string' ? cell : cell.text)
      widths[column] = Math.max(widths[column] ?? 0, length + columnGap)
    }
  // The last column has no gap.
  const excess = () => widths.reduce((sum, one) => sum + one, -columnGap) - width
  if (excess() <= 0) return {}
  while (excess() > 0) {
    const widest = Math.max(...widths)
    if (widest <= minColumnWidth + columnGap) break
    const next = Math.max(...widths.filter(one => one < widest), minColumnWidth + columnGap)
    const wide = widths.filter(one => one === widest).length
    const less = Math.min(widest - next, Math.ceil(excess() / wide)) || 1
    for (const [column, one] of widths.entries()) if (one === widest) widths[column] = widest - less
  }
  return { colWidths: widths }
}

/** The text of a cell with the colours of its tone. */
export const paint = (cell: Cell): string => (typeof cell === 'string' ? cell : tones[cell.tone](cell.text))

const borders = [
  ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
  ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
]

const stackOf = (error: unknown): string =>
  printableLines(error instanceof Error ? (error.stack ?? error.message) : String(error))

// chalk decides by standard output. Standard error may be a file, where colors do not belong.
const writeLine = (stream: NodeJS.WriteStream, text: string): void => {
  const plain = stream === process.stderr && !stream.isTTY && !process.env['FORCE_COLOR']
  stream.write(`${plain ? stripVTControlCharacters(text) : text}\n`)
}
