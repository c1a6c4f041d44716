import { messageOf } from '@offstream/runtime'
import { PipelineError } from '../errors.ts'
import { type Consumer, clusterClient, type EachBatchPayload, type IHeaders, type Kafka } from './client.ts'
import type { ClusterAddress } from './cluster.ts'
import { clusterErrorOf, rootErrorOf } from './clusterErrors.ts'

/** Which topic to read, where and how. */
export interface TopicReaderOptions extends ClusterAddress {
  readonly topic: string
  /** Consumer group, whose committed offsets are kept between runs. */
  readonly group: string
  /** Whether the group is created for this run only, and deleted after it. */
  readonly temporaryGroup?: boolean | undefined
  /** Where a group without committed offsets starts. */
  readonly from: 'beginning' | 'latest'
  /** Offsets at which partitions start instead, for a group without committed offsets. */
  readonly startOffsets?: ReadonlyMap<number, bigint>
  /** Whether to stop at the messages that exist at the start, instead of waiting for more. */
  readonly untilEnd: boolean
}

/** A message that was read. */
export interface TopicMessage {
  readonly partition: number
  readonly offset: string
  /** UTF-8 text as a rule, but it may be any bytes. */
  readonly key: Buffer | null
  readonly headers: Readonly<Record<string, string>>
  /** null is a delete. */
  readonly value: Buffer | null
  /** When it was produced, milliseconds since 1970. */
  readonly timestampMs: number
}

/** What `take` has done. */
interface Taken {
  /** How many of the messages, from the first, are processed. */
  readonly done: number
  readonly wantsMore: boolean
}

type Take = (messages: readonly TopicMessage[]) => Promise<Taken>

/**
 * Reads a topic of any cluster. `take` gets some messages of one partition at a time, in order. When it has resolved, the
 * offset of what it has processed is committed, never before.
 *
 * Stops when `take` wants no more, at the end of the topic (`untilEnd`; of the partitions that this reader of the group
 * is assigned), or when `signal` is aborted.
 *
 * @throws OffstreamError TOPIC_MISSING, TOPIC_UNREADABLE, FILE_MISSING (a file of the certificates), the codes of
 *   `clusterErrorOf`, and what `take` throws
 */
export const readTopic = async (
  options: TopicReaderOptions,
  take: Take,
  signal: AbortSignal,
): Promise<void> => {
  if (signal.aborted) return
  const kafka = await clusterClient(options)
  const ends = await endsOf(kafka, options)
  if (options.untilEnd && ends.size === 0) return
  try {
    await new Reading(kafka, options, ends, take).run(signal)
  } finally {
    // Without the right to delete groups, Kafka deletes it itself, by default after a week.
    if (options.temporaryGroup) await deleteGroup(kafka, options.group).catch(() => undefined)
  }
}

const deleteGroup = async (kafka: Kafka, group: string): Promise<void> => {
  const admin = kafka.admin()
  try {
    await admin.connect()
    await admin.deleteGroups([group])
  } finally {
    await admin.disconnect().catch(() => undefined)
  }
}

const maxBytesPerPartition = 1024 * 1024
const heartbeatIntervalMs = 3_000

/**
 * The partitions with messages that the group has not read, with the offset after their last message.
 * @throws OffstreamError TOPIC_MISSING, and the codes of `clusterErrorOf`
 */
const endsOf = async (kafka: Kafka, options: TopicReaderOptions): Promise<Map<number, bigint>> => {
  const { topic, group: groupId, from } = options
  const admin = kafka.admin()
  try {
    await admin.connect()
    const offsets = await admin.fetchTopicOffsets(topic)
    const partitions = (await admin.fetchOffsets({ groupId, topics: [topic] }))[0]?.partitions ?? []
    const committed = new Map(partitions.map(({ partition, offset }) => [partition, BigInt(offset)]))
    const unread = offsets.filter(({ partition, low, high }) => {
      const offset = committed.get(partition) ?? -1n
      if (offset < 0n) return from === 'beginning' && BigInt(high) > BigInt(low)
      return offset < BigInt(high)
    })
    return new Map(unread.map(({ partition, high }) => [partition, BigInt(high)]))
  } catch (error) {
    throw readError(error, options)
  } finally {
    await admin.disconnect().catch(() => undefined)
  }
}

/** One reader of the group, from its start to its stop. */
class Reading {
  private readonly options: TopicReaderOptions
  private readonly take: Take
  /** Partitions whose end is not reached yet. */
  private readonly ends: Map<number, bigint>
  private readonly consumer: Consumer
  private isFinished = false
  private currentBatch: Promise<void> = Promise.resolve()
  private finish: (error: unknown) => void = () => undefined

  constructor(kafka: Kafka, options: TopicReaderOptions, ends: Map<number, bigint>, take: Take) {
    this.options = options
    this.ends = ends
    this.take = take
    this.consumer = kafka.consumer({
      groupId: options.group,
      allowAutoTopicCreation: false,
      maxBytesPerPartition,
      // By default kafkajs restarts without end, also at a message that cannot be decompressed.
      retry: { retries: 5, restartOnFailure: async () => false },
    })
  }

  readonly run = async (signal: AbortSignal): Promise<void> => {
    const { topic, from, startOffsets } = this.options
    const finished = new Promise<unknown>(resolve => {
      this.finish = error => {
        this.isFinished = true
        resolve(error)
      }
    })
    const onAbort = () => this.finish(null)
    signal.addEventListener('abort', onAbort, { once: true })
    const { CRASH, END_BATCH_PROCESS } = this.consumer.events
    this.consumer.on(CRASH, ({ payload }) => this.finish(readError(payload.error, this.options)))
    // Unlike `eachBatch`, this event also comes for batches that contain only transaction markers.
    this.consumer.on(END_BATCH_PROCESS, ({ payload }) => {
      // A batch that was fetched before the seek to the start offset does not count.
      const isStale =
        BigInt(payload.firstOffset ?? payload.lastOffset) < (startOffsets?.get(payload.partition) ?? 0n)
      if (!isStale) this.passed(payload.partition, BigInt(payload.lastOffset))
    })
    try {
      await this.consumer.connect()
      await this.consumer.subscribe({ topics: [topic], fromBeginning: from === 'beginning' })
      await this.consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: this.eachBatch })
      for (const [partition, offset] of startOffsets ?? [])
        this.consumer.seek({ topic, partition, offset: String(offset) })
    } catch (error) {
      this.finish(readError(error, this.options))
    }
    const error = await finished
    signal.removeEventListener('abort', onAbort)
    // A disconnected consumer could not commit. The client handles the error of a batch.
    await this.currentBatch.catch(() => undefined)
    await this.consumer.disconnect().catch(() => undefined)
    if (error !== null) throw error
  }

  private readonly eachBatch = (payload: EachBatchPayload): Promise<void> => {
    this.currentBatch = this.takeBatch(payload)
    return this.currentBatch
  }

  private readonly takeBatch = async (payload: EachBatchPayload): Promise<void> => {
    const { batch, heartbeat, isRunning, isStale } = payload
    if (this.isFinished || !isRunning() || isStale()) return
    const messages = batch.messages.map(({ offset, key, headers, value, timestamp }) => ({
      ...{ partition: batch.partition, offset, timestampMs: Number(timestamp) },
      ...{ key, headers: headersOf(headers), value },
    }))
    // `take` may be slow, and the cluster must not remove this consumer from the group meanwhile.
    const heartbeats = setInterval(() => void heartbeat().catch(() => undefined), heartbeatIntervalMs)
    try {
      const taken = await this.take(messages).catch((error: unknown) => this.finish(error))
      if (taken === undefined) return
      // If the commit fails because the group was rebalanced, the client joins again and gets these messages again, or
      // gives up (CRASH).
      await this.commit(batch.partition, messages.slice(0, taken.done), payload)
      if (!taken.wantsMore) this.finish(null)
    } finally {
      clearInterval(heartbeats)
    }
  }

  private readonly commit = async (
    partition: number,
    done: readonly TopicMessage[],
    { batch, resolveOffset, commitOffsetsIfNecessary }: EachBatchPayload,
  ): Promise<void> => {
    const last = done.at(-1)
    if (last === undefined) return
    const isWhole = done.length === batch.messages.length
    const offset = BigInt(isWhole ? batch.lastOffset() : last.offset) + 1n
    const partitions = [{ partition, offset: String(offset) }]
    // It always commits the offsets that it is given. `consumer.commitOffsets` would wrap its errors.
    await commitOffsetsIfNecessary({ topics: [{ topic: this.options.topic, partitions }] })
    // After the commit: if that fails and the client retries, it must get these messages again.
    resolveOffset(last.offset)
  }

  private readonly passed = (partition: number, lastOffset: bigint): void => {
    const end = this.ends.get(partition)
    if (end === undefined || lastOffset + 1n < end) return
    this.ends.delete(partition)
    if (this.options.untilEnd && this.ends.size === 0) this.finish(null)
  }
}

/** If a header occurs several times, the last one counts. */
const headersOf = (headers: IHeaders | undefined): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers ?? {}).map(([name, value]) => [
      name,
      String(Array.isArray(value) ? value.at(-1) : value),
    ]),
  )

/** The user's error for an error of the client. */
const readError = (error: unknown, options: TopicReaderOptions): unknown => {
  const { brokers, topic, group } = options
  const { type } = rootErrorOf(error)
  if (/REBALANCE|GENERATION|MEMBER/.test(type))
    return new PipelineError(
      'TOPIC_UNREADABLE',
      `Topic \`${topic}\` cannot be read because group \`${group}\` keeps rebalancing: ${messageOf(error)}`,
      {
        hint: 'another consumer uses the same group: stop it, or use another `--group`',
        cause: error,
      },
    )
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION')
    return new PipelineError(
      'TOPIC_MISSING',
      `Topic \`${topic}\` does not exist in Kafka at \`${brokers.join(',')}\``,
      {
        hint: 'check the name of the topic: it is case-sensitive',
        cause: error,
      },
    )
  return (
    clusterErrorOf(error, options) ??
    new PipelineError('TOPIC_UNREADABLE', `Topic \`${topic}\` cannot be read: ${messageOf(error)}`, {
      hint: 'its messages may have a format or compression that offstream does not support',
      cause: error,
    })
  )
}
