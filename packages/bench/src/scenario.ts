import type { Checkout } from './checkout.ts'
import type { Peers } from './peers.ts'
import type { ColumnOf, Results } from './streamResults.ts'

/** How much a scenario measures. */
export interface Sizes {
  readonly [name: string]: number
  /** Messages of the throughput scenario. */
  readonly events: number
  /** Products of these messages, and rows of the small table. */
  readonly products: number
  /** Rows of the large table. */
  readonly largeRows: number
  /** Messages of a small batch. */
  readonly batch: number
  /** Minutes of a run with a fixed rate of events. */
  readonly minutes: number
}

/** The full size is 300,000 messages over 100,000 products, and a table of a million rows. */
export const sizesOf = (events: number, minutes: number): Sizes => ({
  events,
  products: Math.round(events / 3),
  largeRows: Math.round((events * 10) / 3),
  batch: Math.round(events / 30),
  minutes,
})

/** The environment of a scenario. */
export interface Bench {
  readonly repeats: number
  readonly sizes: Sizes
  /** This checkout, then the other one if given. */
  readonly checkouts: readonly Checkout[]
  readonly peers: Peers
  readonly results: Results
  /** A folder for its files, which is deleted afterwards. */
  readonly scratch: string
}

/** The chart of a scenario: medians of a column as bars, or its points as lines, in one panel or one for each series. */
export type ChartOf =
  | { readonly kind: 'bars'; readonly column: string; readonly title: string }
  | { readonly kind: 'lines'; readonly x: string; readonly y: string }
  | { readonly kind: 'panels'; readonly x: string }

/** A measurement that is run by its name. */
export interface Scenario {
  readonly title: string
  /** What was measured, for the document. */
  readonly description: string
  readonly defaultMinutes: number
  readonly defaultRepeats: number
  readonly columns: readonly ColumnOf[]
  readonly chart: ChartOf
  readonly run: (bench: Bench) => Promise<void>
}
