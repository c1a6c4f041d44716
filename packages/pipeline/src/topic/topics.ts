import { messageOf, type OffstreamError } from '@offstream/runtime'
import { PipelineError } from '../errors.ts'
import {
  clusterFailure,
  describeTopic,
  isTopicMissing,
  ownBrokersOf,
  topicMissing,
  withAdmin,
} from './admin.ts'
import type { Admin } from './client.ts'
import type { ClusterAddress } from './cluster.ts'
import { requestContradictions, requestedTopic, type TopicRequest } from './topicSettings.ts'

/** A topic in a list. */
export interface ListedTopic {
  readonly name: string
  readonly partitions: number
  /** The count of offsets in use; compaction leaves some of them unused. */
  readonly maxMessages: number
}

/** The topics of the cluster, by name, without those of Kafka itself. */
export const listTopics = (cluster: ClusterAddress, signal: AbortSignal): Promise<readonly ListedTopic[]> =>
  requested(cluster, signal, async admin => {
    const names = (await admin.listTopics()).filter(name => !name.startsWith('__')).toSorted()
    return Promise.all(
      names.map(async name => {
        const offsets = await admin.fetchTopicOffsets(name)
        const maxMessages = offsets.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0)
        return { name, partitions: offsets.length, maxMessages }
      }),
    )
  })

/**
 * Creates a topic for jobs of the user, if it does not exist.
 * @returns whether it was created
 * @throws OffstreamError TOPIC_EXISTS if it exists with other partitions or another policy, and those of `clusterFailure`
 */
export const createTopic = async (
  cluster: ClusterAddress,
  request: TopicRequest,
  signal: AbortSignal,
): Promise<boolean> => {
  const { name } = request
  if (await isCreated(cluster, request, signal)) return true
  const existing = await describeTopic(cluster, null, signal, name)
  const contradictions = requestContradictions(existing, request, ownBrokersOf(cluster))
  if (contradictions.length > 0) throw topicExists(name, contradictions)
  return false
}

/**
 * Creates a topic with one partition for jobs of the user, if none of this name exists, whatever its settings are.
 * @throws OffstreamError those of `clusterFailure`
 */
export const createTopicIfMissing = async (
  cluster: ClusterAddress,
  name: string,
  signal: AbortSignal,
): Promise<void> =>
  void (await isCreated(cluster, { name, partitions: 1, compacted: false, retention: null }, signal))

/** Creates a topic, unless one of this name exists. */
const isCreated = (cluster: ClusterAddress, request: TopicRequest, signal: AbortSignal): Promise<boolean> => {
  const topic = requestedTopic(request, ownBrokersOf(cluster))
  return requested(cluster, signal, async admin =>
    (await admin.listTopics()).includes(request.name)
      ? false
      : admin.createTopics({ waitForLeaders: true, topics: [topic] }),
  )
}

/**
 * Deletes a topic with its messages.
 * @throws OffstreamError TOPIC_MISSING, and those of `clusterFailure`
 */
export const deleteTopic = (cluster: ClusterAddress, name: string, signal: AbortSignal): Promise<void> =>
  requested(cluster, signal, admin => admin.deleteTopics({ topics: [name] }), { topic: name })

/** Where a consumer group is to continue. */
export type GroupPosition = 'earliest' | 'latest' | Date

/** A position of a group in a partition; null: it had none. */
export interface MovedOffset {
  readonly partition: number
  readonly before: number | null
  readonly after: number
}

/**
 * Moves the committed offsets of a consumer group in a topic.
 * @param dryRun only reports what would change
 * @throws OffstreamError TOPIC_MISSING, GROUP_ACTIVE, and those of `clusterFailure`
 */
export const resetOffsets = (
  cluster: ClusterAddress,
  {
    topic,
    group,
    to,
    dryRun,
  }: {
    readonly topic: string
    readonly group: string
    readonly to: GroupPosition
    readonly dryRun: boolean
  },
  signal: AbortSignal,
): Promise<readonly MovedOffset[]> =>
  requested(
    cluster,
    signal,
    async admin => {
      const ends = await admin.fetchTopicOffsets(topic)
      const atTime = to instanceof Date ? await admin.fetchTopicOffsetsByTimestamp(topic, to.getTime()) : []
      const [held] = await admin.fetchOffsets({ groupId: group, topics: [topic] })
      const moved = ends
        .map(({ partition, low, high }): MovedOffset => {
          const before = Number(held?.partitions.find(one => one.partition === partition)?.offset ?? -1)
          const found = atTime.find(one => one.partition === partition)?.offset
          const after = Number(to === 'earliest' ? low : to === 'latest' ? high : (found ?? high))
          return { partition, before: before < 0 ? null : before, after }
        })
        .toSorted((one, other) => one.partition - other.partition)
      const partitions = moved.map(({ partition, after }) => ({ partition, offset: String(after) }))
      if (!dryRun)
        await admin.setOffsets({ groupId: group, topic, partitions }).catch(error => {
          throw /no running instances/.test(messageOf(error)) ? groupActive(group) : error
        })
      return moved
    },
    { topic, timeoutMs: joinTimeoutMs },
  )

/** The client joins the group to move its offsets; Kafka by default waits 3 s for other members. */
const joinTimeoutMs = 20_000

/** Sends requests; an error of the broker becomes one for the user. `topic` is the one that must exist. */
const requested = async <T>(
  cluster: ClusterAddress,
  signal: AbortSignal,
  request: (admin: Admin) => Promise<T>,
  { topic, timeoutMs }: { readonly topic?: string; readonly timeoutMs?: number } = {},
): Promise<T> =>
  withAdmin(cluster, signal, request, timeoutMs).catch(error => {
    signal.throwIfAborted()
    throw topic !== undefined && isTopicMissing(error)
      ? topicMissing(cluster, topic)
      : clusterFailure(cluster, error)
  })

const topicExists = (name: string, contradictions: readonly string[]): OffstreamError =>
  new PipelineError('TOPIC_EXISTS', `Topic \`${name}\` exists already, but ${contradictions.join('; ')}`, {
    hint: `use it as it is, or delete it with \`offstream topic delete ${name}\``,
  })

const groupActive = (group: string): OffstreamError =>
  new PipelineError('GROUP_ACTIVE', `Consumer group \`${group}\` has members`, {
    hint: 'stop the programs that read with this group, then try again',
  })
