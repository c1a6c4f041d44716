import type { Candidate } from '../product/answer.ts'
import { countryTag } from '../product/countries.ts'
import { objectOf, textsOf } from '../product/json.ts'
import { type Removal, type SerializedProduct, serialize } from '../product/message.ts'
import { missingParts } from '../product/missingParts.ts'
import type { Product } from '../product/product.ts'
import { productOf, type RecordContext } from '../product/productOf.ts'
import type { Skip } from '../product/skip.ts'

/** One value that a source has read, a delete, or why it is skipped. `address` names its place for the user. */
export type Found = { readonly address: string } & Candidate

/** What is the same for all values of a source, and the filters of the request. Plain data, because threads receive it. */
export interface ReaderOptions extends Omit<RecordContext, 'observedAt'> {
  /** Only products that are sold in this country: a tag such as `en:france`. */
  readonly country?: string | undefined
  /** Only products that changed at this moment or later: ISO 8601, UTC, with milliseconds. */
  readonly since?: string | undefined
}

/** The result of one value: a product or a delete to send, or the reason why the value is neither. */
export type ReadResult =
  | {
      readonly kind: 'product'
      readonly address: string
      readonly product: SerializedProduct
      /** The parts that its input lacks (`missingParts`); absent if it is complete. */
      readonly missing?: readonly string[]
    }
  | { readonly kind: 'gone'; readonly address: string; readonly removal: Removal }
  | ({ readonly kind: 'unreadable'; readonly address: string } & Skip)

/** The result of each value, in the same order; null for a filtered product. */
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
  const { source } = context
  if ('skippedBy' in found) return { kind: 'unreadable', ...found }
  if ('gone' in found) return goneOf(found, context)
  if (country !== undefined && !isSoldIn(found.value, country)) return null
  const reading = productOf(found.value, context)
  if (reading.kind === 'unreadable') return { ...reading, address }
  if (reading.kind === 'product')
    return reading.product.as_of < since ? null : delivered(found, reading.product, context)
  const { code, as_of } = reading
  return as_of < since ? null : { kind: 'gone', address, removal: { code, as_of, source } }
}

/** A delete from the future would win against all later records. */
const goneOf = (
  { address, gone: code, as_of }: Extract<Found, { readonly gone: unknown }>,
  { source, observedAt }: RecordContext,
): ReadResult => {
  if (code === null)
    return { kind: 'unreadable', address, skippedBy: 'no-code', reason: 'it deletes a row without a `code`' }
  const since = as_of === null || as_of > observedAt ? observedAt : as_of
  return { kind: 'gone', address, removal: { code, as_of: since, source } }
}

const delivered = (
  { address, value }: Extract<Found, { readonly value: unknown }>,
  product: Product,
  { source, rules }: RecordContext,
): ReadResult => {
  // The source `api` requests all fields, and the API omits those without a value.
  const missing = source === 'api' ? [] : missingParts(objectOf(value) ?? {})
  if (missing.length === 0) return { kind: 'product', address, product: serialize(product) }
  if (rules?.partial !== 'skip') return { kind: 'product', address, product: serialize(product), missing }
  const reason = `it lacks ${missing.map(part => `\`${part}\``).join(', ')}; the setting \`scrape.partial\` skips such products`
  return { kind: 'unreadable', address, skippedBy: 'partial', reason }
}

/** By its tags, or otherwise the names of the countries, which are all that a record has; both in any language. */
const isSoldIn = (product: unknown, country: string): boolean => {
  const fields = objectOf(product)
  const tags = textsOf(fields?.['countries_tags'])
  return tags.length > 0
    ? tags.some(tag => countryTag(tag) === country)
    : textsOf(fields?.['countries']).some(name => countryTag(name) === country)
}
