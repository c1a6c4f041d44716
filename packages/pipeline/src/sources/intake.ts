import { Flight } from './flight.ts'
import { productOf, type Reading, type RecordContext } from './record/productOf.ts'
import type { SourceRun } from './source.ts'

/** One value that a source has found, or what is wrong with it. */
export type Found =
  | { readonly address: string; readonly value: unknown }
  | { readonly address: string; readonly problem: string }
  /** The source says that it has no product with this code (normalised). */
  | { readonly address: string; readonly gone: string }

export interface IntakeOptions {
  readonly run: SourceRun
  readonly context: Omit<RecordContext, 'observedAt'>
  /** How many products to deliver at most. */
  readonly limit?: number | undefined
  /** Which records are wanted; all where it is left out. What is not wanted is not told of. */
  readonly wants?: ((value: unknown) => boolean) | undefined
  /** Only products that changed then or later. */
  readonly since?: Date | undefined
}

/** A reading that leads to a message. */
type Message = Exclude<Reading, { kind: 'unreadable' }>

/**
 * Takes what a source finds on to the deliveries of a run: makes records, skips what is none, keeps many deliveries
 * under way and stops at the limit.
 */
export class Intake {
  private readonly run: SourceRun
  private readonly context: IntakeOptions['context']
  private readonly wants: (value: unknown) => boolean
  private readonly since: string | null
  private readonly flight = new Flight()
  private left: number

  constructor({ run, context, limit = Number.POSITIVE_INFINITY, wants = () => true, since }: IntakeOptions) {
    this.run = run
    this.context = context
    this.wants = wants
    this.since = since?.toISOString() ?? null
    this.left = limit
  }

  /** Whether nothing more is wanted: the limit is reached, or the run is aborted. */
  readonly isOver = (): boolean => this.left <= 0 || this.run.signal.aborted

  /**
   * Hands over as much of `found` as the limit leaves.
   * @returns how much of it, from the first, is dealt with
   * @throws what a delivery came to
   */
  readonly take = async (found: readonly Found[]): Promise<number> => {
    const { readings, dealtWith } = this.read(found)
    this.run.report({ kind: 'found', count: readings.length })
    for (const { place, address, reading } of readings) {
      const isFull = this.hand(address, reading)
      if (isFull !== null) await isFull
      if (this.run.signal.aborted) return place + 1
    }
    return dealtWith
  }

  /**
   * Waits until everything that was handed over is acknowledged.
   * @throws what a delivery came to
   */
  readonly landed = (): Promise<void> => this.flight.landed()

  private readonly read = (
    found: readonly Found[],
  ): { readonly readings: Placed[]; readonly dealtWith: number } => {
    const context: RecordContext = { ...this.context, observedAt: new Date().toISOString() }
    const readings: Placed[] = []
    let messages = 0
    for (const [place, each] of found.entries()) {
      if (messages >= this.left) return { readings, dealtWith: place }
      const reading = this.readingOf(each, context)
      if (reading === null) continue
      if (reading.kind !== 'unreadable') messages += 1
      readings.push({ place, address: each.address, reading })
    }
    return { readings, dealtWith: found.length }
  }

  /** Null for what is not asked for. */
  private readonly readingOf = (found: Found, context: RecordContext): Reading | null => {
    if ('problem' in found) return { kind: 'unreadable', reason: found.problem }
    if ('gone' in found) return { kind: 'gone', code: found.gone, as_of: context.observedAt }
    if (!this.wants(found.value)) return null
    const reading = productOf(found.value, context)
    if (this.since !== null && reading.kind !== 'unreadable' && asOf(reading) < this.since) return null
    return reading
  }

  /** A promise where there is no more room under way. */
  private readonly hand = (address: string, reading: Reading): Promise<void> | null => {
    const { deliver, remove, report } = this.run
    if (reading.kind === 'unreadable') report({ kind: 'skipped', address, reason: reading.reason })
    else if (reading.kind === 'product') {
      this.left -= 1
      report({ kind: 'fetched', code: reading.product.code, address })
      return this.flight.add(deliver(reading.product))
    } else if (remove === undefined) report({ kind: 'skipped', address, reason: 'the product is no more' })
    else {
      this.left -= 1
      report({ kind: 'fetched', code: reading.code, address })
      return this.flight.add(
        remove({ code: reading.code, as_of: reading.as_of, source: this.context.source }),
      )
    }
    return null
  }
}

interface Placed {
  readonly place: number
  readonly address: string
  readonly reading: Reading
}

const asOf = (message: Message): string =>
  message.kind === 'product' ? message.product.as_of : message.as_of

/** Runs `work`; whatever an abort tore apart is no news. */
export const unlessAborted = async ({ signal }: SourceRun, work: () => Promise<void>): Promise<void> => {
  try {
    if (!signal.aborted) await work()
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
