import { OffstreamError } from '@offstream/runtime'
import { InFlight } from './inFlight.ts'
import type { ReadResult } from './reader.ts'
import type { SourceEvent, SourceRun } from './source.ts'

/** What a source has read, on its way to where the run delivers it: keeps many under way, and stops at the limit. */
export class Deliveries {
  private readonly run: SourceRun
  private readonly inFlight = new InFlight()
  private left: number

  /** @param limit how many products to deliver at most */
  constructor(run: SourceRun, limit = Number.POSITIVE_INFINITY) {
    this.run = run
    this.left = limit
  }

  /** Whether nothing more is wanted: the limit is reached, or the run is aborted. */
  readonly isOver = (): boolean => this.left <= 0 || this.run.signal.aborted

  /**
   * Hands over what comes, until there is no more or nothing more is wanted, and waits until all of it is acknowledged.
   * @returns whether it came to its end
   * @throws what a delivery came to, and what `all` throws, after what came before was acknowledged
   */
  readonly takeAll = async (all: AsyncIterable<readonly (ReadResult | null)[]>): Promise<boolean> => {
    try {
      for await (const results of all) {
        await this.take(results)
        if (this.isOver()) break
      }
    } finally {
      await this.landed()
    }
    return !this.isOver()
  }

  /**
   * Hands over as much of `results` as the limit leaves; null is what is not wanted. What is skipped
   * does not count.
   * @returns how much of it, from the first, is dealt with
   * @throws what a delivery came to
   */
  readonly take = async (results: readonly (ReadResult | null)[]): Promise<number> => {
    let [done, unwanted] = [0, 0]
    for (const result of results) {
      if (this.isOver()) break
      done += 1
      if (result === null) {
        unwanted += 1
        continue
      }
      this.run.report(oneFound)
      const isFull = this.hand(result)
      if (isFull !== null) await isFull
    }
    if (unwanted > 0) this.run.report({ kind: 'unwanted', count: unwanted })
    return done
  }

  /**
   * Waits until everything that was handed over is acknowledged.
   * @throws what a delivery came to
   */
  readonly landed = (): Promise<void> => this.inFlight.landed()

  /** A promise where there is no more room under way. */
  private readonly hand = (result: ReadResult): Promise<void> | null => {
    const { deliver, remove, report } = this.run
    const { address } = result
    if (result.kind === 'unreadable') report({ kind: 'skipped', address, reason: result.reason })
    else if (result.kind === 'product') {
      this.left -= 1
      report({ kind: 'fetched', code: result.product.code, address })
      return this.inFlight.add(deliver(result.product))
    } else if (remove === undefined)
      report({ kind: 'skipped', address, reason: 'the product no longer exists' })
    else {
      this.left -= 1
      report({ kind: 'fetched', code: result.removal.code, address })
      return this.inFlight.add(remove(result.removal))
    }
    return null
  }
}

const oneFound: SourceEvent = { kind: 'found', count: 1 }

/** Runs `work`. What an abort tore apart is no news; what went wrong beside it is. */
export const unlessAborted = async ({ signal }: SourceRun, work: () => Promise<void>): Promise<void> => {
  try {
    if (!signal.aborted) await work()
  } catch (error) {
    if (!signal.aborted || (error instanceof OffstreamError && !comesOf(error, signal.reason))) throw error
  }
}

const comesOf = (error: unknown, reason: unknown): boolean =>
  error === reason || (error instanceof Error && error.cause !== undefined && comesOf(error.cause, reason))
