import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type OffstreamError, withDeadline } from '@offstream/runtime'
import { PipelineError } from '../errors.ts'
import { type Admin, brokerErrorOf, defaultConfigSource, stackClient, topicResource } from './client.ts'
import type { ClusterAddress } from './cluster.ts'
import { clusterErrorOf, unreachable } from './clusterErrors.ts'
import { topicName } from './message.ts'
import { anyTopic, contradictionsOf, newTopic, type TopicSettings } from './topicSettings.ts'

const responseTimeoutMs = 5_000

/** Connects to a broker, sends requests and disconnects, all within a few seconds or `timeoutMs`. */
export const withAdmin = async <T>(
  cluster: ClusterAddress,
  signal: AbortSignal | undefined,
  request: (admin: Admin) => Promise<T>,
  timeoutMs: number = responseTimeoutMs,
): Promise<T> => {
  const admin = (await stackClient(cluster, { retries: 0, requestTimeoutMs: responseTimeoutMs })).admin()
  try {
    return await withDeadline(
      async () => {
        await admin.connect()
        return request(admin)
      },
      { what: `Kafka at ${cluster.brokers.join(',')}`, timeoutMs, signal },
    )
  } finally {
    // The client waits for its connections without a limit.
    await withDeadline(() => admin.disconnect(), {
      ...{ what: 'the connections to close', timeoutMs: disconnectTimeoutMs },
    }).catch(() => undefined)
  }
}

const disconnectTimeoutMs = 5_000

/** Creates the topic if it does not exist. Resolves when each of its partitions has a leader. */
export const ensureTopic = async (
  cluster: ClusterAddress,
  settings: TopicSettings = anyTopic,
  signal?: AbortSignal,
): Promise<void> =>
  withAdmin(cluster, signal, async admin => {
    const topics = await admin.listTopics()
    if (!topics.includes(topicName)) {
      await admin.createTopics({
        waitForLeaders: true,
        topics: [newTopic(settings, ownBrokersOf(cluster))],
      })
    }
    const { topics: known } = await admin.fetchTopicMetadata({ topics: [topicName] })
    if (!known[0]?.partitions.every(({ leader }) => leader >= 0))
      throw new Error(`\`${topicName}\` has no leader yet`)
  })

/** How many brokers offstream starts; 0: an existing cluster. */
export const ownBrokersOf = ({ brokers, isStartedHere = false }: ClusterAddress): number =>
  isStartedHere ? brokers.length : 0

/**
 * Resolves if the topic is as the settings require. Changes nothing.
 * @throws OffstreamError TOPIC_DELETED, TOPIC_UNSUITABLE, and the codes of `clusterErrorOf`
 */
export const checkTopic = async (
  cluster: ClusterAddress,
  settings: TopicSettings,
  signal?: AbortSignal,
): Promise<void> => {
  const topic = await describeTopic(cluster, null, signal)
  const contradictions = contradictionsOf(topic, settings, ownBrokersOf(cluster))
  if (contradictions.length === 0) return
  throw new PipelineError(
    'TOPIC_UNSUITABLE',
    `Topic \`${topicName}\` in Kafka at \`${cluster.brokers.join(',')}\` is not as configured: ${contradictions.join('; ')}`,
    {
      hint: cluster.isStartedHere
        ? 'correct `kafka.topic` or `kafka.brokerCount`, or delete the messages with `offstream down && offstream reset --topic`'
        : 'change the topic with the tools of the cluster, or correct `kafka.topic` in `offstream.yaml`',
    },
  )
}

/**
 * Resolves if the replicas of the broker at the address of `cluster` are in sync: it has all messages of their partitions.
 * The other brokers may be down.
 * @param id the id of this broker
 */
export const checkInSync = async (cluster: ClusterAddress, id: number, signal?: AbortSignal): Promise<void> =>
  withAdmin(cluster, signal, async admin => {
    if (!(await admin.listTopics()).includes(topicName)) return
    const { topics } = await admin.fetchTopicMetadata({ topics: [topicName] })
    const behind = (topics[0]?.partitions ?? []).filter(
      ({ replicas, isr }) => replicas.includes(id) && !isr.includes(id),
    )
    if (behind.length > 0)
      throw new Error(
        `it lacks messages of partition ${behind.map(({ partitionId }) => partitionId).join(', ')}`,
      )
  })

/** The id of the cluster, which a broker of another cluster on the same port does not have. */
export const clusterIdOf = async (cluster: ClusterAddress, signal?: AbortSignal): Promise<string> =>
  withAdmin(cluster, signal, async admin => (await admin.describeCluster()).clusterId)

/**
 * How many messages Kafka has acknowledged since the topic was created, from all producers: the sum of the offsets
 * after the last message. Compaction removes messages but does not change offsets.
 */
export const acknowledgedMessages = async (cluster: ClusterAddress, signal?: AbortSignal): Promise<number> =>
  withAdmin(cluster, signal, async admin => {
    const offsets = await admin.fetchTopicOffsets(topicName)
    return offsets.reduce((sum, { high }) => sum + Number(high), 0)
  })

/** Whether a message in the topic is newer than `at`, by its own timestamp. */
export const hasMessagesAfter = async (
  cluster: ClusterAddress,
  at: Date,
  signal?: AbortSignal,
): Promise<boolean> =>
  withAdmin(cluster, signal, async admin => {
    // First: without such a message, the second response has the offsets of the next messages.
    const ends = await admin.fetchTopicOffsets(topicName)
    const found = await admin.fetchTopicOffsetsByTimestamp(topicName, at.getTime())
    return found.some(({ partition, offset }) => {
      const end = ends.find(other => other.partition === partition)
      return end !== undefined && Number(offset) < Number(end.high)
    })
  })

/** A topic as its broker describes it. */
export interface TopicDescription {
  readonly name: string
  readonly partitions: readonly PartitionDescription[]
  /** The count of offsets in use. Compaction removes messages and leaves their offsets unused. */
  readonly maxMessages: number
  /** On the broker's disk; null if that disk is not on this machine. */
  readonly bytes: number | null
  /** Settings of the topic that are not defaults, by Kafka's names. */
  readonly config: Readonly<Record<string, string>>
}

/** A partition of a topic. */
export interface PartitionDescription {
  readonly partition: number
  /** Ids of brokers. */
  readonly leader: number
  readonly replicas: readonly number[]
  readonly inSync: readonly number[]
  /** Offset of the first message. */
  readonly earliest: number
  /** Offset of the next message. */
  readonly latest: number
}

/**
 * Describes a topic, by default that of the products.
 * @param data folder of the broker's data, if it is on this machine
 * @throws OffstreamError TOPIC_DELETED, TOPIC_MISSING, and the codes of `clusterErrorOf`
 */
export const describeTopic = async (
  cluster: ClusterAddress,
  data: string | null,
  signal?: AbortSignal,
  topic: string = topicName,
): Promise<TopicDescription> => {
  const [{ topics }, offsets, { resources }] = await withAdmin(cluster, signal, admin =>
    Promise.all([
      admin.fetchTopicMetadata({ topics: [topic] }),
      admin.fetchTopicOffsets(topic),
      admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: topicResource, name: topic }],
      }),
    ]),
  ).catch(error => {
    signal?.throwIfAborted()
    throw isTopicMissing(error) ? topicMissing(cluster, topic) : clusterFailure(cluster, error)
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
    name: topic,
    partitions,
    maxMessages: partitions.reduce((sum, { earliest, latest }) => sum + latest - earliest, 0),
    bytes: data === null ? null : await bytesOf(data, topic, partitions.length),
    config: Object.fromEntries(
      (resources[0]?.configEntries ?? [])
        .filter(({ configSource }) => (configSource as number) !== defaultConfigSource)
        .map(({ configName, configValue }) => [configName, configValue]),
    ),
  }
}

/** Only the messages: Kafka preallocates the index files beside them. */
const bytesOf = async (data: string, topic: string, partitions: number): Promise<number | null> => {
  let sum = 0
  for (let partition = 0; partition < partitions; partition += 1) {
    const folder = join(data, `${topic}-${partition}`)
    const files = await readdir(folder).catch(() => null)
    if (files === null) return null
    const segments = files.filter(file => file.endsWith('.log')).map(file => stat(join(folder, file)))
    sum += (await Promise.all(segments)).reduce((total, { size }) => total + size, 0)
  }
  return sum
}

/** Deletes the consumer groups whose names start with `prefix` and that have no members, with their offsets. */
export const deleteGroups = async (cluster: ClusterAddress, prefix: string): Promise<void> =>
  withAdmin(cluster, undefined, async admin => {
    const { groups } = await admin.listGroups()
    const names = groups.map(({ groupId }) => groupId).filter(name => name.startsWith(prefix))
    // Kafka does not delete groups that have members; it deletes the others.
    if (names.length > 0) await admin.deleteGroups(names).catch(() => undefined)
  })

/**
 * Resolves if a broker responds within a few seconds.
 * @throws OffstreamError the codes of `clusterErrorOf`
 */
export const requireBroker = async (cluster: ClusterAddress): Promise<void> => {
  await withAdmin(cluster, undefined, admin => admin.listTopics()).catch(error => {
    throw clusterFailure(cluster, error)
  })
}

/** Whether the broker has reported that the topic does not exist. */
export const isTopicMissing = (error: unknown): boolean =>
  brokerErrorOf(error)?.type === 'UNKNOWN_TOPIC_OR_PARTITION'

/** The error of a cluster that denies access, or whose brokers do not respond. */
export const clusterFailure = (cluster: ClusterAddress, cause: unknown): OffstreamError => {
  const { brokers, isStartedHere = false } = cluster
  const hint = isStartedHere
    ? 'start the services with `offstream up`, then try again'
    : 'check `kafka.brokers` in `offstream.yaml`, and whether the listener requires TLS or SASL'
  return clusterErrorOf(cause, { brokers, topic: topicName, hint }) ?? unreachable(brokers, cause, hint)
}

/** The error of a topic that does not exist: that of the products was deleted, since `up` has created it. */
export const topicMissing = (cluster: ClusterAddress, topic: string): OffstreamError =>
  topic === topicName
    ? topicDeleted(cluster)
    : new PipelineError(
        'TOPIC_MISSING',
        `Topic \`${topic}\` does not exist in Kafka at \`${cluster.brokers.join(',')}\``,
        {
          hint: `create it with \`offstream topic create ${topic}\`; \`offstream topic list\` shows all topics`,
        },
      )

const topicDeleted = ({ brokers, isStartedHere = false }: ClusterAddress): OffstreamError =>
  new PipelineError(
    'TOPIC_DELETED',
    `Topic \`${topicName}\` does not exist in Kafka at \`${brokers.join(',')}\``,
    { hint: `create it again with \`offstream ${isStartedHere ? 'restart kafka' : 'up'}\`` },
  )
