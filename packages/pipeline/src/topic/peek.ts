import { randomUUID } from 'node:crypto'
import { readTopic, type TopicMessage } from './reader.ts'
import { deleteGroups, describeTopic, topicName } from './topic.ts'

/** A message of the topic as a person reads it. */
export interface PeekedMessage {
  readonly partition: number
  readonly offset: number
  /** ISO 8601; when it was produced. */
  readonly timestamp: string
  readonly key: string | null
  readonly headers: Readonly<Record<string, string>>
  /** JSON objects and lists as such, other text as text, null for a delete; bytes that are no text in base64. */
  readonly value: unknown
  /** Only where the value is in base64. */
  readonly encoding?: 'base64'
}

export interface PeekOptions {
  /** With `follow`, `latest` begins with what comes from now on; without, it means the last messages there are. */
  readonly from: 'beginning' | 'latest'
  /** How many messages at most; null: no bound. */
  readonly limit: number | null
  /** Whether to wait for more at the end, until `signal` is aborted. */
  readonly follow: boolean
  readonly signal: AbortSignal
}

/**
 * Shows messages of the topic, and leaves no trace: the consumer group that Kafka wants is a new one each time, and
 * is deleted afterwards, as is one that a killed look has left.
 *
 * @returns how many were shown
 * @throws OffstreamError KAFKA_UNREACHABLE, TOPIC_MISSING
 */
export const peekTopic = async (
  broker: string,
  { from, limit, follow, signal }: PeekOptions,
  show: (message: PeekedMessage) => void,
): Promise<number> => {
  const group = `${groupBeginning}${randomUUID()}`
  const lastOnly = from === 'latest' && !follow
  const held: PeekedMessage[] = []
  let shown = 0
  try {
    const begins = lastOnly ? await beforeTheEnd(broker, limit, signal) : new Map()
    await readTopic(
      {
        ...{ brokers: [broker], topic: topicName, group, tls: null, sasl: null },
        ...{ from: lastOnly ? 'beginning' : from, begins, untilEnd: !follow },
      },
      async messages => {
        const wanted = lastOnly ? messages : messages.slice(0, limit === null ? undefined : limit - shown)
        for (const message of wanted.map(peeked)) {
          if (lastOnly) held.push(message)
          else show(message)
        }
        shown += lastOnly ? 0 : wanted.length
        return { done: wanted.length, wantsMore: limit === null || shown < limit }
      },
      signal,
    )
  } finally {
    await deleteGroups(broker, groupBeginning).catch(() => undefined)
  }
  // Each partition gave its last ones; the last of all are the newest of these.
  const newest = held
    .toSorted((one, other) => one.timestamp.localeCompare(other.timestamp))
    .slice(-(limit ?? held.length))
  newest.forEach(show)
  return shown + newest.length
}

const groupBeginning = 'offstream-peek-'

/** The offsets `count` messages before the end of each partition that has more. */
const beforeTheEnd = async (
  broker: string,
  count: number | null,
  signal: AbortSignal,
): Promise<Map<number, bigint>> => {
  const { partitions } = await describeTopic(broker, null, signal)
  return new Map(
    partitions
      .filter(({ earliest, latest }) => count !== null && latest - count > earliest)
      .map(({ partition, latest }) => [partition, BigInt(latest - (count ?? 0))]),
  )
}

const peeked = ({ partition, offset, timestampMs, key, headers, value }: TopicMessage): PeekedMessage => ({
  ...{ partition, offset: Number(offset), timestamp: new Date(timestampMs).toISOString(), key, headers },
  ...readable(value),
})

const readable = (value: Buffer | null): Pick<PeekedMessage, 'value' | 'encoding'> => {
  if (value === null) return { value: null }
  const text = value.toString('utf8')
  if (!Buffer.from(text).equals(value)) return { value: value.toString('base64'), encoding: 'base64' }
  try {
    const json: unknown = JSON.parse(text)
    // Of JSON text such as `"a"` and `7`, and of plain text, only one could be told as it is.
    return { value: typeof json === 'object' && json !== null ? json : text }
  } catch {
    return { value: text }
  }
}
