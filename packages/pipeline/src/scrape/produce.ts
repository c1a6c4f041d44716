import { readState, updateState } from '@offstream/runtime'
import { z } from 'zod'
import type { Source, SourceEvent, SourceRun } from '../sources/source.ts'

/** The counts of one run, as they stand. */
export interface ProduceCounts {
  /** Products known to be there to fetch; grows while lists are walked. */
  readonly found: number
  readonly fetched: number
  /** Acknowledged by Kafka (or, in a dry run, written out). */
  readonly delivered: number
  /** Removals that were acknowledged. */
  readonly removed: number
  readonly skipped: number
  /** Products that were read and not asked for: of another country, or changed too long ago. */
  readonly unwanted: number
}

export interface ProduceOptions {
  readonly source: Source
  /** Takes each product: publishes it, or in a dry run writes it out. */
  readonly deliver: SourceRun['deliver']
  /** Takes each product that is no more; without it they are skipped. */
  readonly remove?: SourceRun['remove']
  /** Called for each event but those that only make counts grow, which are told now and then, and at the end. */
  readonly onProgress?: (counts: ProduceCounts, event: SourceEvent | null) => void
  readonly signal: AbortSignal
}

/** Events that make counts grow and say nothing else. */
const onlyCounts: ReadonlySet<SourceEvent['kind']> = new Set(['found', 'fetched', 'unwanted'])

/** An eye sees no more, and thousands of products a second shall not wait for the words about them. */
const reportIntervalMs = 50

/**
 * Runs a source to its end, or until `signal` is aborted, and hands each product on.
 * @returns the counts; an aborted run returns what it had done until then
 * @throws OffstreamError what the source or the delivery as a whole came to
 */
export const produce = async ({
  source,
  deliver,
  remove,
  onProgress,
  signal,
}: ProduceOptions): Promise<ProduceCounts> => {
  const counts = { found: 0, fetched: 0, delivered: 0, removed: 0, skipped: 0, unwanted: 0 }
  let toldAtMs = 0
  const tell = (event: SourceEvent | null): void => onProgress?.({ ...counts }, event)
  const tellSometimes = (event: SourceEvent | null): void => {
    const nowMs = performance.now()
    if (nowMs - toldAtMs < reportIntervalMs) return
    toldAtMs = nowMs
    tell(event)
  }
  try {
    await source.run({
      signal,
      report: event => {
        if (event.kind === 'found') counts.found += event.count
        else if (event.kind === 'fetched') counts.fetched += 1
        else if (event.kind === 'skipped') counts.skipped += 1
        else if (event.kind === 'unwanted') counts.unwanted += event.count
        if (onlyCounts.has(event.kind)) tellSometimes(event)
        else tell(event)
      },
      deliver: async product => {
        const acknowledgement = await deliver(product)
        counts.delivered += 1
        tellSometimes(null)
        return acknowledgement
      },
      remove:
        remove &&
        (async removal => {
          const acknowledgement = await remove(removal)
          counts.removed += 1
          return acknowledgement
        }),
    })
  } finally {
    tell(null)
  }
  return counts
}

/**
 * How many products were ever fetched for this stack, the first figure of the chain that `status` shows. Kafka
 * counts what it acknowledged by itself; what was fetched and never got there, nobody else knows.
 */
export const readFetched = async (file: string): Promise<number> =>
  (await readState(file, Fetched))?.fetched ?? 0

const Fetched = z.object({ fetched: z.int().nonnegative() })

/** Adds to that figure; two producers at once both count. */
export const addFetched = (file: string, count: number): Promise<void> =>
  updateState(file, Fetched, written => ({ fetched: (written?.fetched ?? 0) + count }))

const countEveryMs = 1_000

/**
 * Adds what one run fetches to that figure every second, so that a run that is killed has told almost all of its own.
 * What can't be added (a full disk) is added with the next second, and fails no run: the products are in Kafka.
 */
export class FetchedCount {
  private readonly file: string
  private readonly timer: NodeJS.Timeout
  private current = 0
  private told = 0
  private telling: Promise<void> = Promise.resolve()

  constructor(file: string, intervalMs = countEveryMs) {
    this.file = file
    this.timer = setInterval(() => void this.tell(), intervalMs)
  }

  readonly is = (count: number): void => {
    this.current = count
  }

  /** Adds the rest, and ends; never rejects. */
  readonly close = async (): Promise<void> => {
    clearInterval(this.timer)
    await this.tell()
  }

  private readonly tell = (): Promise<void> => {
    this.telling = this.telling.then(this.add)
    return this.telling
  }

  private readonly add = async (): Promise<void> => {
    const more = this.current - this.told
    if (more === 0) return
    try {
      await addFetched(this.file, more)
      this.told += more
    } catch {
      // `told` stays behind, so that the next second tries again.
    }
  }
}
