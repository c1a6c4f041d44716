import { messageOf } from '@offstream/runtime'
import { z } from 'zod'
import { serialize } from '../product/message.ts'
import { Product, productColumns } from '../product/product.ts'
import { hasProductFields } from '../product/productOf.ts'
import { flagged } from '../product/quality.ts'
import type { SkipReason } from '../product/skip.ts'
import { type Message, productMessage, removalMessage } from '../topic/message.ts'

/** The message in a line of JSON, or the reason why it contains none. */
export type ReadLine =
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'problem'; readonly skippedBy: SkipReason; readonly problem: string }

/** How lines are read. */
export interface LineForm {
  /** Accept anything that has a key, not only products. */
  readonly raw: boolean
  /** If `raw`: the member that becomes the key of other lines. */
  readonly keyMember?: string
  /** The time of deletes without one, and the latest time of a record; ISO 8601. */
  readonly now: string
}

/**
 * Reads a line in one of two forms: `{"key": …, "value": …}`, as `offstream topic peek` prints it (of its other members
 * only the headers are used), or the record of a product, whose code becomes the key.
 */
export const readLine = (line: string, { raw, keyMember, now }: LineForm): ReadLine => {
  let json: unknown
  try {
    json = JSON.parse(line)
  } catch (error) {
    return problem('invalid-json', `it is not valid JSON: ${messageOf(error)}`)
  }
  const keyed = Keyed.safeParse(json)
  if (keyed.success) return raw ? asItIs(keyed.data) : productOrDelete(keyed.data, now)
  if (!raw) return productOf(json, now)
  const member = keyMember ?? 'code'
  const value = Members.safeParse(json).data?.[member]
  // A number is a key if the user has named the member; a barcode must be text.
  const key = typeof value === 'number' && keyMember !== undefined ? String(value) : value
  return typeof key === 'string'
    ? { kind: 'message', message: { key, value: line, headers: {} } }
    : problem('no-code', `it has neither \`key\` and \`value\` nor a \`${member}\``)
}

const Keyed = z.object({
  key: z.string(),
  value: z.unknown().refine(value => value !== undefined),
  headers: z.record(z.string(), z.string()).default({}),
})
const Members = z.record(z.string(), z.unknown())

const asItIs = ({ key, value, headers }: z.infer<typeof Keyed>): ReadLine => {
  const isText = typeof value === 'string' || value === null
  return { kind: 'message', message: { key, value: isText ? value : JSON.stringify(value), headers } }
}

const productOrDelete = ({ key, value, headers }: z.infer<typeof Keyed>, now: string): ReadLine => {
  if (value !== null) {
    const read = productOf(value, now)
    return read.kind === 'message' && read.message.key !== key
      ? problem('invalid-record', 'code: differs from the key')
      : read
  }
  if (!Product.shape.code.safeParse(key).success)
    return problem('invalid-code', 'key: must be 8 to 24 digits')
  const as_of = Product.shape.as_of.safeParse(headers['as-of']).data ?? now
  const removal = { code: key, as_of: earlier(as_of, now), source: 'stdin' } as const
  return { kind: 'message', message: removalMessage(removal) }
}

const productOf = (json: unknown, now: string): ReadLine => {
  // A missing column is unknown: an older version may have had fewer columns.
  const isObject = typeof json === 'object' && json !== null && !Array.isArray(json)
  const { data, error } = Product.safeParse(isObject ? { ...emptyRecord, ...json } : json)
  if (data !== undefined)
    return hasProductFields(data)
      ? { kind: 'message', message: productMessage(serialize(bounded(data, now))) }
      : problem('no-product-fields', 'it has a code, but no product fields')
  const problems = error.issues.map(({ path, message }) =>
    [path.join('.'), message].filter(Boolean).join(': '),
  )
  return problem('invalid-record', problems.slice(0, maxProblems).join('; '))
}

/** A record from the future would win against all later ones. Its flags then report the time in the future. */
const bounded = (product: Product, now: string): Product => {
  const observed_at = earlier(product.observed_at, now)
  const as_of = earlier(product.as_of, observed_at)
  const isSame = observed_at === product.observed_at && as_of === product.as_of
  return isSame ? product : flagged({ ...product, as_of, observed_at })
}

/** Both times have the same format, so that they can be compared as strings. */
const earlier = (one: string, other: string): string => (one < other ? one : other)

const emptyRecord = Object.fromEntries(productColumns.map(column => [column, null]))

/** A line that is not a product lacks many columns; a few of them are enough for the message. */
const maxProblems = 3

const problem = (skippedBy: SkipReason, text: string): ReadLine => ({
  kind: 'problem',
  skippedBy,
  problem: text,
})
