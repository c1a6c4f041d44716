import { objectOf, textsOf } from '../product/json.ts'
import { type Removal, type SerializedProduct, serialize } from '../product/message.ts'
import type { Product } from '../product/product.ts'
import { productOf, type RecordContext } from '../product/productOf.ts'

/** One value that a source has found, or what is wrong with it. */
export type Found =
  | { readonly address: string; readonly value: unknown }
  | { readonly address: string; readonly problem: string }
  /** The source says that it has no product with this code (normalised). */
  | { readonly address: string; readonly gone: string }

/** What a source can tell of all that it finds, and what is wanted of it. Plain data: threads are given it. */
export interface ReaderOptions extends Omit<RecordContext, 'observedAt'> {
  /** Only products sold there: a tag, such as `en:france`. */
  readonly country?: string | undefined
  /** Only products that changed then or later: ISO 8601, UTC, with milliseconds. */
  readonly since?: string | undefined
}

/** What comes of one value: a product or a removal to send, or a reason why there is none. */
export type ReadResult =
  | { readonly kind: 'product'; readonly address: string; readonly product: SerializedProduct }
  | { readonly kind: 'gone'; readonly address: string; readonly removal: Removal }
  | { readonly kind: 'unreadable'; readonly address: string; readonly reason: string }

/** What comes of each value, at its place; null for what is not wanted. */
export const resultsOf = (found: readonly Found[], options: ReaderOptions): (ReadResult | null)[] => {
  const context: RecordContext = { ...options, observedAt: new Date().toISOString() }
  return found.map(each => resultOf(each, options, context))
}

const resultOf = (
  found: Found,
  { country, since = '' }: ReaderOptions,
  context: RecordContext,
): ReadResult | null => {
  const { address } = found
  const { source, observedAt } = context
  if ('problem' in found) return { kind: 'unreadable', address, reason: found.problem }
  if ('gone' in found)
    return { kind: 'gone', address, removal: { code: found.gone, as_of: observedAt, source } }
  if (country !== undefined && !isSoldIn(found.value, country)) return null
  const reading = productOf(found.value, context)
  if (reading.kind === 'unreadable') return { kind: 'unreadable', address, reason: reading.reason }
  if (reading.kind === 'product') return wanted(reading.product, address, since)
  const { code, as_of } = reading
  return as_of < since ? null : { kind: 'gone', address, removal: { code, as_of, source } }
}

const wanted = (product: Product, address: string, since: string): ReadResult | null =>
  product.as_of < since ? null : { kind: 'product', address, product: serialize(product) }

const isSoldIn = (product: unknown, country: string): boolean =>
  textsOf(objectOf(product)?.['countries_tags']).some(tag => tag.trim() === country)
