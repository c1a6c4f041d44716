import { messageOf, type OffstreamError } from '@offstream/runtime'
import { PipelineError } from '../errors.ts'
import type { Acknowledgement, Removal, SerializedProduct } from '../product/message.ts'
import { clusterFailure, isTopicMissing, requireBroker, topicMissing } from './admin.ts'
import {
  brokerErrorOf,
  gzip,
  type ICustomPartitioner,
  loadKeyPartitioner,
  type RecordMetadata,
  stackClient,
} from './client.ts'
import type { ClusterAddress } from './cluster.ts'
import { type Message, productMessage, removalMessage, topicName } from './message.ts'

/**
 * Publishes products to the topic. Each promise resolves to the message's place when Kafka has acknowledged it (all
 * in-sync replicas have written it). Messages that are sent at about the same time share a request.
 *
 * All throw OffstreamError MESSAGE_REJECTED if the broker rejects the message, and the codes of `clusterErrorOf`.
 */
export interface Publisher {
  readonly publish: (product: SerializedProduct) => Promise<Acknowledgement>
  /** Publishes that a product no longer exists. */
  readonly remove: (removal: Removal) => Promise<Acknowledgement>
  /** Sends any message as it is. */
  readonly send: (message: Message) => Promise<Acknowledgement>
  /** Sends what waits, then disconnects. */
  readonly close: () => Promise<void>
}

/** How long a message waits for others to share its request. */
const lingerMs = 10
const maxBatchMessages = 1_000
/** The broker accepts 1 MiB, measured after compression. */
const maxBatchCharacters = 900_000
/** kafkajs doubles its pauses from 0.2 s to 5 s: this is a minute, in which a broker that crashed restarts. */
const retriesOverRestart = 16

interface Waiting {
  readonly message: Message
  readonly resolve: (acknowledgement: Acknowledgement) => void
  readonly reject: (error: unknown) => void
}

/**
 * Opens a producer: idempotent, acks=all, key = code. A retry never writes a message twice, and the records of a product
 * stay in order.
 * @throws OffstreamError the codes of `clusterErrorOf`
 */
export const openPublisher = async (
  cluster: ClusterAddress,
  topic: string = topicName,
): Promise<Publisher> => {
  // A missing broker is reported at once. The retry policy below is for one that goes away later.
  await requireBroker(cluster)
  const kafka = await stackClient(cluster, { retries: retriesOverRestart, requestTimeoutMs: 30_000 })
  const partitions = new Partitions(topic, await loadKeyPartitioner())
  const producer = kafka.producer({
    ...{ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false },
    createPartitioner: partitions.createPartitioner,
  })
  await producer.connect().catch(error => {
    throw clusterFailure(cluster, error)
  })
  let waiting: Waiting[] = []
  let sending: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | null = null
  const sendWaiting = async (): Promise<void> => {
    timer = null
    while (waiting.length > 0) {
      const batch = waiting.splice(0, batchLength(waiting))
      const messages = batch.map(({ message }) => message)
      try {
        const answers = await producer.send({ topic, acks: -1, compression: gzip, messages })
        const acknowledgements = partitions.acknowledgements(messages, answers)
        for (const [place, { resolve }] of batch.entries())
          resolve(acknowledgements[place] as Acknowledgement)
      } catch (error) {
        for (const { reject } of batch) reject(sendError(cluster, topic, error))
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

/** The partition of each message: Kafka answers a batch only with the first offset in each partition. */
class Partitions {
  private readonly chosen = new Map<unknown, number>()
  private readonly topic: string
  private readonly byKey: ICustomPartitioner

  constructor(topic: string, byKey: ICustomPartitioner) {
    this.topic = topic
    this.byKey = byKey
  }

  readonly createPartitioner: ICustomPartitioner = () => {
    const choose = this.byKey()
    return request => {
      const [first, ...others] = request.partitionMetadata
      // The topic of a stack has one partition, and there is nothing to choose or to remember.
      if (first !== undefined && others.length === 0) return first.partitionId
      const partition = choose(request)
      this.chosen.set(request.message, partition)
      return partition
    }
  }

  /** The place of each message of a batch, from the answers to it. */
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
      return { topic: this.topic, partition, offset }
    })
    this.chosen.clear()
    return acknowledgements
  }
}

/** How many of the waiting messages fit into one batch. */
const batchLength = (waiting: readonly { readonly message: Message }[]): number => {
  let [count, length] = [0, 0]
  for (const { message } of waiting) {
    length += message.key.length + (message.value?.length ?? 0)
    if (count > 0 && (count === maxBatchMessages || length > maxBatchCharacters)) break
    count += 1
  }
  return count
}

/** Why a message was not written: no broker answered, or one rejected it (it is too large, or has no key). */
const sendError = (cluster: ClusterAddress, topic: string, error: unknown): OffstreamError => {
  const brokerError = brokerErrorOf(error)
  if (isTopicMissing(error)) return topicMissing(cluster, topic)
  const isDenied = brokerError?.type.endsWith('AUTHORIZATION_FAILED') ?? false
  if (brokerError === null || brokerError.retriable || isDenied) return clusterFailure(cluster, error)
  return new PipelineError('MESSAGE_REJECTED', `Kafka rejected messages: ${messageOf(error)}`, {
    hint: 'check the limits of the topic with `offstream topic describe`',
    cause: error,
  })
}
