import { readState, updateState } from '@offstream/runtime'
import { z } from 'zod'
import type { SkipCounts, SkipReason } from '../product/skip.ts'
import type { Source, SourceEvent, SourceRun } from '../sources/source.ts'

/** The counts of one run up to now. */
export interface ProduceCounts {
  /** Products that the source has found so far; grows while lists are read. */
  readonly found: number
  readonly fetched: number
  /** Products that Kafka has acknowledged; in a dry run, products that were written out. */
  readonly delivered: number
  /** Deletes that Kafka has acknowledged. */
  readonly removed: number
  readonly skipped: number
  /** The same number for each reason. */
  readonly skippedBy: SkipCounts
  /** Delivered products whose input lacks whole parts, so that the record replaces known values by null. */
  readonly partial: number
  /** Products that were read but left out by `--country` or `--since`. */
  readonly filtered: number
}

/** Options of `produce`. */
export interface ProduceOptions {
  readonly source: Source
  /** Publishes a product; in a dry run, writes it out. */
  readonly deliver: SourceRun['deliver']
  /** Deletes a product that no longer exists; without it such products are skipped. */
  readonly remove?: SourceRun['remove']
  /** Called for each event, and at the end. Of events that only change the counts, most are left out. */
  readonly onProgress?: (counts: ProduceCounts, event: SourceEvent | null) => void
  readonly signal: AbortSignal
}

/** Events that only change the counts. */
const countEvents: ReadonlySet<SourceEvent['kind']> = new Set(['found', 'fetched', 'filtered'])

/** Reporting each of thousands of products a second would slow down the run. */
const reportIntervalMs = 50

/**
 * Runs a source to its end, or until `signal` is aborted, and delivers its products.
 * @returns the counts, also of an aborted run
 * @throws OffstreamError the error of the source or of a delivery
 */
export const produce = async ({
  source,
  deliver,
  remove,
  onProgress,
  signal,
}: ProduceOptions): Promise<ProduceCounts> => {
  const skippedBy: Partial<Record<SkipReason, number>> = {}
  const counts = {
    ...{ found: 0, fetched: 0, delivered: 0, removed: 0, skipped: 0, skippedBy, partial: 0, filtered: 0 },
  }
  let reportedAtMs = 0
  const report = (event: SourceEvent | null): void =>
    onProgress?.({ ...counts, skippedBy: { ...skippedBy } }, event)
  const reportSometimes = (event: SourceEvent | null): void => {
    const nowMs = performance.now()
    if (nowMs - reportedAtMs < reportIntervalMs) return
    reportedAtMs = nowMs
    report(event)
  }
  try {
    await source.run({
      signal,
      report: event => {
        if (event.kind === 'found') counts.found += event.count
        else if (event.kind === 'fetched') counts.fetched += 1
        else if (event.kind === 'filtered') counts.filtered += event.count
        else if (event.kind === 'partial') counts.partial += 1
        else if (event.kind === 'skipped') {
          counts.skipped += 1
          skippedBy[event.skippedBy] = (skippedBy[event.skippedBy] ?? 0) + 1
        }
        // The first partial product gets a warning; the others are only counted.
        if (countEvents.has(event.kind) || (event.kind === 'partial' && counts.partial > 1))
          reportSometimes(event)
        else report(event)
      },
      deliver: async product => {
        const acknowledgement = await deliver(product)
        counts.delivered += 1
        reportSometimes(null)
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
    report(null)
  }
  return counts
}

/**
 * How many products were fetched for this stack since its last reset: the first number of the chain that `status`
 * shows. Kafka knows only the products that it has acknowledged.
 */
export const readFetched = async (file: string): Promise<number> =>
  (await readState(file, Fetched))?.fetched ?? 0

const Fetched = z.object({ fetched: z.int().nonnegative() })

/** Adds to that number. Several producers may do this at the same time. */
export const addFetched = (file: string, count: number): Promise<void> =>
  updateState(file, Fetched, written => ({ fetched: (written?.fetched ?? 0) + count }))

const countIntervalMs = 1_000

/**
 * Adds the products of one run to that number every second, so that a killed run loses at most one second. If the file
 * cannot be written (full disk), the run continues, because the products are in Kafka; the next second tries again.
 */
export class FetchedCount {
  private readonly file: string
  private readonly timer: NodeJS.Timeout
  private current = 0
  private added = 0
  private adding: Promise<void> = Promise.resolve()

  constructor(file: string, intervalMs = countIntervalMs) {
    this.file = file
    this.timer = setInterval(() => void this.addSoon(), intervalMs)
  }

  readonly is = (count: number): void => {
    this.current = count
  }

  /** Adds the rest and stops; never rejects. */
  readonly close = async (): Promise<void> => {
    clearInterval(this.timer)
    await this.addSoon()
  }

  private readonly addSoon = (): Promise<void> => {
    this.adding = this.adding.then(this.add)
    return this.adding
  }

  private readonly add = async (): Promise<void> => {
    const more = this.current - this.added
    if (more === 0) return
    try {
      await addFetched(this.file, more)
      this.added += more
    } catch {
      // `added` stays the same, so that the next second tries again.
    }
  }
}
