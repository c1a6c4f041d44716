import { firstOf } from '@offstream/runtime'
import type { ICustomPartitioner, Kafka, KafkaConfig, SASLOptions } from 'kafkajs'
import { readCertificates, type Tls } from '../credentials.ts'
import { probeBroker } from './brokerProbe.ts'
import type { ClusterAddress, Sasl } from './cluster.ts'
import { type Decompressors, fastGzip, unpackLz4, unpackSnappy, unpackZstd } from './codecs.ts'
import { sessionReserveMs, validToken } from './token.ts'

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

/**
 * A client for the cluster with the topic of the stack. kafkajs is loaded at the first use, because the help of the command
 * line must not wait for it.
 * @throws OffstreamError FILE_MISSING (a file of the certificates), TOKEN_FAILED
 */
export const stackClient = async (cluster: ClusterAddress, policy: RetryPolicy): Promise<Kafka> => {
  const { Kafka: KafkaClient, CompressionCodecs } = (await import('kafkajs')).default
  CompressionCodecs[gzip] = () => fastGzip
  await requireToken(cluster)
  return new KafkaClient({
    ...connectionOptions(cluster),
    connectionTimeout: 3_000,
    requestTimeout: policy.requestTimeoutMs,
    retry: {
      // The brokers are tried in turn.
      retries: Math.max(policy.retries, cluster.brokers.length - 1),
      initialRetryTime: 200,
      maxRetryTime: 5_000,
    },
  })
}

/**
 * A client that reads from any cluster, in every compression that Kafka supports.
 * @throws OffstreamError FILE_MISSING (a file of the certificates), TOKEN_FAILED
 */
export const clusterClient = async (cluster: ClusterAddress): Promise<Kafka> => {
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
  await requireToken(cluster)
  return new KafkaClient({
    ...connectionOptions(cluster),
    connectionTimeout: 5_000,
    authenticationTimeout: 10_000,
    requestTimeout: 30_000,
    retry: { retries: 3, initialRetryTime: 200 },
  })
}

const connectionOptions = ({ brokers, tls, sasl }: ClusterAddress): KafkaConfig => ({
  clientId: 'offstream',
  // kafkajs tries the next address only if it cannot connect, and not if a broker accepts connections and never responds.
  brokers: brokers.length === 1 ? [...brokers] : () => respondingBroker(brokers, tls),
  logLevel: silent,
  ...(tls === null ? {} : { ssl: tlsOptions(tls) }),
  // A new object for each client: kafkajs stores its authenticator in it.
  ...(sasl === null ? {} : { sasl: saslOptions(sasl) }),
  ...(sasl?.mechanism === 'oauthbearer' ? { reauthenticationThreshold: sessionReserveMs } : {}),
})

const probeTimeoutMs = 3_000

/** The broker that responds first; all, if none does. */
const respondingBroker = async (brokers: readonly string[], tls: Tls | null): Promise<string[]> => {
  const probe = async (address: string, signal: AbortSignal): Promise<string[]> => {
    await probeBroker(address, tls, signal)
    return [address]
  }
  const wait = { what: 'a response', timeoutMs: probeTimeoutMs }
  return await firstOf(brokers, probe, wait).catch(() => [...brokers])
}

const tlsOptions = (tls: Tls): NonNullable<KafkaConfig['ssl']> => {
  const { ca, cert, key } = readCertificates(tls)
  return {
    rejectUnauthorized: true,
    ...(ca === null ? {} : { ca: [ca] }),
    ...(cert === null || key === null ? {} : { cert, key }),
  }
}

const saslOptions = (sasl: Sasl): SASLOptions =>
  sasl.mechanism === 'oauthbearer'
    ? {
        mechanism: sasl.mechanism,
        // At each connection, and before the broker closes the session of an expired token.
        oauthBearerProvider: async () => ({ value: (await validToken(sasl)).value }),
      }
    : { mechanism: sasl.mechanism, username: sasl.username, password: sasl.password }

/** Requests a token before there are deadlines for responses of the broker. */
const requireToken = async ({ sasl }: ClusterAddress): Promise<void> => {
  if (sasl?.mechanism === 'oauthbearer') await validToken(sasl)
}

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
