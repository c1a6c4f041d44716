import { randomUUID } from 'node:crypto'
import { deleteGroups, describeTopic } from './admin.ts'
import type { ClusterAddress } from './cluster.ts'
import { topicName } from './message.ts'
import { readTopic, type TopicMessage } from './reader.ts'

/** A message of the topic in readable form. */
export interface PeekedMessage {
  readonly partition: number
  readonly offset: number
  /** ISO 8601; when it was produced. */
  readonly timestamp: string
  readonly key: string | null
  readonly headers: Readonly<Record<string, string>>
  /** JSON objects and lists as such, other text as text, null for a delete; bytes that are not UTF-8 in base64. */
  readonly value: unknown
  /** Present only if the value is in base64. */
  readonly encoding?: 'base64'
}

/** Which messages to show. */
export interface PeekOptions {
  /** `latest` means the messages from now on with `follow`, otherwise the last ones that exist. */
  readonly from: 'beginning' | 'latest'
  /** The maximum number of messages; null: no maximum. */
  readonly limit: number | null
  /** Whether to wait for more messages at the end, until `signal` is aborted. */
  readonly follow: boolean
  readonly signal: AbortSignal
  /** By default that of the products. */
  readonly topic?: string
}

/**
 * Shows messages of the topic and leaves nothing in Kafka: the consumer group is a new one each time and is deleted
 * afterwards, together with those of runs that were killed.
 *
 * @returns how many messages were shown
 * @throws OffstreamError TOPIC_DELETED, and the errors of `readTopic`
 */
export const peekTopic = async (
  cluster: ClusterAddress,
  { from, limit, follow, signal, topic = topicName }: PeekOptions,
  show: (message: PeekedMessage) => void,
): Promise<number> => {
  const group = `${groupPrefix}${randomUUID()}`
  const lastOnly = from === 'latest' && !follow
  const candidates: PeekedMessage[] = []
  let shown = 0
  try {
    const startOffsets = lastOnly ? await offsetsBeforeEnd(cluster, topic, limit, signal) : new Map()
    await readTopic(
      {
        ...{ ...cluster, topic, group },
        ...{ from: lastOnly ? 'beginning' : from, startOffsets, untilEnd: !follow },
      },
      async messages => {
        const wanted = lastOnly ? messages : messages.slice(0, limit === null ? undefined : limit - shown)
        for (const message of wanted.map(toPeeked)) {
          if (lastOnly) candidates.push(message)
          else show(message)
        }
        shown += lastOnly ? 0 : wanted.length
        return { done: wanted.length, wantsMore: limit === null || shown < limit }
      },
      signal,
    )
  } finally {
    await deleteGroups(cluster, groupPrefix).catch(() => undefined)
  }
  // Each partition has returned its last messages. The newest of these are the last of the topic.
  const newest = candidates
    .toSorted((one, other) => one.timestamp.localeCompare(other.timestamp))
    .slice(-(limit ?? candidates.length))
  newest.forEach(show)
  return shown + newest.length
}

const groupPrefix = 'offstream-peek-'

/** The offset `count` messages before the end, of each partition with more than `count` messages. */
const offsetsBeforeEnd = async (
  cluster: ClusterAddress,
  topic: string,
  count: number | null,
  signal: AbortSignal,
): Promise<Map<number, bigint>> => {
  const { partitions } = await describeTopic(cluster, null, signal, topic)
  return new Map(
    partitions
      .filter(({ earliest, latest }) => count !== null && latest - count > earliest)
      .map(({ partition, latest }) => [partition, BigInt(latest - (count ?? 0))]),
  )
}

const toPeeked = ({ partition, offset, timestampMs, key, headers, value }: TopicMessage): PeekedMessage => ({
  ...{ partition, offset: Number(offset), timestamp: new Date(timestampMs).toISOString() },
  ...{ key: key?.toString('utf8') ?? null, headers },
  ...readable(value),
})

const readable = (value: Buffer | null): Pick<PeekedMessage, 'value' | 'encoding'> => {
  if (value === null) return { value: null }
  const text = value.toString('utf8')
  if (!Buffer.from(text).equals(value)) return { value: value.toString('base64'), encoding: 'base64' }
  try {
    const json: unknown = JSON.parse(text)
    // A JSON string such as `"a"` and the plain text `a` must stay different.
    return { value: typeof json === 'object' && json !== null ? json : text }
  } catch {
    return { value: text }
  }
}
