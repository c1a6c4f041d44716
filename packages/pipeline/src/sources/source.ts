import type { Acknowledgement, Removal, SerializedProduct } from '../product/message.ts'
import type { Product } from '../product/product.ts'
import type { Skip } from '../product/skip.ts'
import type { SuggestedMapping } from './suggestMapping.ts'

/** An event of a running source, for the progress line and the summary. */
export type SourceEvent =
  /** The source has learnt of `count` more products to fetch. */
  | { readonly kind: 'found'; readonly count: number }
  /** A product was read; `deliver` follows, or `remove` if it no longer exists. */
  | { readonly kind: 'fetched'; readonly code: string; readonly address: string }
  /** This product is published although its input lacks whole parts, such as all nutriments. */
  | { readonly kind: 'partial'; readonly address: string; readonly missing: readonly string[] }
  /** `count` more products were read that the filters of the request leave out (`--country`, `--since`). */
  | { readonly kind: 'filtered'; readonly count: number }
  /** The run resumes an interrupted one, which had delivered `done` of the `listed` products known then. */
  | { readonly kind: 'resumed'; readonly done: number; readonly listed: number; readonly startedAt: Date }
  /** The source refuses or fails, so no request is sent for a while; `requested`: the source requested this pause. */
  | { readonly kind: 'paused'; readonly ms: number; readonly reason: string; readonly requested: boolean }
  /**
   * A field is filled on far fewer pages than before (`rate` now, `typicalRate` before; 0 to 1): the layout of the site
   * may have changed.
   */
  | {
      readonly kind: 'layout'
      readonly field: string
      readonly selector: string
      readonly rate: number
      readonly typicalRate: number
    }
  /**
   * No label of the nutrition table on this page is known although its rows have amounts, so its nutriments are null.
   * Reported once a run, with the first labels.
   */
  | {
      readonly kind: 'layout'
      readonly field: 'nutriments'
      readonly selector: string
      readonly address: string
      readonly labels: readonly string[]
    }
  /** In a dry run: a suggested `topic.mapping` for a message that is not a product. */
  | ({ readonly kind: 'mapping'; readonly address: string } & SuggestedMapping)
  /** An address gave no product, for this reason; the run continues. */
  | ({ readonly kind: 'skipped'; readonly address: string } & Skip)

/** What a source gets when it is run. */
export interface SourceRun {
  /**
   * Delivers a product. The product is done when this has resolved. Web pages wait for each delivery; sources that read
   * thousands of products a second keep some in flight (`InFlight`), so that they are sent in batches.
   * @returns where Kafka stored it; undefined if it was not sent to Kafka, as in a dry run
   */
  readonly deliver: (product: SerializedProduct) => Promise<Acknowledgement | undefined>
  /** Delivers a delete in the same way. Without it, a source skips products that no longer exist. */
  readonly remove?: ((removal: Removal) => Promise<Acknowledgement | undefined>) | undefined
  readonly report: (event: SourceEvent) => void
  /** When aborted, the source finishes the deliveries in progress, closes what it opened, and returns. */
  readonly signal: AbortSignal
}

/** A source of products. Every source gives the same record of a product. */
export interface Source {
  readonly name: Product['source']
  /**
   * Reads all requested products.
   * @throws OffstreamError if the source as a whole fails, for example because it is unreachable
   */
  readonly run: (run: SourceRun) => Promise<void>
}
