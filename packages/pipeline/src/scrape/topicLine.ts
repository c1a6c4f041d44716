import { messageOf } from '@offstream/runtime'
import { z } from 'zod'
import { serialize } from '../product/message.ts'
import { Product, productColumns } from '../product/product.ts'
import { type Message, productMessage, removalMessage } from '../topic/topic.ts'

/** A line of JSON as the message that it stands for, or why it stands for none. */
export type ReadLine =
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'problem'; readonly problem: string }

export interface LineForm {
  /** Take anything that has a key, instead of products alone. */
  readonly raw: boolean
  /** ISO 8601; since when deletes hold that tell no moment of their own. */
  readonly now: string
}

/**
 * Reads a line in one of two forms: `{"key": …, "value": …}`, as `offstream topic peek` writes it (what else such a line
 * holds is of its old place, and not taken, but for headers), or a product's record, whose code becomes the key.
 */
export const readLine = (line: string, { raw, now }: LineForm): ReadLine => {
  let json: unknown
  try {
    json = JSON.parse(line)
  } catch (error) {
    return problem(`it is no JSON: ${messageOf(error)}`)
  }
  const keyed = Keyed.safeParse(json)
  if (keyed.success) return raw ? asItIs(keyed.data) : productOrDelete(keyed.data, now)
  if (!raw) return productOf(json)
  const { data: record } = WithCode.safeParse(json)
  return record === undefined
    ? problem('it has neither `key` and `value` nor a `code`')
    : { kind: 'message', message: { key: record.code, value: line, headers: {} } }
}

const Keyed = z.object({
  key: z.string(),
  value: z.unknown().refine(value => value !== undefined),
  headers: z.record(z.string(), z.string()).default({}),
})
const WithCode = z.object({ code: z.string() })

const asItIs = ({ key, value, headers }: z.infer<typeof Keyed>): ReadLine => {
  const isText = typeof value === 'string' || value === null
  return { kind: 'message', message: { key, value: isText ? value : JSON.stringify(value), headers } }
}

const productOrDelete = ({ key, value, headers }: z.infer<typeof Keyed>, now: string): ReadLine => {
  if (value !== null) {
    const read = productOf(value)
    return read.kind === 'message' && read.message.key !== key ? problem('code: differs from the key') : read
  }
  if (!Product.shape.code.safeParse(key).success) return problem('key: must be 8 to 24 digits')
  const as_of = Product.shape.as_of.safeParse(headers['as-of']).data ?? now
  return { kind: 'message', message: removalMessage({ code: key, as_of, source: 'stdin' }) }
}

const productOf = (json: unknown): ReadLine => {
  // What is not told is not known: a record may be of a version that had fewer columns.
  const isObject = typeof json === 'object' && json !== null && !Array.isArray(json)
  const { data, error } = Product.safeParse(isObject ? { ...nothingKnown, ...json } : json)
  if (data !== undefined) return { kind: 'message', message: productMessage(serialize(data)) }
  const problems = error.issues.map(({ path, message }) =>
    [path.join('.'), message].filter(Boolean).join(': '),
  )
  return problem(problems.slice(0, maxProblems).join('; '))
}

const nothingKnown = Object.fromEntries(productColumns.map(column => [column, null]))

/** A line of another kind misses several columns; a few tell that too. */
const maxProblems = 3

const problem = (text: string): ReadLine => ({ kind: 'problem', problem: text })
