import { resolve } from 'node:path'
import { messageOf, type OffstreamError, withDeadline } from '@offstream/runtime'
import { AwsV4Signer } from 'aws4fetch'
import { z } from 'zod'
import { readText } from '../credentials.ts'
import { PipelineError } from '../errors.ts'
import type { Config } from '../project/config.ts'
import type { Environment } from '../runtimes/environment.ts'

type LakeConfig = Pick<Config, 'lake'>
type StoreConfig = Pick<Config, 'lake' | 'stream'>

const timeoutMs = 10_000

/** Keys of an object store that has the interface of S3. */
export const StoreKeys = z.object({
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  sessionToken: z.string().nullable(),
})
/** Keys of an object store. */
export type StoreKeys = z.infer<typeof StoreKeys>

/** Whether the files of the tables are in an object store. */
export const isInStore = ({ lake }: LakeConfig): boolean => lake.warehouse?.startsWith('s3://') ?? false

/** Iceberg's settings of the object store; it finds the keys in a file, see `storeFlags`. */
export const storeProperties = ({ lake: { s3 } }: LakeConfig): Record<string, string> => ({
  'io-impl': 'org.apache.iceberg.aws.s3.S3FileIO',
  'client.region': s3.region,
  ...(s3.endpoint === null ? {} : { 's3.endpoint': s3.endpoint }),
  ...(s3.pathStyle ? { 's3.path-style-access': 'true' } : {}),
})

/** Whether the checkpoint of the stream is in the object store of the tables. */
export const isCheckpointInStore = ({ stream }: Pick<Config, 'stream'>): boolean =>
  stream.checkpoint?.startsWith('s3://') ?? false

/**
 * Spark's settings for a checkpoint in the object store; empty if it is elsewhere. Spark writes it with Hadoop's client, not
 * with Iceberg's. Both find the keys in the same file.
 * @param buffers the folder for data that is not uploaded yet
 */
export const checkpointConf = (config: StoreConfig, buffers: string): Record<string, string> => {
  const { region, endpoint, pathStyle } = config.lake.s3
  return isCheckpointInStore(config)
    ? {
        'spark.hadoop.fs.s3.impl': 'org.apache.hadoop.fs.s3a.S3AFileSystem',
        'spark.hadoop.fs.AbstractFileSystem.s3.impl': 'org.apache.hadoop.fs.s3a.S3A',
        'spark.hadoop.fs.s3a.aws.credentials.provider':
          'software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider',
        'spark.hadoop.fs.s3a.endpoint.region': region,
        ...(endpoint === null ? {} : { 'spark.hadoop.fs.s3a.endpoint': endpoint }),
        ...(pathStyle ? { 'spark.hadoop.fs.s3a.path.style.access': 'true' } : {}),
        'spark.hadoop.fs.s3a.buffer.dir': buffers,
        // It writes each file by one request. The default writes each file under another name and renames it, which an
        // object store does by a copy and a delete.
        'spark.sql.streaming.checkpointFileManagerClass':
          'org.apache.spark.internal.io.cloud.AbortableStreamBasedCheckpointFileManager',
      }
    : {}
}

/** The same for pyiceberg; empty if the tables are in a folder. */
export const readerProperties = (config: LakeConfig): Record<string, string> =>
  isInStore(config)
    ? {
        's3.region': config.lake.s3.region,
        ...(config.lake.s3.endpoint === null ? {} : { 's3.endpoint': config.lake.s3.endpoint }),
        ...(config.lake.s3.pathStyle ? {} : { 's3.force-virtual-addressing': 'true' }),
      }
    : {}

/** Java options of the programs that read and write the files: the AWS SDK reads the keys from this file itself. */
export const storeFlags = (config: LakeConfig, keysFile: string): readonly string[] =>
  isInStore(config) ? [`-Daws.sharedCredentialsFile=${keysFile}`, '-Daws.profile=default'] : []

/** The keys in the environment; null if they are not set. */
export const keysInEnvironment = ({
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
  AWS_SESSION_TOKEN: sessionToken,
}: Environment): StoreKeys | null =>
  accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey, sessionToken: sessionToken || null } : null

const fileHint = 'check `lake.s3.credentialsFile`, a file such as `~/.aws/credentials`'

/**
 * The keys in the section `default` of a file of AWS; null if it has none.
 * @throws OffstreamError FILE_MISSING
 */
export const keysInFile = ({ lake: { s3 } }: LakeConfig, directory: string): StoreKeys | null => {
  if (s3.credentialsFile === null) return null
  const values = defaultSection(readText(resolve(directory, s3.credentialsFile), fileHint))
  return keysInEnvironment(
    Object.fromEntries([...values].map(([name, value]) => [name.toUpperCase(), value])),
  )
}

const defaultSection = (text: string): ReadonlyMap<string, string> => {
  const values = new Map<string, string>()
  let section = ''
  for (const line of text.split('\n')) {
    section = /^\s*\[\s*(.*?)\s*\]/.exec(line)?.[1] ?? section
    const [, name, value] = /^\s*(\w+)\s*=\s*(.*?)\s*$/.exec(line) ?? []
    if (section === 'default' && name !== undefined) values.set(name, value ?? '')
  }
  return values
}

/** The keys in the form of `~/.aws/credentials`. */
export const keysText = ({ accessKeyId, secretAccessKey, sessionToken }: StoreKeys): string =>
  [
    '[default]',
    `aws_access_key_id = ${accessKeyId}`,
    `aws_secret_access_key = ${secretAccessKey}`,
    ...(sessionToken === null ? [] : [`aws_session_token = ${sessionToken}`]),
    '',
  ].join('\n')

/** An address in the object store, and the setting that has it. */
interface StorePlace {
  readonly setting: 'lake.warehouse' | 'stream.checkpoint'
  readonly address: string
}

/**
 * Lists the buckets of the warehouse and the checkpoint. Without keys only the response counts: the machine may have a role.
 * @throws OffstreamError WAREHOUSE_UNREACHABLE, AUTHENTICATION_FAILED, ACCESS_DENIED
 */
export const checkStore = async (
  config: StoreConfig,
  keys: StoreKeys | null,
  signal?: AbortSignal,
): Promise<void> => {
  for (const place of placesIn(config)) await checkBucket(place, config, keys, signal)
}

/** One place in each bucket. */
const placesIn = ({ lake, stream }: StoreConfig): readonly StorePlace[] => {
  const places = [
    { setting: 'stream.checkpoint', address: stream.checkpoint ?? '' },
    { setting: 'lake.warehouse', address: lake.warehouse ?? '' },
  ] as const
  const inStore = places.filter(({ address }) => address.startsWith('s3://'))
  return [...new Map(inStore.map(place => [bucketOf(place.address), place])).values()]
}

const bucketOf = (address: string): string => /^s3:\/\/([^/]+)/.exec(address)?.[1] ?? ''

const checkBucket = async (
  place: StorePlace,
  config: LakeConfig,
  keys: StoreKeys | null,
  signal?: AbortSignal,
): Promise<void> => {
  const address = listAddress(bucketOf(place.address), config)
  const unreachable = (why: string, cause?: unknown): OffstreamError =>
    new PipelineError('WAREHOUSE_UNREACHABLE', `\`${place.address}\` at \`${address.host}\`: ${why}`, {
      hint: `check \`${place.setting}\`, \`lake.s3.endpoint\`, \`lake.s3.region\` and \`lake.s3.pathStyle\``,
      cause,
    })
  const headers = keys === null ? {} : await signedHeaders(address, keys, config)
  const list = async (aborted: AbortSignal) => {
    const response = await fetch(address, { headers, signal: aborted, redirect: 'manual' })
    return { status: response.status, text: await response.text() }
  }
  const { status, text } = await withDeadline(list, { what: 'a response', timeoutMs, signal }).catch(
    error => {
      signal?.throwIfAborted()
      throw unreachable(messageOf(error instanceof Error ? (error.cause ?? error) : error), error)
    },
  )
  if (status === 200 || (keys === null && status === 403)) return
  const code = /<Code>([^<]+)/.exec(text)?.[1] ?? `status ${status}`
  if (status !== 403) throw unreachable(code)
  const isDenied = code === 'AccessDenied'
  throw new PipelineError(
    isDenied ? 'ACCESS_DENIED' : 'AUTHENTICATION_FAILED',
    `The object store of \`${place.address}\` rejected the keys: ${code}`,
    {
      hint: isDenied
        ? 'allow the user to list the bucket, and to read, write and delete its objects'
        : 'check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or `lake.s3.credentialsFile`',
    },
  )
}

/** The headers of a GET request that prove the keys, which they do not contain. */
const signedHeaders = async (
  { href: url }: URL,
  { sessionToken, ...keys }: StoreKeys,
  { lake: { s3 } }: LakeConfig,
): Promise<Headers> => {
  const token = sessionToken === null ? {} : { sessionToken }
  const { headers } = await new AwsV4Signer({
    url,
    ...keys,
    ...token,
    service: 's3',
    region: s3.region,
  }).sign()
  return headers
}

const listAddress = (bucket: string, { lake: { s3 } }: LakeConfig): URL => {
  const endpoint = new URL(s3.endpoint ?? `https://s3.${s3.region}.amazonaws.com`)
  const query = '?list-type=2&max-keys=1'
  return s3.pathStyle
    ? new URL(`/${bucket}${query}`, endpoint)
    : new URL(`${endpoint.protocol}//${bucket}.${endpoint.host}/${query}`)
}
