import type { Product } from './product.ts'

/** A product that no longer exists: obsolete, or gone from its source. It becomes a tombstone in the topic. */
export interface Removal {
  /** Normalised barcode. */
  readonly code: string
  /** Since when it is gone, as in the record. */
  readonly as_of: string
  readonly source: Product['source']
}

/** A product as it is published. The thread that builds the record also serializes it. */
export interface SerializedProduct {
  /** Normalised barcode. */
  readonly code: string
  /** The record as JSON, in UTF-8 where it is bytes. */
  readonly json: string | Buffer
}

/** The record as it is published. */
export const serialize = (product: Product): SerializedProduct => ({
  code: product.code,
  json: JSON.stringify(product),
})

/** Where Kafka stored a message. A product counts as delivered once it has one. */
export interface Acknowledgement {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}
