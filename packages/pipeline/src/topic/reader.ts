import { readFile } from 'node:fs/promises'
import { messageOf, OffstreamError } from '@offstream/runtime'
import type { Consumer, EachBatchPayload, IHeaders, Kafka, KafkaConfig, SASLOptions } from 'kafkajs'
import { PipelineError } from '../errors.ts'
import { type Decompressors, unpackLz4, unpackSnappy, unpackZstd } from './codecs.ts'

export interface TopicReaderOptions {
  /** `host:port` of some of the cluster's brokers. */
  readonly brokers: readonly string[]
  readonly topic: string
  /** Consumer group, which keeps the position between runs. */
  readonly group: string
  /** Whether the group is made for this reading alone, and deleted after it. */
  readonly passing?: boolean | undefined
  /** Where a group without a position begins. */
  readonly from: 'beginning' | 'latest'
  /** Offsets that partitions begin at instead, for a group without a position. */
  readonly begins?: ReadonlyMap<number, bigint>
  /** Whether to end at the messages that are there at the start, instead of waiting for more. */
  readonly untilEnd: boolean
  /** TLS, always with a checked certificate; `caFile` is a PEM file of who signed it, where that is no public one. */
  readonly tls: { readonly caFile: string | null } | null
  readonly sasl: Sasl | null
}

export interface Sasl {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  readonly username: string
  readonly password: string
}

export interface TopicMessage {
  readonly partition: number
  readonly offset: string
  readonly key: string | null
  readonly headers: Readonly<Record<string, string>>
  /** null is a delete. */
  readonly value: Buffer | null
  /** When it was produced, milliseconds since 1970. */
  readonly timestampMs: number
}

/** What became of some messages: so many of them, from the first, are done with for good. */
interface Taken {
  readonly done: number
  readonly wantsMore: boolean
}

type Take = (messages: readonly TopicMessage[]) => Promise<Taken>

/**
 * Reads a topic of any cluster. `take` gets some messages of one partition at a time, in their order; the position of
 * what is done with is committed when it has resolved, never before.
 *
 * Ends when no more is wanted, at the end of the topic (`untilEnd`, as far as the partitions are given to us: another reader of the group
 * takes its share), or when `signal` is aborted.
 *
 * @throws OffstreamError KAFKA_UNREACHABLE, TOPIC_MISSING, ACCESS_DENIED, FILE_MISSING (`caFile`), TOPIC_UNREADABLE;
 *   and what `take` throws
 */
export const readTopic = async (
  options: TopicReaderOptions,
  take: Take,
  signal: AbortSignal,
): Promise<void> => {
  if (signal.aborted) return
  const kafka = await client(options)
  const ends = await endsOf(kafka, options)
  if (options.untilEnd && ends.size === 0) return
  try {
    await new Reading(kafka, options, ends, take).run(signal)
  } finally {
    // Where the rights do not reach that far, Kafka forgets it by itself, in a week by default.
    if (options.passing) await deleteGroup(kafka, options.group).catch(() => undefined)
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

/** kafkajs's logLevel.NOTHING: what goes wrong is thrown. */
const silent = 0
const maxBytesPerPartition = 1024 * 1024
const heartbeatEveryMs = 3_000

const client = async ({ brokers, tls, sasl }: TopicReaderOptions): Promise<Kafka> => {
  const [kafkajs, { decompressSnappy, decompressZstd }] = await Promise.all([
    import('kafkajs'),
    import('hyparquet-compressors'),
  ])
  // Of a CommonJS module, Node gives only some of the names by themselves.
  const { Kafka: KafkaClient, CompressionCodecs, CompressionTypes } = kafkajs.default
  const decompressors: Decompressors = { snappy: decompressSnappy, zstd: decompressZstd }
  const codec = (unpack: (packed: Buffer) => Buffer) => () => ({
    compress: () => Promise.reject(new Error('only reading is meant')),
    decompress: async (packed: Buffer) => unpack(packed),
  })
  CompressionCodecs[CompressionTypes.Snappy] = codec(packed => unpackSnappy(packed, decompressors))
  CompressionCodecs[CompressionTypes.ZSTD] = codec(packed => unpackZstd(packed, decompressors))
  CompressionCodecs[CompressionTypes.LZ4] = codec(unpackLz4)
  return new KafkaClient({
    clientId: 'offstream',
    brokers: [...brokers],
    logLevel: silent,
    connectionTimeout: 5_000,
    authenticationTimeout: 10_000,
    requestTimeout: 30_000,
    retry: { retries: 3, initialRetryTime: 200 },
    ...(tls === null ? {} : { ssl: await secure(tls.caFile) }),
    ...(sasl === null ? {} : { sasl: saslOptions(sasl) }),
  })
}

const secure = async (caFile: string | null): Promise<NonNullable<KafkaConfig['ssl']>> => {
  if (caFile === null) return true
  const ca = await readFile(caFile, 'utf8').catch((error: unknown) => {
    throw new PipelineError('FILE_MISSING', `\`${caFile}\` can't be read: ${messageOf(error)}`, {
      hint: 'give the PEM file of the authority that signed the brokers’ certificates',
      cause: error,
    })
  })
  return { ca: [ca], rejectUnauthorized: true }
}

const saslOptions = ({ mechanism, username, password }: Sasl): SASLOptions => ({
  mechanism,
  username,
  password,
})

/**
 * The partitions that hold something for the group now, with the position after their last message.
 * @throws OffstreamError KAFKA_UNREACHABLE, TOPIC_MISSING, ACCESS_DENIED
 */
const endsOf = async (kafka: Kafka, options: TopicReaderOptions): Promise<Map<number, bigint>> => {
  const { topic, group: groupId, from } = options
  const admin = kafka.admin()
  try {
    await admin.connect()
    const offsets = await admin.fetchTopicOffsets(topic)
    const committed = (await admin.fetchOffsets({ groupId, topics: [topic] }))[0]?.partitions ?? []
    const begins = new Map(committed.map(({ partition, offset }) => [partition, BigInt(offset)]))
    const left = offsets.filter(({ partition, low, high }) => {
      const position = begins.get(partition) ?? -1n
      if (position < 0n) return from === 'beginning' && BigInt(high) > BigInt(low)
      return position < BigInt(high)
    })
    return new Map(left.map(({ partition, high }) => [partition, BigInt(high)]))
  } catch (error) {
    throw newsOf(error, options)
  } finally {
    await admin.disconnect().catch(() => undefined)
  }
}

/** One reader of the group, from its start to its end. */
class Reading {
  private readonly options: TopicReaderOptions
  private readonly take: Take
  /** Partitions whose end was not reached yet. */
  private readonly ends: Map<number, bigint>
  private readonly consumer: Consumer
  private isOver = false
  private inHand: Promise<void> = Promise.resolve()
  private finish: (error: unknown) => void = () => undefined

  constructor(kafka: Kafka, options: TopicReaderOptions, ends: Map<number, bigint>, take: Take) {
    this.options = options
    this.ends = ends
    this.take = take
    this.consumer = kafka.consumer({
      groupId: options.group,
      allowAutoTopicCreation: false,
      maxBytesPerPartition,
      // Left to itself it would begin anew for ever, also over a message that can't be unpacked.
      retry: { retries: 5, restartOnFailure: async () => false },
    })
  }

  readonly run = async (signal: AbortSignal): Promise<void> => {
    const { topic, from, begins } = this.options
    const finished = new Promise<unknown>(resolve => {
      this.finish = error => {
        this.isOver = true
        resolve(error)
      }
    })
    const onAbort = () => this.finish(null)
    signal.addEventListener('abort', onAbort, { once: true })
    const { CRASH, END_BATCH_PROCESS } = this.consumer.events
    this.consumer.on(CRASH, ({ payload }) => this.finish(newsOf(payload.error, this.options)))
    // Also told of batches that hold nothing but the marks of transactions, which `eachBatch` never sees.
    this.consumer.on(END_BATCH_PROCESS, ({ payload }) => {
      // What was fetched before the partition was put to its beginning does not count.
      const isStale =
        BigInt(payload.firstOffset ?? payload.lastOffset) < (begins?.get(payload.partition) ?? 0n)
      if (!isStale) this.passed(payload.partition, BigInt(payload.lastOffset))
    })
    try {
      await this.consumer.connect()
      await this.consumer.subscribe({ topics: [topic], fromBeginning: from === 'beginning' })
      await this.consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: this.eachBatch })
      for (const [partition, offset] of begins ?? [])
        this.consumer.seek({ topic, partition, offset: String(offset) })
    } catch (error) {
      this.finish(newsOf(error, this.options))
    }
    const error = await finished
    signal.removeEventListener('abort', onAbort)
    // Disconnected, it could commit no more. What became of it, the client was told.
    await this.inHand.catch(() => undefined)
    await this.consumer.disconnect().catch(() => undefined)
    if (error !== null) throw error
  }

  private readonly eachBatch = (payload: EachBatchPayload): Promise<void> => {
    this.inHand = this.takeBatch(payload)
    return this.inHand
  }

  private readonly takeBatch = async (payload: EachBatchPayload): Promise<void> => {
    const { batch, heartbeat, isRunning, isStale } = payload
    if (this.isOver || !isRunning() || isStale()) return
    const messages = batch.messages.map(({ offset, key, headers, value, timestamp }) => ({
      ...{ partition: batch.partition, offset, timestampMs: Number(timestamp) },
      ...{ key: key?.toString('utf8') ?? null, headers: headersOf(headers), value },
    }))
    // Our own broker may be slow; the other one must not take us for dead meanwhile.
    const beating = setInterval(() => void heartbeat().catch(() => undefined), heartbeatEveryMs)
    try {
      const taken = await this.take(messages).catch((error: unknown) => this.finish(error))
      if (taken === undefined) return
      // A commit that is refused, since the group was parted anew meanwhile, is the client's to deal with: it joins the
      // group again and gets the messages anew, or gives up (CRASH).
      await this.commit(batch.partition, messages.slice(0, taken.done), payload)
      if (!taken.wantsMore) this.finish(null)
    } finally {
      clearInterval(beating)
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
    // Those that are given always; unlike the consumer's own, it leaves errors as the client knows them.
    await commitOffsetsIfNecessary({ topics: [{ topic: this.options.topic, partitions }] })
    // After it: where it fails and the client tries again, it must get these messages again.
    resolveOffset(last.offset)
  }

  private readonly passed = (partition: number, lastOffset: bigint): void => {
    const end = this.ends.get(partition)
    if (end === undefined || lastOffset + 1n < end) return
    this.ends.delete(partition)
    if (this.options.untilEnd && this.ends.size === 0) this.finish(null)
  }
}

/** Of a header that comes several times, the last one counts. */
const headersOf = (headers: IHeaders | undefined): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers ?? {}).map(([name, value]) => [
      name,
      String(Array.isArray(value) ? value.at(-1) : value),
    ]),
  )

/** What an error of the client means to the person. */
const newsOf = (error: unknown, { brokers, topic, group }: TopicReaderOptions): unknown => {
  if (error instanceof OffstreamError) return error
  const { name, type } = rootOf(error)
  const address = brokers.join(',')
  if (name === 'KafkaJSSASLAuthenticationError' || /AUTHORIZATION_FAILED|AUTHENTICATION/.test(type))
    return new PipelineError('ACCESS_DENIED', `Kafka at \`${address}\` refused us: ${messageOf(error)}`, {
      hint: `check user, secret and mechanism, and the rights on topic \`${topic}\` and group \`${group}\``,
      cause: error,
    })
  if (/REBALANCE|GENERATION|MEMBER/.test(type))
    return new PipelineError(
      'TOPIC_UNREADABLE',
      `Topic \`${topic}\` can't be read, since group \`${group}\` keeps changing: ${messageOf(error)}`,
      {
        hint: 'another reader has the same group: end it, or give another `--group`',
        cause: error,
      },
    )
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION')
    return new PipelineError('TOPIC_MISSING', `Kafka at \`${address}\` has no topic \`${topic}\``, {
      hint: 'check the name of the topic; upper and lower case differ',
      cause: error,
    })
  if (/Connection|Brokers|Timeout|NonRetriable|NumberOfRetries/.test(name))
    return new PipelineError(
      'KAFKA_UNREACHABLE',
      `No Kafka broker answered at \`${address}\`: ${messageOf(error)}`,
      {
        hint: 'check address and port, and whether the listener wants TLS',
        cause: error,
      },
    )
  return new PipelineError('TOPIC_UNREADABLE', `Topic \`${topic}\` can't be read: ${messageOf(error)}`, {
    hint: 'the messages may be packed or written in a way that is not known here',
    cause: error,
  })
}

/** kafkajs wraps what went wrong in what it did about it. */
const rootOf = (error: unknown): { readonly name: string; readonly type: string } => {
  if (!(error instanceof Error)) return { name: '', type: '' }
  const cause: unknown = error.cause ?? ('originalError' in error ? error.originalError : undefined)
  const type = 'type' in error && typeof error.type === 'string' ? error.type : ''
  return cause instanceof Error && type === '' ? rootOf(cause) : { name: error.name, type }
}
