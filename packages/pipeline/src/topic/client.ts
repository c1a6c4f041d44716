import { readFile } from 'node:fs/promises'
import { messageOf } from '@offstream/runtime'
import type { ICustomPartitioner, Kafka, KafkaConfig, SASLOptions } from 'kafkajs'
import { PipelineError } from '../errors.ts'
import { type Decompressors, fastGzip, unpackLz4, unpackSnappy, unpackZstd } from './codecs.ts'

export type {
  Admin,
  Consumer,
  EachBatchPayload,
  ICustomPartitioner,
  IHeaders,
  Kafka,
  RecordMetadata,
} from 'kafkajs'

/** kafkajs's CompressionTypes.GZIP; a value import of its enum would load the whole client. */
export const gzip = 1
/** kafkajs's ConfigResourceTypes.TOPIC. */
export const topicResource = 2
/** kafkajs's ConfigSource.DEFAULT_CONFIG. */
export const defaultConfigSource = 5
/** kafkajs's logLevel.NOTHING. Errors are thrown, and its "coordinator is loading" at the first use is harmless. */
const silent = 0

/** How long the client waits for a broker. */
export interface RetryPolicy {
  /** How often a request is repeated. */
  readonly retries: number
  readonly requestTimeoutMs: number
}

/** kafkajs is loaded at the first use, because the help of the command line must not wait for it. */
export const stackClient = async (broker: string, policy: RetryPolicy): Promise<Kafka> => {
  const { Kafka: KafkaClient, CompressionCodecs } = (await import('kafkajs')).default
  CompressionCodecs[gzip] = () => fastGzip
  return new KafkaClient({
    clientId: 'offstream',
    brokers: [broker],
    logLevel: silent,
    connectionTimeout: 3_000,
    requestTimeout: policy.requestTimeoutMs,
    retry: { retries: policy.retries, initialRetryTime: 200, maxRetryTime: 5_000 },
  })
}

/** How a cluster is reached that is not offstream's own. */
export interface ClusterAddress {
  /** `host:port` of some of the brokers. */
  readonly brokers: readonly string[]
  /** TLS, always with a verified certificate. `caFile` is a PEM file of the authority, if it is not a public one. */
  readonly tls: { readonly caFile: string | null } | null
  readonly sasl: Sasl | null
}

/** User and password for a cluster. */
export interface Sasl {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  readonly username: string
  readonly password: string
}

/**
 * A client that reads from any cluster, in every compression that Kafka knows.
 * @throws OffstreamError FILE_MISSING (`caFile`)
 */
export const clusterClient = async ({ brokers, tls, sasl }: ClusterAddress): Promise<Kafka> => {
  const [kafkajs, { decompressSnappy, decompressZstd }] = await Promise.all([
    import('kafkajs'),
    import('hyparquet-compressors'),
  ])
  // Node exports only some names of a CommonJS module.
  const { Kafka: KafkaClient, CompressionCodecs, CompressionTypes } = kafkajs.default
  const decompressors: Decompressors = { snappy: decompressSnappy, zstd: decompressZstd }
  const codec = (unpack: (packed: Buffer) => Buffer) => () => ({
    compress: () => Promise.reject(new Error('this codec only decompresses')),
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
    ...(tls === null ? {} : { ssl: await tlsOptions(tls.caFile) }),
    ...(sasl === null ? {} : { sasl: saslOptions(sasl) }),
  })
}

const tlsOptions = async (caFile: string | null): Promise<NonNullable<KafkaConfig['ssl']>> => {
  if (caFile === null) return true
  const ca = await readFile(caFile, 'utf8').catch((error: unknown) => {
    throw new PipelineError('FILE_MISSING', `\`${caFile}\` cannot be read: ${messageOf(error)}`, {
      hint: 'use the PEM file of the authority that signed the certificates of the brokers',
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

/** Loads kafkajs now: a process that runs for weeks must not load it after offstream was updated. */
export const loadKafkaClient = async (): Promise<void> => {
  await import('kafkajs')
}

/** The partitioner of all Kafka clients, by key: the messages of a product stay in one partition. */
export const loadKeyPartitioner = async (): Promise<ICustomPartitioner> =>
  (await import('kafkajs')).Partitioners.DefaultPartitioner

/** The broker's own error inside an error of kafkajs, by its name in Kafka's protocol; null if the broker sent none. */
export const brokerErrorOf = (
  error: unknown,
): { readonly type: string; readonly retriable: boolean } | null => {
  if (!(error instanceof Error)) return null
  if (!('type' in error) || typeof error.type !== 'string') return brokerErrorOf(error.cause)
  return { type: error.type, retriable: 'retriable' in error && error.retriable === true }
}

/** The first cause of an error of kafkajs, which wraps errors by what it did about them. */
export const rootErrorOf = (error: unknown): { readonly name: string; readonly type: string } => {
  if (!(error instanceof Error)) return { name: '', type: '' }
  const cause: unknown = error.cause ?? ('originalError' in error ? error.originalError : undefined)
  const type = 'type' in error && typeof error.type === 'string' ? error.type : ''
  return cause instanceof Error && type === '' ? rootErrorOf(cause) : { name: error.name, type }
}
