import type { Product } from '../product.ts'

/** What a source tells while it runs, for the progress line and the summary. */
export type SourceEvent =
  /** `count` more products are known to be there to fetch. */
  | { readonly kind: 'found'; readonly count: number }
  /** A product was read; `deliver` follows. */
  | { readonly kind: 'fetched'; readonly code: string; readonly address: string }
  /** An address gave no product, and why; the run goes on. */
  | { readonly kind: 'skipped'; readonly address: string; readonly reason: string }

export interface SourceRun {
  /** Takes a product over. A source waits for it before it counts the product as done, which is also its brake. */
  readonly deliver: (product: Product) => Promise<void>
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
