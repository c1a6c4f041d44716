import { stripVTControlCharacters } from 'node:util'
import { messageOf, OffstreamError } from '@offstream/runtime/errors'
import chalk from 'chalk'
import Table from 'cli-table3'
import type { Ora } from 'ora'
import { printable, printableLines } from './words.ts'

// Only a terminal is drawn on, and loading what draws takes a tenth of a command's time.
const ora = process.stderr.isTTY ? (await import('ora')).default : null

// chalk heeds FORCE_COLOR alone.
if (process.env['NO_COLOR'] && !process.env['FORCE_COLOR']) chalk.level = 0

/** How a person is told: `terminal` may draw and redraw, `plain` writes lines, `json` one object a line. */
export type OutputMode = 'terminal' | 'plain' | 'json'

/** A cell of a table: text as it is, or as loud as what it says. */
export type Cell = string | { readonly text: string; readonly tone: Tone }
export type Tone = 'good' | 'bad' | 'doubtful' | 'quiet' | 'strong'

const tones: Readonly<Record<Tone, (text: string) => string>> = {
  good: chalk.green,
  bad: chalk.red,
  doubtful: chalk.yellow,
  quiet: chalk.dim,
  strong: chalk.bold,
}

export const modeFor = (
  json: boolean,
  stream: NodeJS.WriteStream,
  environment: NodeJS.ProcessEnv,
): OutputMode => {
  if (json) return 'json'
  const drawable = stream.isTTY && hasWidth(stream) && !environment['CI'] && environment['TERM'] !== 'dumb'
  return drawable ? 'terminal' : 'plain'
}

/** A terminal that does not know its width says 0 columns: what is drawn there would never come to the end of a line. */
const hasWidth = ({ columns }: NodeJS.WriteStream): boolean => columns !== 0

/**
 * The only writer. Data goes to standard output and nothing else does; progress, notes and errors go to standard
 * error. With `--json`, events and the result are data: one object a line, the result last.
 */
export class Output {
  readonly mode: OutputMode
  // With the output, since a command's definition, which help waits for, shall not load what draws.
  readonly table = table
  readonly paint = paint
  #live: Ora | null = null

  constructor(mode: OutputMode) {
    this.mode = mode
  }

  /** The answer of a command: an object for programs (it gets a `version`), text for people. */
  result(value: Readonly<Record<string, unknown>>, text: () => string): void {
    this.endLive()
    if (this.mode === 'json') writeLine(process.stdout, jsonOf({ version: 1, ...value }))
    else {
      const written = text()
      if (written !== '') writeLine(process.stdout, written)
    }
  }

  /** A line of data as it is, whatever the mode: records of a dry run, lines of a log. */
  data(line: string): void {
    writeLine(process.stdout, line)
  }

  /** Something that happened on the way. */
  event(event: Readonly<Record<string, unknown>>, line: string): void {
    if (this.mode === 'json') writeLine(process.stdout, jsonOf({ version: 1, ...event }))
    else this.#line(line)
  }

  /** For the person alone: what to do next, what was chosen. */
  note(text: string): void {
    if (this.mode !== 'json') this.#line(text)
  }

  /**
   * What is under way now, replacing what was said before; may have several lines. Only a terminal shows it, since
   * elsewhere each would stay for ever.
   */
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
        writeLine(process.stdout, jsonOf({ version: 1, error: { code, message, hint, lastLogLines } }))
        return
      }
      writeLine(process.stderr, `${chalk.red('✖')} ${printableLines(message)} ${chalk.dim(`[${code}]`)}`)
      for (const line of lastLogLines) writeLine(process.stderr, chalk.dim(`  │ ${printable(line)}`))
      writeLine(process.stderr, `${chalk.cyan('→')} ${printableLines(hint)}`)
      if (verbose && error.cause !== undefined) writeLine(process.stderr, chalk.dim(stackOf(error.cause)))
      return
    }
    if (this.mode === 'json') {
      writeLine(
        process.stdout,
        jsonOf({ version: 1, error: { code: 'UNEXPECTED', message: messageOf(error) } }),
      )
    }
    writeLine(process.stderr, `${chalk.red('✖')} This is a bug in offstream: ${stackOf(error)}`)
  }

  #line(text: string): void {
    // A spinner would be drawn over; it is taken away, and drawn again below the line.
    this.#live?.clear()
    writeLine(process.stderr, text)
    this.#live?.render()
  }
}

/**
 * Lines in columns, for people.
 * @param width what a line may take: what is longer in the widest columns is cut off with `…`
 */
export const table = (
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  width = Number.POSITIVE_INFINITY,
): string => {
  const drawn = new Table({
    head: head.map(title => chalk.bold(title)),
    ...fitting([head, ...rows], width),
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
/** Less of a column tells nothing. */
const leastColumn = 4

/** The widths of the columns, gap included, where they are too wide together; the widest give way. */
const fitting = (rows: readonly (readonly Cell[])[], width: number): { colWidths?: number[] } => {
  const widths: number[] = []
  for (const row of rows)
    for (const [column, cell] of row.entries()) {
      const { length } = stripVTControlCharacters(typeof cell === 'string' ? cell : cell.text)
      widths[column] = Math.max(widths[column] ?? 0, length + columnGap)
    }
  // Nothing follows the last gap.
  const excess = () => widths.reduce((sum, one) => sum + one, -columnGap) - width
  if (excess() <= 0) return {}
  while (excess() > 0) {
    const widest = Math.max(...widths)
    if (widest <= leastColumn + columnGap) break
    const next = Math.max(...widths.filter(one => one < widest), leastColumn + columnGap)
    const wide = widths.filter(one => one === widest).length
    const less = Math.min(widest - next, Math.ceil(excess() / wide)) || 1
    for (const [column, one] of widths.entries()) if (one === widest) widths[column] = widest - less
  }
  return { colWidths: widths }
}

export const paint = (cell: Cell): string => (typeof cell === 'string' ? cell : tones[cell.tone](cell.text))

const borders = [
  ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
  ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
]

const stackOf = (error: unknown): string =>
  printableLines(error instanceof Error ? (error.stack ?? error.message) : String(error))

/** JSON leaves the control characters beyond ASCII as they are, and some terminals obey them too. */
const jsonOf = (value: object): string =>
  JSON.stringify(value).replace(
    /[\u007f-\u009f]/g,
    character => `\\u00${character.charCodeAt(0).toString(16)}`,
  )

// chalk decides by standard output; colours in a file that standard error was sent to help nobody.
const writeLine = (stream: NodeJS.WriteStream, text: string): void => {
  const plain = stream === process.stderr && !stream.isTTY && !process.env['FORCE_COLOR']
  stream.write(`${plain ? stripVTControlCharacters(text) : text}\n`)
}
