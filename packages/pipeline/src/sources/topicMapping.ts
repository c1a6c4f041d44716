import { messageOf, type OffstreamError } from '@offstream/runtime'
import type { JSONPathQuery, JSONValue } from 'json-p3'
import { PipelineError } from '../errors.ts'
import { type Candidate, codeIn, productsIn } from '../product/answer.ts'
import { opened, parsed } from '../product/envelope.ts'
import { type JsonObject, objectOf } from '../product/json.ts'
import { type Product, productColumns } from '../product/product.ts'

/** For columns of the record, the JSONPath of the value in a message, such as `$.product.name`. */
export type TopicMapping = Readonly<Partial<Record<keyof Product, string>>>

/** The products in the JSON of a message, in the form of the API or of the record. */
export type Mapper = (json: unknown) => readonly Candidate[]

/** Columns with a list of names: all values that a path finds belong to it. */
const lists: ReadonlySet<string> = new Set([
  'brands',
  'categories',
  'labels',
  'countries',
  'allergens',
  'additives',
])

/**
 * How the messages of a topic are read: with the paths of a mapping, or without one as records, products or envelopes.
 * @throws OffstreamError MAPPING_INVALID with all problems
 */
export const mapperOf = async (mapping: TopicMapping | null): Promise<Mapper> => {
  if (mapping === null) return productsIn
  // The library compiles paths of the standard (RFC 9535) and never evaluates them as code.
  const { compile } = await import('json-p3')
  const problems: string[] = []
  const paths = Object.entries(mapping).flatMap(([column, path]): (readonly [string, JSONPathQuery])[] => {
    if (!(productColumns as readonly string[]).includes(column))
      problems.push(`${column}: the column does not exist`)
    try {
      return [[column, compile(path)]]
    } catch (error) {
      problems.push(`${column}: \`${path}\` is not a JSONPath: ${messageOf(error)}`)
      return []
    }
  })
  if (problems.length > 0) throw invalid(problems)
  const valuesAt = (message: unknown): JsonObject => {
    const json = expanded(message) as JSONValue
    return Object.fromEntries(
      paths.map(([column, path]) => {
        const values = path.query(json).values()
        return [column, values.length > 1 && lists.has(column) ? values : values[0]]
      }),
    )
  }
  return json => {
    const content = opened(json)
    if (content.kind !== 'deleted') return [{ value: valuesAt(json) }]
    const code = codeIn(valuesAt(withDeletedRow(expanded(json)))['code']) ?? codeIn(content.value)
    return [{ gone: code, as_of: content.moment }]
  }
}

/** Strings that contain JSON are parsed, so that paths lead into them. */
export const expanded = (value: unknown, depth = 0): unknown => {
  if (depth > maxDepth) return value
  const inner = parsed(value)
  if (Array.isArray(inner)) return inner.map(each => expanded(each, depth + 1))
  const object = objectOf(inner)
  if (object === null) return inner
  return Object.fromEntries(Object.entries(object).map(([name, each]) => [name, expanded(each, depth + 1)]))
}

const maxDepth = 32

/** An event that deletes a row has the row in `before`; the paths of a mapping lead to `after`. */
const withDeletedRow = (message: unknown): unknown => {
  const event = objectOf(message)
  if (event === null) return message
  const payload = objectOf(event['payload'])
  return payload === null
    ? { ...event, after: event['before'] }
    : { ...event, payload: { ...payload, after: payload['before'] } }
}

const invalid = (problems: readonly string[]): OffstreamError =>
  new PipelineError(
    'MAPPING_INVALID',
    `The mapping of the topic has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${problems.map(problem => `  ${problem}`).join('\n')}`,
    {
      hint: 'write a JSONPath (RFC 9535) for a column of the record, such as `product_name: $.product.name`',
    },
  )
