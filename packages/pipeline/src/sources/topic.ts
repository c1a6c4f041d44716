import type { OffstreamError } from '@offstream/runtime'
import { PipelineError } from '../errors.ts'
import type { PublishRules } from '../product/productOf.ts'
import { clusterIdOf } from '../topic/admin.ts'
import type { ClusterAddress } from '../topic/cluster.ts'
import { topicName } from '../topic/message.ts'
import { readTopic, type TopicMessage, type TopicReaderOptions } from '../topic/reader.ts'
import { Deliveries, unlessAborted } from './deliveries.ts'
import { resultsOf } from './reader.ts'
import type { Source } from './source.ts'
import { mapperOf, type TopicMapping } from './topicMapping.ts'
import { foundIn, MappingSuggestions, namingMapping } from './topicMessage.ts'

/** Options of `topicSource`. */
export interface TopicSourceOptions extends TopicReaderOptions {
  /** null: messages are records or products in the form of the API of Open Food Facts, plain or in an envelope. */
  readonly mapping: TopicMapping | null
  /** The brokers of this stack, `host:port`. Its product topic must not be read into itself. */
  readonly ownBrokers?: readonly string[] | undefined
  /** The cluster of this stack, which may be known by other addresses too; null if its password is missing. */
  readonly ownCluster?: (() => Promise<ClusterAddress | null>) | undefined
  /** Whether to suggest a mapping for the first messages that are not products. */
  readonly suggestsMapping?: boolean | undefined
  /** The maximum number of products to deliver. */
  readonly limit?: number | undefined
  readonly rules?: PublishRules | undefined
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
      if (await isOwn(options)) throw loop(options.topic)
      const map = await mapperOf(options.mapping)
      const reader = { source: 'topic', site: null, rules: options.rules } as const
      const deliveries = new Deliveries(run, options.limit)
      const suggestions = options.suggestsMapping === true ? new MappingSuggestions(run.report) : null
      const take = async (messages: readonly TopicMessage[]) => {
        const results = messages.map(message => {
          const read = resultsOf(foundIn(options.topic, message, map), reader)
          suggestions?.add(message, read)
          return options.mapping === null ? read.map(result => namingMapping(message, result)) : read
        })
        const done = await deliveries.deliver(results.flat())
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

const isOwn = async (options: TopicSourceOptions): Promise<boolean> => {
  const { brokers, topic, ownBrokers = [], ownCluster } = options
  if (topic !== topicName) return false
  if (brokers.some(broker => ownBrokers.includes(broker))) return true
  const own = (await ownCluster?.()) ?? null
  if (own === null) return false
  // A cluster that cannot be reached is reported when it is used.
  const [id, ownId] = await Promise.all([options, own].map(each => clusterIdOf(each).catch(() => null)))
  return id !== null && id === ownId
}

const loop = (topic: string): OffstreamError =>
  new PipelineError('MIRROR_LOOP', `\`${topic}\` of this stack would be copied to itself`, {
    hint: 'use another topic, or the brokers of another cluster',
  })
