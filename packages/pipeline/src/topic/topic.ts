import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, type OffstreamError, withDeadline } from '@offstream/runtime'
import type { Admin, ICustomPartitioner, Kafka, RecordMetadata } from 'kafkajs'
import { PipelineError } from '../errors.ts'
import type { Acknowledgement, Removal, SerializedProduct } from '../product/message.ts'
import { productSchemaVersion } from '../product/product.ts'
import { fastGzip } from './codecs.ts'

/** The user fixed it: consumers elsewhere know this name. */
export const topicName = 'products-events'

const partitions = 1
/** kafkajs's CompressionTypes.GZIP; a value import of its enum would load the whole client. */
const gzip = 1
/** kafkajs's logLevel.NOTHING. */
const silent = 0
/** kafkajs's ConfigResourceTypes.TOPIC, and ConfigSource.DEFAULT_CONFIG. */
const ofTopic = 2
const isDefault = 5
const responseTimeoutMs = 5_000

/**
 * kafkajs is loaded when first needed (the command line's help shall not wait for it), and kept silent: what goes
 * wrong is thrown, and its one harmless "coordinator is loading" line at first use only frightens.
 */
const client = async (broker: string, { retries, requestTimeout }: RetryPolicy): Promise<Kafka> => {
  const { Kafka: KafkaClient, CompressionCodecs } = (await import('kafkajs')).default
  CompressionCodecs[gzip] = () => fastGzip
  return new KafkaClient({
    clientId: 'offstream',
    brokers: [broker],
    logLevel: silent,
    connectionTimeout: 3_000,
    requestTimeout,
    retry: { retries, initialRetryTime: 200, maxRetryTime: 5_000 },
  })
}

/** Loads kafkajs now, for a process that runs so long that what is installed may be another by its first question. */
export const loadKafkaClient = async (): Promise<void> => {
  await import('kafkajs')
}

/** How long a broker is waited for: milliseconds for one answer, and how often a question is asked again. */
interface RetryPolicy {
  readonly retries: number
  readonly requestTimeout: number
}

const withAdmin = async <T>(
  broker: string,
  signal: AbortSignal | undefined,
  ask: (admin: Admin) => Promise<T>,
): Promise<T> => {
  const admin = (await client(broker, { retries: 0, requestTimeout: responseTimeoutMs })).admin()
  try {
    return await withDeadline(
      async () => {
        await admin.connect()
        return ask(admin)
      },
      { what: `Kafka at ${broker}`, timeoutMs: responseTimeoutMs, signal },
    )
  } finally {
    await admin.disconnect().catch(() => undefined)
  }
}

/**
 * Makes the topic where it is not there: compacted, since its key is the product's code and the newest record of a
 * code is all that a new reader needs. Resolves only when the broker answers with the topic's metadata.
 */
export const ensureTopic = async (broker: string, signal?: AbortSignal): Promise<void> =>
  withAdmin(broker, signal, async admin => {
    const topics = await admin.listTopics()
    if (!topics.includes(topicName)) {
      await admin.createTopics({
        waitForLeaders: true,
        topics: [
          {
            topic: topicName,
            numPartitions: partitions,
            replicationFactor: 1,
            configEntries: [{ name: 'cleanup.policy', value: 'compact' }],
          },
        ],
      })
    }
    const { topics: known } = await admin.fetchTopicMetadata({ topics: [topicName] })
    if (!known[0]?.partitions.every(({ leader }) => leader >= 0))
      throw new Error(`\`${topicName}\` has no leader yet`)
  })

/** The id of the cluster that answers at `broker`: what tells a broker from a stranger on the same port. */
export const clusterIdOf = async (broker: string, signal?: AbortSignal): Promise<string> =>
  withAdmin(broker, signal, async admin => (await admin.describeCluster()).clusterId)

/**
 * How many messages Kafka has acknowledged for the topic since it was made, by every producer there is: the sum of
 * the positions after the last message. Compaction takes messages away but never their numbers.
 */
export const acknowledgedMessages = async (broker: string, signal?: AbortSignal): Promise<number> =>
  withAdmin(broker, signal, async admin => {
    const offsets = await admin.fetchTopicOffsets(topicName)
    return offsets.reduce((sum, { high }) => sum + Number(high), 0)
  })

/** A topic as its broker tells it. */
export interface TopicDescription {
  readonly name: string
  readonly partitions: readonly PartitionDescription[]
  /** Those whose numbers are in use; compaction takes messages away and leaves their numbers unused. */
  readonly maxMessages: number
  /** On the broker's disk; null where that is not at hand. */
  readonly bytes: number | null
  /** What was set for the topic, by the names that Kafka uses. */
  readonly config: Readonly<Record<string, string>>
}

export interface PartitionDescription {
  readonly partition: number
  /** Brokers by their ids. */
  readonly leader: number
  readonly replicas: readonly number[]
  readonly inSync: readonly number[]
  /** Offset of the first message, and of the next that will come. */
  readonly earliest: number
  readonly latest: number
}

/**
 * What the broker knows of the topic.
 * @param data folder of the broker's data, where it is on this machine
 * @throws OffstreamError KAFKA_UNREACHABLE, TOPIC_MISSING
 */
export const describeTopic = async (
  broker: string,
  data: string | null,
  signal?: AbortSignal,
): Promise<TopicDescription> => {
  const resource = { type: ofTopic, name: topicName }
  const [{ topics }, offsets, { resources }] = await withAdmin(broker, signal, admin =>
    Promise.all([
      admin.fetchTopicMetadata({ topics: [topicName] }),
      admin.fetchTopicOffsets(topicName),
      admin.describeConfigs({ includeSynonyms: false, resources: [resource] }),
    ]),
  ).catch(error => {
    signal?.throwIfAborted()
    throw isMissing(error) ? missing(broker) : unreachable(broker, error)
  })
  const partitions = (topics[0]?.partitions ?? [])
    .map(({ partitionId, leader, replicas, isr }) => {
      const { low = '0', high = '0' } = offsets.find(({ partition }) => partition === partitionId) ?? {}
      return {
        ...{ partition: partitionId, leader, replicas, inSync: isr },
        ...{ earliest: Number(low), latest: Number(high) },
      }
    })
    .toSorted((one, other) => one.partition - other.partition)
  return {
    name: topicName,
    partitions,
    maxMessages: partitions.reduce((sum, { earliest, latest }) => sum + latest - earliest, 0),
    bytes: data === null ? null : await bytesOf(data, partitions.length),
    config: Object.fromEntries(
      (resources[0]?.configEntries ?? [])
        .filter(({ configSource }) => (configSource as number) !== isDefault)
        .map(({ configName, configValue }) => [configName, configValue]),
    ),
  }
}

/** The messages alone: Kafka makes the index files beside them larger than they are. */
const bytesOf = async (data: string, partitions: number): Promise<number | null> => {
  let sum = 0
  for (let partition = 0; partition < partitions; partition += 1) {
    const folder = join(data, `${topicName}-${partition}`)
    const files = await readdir(folder).catch(() => null)
    if (files === null) return null
    const segments = files.filter(file => file.endsWith('.log')).map(file => stat(join(folder, file)))
    sum += (await Promise.all(segments)).reduce((total, { size }) => total + size, 0)
  }
  return sum
}

/** Deletes the consumer groups whose names begin so and that nobody is in, and with them what they remember. */
export const deleteGroups = async (broker: string, beginning: string): Promise<void> =>
  withAdmin(broker, undefined, async admin => {
    const { groups } = await admin.listGroups()
    const names = groups.map(({ groupId }) => groupId).filter(name => name.startsWith(beginning))
    // Kafka refuses those that somebody is in, and deletes the others.
    if (names.length > 0) await admin.deleteGroups(names).catch(() => undefined)
  })

/** A message as Kafka takes it. A null value is a delete. */
export interface Message {
  readonly key: string
  /** In UTF-8 where it is bytes. */
  readonly value: string | Buffer | null
  readonly headers: Readonly<Record<string, string>>
}

/**
 * Takes products into the topic. Each promise resolves when Kafka has acknowledged the message (written by all
 * in-sync replicas), to the place where it lies; what is given meanwhile travels together.
 *
 * All throw OffstreamError KAFKA_UNREACHABLE where the broker stays silent, MESSAGE_REJECTED where it says no.
 */
export interface Publisher {
  readonly publish: (product: SerializedProduct) => Promise<Acknowledgement>
  /** Says that a product is no more. */
  readonly remove: (removal: Removal) => Promise<Acknowledgement>
  /** A message as it is, whatever it holds. */
  readonly send: (message: Message) => Promise<Acknowledgement>
  readonly close: () => Promise<void>
}

/** Linger: how long a product waits for company, so that one request carries many. */
const lingerMs = 10
const largestBatch = 1_000
/** In characters. The broker takes 1 MiB at once, measured when packed. */
const longestBatch = 900_000
/** With kafkajs's doubling pauses from 0.2 s to at most 5 s: a minute, in which a broker that fell is back. */
const retriesOverRestart = 16

/**
 * Opens a producer: idempotent, acks=all, key = code, so that a retry never writes twice and one product's records
 * stay in order.
 * @throws OffstreamError KAFKA_UNREACHABLE
 */
export const openPublisher = async (broker: string): Promise<Publisher> => {
  // Asked once and quickly whether it is there at all; patience is for one that goes away in the middle.
  await withAdmin(broker, undefined, admin => admin.listTopics()).catch(error => {
    throw unreachable(broker, error)
  })
  const kafka = await client(broker, { retries: retriesOverRestart, requestTimeout: 30_000 })
  const partitions = await Partitions.ofKafkaJs()
  const producer = kafka.producer({
    ...{ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false },
    createPartitioner: partitions.createPartitioner,
  })
  await producer.connect().catch(error => {
    throw unreachable(broker, error)
  })
  interface Waiting {
    readonly message: Message
    readonly resolve: (acknowledgement: Acknowledgement) => void
    readonly reject: (error: unknown) => void
  }
  let waiting: Waiting[] = []
  let sending: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | null = null
  const sendWaiting = async (): Promise<void> => {
    timer = null
    while (waiting.length > 0) {
      const batch = waiting.splice(0, batchLength(waiting))
      const messages = batch.map(({ message }) => message)
      try {
        const answers = await producer.send({ topic: topicName, acks: -1, compression: gzip, messages })
        const acknowledgements = partitions.acknowledgements(messages, answers)
        for (const [place, { resolve }] of batch.entries())
          resolve(acknowledgements[place] as Acknowledgement)
      } catch (error) {
        for (const { reject } of batch) reject(notTaken(broker, error))
      }
    }
  }
  const send = (message: Message): Promise<Acknowledgement> =>
    new Promise((resolve, reject) => {
      waiting.push({ message, resolve, reject })
      timer ??= setTimeout(() => {
        sending = sending.then(sendWaiting)
      }, lingerMs)
    })
  return {
    send,
    publish: product => send(productMessage(product)),
    remove: removal => send(removalMessage(removal)),
    close: async () => {
      if (timer !== null) {
        clearTimeout(timer)
        sending = sending.then(sendWaiting)
      }
      await sending
      waiting = []
      await producer.disconnect()
    },
  }
}

/** Which partition each message went to: Kafka answers a batch with no more than the first offset in each partition. */
class Partitions {
  private readonly chosen = new Map<unknown, number>()
  private readonly kafkasOwn: ICustomPartitioner

  private constructor(kafkasOwn: ICustomPartitioner) {
    this.kafkasOwn = kafkasOwn
  }

  /** That of every other client, by the key: a product's messages stay in one partition. */
  static readonly ofKafkaJs = async (): Promise<Partitions> =>
    new Partitions((await import('kafkajs')).Partitioners.DefaultPartitioner)

  readonly createPartitioner: ICustomPartitioner = () => {
    const choose = this.kafkasOwn()
    return asked => {
      const [first, ...others] = asked.partitionMetadata
      // A topic of ours has one: nothing is to be chosen, or kept.
      if (first !== undefined && others.length === 0) return first.partitionId
      const partition = choose(asked)
      this.chosen.set(asked.message, partition)
      return partition
    }
  }

  /** Where each message of a batch lies, by the answers to it. */
  readonly acknowledgements = (
    messages: readonly Message[],
    answers: readonly RecordMetadata[],
  ): readonly Acknowledgement[] => {
    const next = new Map(answers.map(({ partition, baseOffset }) => [partition, Number(baseOffset)]))
    const [first] = answers
    const acknowledgements = messages.map(message => {
      const partition = this.chosen.get(message) ?? first?.partition ?? 0
      const offset = next.get(partition) ?? Number.NaN
      next.set(partition, offset + 1)
      return { topic: topicName, partition, offset }
    })
    this.chosen.clear()
    return acknowledgements
  }
}

/** How many of the messages that wait go together. */
const batchLength = (waiting: readonly { readonly message: Message }[]): number => {
  let [count, length] = [0, 0]
  for (const { message } of waiting) {
    length += message.key.length + (message.value?.length ?? 0)
    if (count > 0 && (count === largestBatch || length > longestBatch)) break
    count += 1
  }
  return count
}

/**
 * A product as it stands in the topic. Its source is a column of the record; as a header besides, as deletes have it, it
 * would cost a tenth of what an export takes.
 */
export const productMessage = ({ code, json }: SerializedProduct): Message => ({
  key: code,
  value: json,
  headers: { 'schema-version': String(productSchemaVersion) },
})

/** The news that a product is no more, as it stands in the topic: the key's product, since the moment `as-of`. */
export const removalMessage = ({ code, as_of, source }: Removal): Message => ({
  key: code,
  value: null,
  headers: { 'schema-version': String(productSchemaVersion), 'as-of': as_of, source },
})

const unreachable = (broker: string, cause: unknown): OffstreamError =>
  new PipelineError('KAFKA_UNREACHABLE', `No Kafka broker answered at \`${broker}\``, {
    hint: 'start the services with `offstream up`, then try again',
    cause,
  })

const missing = (broker: string): OffstreamError =>
  new PipelineError('TOPIC_DELETED', `Kafka at \`${broker}\` has no topic \`${topicName}\``, {
    hint: 'make it anew with `offstream restart kafka`',
  })

/** Why a message was not taken: nobody answered, or a broker did and says no (it is too large, or has no key). */
const notTaken = (broker: string, error: unknown): OffstreamError => {
  const told = protocolError(error)
  if (isMissing(error)) return missing(broker)
  if (told === null || told.retriable) return unreachable(broker, error)
  return new PipelineError('MESSAGE_REJECTED', `Kafka refused messages: ${messageOf(error)}`, {
    hint: 'compare them with the limits of `offstream topic describe`',
    cause: error,
  })
}

const isMissing = (error: unknown): boolean => protocolError(error)?.type === 'UNKNOWN_TOPIC_OR_PARTITION'

/** What the broker itself said, by the name that Kafka's protocol gives it; null where it said nothing. */
const protocolError = (error: unknown): { readonly type: string; readonly retriable: boolean } | null => {
  if (!(error instanceof Error)) return null
  if (!('type' in error) || typeof error.type !== 'string') return protocolError(error.cause)
  return { type: error.type, retriable: 'retriable' in error && error.retriable === true }
}
