import { OffstreamError } from '@offstream/runtime'
import { InFlight } from './inFlight.ts'
import type { ReadResult } from './reader.ts'
import type { SourceEvent, SourceRun } from './source.ts'

/** Delivers what a source reads: keeps many deliveries in flight, and stops at the limit. */
export class Deliveries {
  private readonly run: SourceRun
  private readonly inFlight = new InFlight()
  private left: number
  private isTruncated = false

  /** @param limit the maximum number of products to deliver */
  constructor(run: SourceRun, limit = Number.POSITIVE_INFINITY) {
    this.run = run
    this.left = limit
  }

  /** Whether the limit is reached or the run was aborted. */
  readonly isOver = (): boolean => this.left <= 0 || this.run.signal.aborted

  /**
   * Delivers all results, up to the limit, and waits for their acknowledgements.
   * @returns whether `all` was read to its end, and nothing of its input is missing
   * @throws the error of a delivery, or of `all` after the results before it were acknowledged
   */
  readonly deliverAll = async (all: AsyncIterable<readonly (ReadResult | null)[]>): Promise<boolean> => {
    try {
      for await (const results of all) {
        await this.deliver(results)
        if (this.isOver()) break
      }
    } finally {
      await this.settled()
    }
    return !this.isOver() && !this.isTruncated
  }

  /**
   * Delivers results up to the limit; null is a filtered product. Skipped inputs do not count towards the limit.
   * @returns how many of the results, from the first, are dealt with
   * @throws the error of an earlier delivery
   */
  readonly deliver = async (results: readonly (ReadResult | null)[]): Promise<number> => {
    let [done, filtered] = [0, 0]
    for (const result of results) {
      if (this.isOver()) break
      done += 1
      if (result === null) {
        filtered += 1
        continue
      }
      this.run.report(oneFound)
      const isFull = this.send(result)
      if (isFull !== null) await isFull
    }
    if (filtered > 0) this.run.report({ kind: 'filtered', count: filtered })
    return done
  }

  /**
   * Waits until everything is acknowledged.
   * @throws the error of the first delivery that failed
   */
  readonly settled = (): Promise<void> => this.inFlight.settled()

  /** @returns a promise if the maximum number of deliveries is in flight */
  private readonly send = (result: ReadResult): Promise<void> | null => {
    const { deliver, remove, report } = this.run
    const { address } = result
    if (result.kind === 'unreadable') {
      this.isTruncated ||= result.skippedBy === 'truncated'
      report({ ...result, kind: 'skipped' })
    } else if (result.kind === 'product') {
      this.left -= 1
      report({ kind: 'fetched', code: result.product.code, address })
      if (result.missing !== undefined) report({ kind: 'partial', address, missing: result.missing })
      return this.inFlight.add(deliver(result.product))
    } else if (remove === undefined)
      report({ kind: 'skipped', address, skippedBy: 'gone', reason: 'the product no longer exists' })
    else {
      this.left -= 1
      report({ kind: 'fetched', code: result.removal.code, address })
      return this.inFlight.add(remove(result.removal))
    }
    return null
  }
}

const oneFound: SourceEvent = { kind: 'found', count: 1 }

/** Runs `work`. After an abort, errors that the abort caused are ignored; other OffstreamErrors are thrown. */
export const unlessAborted = async ({ signal }: SourceRun, work: () => Promise<void>): Promise<void> => {
  try {
    if (!signal.aborted) await work()
  } catch (error) {
    if (!signal.aborted || (error instanceof OffstreamError && !isCausedBy(error, signal.reason))) throw error
  }
}

const isCausedBy = (error: unknown, reason: unknown): boolean =>
  error === reason || (error instanceof Error && error.cause !== undefined && isCausedBy(error.cause, reason))
