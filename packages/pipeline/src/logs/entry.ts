import type { LogLine } from '@offstream/runtime'
import type { LogLevel } from '../names.ts'

/** What a service had to say at one moment. */
export interface LogEntry {
  readonly service: string
  /** ISO 8601; null for what comes without a moment: a JVM's own words, a Python traceback. */
  readonly at: string | null
  /** Null where nothing tells. */
  readonly level: LogLevel | null
  /** Last part of the logger's name. */
  readonly logger: string | null
  readonly message: string
  /** The lines that follow the first: a stack trace, more of a long message. */
  readonly stack: readonly string[]
}

/** An entry, and where it belongs. */
export interface PlacedEntry {
  readonly entry: LogEntry
  /** Its lines as they stand in the log. */
  readonly lines: readonly string[]
  /** The moment to sort it by, ISO 8601: its own, else that of the entry before it. */
  readonly moment: string
  /** Place in the log, see `LogLine`. */
  readonly begins: number
}

/** Lines of one entry; what follows them becomes the next, so that no entry is too large to hold. */
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

/** First lines of what is written past the loggers: by the JVM, by Python, by our jobs. */
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

/** Whether a line begins an entry with a moment of its own. */
export const tellsMoment = (text: string): boolean => prefixed.test(text)

/** Puts the lines of one log, given in order, together to entries. */
export class EntryAssembler {
  readonly #service: string
  #moment: string
  #open: { readonly begins: number; readonly head: Head | null; readonly lines: string[] } | null = null

  /** @param moment for entries before the first that tells one */
  constructor(service: string, moment: string) {
    this.#service = service
    this.#moment = moment
  }

  /** The entry that this line shows to be complete; null while it may go on. */
  push({ text, begins }: LogLine): PlacedEntry | null {
    const head = headOf(text)
    if (this.#open !== null && this.#goesOn(this.#open, text, head)) {
      this.#open.lines.push(text)
      return null
    }
    const done = this.flush()
    this.#open = { begins, head, lines: [text] }
    return done
  }

  /** The entry that is under way, as it is; null where none is. */
  flush(): PlacedEntry | null {
    if (this.#open === null) return null
    const { begins, head, lines } = this.#open
    this.#open = null
    while (lines.at(-1) === '') lines.pop()
    const [first, ...stack] = lines
    if (first === undefined) return null
    this.#moment = head?.at ?? this.#moment
    const told =
      first === traceback
        ? { at: null, level: 'error' as const, logger: null, message: raised(lines), stack: lines }
        : { ...(head ?? { at: null, level: null, logger: null, message: first }), stack }
    return { entry: { service: this.#service, ...told }, lines, moment: this.#moment, begins }
  }

  #goesOn(
    open: { readonly head: Head | null; readonly lines: string[] },
    text: string,
    head: Head | null,
  ): boolean {
    if (open.lines.length >= maxLines) return false
    if (text === traceback) return chained.test(open.lines.findLast(line => line !== '') ?? '')
    if (head !== null) return false
    // At the very beginning of a log there is no entry to belong to: each line stands alone.
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

/** What a traceback tells at its end: the first line that is not indented, and where Java was at fault, its words. */
const raised = (lines: readonly string[]): string => {
  const frames = lines.lastIndexOf(traceback)
  const end = lines.findIndex((line, index) => index > frames && /^\S/.test(line))
  const cause = lines[end + 1]
  return end === -1 ? traceback : `${lines[end]}${cause?.startsWith(': ') ? cause : ''}`
}
