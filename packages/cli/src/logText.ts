import { stripVTControlCharacters } from 'node:util'
import type { LogEntry, LogLevel, LogName } from '@offstream/pipeline'
import { replaceControls } from '@offstream/runtime/controls'
import { paint } from './output.ts'

const levelWords: Readonly<Record<LogLevel, string>> = {
  error: paint({ text: 'ERROR', tone: 'bad' }),
  warn: paint({ text: 'WARN ', tone: 'warning' }),
  info: 'INFO ',
  debug: paint({ text: 'DEBUG', tone: 'dim' }),
}

/** An entry for people: a line, and below it what is worth telling of its trace; with `full`, all of it. */
export const textFor = (names: readonly LogName[], full: boolean): ((entry: LogEntry) => string) => {
  const width = Math.max(...names.map(({ length }) => length))
  return ({ service, at, level, logger, message, stack }) => {
    const columns = [
      paint({ text: at === null ? ' '.repeat(23) : clockTime(new Date(at)), tone: 'dim' }),
      ...(names.length === 1 ? [] : [service.padEnd(width)]),
      level === null ? '     ' : levelWords[level],
      visible(logger === null ? message : `${logger}: ${message}`),
    ]
    const told = full || stack.length <= shortStack ? stack : stack.filter(tells)
    const hidden = stack.length - told.length
    const note =
      hidden === 0 ? [] : [paint({ text: `… ${hidden} lines folded, \`--full\` shows them`, tone: 'dim' })]
    return [columns.join(' '), ...[...told.map(visible), ...note].map(line => `    ${line}`)].join('\n')
  }
}

/** Not worth folding: the line that tells of it would be as long. */
const shortStack = 3

/** What a trace begins with and what caused it; not the frames, nor that it is one. */
const tells = (line: string, index: number): boolean =>
  index === 0 ? line !== 'Traceback (most recent call last):' : line.startsWith('Caused by: ')

const digits = (value: number, count = 2): string => String(value).padStart(count, '0')

/** Local time, since the person's question begins with it: it was fine at half past nine. */
const clockTime = (at: Date): string =>
  `${digits(at.getFullYear(), 4)}-${digits(at.getMonth() + 1)}-${digits(at.getDate())} ` +
  `${digits(at.getHours())}:${digits(at.getMinutes())}:${digits(at.getSeconds())}.${digits(at.getMilliseconds(), 3)}`

/** What others wrote, without what a terminal would obey: escape codes, and control characters but the tab. */
const visible = (text: string): string => replaceControls(stripVTControlCharacters(text), { kept: '\t' })
