import type { Acknowledgement, Removal, SerializedProduct } from '../product/message.ts'
import type { Product } from '../product/product.ts'

/** What a source tells while it runs, for the progress line and the summary. */
export type SourceEvent =
  /** `count` more products are known to be there to fetch. */
  | { readonly kind: 'found'; readonly count: number }
  /** A product was read; `deliver` follows, or `remove` where it is no more. */
  | { readonly kind: 'fetched'; readonly code: string; readonly address: string }
  /** `count` more products were read that nobody asked for: of another country, or changed too long ago. */
  | { readonly kind: 'unwanted'; readonly count: number }
  /** The run goes on where an earlier one ended too early, which had delivered `done` of `listed` products known then. */
  | { readonly kind: 'resumed'; readonly done: number; readonly listed: number; readonly startedAt: Date }
  /** Nothing is asked for a while, since the source refuses or fails; `asked`: it named the time itself. */
  | { readonly kind: 'waiting'; readonly ms: number; readonly reason: string; readonly asked: boolean }
  /** A column is hardly ever filled any more (`rate`, 0 to 1; `usual` until now): the page may have changed. */
  | {
      readonly kind: 'layout'
      readonly field: string
      readonly selector: string
      readonly rate: number
      readonly usual: number
    }
  /** An address gave no product, and why; the run goes on. */
  | { readonly kind: 'skipped'; readonly address: string; readonly reason: string }

export interface SourceRun {
  /**
   * Takes a product over. A source counts the product as done when this has resolved. Web pages wait for it one by
   * one; sources that read thousands a second keep some in flight (`InFlight`), so that they travel together.
   * @returns where it lies now; nothing where it went anywhere but to Kafka, as in a dry run
   */
  readonly deliver: (product: SerializedProduct) => Promise<Acknowledgement | undefined>
  /** Takes a removal over, in the same manner. Without it, a source skips what is no more. */
  readonly remove?: ((removal: Removal) => Promise<Acknowledgement | undefined>) | undefined
  readonly report: (event: SourceEvent) => void
  /** When aborted, the source ends what it has in hand, closes what it opened and returns. */
  readonly signal: AbortSignal
}

/** Where products come from. Every source gives the same record. */
export interface Source {
  readonly name: Product['source']
  /**
   * Reads everything that was asked for.
   * @throws OffstreamError where the source as a whole can't go on (unreachable, refused, no browser).
   */
  readonly run: (run: SourceRun) => Promise<void>
}
