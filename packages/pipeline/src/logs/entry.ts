import type { LogLine } from '@offstream/runtime'
import type { LogLevel } from '../names.ts'

/** One message of a service. */
export interface LogEntry {
  readonly service: string
  /** ISO 8601; null for messages without a moment: of the JVM itself, and Python tracebacks. */
  readonly at: string | null
  /** Null if unknown. */
  readonly level: LogLevel | null
  /** The last part of the logger's name. */
  readonly logger: string | null
  readonly message: string
  /** The lines after the first: a stack trace, or the rest of a long message. */
  readonly stack: readonly string[]
}

/** An entry and its place. */
export interface PlacedEntry {
  readonly entry: LogEntry
  /** Its lines as in the log. */
  readonly lines: readonly string[]
  /** The moment to sort it by, ISO 8601: its own, otherwise that of the previous entry. */
  readonly moment: string
  /** Place in the log, see `LogLine`. */
  readonly startsAt: number
}

/** The maximum number of lines of an entry. More lines become the next entry, so that an entry fits into memory. */
export const maxLines = 1_000

type Head = Pick<LogEntry, 'at' | 'level' | 'logger' | 'message'>

/** The pattern of `config/kafka.log4j.properties`, `config/spark.log4j2.properties` and the daemon. */
const prefixed =
  /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (FATAL|ERROR|WARN|INFO|DEBUG|TRACE) +([^\s:]*): (.*)$/s

const levels: Readonly<Record<string, LogLevel>> = {
  FATAL: 'error',
  ERROR: 'error',
  WARN: 'warn',
  INFO: 'info',
  DEBUG: 'debug',
  TRACE: 'debug',
}

/** First lines of messages that no logger wrote: of the JVM, of Python and of offstream's jobs. */
const unprefixed: readonly (readonly [RegExp, LogLevel])[] = [
  [/^Traceback \(most recent call last\):$/, 'error'],
  [/^Exception in thread "/, 'error'],
  [/^Error(?: occurred during initialization of VM|: )/, 'error'],
  [/^# (?:There is insufficient memory|A fatal error has been detected)/, 'error'],
  [/^[a-z-]+ failed: /, 'error'],
  [/^(?:OpenJDK|Java HotSpot)\S* .*warning: /, 'warn'],
  [/^WARNING: /, 'warn'],
  [/^\[\d+\.\d+s\]\[warning\]/, 'warn'],
]

const traceback = 'Traceback (most recent call last):'
const chained = /^(?:The above exception was the direct cause|During handling of the above exception)/

/** Whether a line starts an entry and has a moment. */
export const hasMoment = (text: string): boolean => prefixed.test(text)

/** Assembles the lines of one log, in order, to entries. */
export class EntryAssembler {
  readonly #service: string
  #moment: string
  #open: { readonly startsAt: number; readonly head: Head | null; readonly lines: string[] } | null = null

  /** @param moment for entries before the first one with a moment */
  constructor(service: string, moment: string) {
    this.#service = service
    this.#moment = moment
  }

  /** The entry that this line completes; null if the current entry may get more lines. */
  push({ text, begins }: LogLine): PlacedEntry | null {
    const head = headOf(text)
    if (this.#open !== null && this.#continues(this.#open, text, head)) {
      this.#open.lines.push(text)
      return null
    }
    const done = this.flush()
    this.#open = { startsAt: begins, head, lines: [text] }
    return done
  }

  /** The current entry with the lines so far; null before the first entry. */
  flush(): PlacedEntry | null {
    if (this.#open === null) return null
    const { startsAt, head, lines } = this.#open
    this.#open = null
    while (lines.at(-1) === '') lines.pop()
    const [first, ...stack] = lines
    if (first === undefined) return null
    this.#moment = head?.at ?? this.#moment
    const parts =
      first === traceback
        ? { at: null, level: 'error' as const, logger: null, message: raised(lines), stack: lines }
        : { ...(head ?? { at: null, level: null, logger: null, message: first }), stack }
    return { entry: { service: this.#service, ...parts }, lines, moment: this.#moment, startsAt }
  }

  #continues(
    open: { readonly head: Head | null; readonly lines: string[] },
    text: string,
    head: Head | null,
  ): boolean {
    if (open.lines.length >= maxLines) return false
    if (text === traceback) return chained.test(open.lines.findLast(line => line !== '') ?? '')
    if (head !== null) return false
    // Before the first entry of a log, each line is an entry.
    return open.head !== null || /^\s/.test(text)
  }
}

const headOf = (text: string): Head | null => {
  const [, at, level, logger, message] = prefixed.exec(text) ?? []
  if (at !== undefined && level !== undefined && logger !== undefined && message !== undefined)
    return { at, level: levels[level] ?? null, logger, message }
  const found = unprefixed.find(([pattern]) => pattern.test(text))
  return found === undefined ? null : { at: null, level: found[1], logger: null, message: text }
}

/** The error at the end of a traceback: the first line that is not indented, with the message of Java, if it has one. */
const raised = (lines: readonly string[]): string => {
  const frames = lines.lastIndexOf(traceback)
  const end = lines.findIndex((line, index) => index > frames && /^\S/.test(line))
  const cause = lines[end + 1]
  return end === -1 ? traceback : `${lines[end]}${cause?.startsWith(': ') ? cause : ''}`
}
