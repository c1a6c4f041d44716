import { OffstreamError, withDeadline } from '@offstream/runtime'
import type { Admin, Kafka } from 'kafkajs'
import { type Product, productSchemaVersion } from './product.ts'

/** The user fixed it: consumers elsewhere know this name. */
export const topicName = 'products-events'

const partitions = 1
/** kafkajs's CompressionTypes.GZIP; a value import of its enum would load the whole client. */
const gzip = 1
/** kafkajs's logLevel.NOTHING. */
const silent = 0
const answerWithinMs = 5_000

/**
 * kafkajs is loaded when first needed (the command line's help shall not wait for it), and kept silent: what goes
 * wrong is thrown, and its one harmless "coordinator is loading" line at first use only frightens.
 */
const client = async (broker: string, retries: number): Promise<Kafka> => {
  const { Kafka: KafkaClient } = await import('kafkajs')
  return new KafkaClient({
    clientId: 'offstream',
    brokers: [broker],
    logLevel: silent,
    connectionTimeout: 3_000,
    requestTimeout: 30_000,
    retry: { retries, initialRetryTime: 200 },
  })
}

const withAdmin = async <T>(
  broker: string,
  signal: AbortSignal | undefined,
  ask: (admin: Admin) => Promise<T>,
): Promise<T> => {
  const admin = (await client(broker, 0)).admin()
  try {
    return await withDeadline(
      async () => {
        await admin.connect()
        return ask(admin)
      },
      { what: `Kafka at ${broker}`, withinMs: answerWithinMs, signal },
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

/** Takes products into the topic. */
export interface Publisher {
  /**
   * Resolves when Kafka has acknowledged the product (written by all in-sync replicas); products given meanwhile
   * travel together.
   * @throws OffstreamError KAFKA_UNREACHABLE where the broker stays silent
   */
  readonly publish: (product: Product) => Promise<void>
  readonly close: () => Promise<void>
}

/** Linger: how long a product waits for company, so that one request carries many. */
const lingerMs = 10
const largestBatch = 1_000

/**
 * Opens a producer: idempotent, acks=all, key = code, so that a retry never writes twice and one product's records
 * stay in order.
 * @throws OffstreamError KAFKA_UNREACHABLE
 */
export const openPublisher = async (broker: string): Promise<Publisher> => {
  const unreachable = (cause: unknown) =>
    new OffstreamError('KAFKA_UNREACHABLE', `No Kafka broker answered at \`${broker}\``, {
      outcome: 'unreachable',
      hint: 'start the services with `offstream up`, then try again',
      cause,
    })
  const kafka = await client(broker, 5)
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false })
  await producer.connect().catch(error => {
    throw unreachable(error)
  })
  interface Waiting {
    readonly product: Product
    readonly resolve: () => void
    readonly reject: (error: unknown) => void
  }
  let waiting: Waiting[] = []
  let sending: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | null = null
  const send = async (): Promise<void> => {
    timer = null
    while (waiting.length > 0) {
      const batch = waiting.splice(0, largestBatch)
      try {
        await producer.send({
          topic: topicName,
          acks: -1,
          compression: gzip,
          messages: batch.map(({ product }) => messageOf(product)),
        })
        for (const { resolve } of batch) resolve()
      } catch (error) {
        for (const { reject } of batch) reject(unreachable(error))
      }
    }
  }
  return {
    publish: product =>
      new Promise((resolve, reject) => {
        waiting.push({ product, resolve, reject })
        timer ??= setTimeout(() => {
          sending = sending.then(send)
        }, lingerMs)
      }),
    close: async () => {
      if (timer !== null) {
        clearTimeout(timer)
        sending = sending.then(send)
      }
      await sending
      waiting = []
      await producer.disconnect()
    },
  }
}

/** A product as it stands in the topic. */
const messageOf = (product: Product) => ({
  key: product.code,
  value: JSON.stringify(product),
  headers: { 'schema-version': String(productSchemaVersion), source: product.source },
})
