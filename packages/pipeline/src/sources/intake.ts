import { InFlight } from './inFlight.ts'
import type { Arrival } from './reader.ts'
import type { SourceEvent, SourceRun } from './source.ts'

/** Takes what a source has read on to the deliveries of a run: keeps many under way, and stops at the limit. */
export class Intake {
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
   * Hands over as much of `arrivals` as the limit leaves; null is nothing. What is skipped does not count.
   * @returns how much of it, from the first, is dealt with
   * @throws what a delivery came to
   */
  readonly take = async (arrivals: readonly (Arrival | null)[]): Promise<number> => {
    for (const [place, arrival] of arrivals.entries()) {
      if (this.isOver()) return place
      if (arrival === null) continue
      this.run.report(oneFound)
      const isFull = this.hand(arrival)
      if (isFull !== null) await isFull
    }
    return arrivals.length
  }

  /**
   * Waits until everything that was handed over is acknowledged.
   * @throws what a delivery came to
   */
  readonly landed = (): Promise<void> => this.inFlight.landed()

  /** A promise where there is no more room under way. */
  private readonly hand = (arrival: Arrival): Promise<void> | null => {
    const { deliver, remove, report } = this.run
    const { address } = arrival
    if (arrival.kind === 'unreadable') report({ kind: 'skipped', address, reason: arrival.reason })
    else if (arrival.kind === 'product') {
      this.left -= 1
      report({ kind: 'fetched', code: arrival.product.code, address })
      return this.inFlight.add(deliver(arrival.product))
    } else if (remove === undefined) report({ kind: 'skipped', address, reason: 'the product is no more' })
    else {
      this.left -= 1
      report({ kind: 'fetched', code: arrival.removal.code, address })
      return this.inFlight.add(remove(arrival.removal))
    }
    return null
  }
}

const oneFound: SourceEvent = { kind: 'found', count: 1 }

/** Runs `work`; whatever an abort tore apart is no news. */
export const unlessAborted = async ({ signal }: SourceRun, work: () => Promise<void>): Promise<void> => {
  try {
    if (!signal.aborted) await work()
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
