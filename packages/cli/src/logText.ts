import { stripVTControlCharacters } from 'node:util'
import type { LogEntry, LogLevel } from '@offstream/pipeline'
import { replaceControls } from '@offstream/runtime/controls'
import { paint } from './output.ts'

const levelWords: Readonly<Record<LogLevel, string>> = {
  error: paint({ text: 'ERROR', tone: 'bad' }),
  warn: paint({ text: 'WARN ', tone: 'warning' }),
  info: 'INFO ',
  debug: paint({ text: 'DEBUG', tone: 'dim' }),
}

/** An entry for people: a line, and below it the important lines of its stack trace; with `full`, all lines. */
export const textFor = (names: readonly string[], full: boolean): ((entry: LogEntry) => string) => {
  const width = Math.max(...names.map(({ length }) => length))
  return ({ service, at, level, logger, message, stack }) => {
    const columns = [
      paint({ text: at === null ? ' '.repeat(23) : clockTime(new Date(at)), tone: 'dim' }),
      ...(names.length === 1 ? [] : [service.padEnd(width)]),
      level === null ? '     ' : levelWords[level],
      withoutControls(logger === null ? message : `${logger}: ${message}`),
    ]
    const lines = full || stack.length <= shortStack ? stack : stack.filter(isImportant)
    const hidden = stack.length - lines.length
    const note =
      hidden === 0 ? [] : [paint({ text: `… ${hidden} more lines, \`--full\` shows them`, tone: 'dim' })]
    return [columns.join(' '), ...[...lines.map(withoutControls), ...note].map(line => `    ${line}`)].join(
      '\n',
    )
  }
}

/** Shown in full: the line about the hidden lines would not be shorter. */
const shortStack = 3

/** The error and its causes, not the frames. */
const isImportant = (line: string, index: number): boolean =>
  index === 0 ? line !== 'Traceback (most recent call last):' : line.startsWith('Caused by: ')

const digits = (value: number, count = 2): string => String(value).padStart(count, '0')

/** Local time, because users remember when something happened by their clock. */
const clockTime = (at: Date): string =>
  `${digits(at.getFullYear(), 4)}-${digits(at.getMonth() + 1)}-${digits(at.getDate())} ` +
  `${digits(at.getHours())}:${digits(at.getMinutes())}:${digits(at.getSeconds())}.${digits(at.getMilliseconds(), 3)}`

/** Text of a service without escape sequences and without control characters other than the tab. */
const withoutControls = (text: string): string =>
  replaceControls(stripVTControlCharacters(text), { kept: '\t' })
