import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { endOfLog, type LogLine, LogReader, linesBefore } from '@offstream/runtime'
import { type LogLevel, type LogName, logLevels } from '../names.ts'
import { directoriesOf } from '../project/directories.ts'
import { serviceLogFile } from '../services/table.ts'
import { EntryAssembler, type LogEntry, type PlacedEntry, tellsMoment } from './entry.ts'

export type { LogEntry } from './entry.ts'

export interface LogQuery {
  readonly names: readonly LogName[]
  /** Nothing older; null: no bound. */
  readonly since: Date | null
  /** The last so many entries of all logs together; may be infinite. */
  readonly tail: number
  /** Nothing less grave. What tells no level counts as `info`. */
  readonly level: LogLevel
  /** Only entries with a line that it finds. */
  readonly grep: RegExp | null
  /** Go on with what is written from now on, until `signal` is aborted. */
  readonly follow: boolean
  readonly signal: AbortSignal
}

/** New lines are looked for this often: at once for an eye, a few file sizes for the machine. */
const lookEveryMs = 200

/** The log file of a service, or the daemon, of the stack with this state folder. */
export const logFileOf = (state: string, name: LogName): string =>
  name === 'daemon' ? join(directoriesOf(state).logs, 'daemon.log') : serviceLogFile(state, name)

/** Which of the logs hold anything yet. */
export const writtenLogs = async (state: string, names: readonly LogName[]): Promise<LogName[]> => {
  const ends = await Promise.all(names.map(name => endOfLog(logFileOf(state, name))))
  return names.filter((_, index) => ends[index] !== 0)
}

/** So many entries are given together at most; whoever writes them shall not have to write each by itself. */
const mostAtOnce = 500

/**
 * The entries of several logs in the order of their moments, through rotations, some at a time. Where they begin is
 * found from the end backwards; then they are read forwards. A block of each log is held, whatever its size and
 * however much of it is asked for.
 */
export async function* readLogs(state: string, query: LogQuery): AsyncGenerator<readonly LogEntry[]> {
  const { names, since, level, grep, follow, signal } = query
  const earliest = since?.toISOString() ?? ''
  const gravity = logLevels.indexOf(level)
  const wanted = ({ entry, lines, moment }: PlacedEntry): boolean =>
    moment >= earliest &&
    logLevels.indexOf(entry.level ?? 'info') <= gravity &&
    (grep === null || lines.some(line => grep.test(line)))

  const logs = names.map(service => ({ service, file: logFileOf(state, service) }))
  const starts = await startsOf(logs, earliest, query.tail, wanted, signal)
  const readers = logs.map((log, index) => new EntryReader(log, starts[index] ?? atTheBeginning))
  for (;;) {
    let some: LogEntry[] = []
    const entries = merged(
      readers.map(reader => reader.read(follow)),
      'oldest',
    )
    for await (const { placed } of entries) {
      if (signal.aborted) return
      if (wanted(placed)) some.push(placed.entry)
      if (some.length < mostAtOnce) continue
      yield some
      some = []
    }
    if (some.length > 0) yield some
    if (!follow) return
    await pause(lookEveryMs, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return
  }
}

interface Log {
  readonly service: LogName
  readonly file: string
}

/** A place in a log, and the moment for lines there that tell none. */
interface Start {
  readonly place: number
  readonly moment: string
}

const atTheBeginning: Start = { place: 0, moment: '' }

/** Where to begin in each log so that no entry before `earliest` is read, and of the others the last `tail`. */
const startsOf = async (
  logs: readonly Log[],
  earliest: string,
  tail: number,
  wanted: (placed: PlacedEntry) => boolean,
  signal: AbortSignal,
): Promise<Start[]> => {
  if (tail === Number.POSITIVE_INFINITY && earliest === '') return logs.map(() => atTheBeginning)
  const ends = await Promise.all(logs.map(({ file }) => endOfLog(file)))
  const starts = ends.map(place => ({ place, moment: '' }))
  if (tail === 0) return starts
  let missing = tail
  const backwards = logs.map((log, index) => entriesBefore(log, ends[index] ?? 0, earliest))
  for await (const { placed, source } of merged(backwards, 'newest')) {
    starts[source] = { place: placed.begins, moment: placed.moment }
    if (wanted(placed)) missing--
    if (missing === 0 || signal.aborted) break
  }
  return starts
}

/** The entries of a log that begin before `place` and are not older than `earliest`, newest first. */
async function* entriesBefore(
  { service, file }: Log,
  place: number,
  earliest: string,
): AsyncGenerator<PlacedEntry[]> {
  // What has no moment is as old as what comes after it, the last as old as the file's last change.
  let moment = (await stat(file).catch(() => null))?.mtime.toISOString() ?? ''
  let gathered: LogLine[] = []
  const take = (): PlacedEntry[] => {
    const entries = entriesOf(service, moment, gathered.reverse())
    gathered = []
    moment = entries[0]?.moment ?? moment
    return entries.reverse()
  }
  for await (const lines of linesBefore(file, place)) {
    const entries: PlacedEntry[] = []
    for (const line of lines) {
      gathered.push(line)
      if (tellsMoment(line.text) || gathered.length === maxCollected) entries.push(...take())
    }
    const old = entries.findIndex(({ moment }) => moment < earliest)
    yield old === -1 ? entries : entries.slice(0, old)
    if (old !== -1) return
  }
  yield take()
}

/** Lines gathered from the end without meeting a moment, at most. */
const maxCollected = 4_000

const entriesOf = (service: string, moment: string, lines: readonly LogLine[]): PlacedEntry[] => {
  const assembler = new EntryAssembler(service, moment)
  return [...lines.map(line => assembler.push(line)), assembler.flush()].filter(placed => placed !== null)
}

/** Reads a log entry by entry; each `read` goes on where the last one ended. */
class EntryReader {
  readonly #lines: LogReader
  readonly #assembler: EntryAssembler

  constructor({ service, file }: Log, { place, moment }: Start) {
    this.#lines = new LogReader(file, place)
    this.#assembler = new EntryAssembler(service, moment)
  }

  /**
   * The entries up to the end of now.
   * @param more whether the last one may yet go on; it is given by the next `read` that finds nothing new
   */
  async *read(more: boolean): AsyncGenerator<PlacedEntry[]> {
    let nothingNew = true
    for await (const lines of this.#lines.read()) {
      nothingNew = false
      yield lines.map(line => this.#assembler.push(line)).filter(placed => placed !== null)
    }
    if (more && !nothingNew) return
    const rest = more ? null : this.#lines.rest()
    const last = [rest === null ? null : this.#assembler.push(rest), this.#assembler.flush()]
    yield last.filter(placed => placed !== null)
  }
}

/** Of sources that are each in order, all entries in order, and from which source each is. */
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
        // Of the same moment the first source comes first, so from the end backwards the last.
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

/** A source with its next entry in view; null before the first `advance` and after the last entry. */
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
