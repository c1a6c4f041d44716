import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { endOfLog, type LogLine, LogReader, linesBefore } from '@offstream/runtime'
import { type LogLevel, logLevels } from '../names.ts'
import { directoriesOf } from '../project/directories.ts'
import { serviceLogFile } from '../services/table.ts'
import { EntryAssembler, hasMoment, type LogEntry, type PlacedEntry } from './entry.ts'

export type { LogEntry } from './entry.ts'

/** Which entries of which logs to read. */
export interface LogQuery {
  /** Of services, of jobs, or `daemon`. */
  readonly names: readonly string[]
  /** Only entries at or after this moment; null: all. */
  readonly since: Date | null
  /** Only the last entries of all logs together, this many; may be infinite. */
  readonly tail: number
  /** Only entries of this level or more severe. An entry without a level counts as `info`. */
  readonly level: LogLevel
  /** Only entries with a line that matches. */
  readonly grep: RegExp | null
  /** Continue with new entries, until `signal` is aborted. */
  readonly follow: boolean
  readonly signal: AbortSignal
}

/** How often new lines are looked for: fast enough for a reader, and only a few file sizes for the machine. */
const pollIntervalMs = 200

/** The log file of a service, a job or the daemon, of the stack with this state folder. */
export const logFileOf = (state: string, name: string): string =>
  name === 'daemon' ? join(directoriesOf(state).logs, 'daemon.log') : serviceLogFile(state, name)

/** Which of the logs are not empty. */
export const writtenLogs = async (state: string, names: readonly string[]): Promise<string[]> => {
  const ends = await Promise.all(names.map(name => endOfLog(logFileOf(state, name))))
  return names.filter((_, index) => ends[index] !== 0)
}

/** Entries are yielded in groups, so that the caller does not have to write each one separately. */
const maxGroupSize = 500

/**
 * Reads the entries of several logs in the order of their moments, also across rotations, in groups. The start is
 * searched from the end backwards, then the logs are read forwards. Only one block of each log is in memory, whatever
 * its size.
 */
export async function* readLogs(state: string, query: LogQuery): AsyncGenerator<readonly LogEntry[]> {
  const { names, since, level, grep, follow, signal } = query
  const earliest = since?.toISOString() ?? ''
  const maxSeverity = logLevels.indexOf(level)
  const wanted = ({ entry, lines, moment }: PlacedEntry): boolean =>
    moment >= earliest &&
    logLevels.indexOf(entry.level ?? 'info') <= maxSeverity &&
    (grep === null || lines.some(line => grep.test(line)))

  const logs = names.map(service => ({ service, file: logFileOf(state, service) }))
  const starts = await startsOf(logs, earliest, query.tail, wanted, signal)
  const readers = logs.map((log, index) => new EntryReader(log, starts[index] ?? atBeginning))
  for (;;) {
    let some: LogEntry[] = []
    const entries = merged(
      readers.map(reader => reader.read(follow)),
      'oldest',
    )
    for await (const { placed } of entries) {
      if (signal.aborted) return
      if (wanted(placed)) some.push(placed.entry)
      if (some.length < maxGroupSize) continue
      yield some
      some = []
    }
    if (some.length > 0) yield some
    if (!follow) return
    await pause(pollIntervalMs, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return
  }
}

interface Log {
  readonly service: string
  readonly file: string
}

/** A place in a log, and the moment for lines without one. */
interface Start {
  readonly place: number
  readonly moment: string
}

const atBeginning: Start = { place: 0, moment: '' }

/** Where to start in each log, so that the last `tail` entries are read and none before `earliest`. */
const startsOf = async (
  logs: readonly Log[],
  earliest: string,
  tail: number,
  wanted: (placed: PlacedEntry) => boolean,
  signal: AbortSignal,
): Promise<Start[]> => {
  if (tail === Number.POSITIVE_INFINITY && earliest === '') return logs.map(() => atBeginning)
  const ends = await Promise.all(logs.map(({ file }) => endOfLog(file)))
  const starts = ends.map(place => ({ place, moment: '' }))
  if (tail === 0) return starts
  let missing = tail
  const backwards = logs.map((log, index) => entriesBefore(log, ends[index] ?? 0, earliest))
  for await (const { placed, source } of merged(backwards, 'newest')) {
    starts[source] = { place: placed.startsAt, moment: placed.moment }
    if (wanted(placed)) missing--
    if (missing === 0 || signal.aborted) break
  }
  return starts
}

/** The entries of a log that start before `place` and are not older than `earliest`, newest first. */
async function* entriesBefore(
  { service, file }: Log,
  place: number,
  earliest: string,
): AsyncGenerator<PlacedEntry[]> {
  // An entry without a moment has that of the next entry, and the last one that of the file's last change.
  let moment = (await stat(file).catch(() => null))?.mtime.toISOString() ?? ''
  let collected: LogLine[] = []
  const take = (): PlacedEntry[] => {
    const entries = entriesOf(service, moment, collected.reverse())
    collected = []
    moment = entries[0]?.moment ?? moment
    return entries.reverse()
  }
  for await (const lines of linesBefore(file, place)) {
    const entries: PlacedEntry[] = []
    for (const line of lines) {
      collected.push(line)
      if (hasMoment(line.text) || collected.length === maxCollected) entries.push(...take())
    }
    const old = entries.findIndex(({ moment }) => moment < earliest)
    yield old === -1 ? entries : entries.slice(0, old)
    if (old !== -1) return
  }
  yield take()
}

/** The maximum number of lines without a moment that are read backwards as one. */
const maxCollected = 4_000

const entriesOf = (service: string, moment: string, lines: readonly LogLine[]): PlacedEntry[] => {
  const assembler = new EntryAssembler(service, moment)
  return [...lines.map(line => assembler.push(line)), assembler.flush()].filter(placed => placed !== null)
}

/** Reads a log entry by entry. Each `read` continues where the previous one stopped. */
class EntryReader {
  readonly #lines: LogReader
  readonly #assembler: EntryAssembler

  constructor({ service, file }: Log, { place, moment }: Start) {
    this.#lines = new LogReader(file, place)
    this.#assembler = new EntryAssembler(service, moment)
  }

  /**
   * The entries up to the current end of the log.
   * @param more whether the last entry may get more lines; the next `read` without new lines returns it
   */
  async *read(more: boolean): AsyncGenerator<PlacedEntry[]> {
    let isUnchanged = true
    for await (const lines of this.#lines.read()) {
      isUnchanged = false
      yield lines.map(line => this.#assembler.push(line)).filter(placed => placed !== null)
    }
    if (more && !isUnchanged) return
    const rest = more ? null : this.#lines.rest()
    const last = [rest === null ? null : this.#assembler.push(rest), this.#assembler.flush()]
    yield last.filter(placed => placed !== null)
  }
}

/** Merges sources that are each in order. Yields all entries in order, each with the index of its source. */
async function* merged(
  sources: readonly AsyncGenerator<PlacedEntry[]>[],
  first: 'oldest' | 'newest',
): AsyncGenerator<{ readonly placed: PlacedEntry; readonly source: number }> {
  const queues = sources.map(source => new Queue(source))
  await Promise.all(queues.map(queue => queue.advance()))
  try {
    for (;;) {
      let best: Queue | null = null
      for (const queue of queues) {
        if (queue.next === null) continue
        // At the same moment the first source comes first, so backwards the last one does.
        if (best === null || (first === 'oldest' ? queue.moment < best.moment : queue.moment >= best.moment))
          best = queue
      }
      if (best === null || best.next === null) return
      yield { placed: best.next, source: queues.indexOf(best) }
      await best.advance()
    }
  } finally {
    await Promise.all(sources.map(source => source.return(undefined)))
  }
}

/** A source with its next entry; null before the first `advance` and after the last entry. */
class Queue {
  readonly #source: AsyncGenerator<PlacedEntry[]>
  #some: readonly PlacedEntry[] = []
  #index = 0

  constructor(source: AsyncGenerator<PlacedEntry[]>) {
    this.#source = source
  }

  get next(): PlacedEntry | null {
    return this.#some[this.#index] ?? null
  }

  get moment(): string {
    return this.next?.moment ?? ''
  }

  async advance(): Promise<void> {
    this.#index++
    while (this.#index >= this.#some.length) {
      const { done, value } = await this.#source.next()
      if (done === true) return
      this.#some = value
      this.#index = 0
    }
  }
}
