import { type Opened, opened } from './envelope.ts'
import { type JsonObject, objectOf, textOf } from './json.ts'
import { codeOf, isTextOrNumber, momentOf, writtenCode } from './productOf.ts'
import type { Skip } from './skip.ts'

/** One product in a JSON value, which `productOf` reads; or why the value has none. */
export type Candidate =
  | { readonly value: unknown }
  /** A row that was deleted: its barcode, or null if the value does not have it; `as_of` as in the record. */
  | { readonly gone: string | null; readonly as_of: string | null }
  | Skip

/**
 * The products in a JSON value: those of a list, of an envelope (`opened`) and of a response of the API, of any version,
 * found or not; otherwise the value itself. A response without a product is never a product, even though it contains a
 * barcode. A product without a time gets that of its envelope.
 */
export const productsIn = (value: unknown): readonly Candidate[] => {
  const content = opened(value)
  if (content.kind !== 'content' || !Array.isArray(content.value)) return candidatesIn(content)
  if (content.value.length === 0) return [{ skippedBy: 'not-an-object', reason: 'it is an empty list' }]
  return content.value.flatMap(each => candidatesIn(opened(each)))
}

const candidatesIn = (content: Opened): readonly Candidate[] => {
  if (content.kind === 'skipped') return [{ skippedBy: content.skippedBy, reason: content.reason }]
  const { value, moment } = content
  if (content.kind === 'deleted') return [{ gone: codeIn(value), as_of: moment }]
  return moment === null ? answered(value) : answered(value).map(candidate => dated(candidate, moment))
}

const answered = (value: unknown): readonly Candidate[] => {
  const answer = objectOf(value)
  if (answer === null) return [{ value }]
  if (Array.isArray(answer['products'])) return answer['products'].map(product => ({ value: product }))
  const refusal = refusalIn(answer)
  if (refusal !== null) return [refusal]
  const product = objectOf(answer['product'])
  // An answer repeats the code outside the product. With `fields=…` the product itself may lack it.
  if (product !== null) return [{ value: { code: answer['code'], ...product } }]
  return [isAnswer(answer) ? noProduct : { value }]
}

const dated = (candidate: Candidate, as_of: string): Candidate => {
  const product = 'value' in candidate ? objectOf(candidate.value) : null
  return product === null || momentOf(product) !== null ? candidate : { value: { ...product, as_of } }
}

/** The barcode in the key of a row: the value itself, or its member `code` or `_id`. */
export const codeIn = (value: unknown): string | null => {
  const written = objectOf(value) === null ? value : writtenCode(objectOf(value) ?? {})
  return isTextOrNumber(written) ? codeOf(written) : null
}

/**
 * Why a response of the API has no product: versions 0 and 2 answer `status: 0` and `status_verbose`, version 3 `result`
 * with an id. null if it does not say so.
 */
export const refusalIn = (answer: JsonObject): Skip | null => {
  // Most values are products, which have none of these.
  if (
    answer['status'] === undefined &&
    answer['status_verbose'] === undefined &&
    answer['result'] === undefined
  )
    return null
  const id = textOf(objectOf(answer['result'])?.['id']) ?? ''
  const status = `${textOf(answer['status_verbose']) ?? ''} ${id}`
  if (/different[ _]product[ _]type/.test(status))
    return { skippedBy: 'other-product-type', reason: 'it belongs to another site' }
  if (
    /product[ _]not[ _]found/.test(status) ||
    (answer['status'] === 0 && objectOf(answer['product']) === null)
  )
    return { skippedBy: 'not-found', reason: 'it is an API response: the product was not found' }
  return null
}

/** The members that only answers have, with `product` and `products`. A product and a record have none of them. */
export const answerMembers = ['status', 'status_verbose', 'result', 'errors', 'warnings'] as const

const isAnswer = (answer: JsonObject): boolean =>
  textOf(answer['status_verbose']) !== null ||
  textOf(objectOf(answer['result'])?.['id']) !== null ||
  (Array.isArray(answer['errors']) && textOf(answer['status']) !== null)

const noProduct: Skip = {
  skippedBy: 'no-product-in-response',
  reason: 'it is an API response without a product',
}
