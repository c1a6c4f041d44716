import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { resolve } from 'node:path'
import { text as textOf } from 'node:stream/consumers'
import { messageOf, type OffstreamError, withDeadline } from '@offstream/runtime'
import { z } from 'zod'
import { isCertificateCode, readCertificates, readText, tlsOptions } from '../credentials.ts'
import { PipelineError } from '../errors.ts'
import type { Config } from '../project/config.ts'
import { projectFolder } from '../project/directories.ts'
import { nameOf } from '../project/sparkSettings.ts'

type SparkConfig = Pick<Config, 'spark'>

/** Whether the executors of the job are pods of Kubernetes. */
export const isKubernetes = ({ spark }: SparkConfig): boolean => spark.master?.startsWith('k8s://') ?? false

/** The address of the API server. */
export const apiServer = ({ spark }: SparkConfig): string => (spark.master ?? '').replace(/^k8s:\/\//, '')

const pathOf = (file: string, state: string): string => resolve(projectFolder(state), file)

/**
 * What only Kubernetes needs; empty for another cluster. What `spark.conf` sets stays as it is.
 * @param state the state folder of the stack
 */
export const kubernetesConf = (config: SparkConfig, state: string): Record<string, string> => {
  if (!isKubernetes(config)) return {}
  const { kubernetes, conf } = config.spark
  const { namespace, image, serviceAccount, tokenFile, caFile } = kubernetes
  const values = {
    'spark.kubernetes.namespace': namespace,
    'spark.kubernetes.container.image': image,
    'spark.kubernetes.authenticate.executor.serviceAccountName': serviceAccount,
    'spark.kubernetes.authenticate.oauthTokenFile': tokenFile && pathOf(tokenFile, state),
    'spark.kubernetes.authenticate.caCertFile': caFile && pathOf(caFile, state),
  }
  const own = new Set(conf.map(nameOf))
  return Object.fromEntries([
    ...Object.entries(values).flatMap(([name, value]) => (value === null ? [] : [[name, value] as const])),
    ...Object.entries(defaults).filter(([name]) => !own.has(name)),
  ])
}

const defaults: Readonly<Record<string, string>> = {
  // A stream runs for months. By default Spark counts all failures since its start.
  'spark.executor.failuresValidityInterval': '1h',
  // A driver on this machine has neither a service nor volumes, and would need more permissions to look for them.
  'spark.kubernetes.driver.service.deleteOnTermination': 'false',
  'spark.kubernetes.driver.ownPersistentVolumeClaim': 'false',
}

/** They prevent Spark's client of Kubernetes from reading `~/.kube/config`, which it would combine with the settings above. */
export const kubernetesVariables = (config: SparkConfig): Record<string, string> =>
  isKubernetes(config)
    ? { KUBERNETES_AUTH_TRYKUBECONFIG: 'false', KUBERNETES_AUTH_TRYSERVICEACCOUNT: 'false' }
    : {}

/** What Spark does in the namespace, as verbs of Kubernetes. */
const permissions: Readonly<Record<string, readonly string[]>> = {
  pods: ['create', 'list', 'watch', 'delete', 'deletecollection'],
  configmaps: ['create', 'deletecollection'],
}

const Review = z.object({ status: z.object({ allowed: z.boolean() }) })
const Version = z.object({ gitVersion: z.string() })

/**
 * Resolves if the API server accepts the token, and its user can run executors in the namespace.
 * @throws OffstreamError SPARK_UNREACHABLE, AUTHENTICATION_FAILED, ACCESS_DENIED, CERTIFICATE_REJECTED, FILE_MISSING
 */
export const checkKubernetes = async (
  config: SparkConfig,
  state: string,
  signal?: AbortSignal,
): Promise<void> => {
  const client = clientOf(config, state, signal)
  const { namespace } = config.spark.kubernetes
  const all = Object.entries(permissions).flatMap(([resource, verbs]) =>
    verbs.map(verb => ({ resource, verb })),
  )
  const allowed = await Promise.all(all.map(one => isAllowed(client, { ...one, namespace })))
  const missing = all.filter((_, index) => !allowed[index])
  if (missing.length > 0)
    throw new PipelineError(
      'ACCESS_DENIED',
      `The user of \`spark.kubernetes.tokenFile\` cannot ${missing.map(({ verb, resource }) => `${verb} ${resource}`).join(', ')} in namespace \`${namespace}\``,
      { hint: 'give its service account the role that `docs/clusters.md` shows' },
    )
}

const isAllowed = async (
  client: Client,
  resourceAttributes: { readonly namespace: string; readonly resource: string; readonly verb: string },
): Promise<boolean> => {
  const { value } = await client(Review, '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
    ...{ apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview' },
    spec: { resourceAttributes },
  })
  return value.status.allowed
}

/** The version of Kubernetes, and the time of the clock of its API server; null if unknown. */
export const readKubernetes = async (
  config: SparkConfig,
  state: string,
  signal?: AbortSignal,
): Promise<{ readonly version: string; readonly at: Date | null }> => {
  const { value, at } = await clientOf(config, state, signal)(Version, '/version')
  return { version: value.gitVersion, at }
}

const timeoutMs = 10_000

/** Sends one request to the API server: POST with a body, otherwise GET. */
type Client = <Value>(
  schema: z.ZodType<Value>,
  path: string,
  body?: unknown,
) => Promise<{ readonly value: Value; readonly at: Date | null }>

const clientOf = (config: SparkConfig, state: string, signal: AbortSignal | undefined): Client => {
  const server = new URL(apiServer(config))
  const { tokenFile, caFile } = config.spark.kubernetes
  const token = readToken(pathOf(tokenFile ?? '', state))
  const certificates = readCertificates({ caFile: caFile && pathOf(caFile, state) })
  return async (schema, path, body) => {
    const attempt = (aborted: AbortSignal) =>
      send(new URL(path, server), {
        ...{ ...tlsOptions(server.hostname, certificates), token, body, signal: aborted },
      })
    const { status, text, at } = await withDeadline(attempt, {
      ...{ what: 'a response', timeoutMs, signal },
    }).catch(error => {
      signal?.throwIfAborted()
      throw connectionError(server, error)
    })
    if (status < 200 || status > 299) throw refusal(server, status, text)
    const { data } = schema.safeParse(jsonOf(text))
    if (data === undefined) throw notKubernetes(server, 'another format')
    return { value: data, at }
  }
}

/** Undefined if the text is not valid JSON. */
const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const tokenHint =
  'set `spark.kubernetes.tokenFile` to a file that contains only the token of a service account; `tr -d "\\n"` removes the line break that `kubectl create token` prints'

const readToken = (file: string): string => {
  const invalid = (why: string): OffstreamError =>
    new PipelineError('FILE_MISSING', `\`${file}\` ${why}`, { hint: tokenHint })
  const token = readText(file, tokenHint)
  if (token === '') throw invalid('is empty')
  // Spark would send it in a header as it is.
  if (/\s/.test(token)) throw invalid('contains a line break or a space')
  return token
}

interface RequestOptions {
  readonly ca?: string
  readonly servername?: string
  readonly token: string
  readonly body: unknown
  readonly signal: AbortSignal
}

/** Node's `fetch` has no option for a certificate authority. */
const send = async (
  address: URL,
  { token, body, signal, ...tls }: RequestOptions,
): Promise<{ readonly status: number; readonly text: string; readonly at: Date | null }> => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const method = body === undefined ? 'GET' : 'POST'
  const sent = request(address, { ...tls, agent: false, signal, method, headers })
  // `once` below throws the error. Without a listener, an error after the response would stop the process.
  sent.on('error', () => undefined)
  sent.end(body === undefined ? undefined : JSON.stringify(body))
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const { date } = response.headers
  return {
    ...{ status: response.statusCode ?? 0, text: await textOf(response) },
    at: date === undefined ? null : new Date(date),
  }
}

const connectionError = ({ host }: URL, error: unknown): OffstreamError => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return isCertificateCode(code)
    ? new PipelineError(
        'CERTIFICATE_REJECTED',
        `The TLS connection to Kubernetes at \`${host}\` was rejected: ${messageOf(error)}`,
        { hint: 'check `spark.kubernetes.caFile` and the host name in `spark.master`', cause: error },
      )
    : new PipelineError(
        'SPARK_UNREACHABLE',
        `Could not connect to the API server of Kubernetes at \`${host}\`: ${messageOf(error)}`,
        { hint: 'check `spark.master`, the network, and whether the cluster is running', cause: error },
      )
}

const refusal = (server: URL, status: number, text: string): OffstreamError => {
  const { host } = server
  if (status === 401)
    return new PipelineError('AUTHENTICATION_FAILED', `Kubernetes at \`${host}\` rejected the token`, {
      hint: 'check `spark.kubernetes.tokenFile`: the token may have expired, or be of another cluster',
    })
  const reason = /"message"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? `status ${status}`
  return status === 403
    ? new PipelineError('ACCESS_DENIED', `Kubernetes at \`${host}\` denied access: ${reason}`, {
        hint: 'give the service account of `spark.kubernetes.tokenFile` the role that `docs/clusters.md` shows',
      })
    : notKubernetes(server, reason)
}

const notKubernetes = ({ host }: URL, what: string): OffstreamError =>
  new PipelineError(
    'SPARK_UNREACHABLE',
    `The API server of Kubernetes at \`${host}\` responds with ${what}`,
    {
      hint: 'check `spark.master`: it must be the address of the API server',
    },
  )
