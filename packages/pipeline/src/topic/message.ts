import type { Removal, SerializedProduct } from '../product/message.ts'
import { productSchemaVersion } from '../product/product.ts'

/** The name is fixed: consumers outside of offstream know it. */
export const topicName = 'products-events'

/** A message as it is sent to Kafka. A null value is a delete. */
export interface Message {
  readonly key: string
  /** In UTF-8 if it is bytes. */
  readonly value: string | Buffer | null
  readonly headers: Readonly<Record<string, string>>
}

/**
 * The message of a product. The source is a column of the record. Deletes have it as a header; as a header of products
 * too, it would take a tenth of an export's time.
 */
export const productMessage = ({ code, json }: SerializedProduct): Message => ({
  key: code,
  value: json,
  headers: { 'schema-version': String(productSchemaVersion) },
})

/** The message which says that the product with this key does not exist since `as-of`. */
export const removalMessage = ({ code, as_of, source }: Removal): Message => ({
  key: code,
  value: null,
  headers: { 'schema-version': String(productSchemaVersion), 'as-of': as_of, source },
})
