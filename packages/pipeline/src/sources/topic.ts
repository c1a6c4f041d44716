import { messageOf, type OffstreamError } from '@offstream/runtime'
import type { JSONPathQuery, JSONValue } from 'json-p3'
import { PipelineError } from '../errors.ts'
import { normaliseCode } from '../names.ts'
import { productsIn } from '../product/answer.ts'
import { type JsonObject, objectOf } from '../product/json.ts'
import { type Product, productColumns } from '../product/product.ts'
import { readTopic, type Sasl, type TopicMessage, type TopicReaderOptions } from '../topic/reader.ts'
import { topicName } from '../topic/topic.ts'
import { Deliveries, unlessAborted } from './deliveries.ts'
import { type Found, resultsOf } from './reader.ts'
import type { Source } from './source.ts'

/** For a column of the record, where it stands in a message: a JSONPath such as `$.product.name`. */
export type TopicMapping = Readonly<Partial<Record<keyof Product, string>>>

export interface TopicSourceOptions extends TopicReaderOptions {
  /** null: messages are records, or products in the form of Open Food Facts' API. */
  readonly mapping: TopicMapping | null
  /** Our own broker, `host:port`: its topic of products must not be read into itself. */
  readonly ownBroker?: string | undefined
  /** How many products to deliver at most. */
  readonly limit?: number | undefined
}

/** How to sign in at the other cluster, as it stands in a configuration. */
export interface SaslSettings {
  readonly mechanism: Sasl['mechanism']
  readonly username: string
  /** Name of the environment variable that holds the password: files and arguments are read by others. */
  readonly passwordVariable: string
}

/** @throws OffstreamError SECRET_MISSING */
export const saslOf = (
  { mechanism, username, passwordVariable }: SaslSettings,
  environment: Readonly<Record<string, string | undefined>>,
): Sasl => {
  const password = environment[passwordVariable]
  if (password) return { mechanism, username, password }
  throw new PipelineError(
    'SECRET_MISSING',
    `The environment variable \`${passwordVariable}\` holds no password`,
    {
      hint: `set it for this command, such as \`read -rs ${passwordVariable} && export ${passwordVariable}\``,
    },
  )
}

/**
 * Products from the messages of any Kafka topic. What was acknowledged by our broker is committed to theirs, never
 * before; a run that is killed begins again where the last acknowledged ones end.
 *
 * Where a message has no code its key is taken, and where it has no moment the time it was produced; a null value is
 * a delete of its key. `run` throws OffstreamError MAPPING_INVALID, MIRROR_LOOP and what `readTopic` does.
 */
export const topicSource = (options: TopicSourceOptions): Source => ({
  name: 'topic',
  run: run =>
    unlessAborted(run, async () => {
      if (isOwn(options)) throw loop(options.topic)
      const map = options.mapping === null ? productIn : await mapper(options.mapping)
      const deliveries = new Deliveries(run, options.limit)
      const take = async (messages: readonly TopicMessage[]) => {
        const all = messages.map(message => found(options.topic, message, map))
        const done = await deliveries.take(resultsOf(all, { source: 'topic', site: null }))
        await deliveries.landed()
        return { done, wantsMore: !deliveries.isOver() }
      }
      await readTopic(options, take, run.signal)
    }),
})

const isOwn = ({ brokers, topic, ownBroker }: TopicSourceOptions): boolean =>
  topic === topicName && ownBroker !== undefined && brokers.includes(ownBroker)

/** Makes a product in the form of the API, or of the record, of a message's JSON. */
type Mapper = (json: JSONValue) => JsonObject

const productIn: Mapper = json => objectOf(productsIn(json)[0]) ?? {}

/** Columns that hold a list of names: all that a path finds is one. */
const lists: ReadonlySet<string> = new Set([
  'brands',
  'categories',
  'labels',
  'countries',
  'allergens',
  'additives',
])

/**
 * @throws OffstreamError MAPPING_INVALID with every problem at once
 */
const mapper = async (mapping: TopicMapping): Promise<Mapper> => {
  // A standard (RFC 9535) read by a library that compiles paths and never evaluates them as code.
  const { compile } = await import('json-p3')
  const problems: string[] = []
  const paths = Object.entries(mapping).flatMap(([column, path]): (readonly [string, JSONPathQuery])[] => {
    if (!(productColumns as readonly string[]).includes(column))
      problems.push(`${column}: there is no such column`)
    try {
      return [[column, compile(path)]]
    } catch (error) {
      problems.push(`${column}: \`${path}\` is no JSONPath: ${messageOf(error)}`)
      return []
    }
  })
  if (problems.length > 0) throw invalid(problems)
  return json =>
    Object.fromEntries(
      paths.map(([column, path]) => {
        const values = path.query(json).values()
        return [column, values.length > 1 && lists.has(column) ? values : values[0]]
      }),
    )
}

const found = (
  topic: string,
  { partition, offset, key, value, timestampMs }: TopicMessage,
  map: Mapper,
): Found => {
  const address = `${topic}[${partition}]@${offset}`
  const keyCode = key !== null && /^[\d\s-]+$/.test(key) ? normaliseCode(key) : null
  if (value === null)
    return keyCode === null ? { address, problem: 'its key is no barcode' } : { address, gone: keyCode }
  let json: JSONValue
  try {
    json = JSON.parse(value.toString('utf8'))
  } catch (error) {
    return { address, problem: `it is no JSON: ${messageOf(error)}` }
  }
  const product = map(json)
  return {
    address,
    value: {
      ...(keyCode === null ? {} : { code: keyCode }),
      ...(hasMoment(product) ? {} : { as_of: new Date(timestampMs).toISOString() }),
      ...withoutUnknown(product),
    },
  }
}

const hasMoment = (product: JsonObject): boolean =>
  ['as_of', 'last_modified_t', 'last_updated_t'].some(
    name => product[name] !== undefined && product[name] !== null,
  )

const withoutUnknown = (product: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(product).filter(([, value]) => value !== undefined && value !== null))

const loop = (topic: string): OffstreamError =>
  new PipelineError('MIRROR_LOOP', `\`${topic}\` of this stack would be read into itself`, {
    hint: 'give another topic, or the brokers of another cluster',
  })

const invalid = (problems: readonly string[]): OffstreamError =>
  new PipelineError(
    'MAPPING_INVALID',
    `The mapping of the topic has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${problems.map(problem => `  ${problem}`).join('\n')}`,
    {
      hint: 'write a JSONPath (RFC 9535) for a column of the record, such as `product_name: $.product.name`',
    },
  )
