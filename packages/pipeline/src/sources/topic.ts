import { messageOf, type OffstreamError } from '@offstream/runtime'
import type { JSONPathQuery, JSONValue } from 'json-p3'
import { PipelineError } from '../errors.ts'
import { type Candidate, productsIn } from '../product/answer.ts'
import { type JsonObject, objectOf } from '../product/json.ts'
import { parseJson } from '../product/parseJson.ts'
import { type Product, productColumns } from '../product/product.ts'
import { codeOf, momentOf } from '../product/productOf.ts'
import type { SkipReason } from '../product/skip.ts'
import type { Sasl } from '../topic/client.ts'
import { topicName } from '../topic/message.ts'
import { readTopic, type TopicMessage, type TopicReaderOptions } from '../topic/reader.ts'
import { Deliveries, unlessAborted } from './deliveries.ts'
import { type Found, type ReadResult, resultsOf } from './reader.ts'
import type { Source } from './source.ts'

/** For columns of the record, the JSONPath of the value in a message, such as `$.product.name`. */
export type TopicMapping = Readonly<Partial<Record<keyof Product, string>>>

/** Options of `topicSource`. */
export interface TopicSourceOptions extends TopicReaderOptions {
  /** null: messages are records, or products in the form of the API of Open Food Facts. */
  readonly mapping: TopicMapping | null
  /** The broker of this stack, `host:port`. Its product topic must not be read into itself. */
  readonly ownBroker?: string | undefined
  /** The maximum number of products to deliver. */
  readonly limit?: number | undefined
}

/** The credentials for the other cluster, as in the configuration. */
export interface SaslSettings {
  readonly mechanism: Sasl['mechanism']
  readonly username: string
  /** The environment variable with the password; other users may read files and arguments. */
  readonly passwordVariable: string
}

/** The credentials with the password. @throws OffstreamError SECRET_MISSING */
export const saslOf = (
  { mechanism, username, passwordVariable }: SaslSettings,
  environment: Readonly<Record<string, string | undefined>>,
): Sasl => {
  const password = environment[passwordVariable]
  if (password) return { mechanism, username, password }
  throw new PipelineError('SECRET_MISSING', `The environment variable \`${passwordVariable}\` is not set`, {
    hint: `set it for this command, for example with \`read -rs ${passwordVariable} && export ${passwordVariable}\``,
  })
}

/**
 * Products from the messages of any Kafka topic. The offset is committed to the other cluster only after our broker has
 * acknowledged the products. A run that was killed is resumed after the last acknowledged messages.
 *
 * A message without a code uses its key, and a message without a moment uses its timestamp. A null value deletes the
 * product of its key. `run` throws OffstreamError MAPPING_INVALID, MIRROR_LOOP and the errors of `readTopic`.
 */
export const topicSource = (options: TopicSourceOptions): Source => ({
  name: 'topic',
  run: run =>
    unlessAborted(run, async () => {
      if (isOwn(options)) throw loop(options.topic)
      const map = options.mapping === null ? productsIn : await mapper(options.mapping)
      const deliveries = new Deliveries(run, options.limit)
      const take = async (messages: readonly TopicMessage[]) => {
        const results = messages.map(message =>
          resultsOf(productsOf(options.topic, message, map), { source: 'topic', site: null }),
        )
        const all = results.flat()
        const done = await deliveries.deliver(options.mapping === null ? all.map(namingMapping) : all)
        await deliveries.settled()
        return { done: wholeAmong(results, done), wantsMore: !deliveries.isOver() }
      }
      await readTopic(options, take, run.signal)
    }),
})

/** How many messages, from the first, are processed if `done` of all their results are: an answer has several products. */
const wholeAmong = (results: readonly (readonly unknown[])[], done: number): number => {
  let left = done
  const first = results.findIndex(each => {
    left -= each.length
    return left < 0
  })
  return first === -1 ? results.length : first
}

const isOwn = ({ brokers, topic, ownBroker }: TopicSourceOptions): boolean =>
  topic === topicName && ownBroker !== undefined && brokers.includes(ownBroker)

/** The products in the JSON of a message, in the form of the API or of the record. */
type Mapper = (json: JSONValue) => readonly Candidate[]

/** A message of another program often has a numeric key and no field of a product. */
const namingMapping = (result: ReadResult | null): ReadResult | null =>
  result?.kind === 'unreadable' && needsMapping.has(result.skippedBy)
    ? { ...result, reason: `${result.reason}; if it has another format, set \`topic.mapping\`` }
    : result

const needsMapping: ReadonlySet<SkipReason> = new Set(['no-code', 'no-product-fields', 'not-an-object'])

/** Columns with a list of names: all values that a path finds belong to it. */
const lists: ReadonlySet<string> = new Set([
  'brands',
  'categories',
  'labels',
  'countries',
  'allergens',
  'additives',
])

/** @throws OffstreamError MAPPING_INVALID with all problems */
const mapper = async (mapping: TopicMapping): Promise<Mapper> => {
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
  return json => [
    {
      value: Object.fromEntries(
        paths.map(([column, path]) => {
          const values = path.query(json).values()
          return [column, values.length > 1 && lists.has(column) ? values : values[0]]
        }),
      ),
    },
  ]
}

const productsOf = (
  topic: string,
  { partition, offset, key, value, timestampMs }: TopicMessage,
  map: Mapper,
): readonly Found[] => {
  const address = `${topic}[${partition}]@${offset}`
  const keyCode = key === null ? null : codeOf(key)
  if (value === null)
    return [
      keyCode === null
        ? { address, skippedBy: 'invalid-code', reason: 'its key is not a barcode' }
        : { address, gone: keyCode },
    ]
  let json: JSONValue
  try {
    json = parseJson(value.toString('utf8')) as JSONValue
  } catch (error) {
    return [{ address, skippedBy: 'invalid-json', reason: `it is not valid JSON: ${messageOf(error)}` }]
  }
  const candidates = map(json)
  return candidates.map(candidate => {
    if ('skippedBy' in candidate) return { address, ...candidate }
    const product = objectOf(candidate.value)
    if (product === null) return { address, value: candidate.value }
    return {
      address,
      value: {
        // The key of a message with several products is the code of none of them.
        ...(keyCode === null || candidates.length > 1 ? {} : { code: keyCode }),
        ...withoutUnknown(product),
        ...(momentOf(product) === null ? { as_of: new Date(timestampMs).toISOString() } : {}),
      },
    }
  })
}

const withoutUnknown = (product: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(product).filter(([, value]) => value !== undefined && value !== null))

const loop = (topic: string): OffstreamError =>
  new PipelineError('MIRROR_LOOP', `\`${topic}\` of this stack would be copied to itself`, {
    hint: 'use another topic, or the brokers of another cluster',
  })

const invalid = (problems: readonly string[]): OffstreamError =>
  new PipelineError(
    'MAPPING_INVALID',
    `The mapping of the topic has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${problems.map(problem => `  ${problem}`).join('\n')}`,
    {
      hint: 'write a JSONPath (RFC 9535) for a column of the record, such as `product_name: $.product.name`',
    },
  )
