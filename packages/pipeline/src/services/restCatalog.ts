import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { messageOf, type OffstreamError, withDeadline } from '@offstream/runtime'
import { isCertificateCode, readCertificates } from '../credentials.ts'
import { PipelineError } from '../errors.ts'
import type { Config } from '../project/config.ts'
import { type Directories, directoriesOf, projectFolder } from '../project/directories.ts'
import { isRestAddress } from '../project/lakeSettings.ts'
import { writeClassJar } from './classJar.ts'
import type { Stack } from './stack.ts'

type LakeConfig = Pick<Config, 'lake'>

/** Whether the catalog is a server with the REST interface of Iceberg. */
export const isRest = ({ lake }: LakeConfig): boolean => isRestAddress(lake.catalog.uri)

/** A REST catalog, and how a client logs in. */
export interface RestCatalog {
  readonly uri: string
  /** The name or the location that the server knows. */
  readonly warehouse: string
  /** The client of OAuth2, whose secret is the password; null: the password is a token. */
  readonly user: string | null
  /** Null: without a login. */
  readonly password: string | null
  readonly tokenUri: string
  /** Null: the default of Iceberg's client. */
  readonly scope: string | null
  /** Null: the public authorities. */
  readonly caFile: string | null
}

/** The REST catalog of a stack; null if its catalog is another one. */
export const restCatalogOf = (
  { lake }: LakeConfig,
  state: string,
  password: string | null,
): RestCatalog | null => {
  const { catalog, warehouse } = lake
  if (!isRest({ lake }) || catalog.uri === null) return null
  const { user, oauth, tls } = catalog
  const uri = catalog.uri.replace(/\/$/, '')
  return {
    ...{ uri, user, password, scope: oauth.scope },
    // The same form as for other catalogs: `lake migrate` compares them.
    warehouse:
      catalog.warehouse ?? warehouse?.replace(/^(?:file:\/\/)?(?=\/)/, 'file:').replace(/\/$/, '') ?? '',
    tokenUri: oauth.tokenUri ?? `${uri}/v1/oauth/tokens`,
    caFile: tls.caFile === null ? null : resolve(projectFolder(state), tls.caFile),
  }
}

/** Iceberg's settings. They name the file with the secret, which `spark-jobs/token/CatalogLogin.java` reads. */
export const restSettings = (
  { uri, warehouse, user, tokenUri, scope, caFile }: RestCatalog,
  { lakeToken }: Pick<Directories, 'lakeToken'>,
): Record<string, string> => ({
  ...{ type: 'rest', uri, warehouse },
  'rest.auth.type': 'offstream.CatalogLogin',
  'offstream.login-file': lakeToken,
  'offstream.login-kind': user === null ? 'token' : 'credential',
  'oauth2-server-uri': tokenUri,
  ...(scope === null ? {} : { scope }),
  ...(caFile === null
    ? {}
    : {
        'rest.client.tls.configurer-impl': 'offstream.CatalogLogin$Authority',
        'offstream.ca-file': caFile,
      }),
})

/** The login of a REST catalog, without the secret. */
export interface RestLogin {
  /** Properties of pyiceberg. */
  readonly properties: Readonly<Record<string, unknown>>
  /** The client of OAuth2; null: the secret is a token. */
  readonly user: string | null
  /** The environment variable with the password or the token. */
  readonly passwordVariable: string
}

/** How pyiceberg logs in to the REST catalog, without the secret; null if the catalog is another one. */
export const readerLogin = (config: LakeConfig, state: string): RestLogin | null => {
  const rest = restCatalogOf(config, state, null)
  if (rest === null) return null
  const { uri, warehouse, user, tokenUri, scope, caFile } = rest
  return {
    ...{ user, passwordVariable: config.lake.catalog.passwordVariable },
    properties: {
      ...{ uri, warehouse, 'oauth2-server-uri': tokenUri },
      ...(scope === null ? {} : { scope }),
      ...(caFile === null ? {} : { ssl: { cabundle: caFile } }),
    },
  }
}

/** The secret in the form that Iceberg's client requires; null without a login. */
export const secretOf = ({ user, password }: RestCatalog): string | null =>
  user === null || password === null ? password : `${user}:${password}`

/** The jars for the driver that contain the class for the login. `writeLoginJar` writes them. */
export const loginJars = ({ config, state }: Pick<Stack, 'config' | 'state'>): readonly string[] =>
  isRest(config) ? [directoriesOf(state).lakeLogin] : []

/** Writes the class for the login, if the catalog needs it. */
export const writeLoginJar = async (
  stack: Pick<Stack, 'config' | 'runtimes' | 'project' | 'state'>,
): Promise<void> => {
  for (const jar of loginJars(stack)) await writeClassJar(stack, 'CatalogLogin', jar)
}

const timeoutMs = 10_000

/**
 * Logs in, and lists the namespaces.
 * @throws OffstreamError CATALOG_UNREACHABLE, AUTHENTICATION_FAILED, ACCESS_DENIED, CERTIFICATE_REJECTED, FILE_MISSING
 */
export const checkRestCatalog = async (catalog: RestCatalog, signal?: AbortSignal): Promise<void> => {
  const { ca } = readCertificates({ caFile: catalog.caFile })
  const check = async (aborted: AbortSignal): Promise<void> => {
    const options = { ...(ca === null ? {} : { ca }), signal: aborted }
    const token = await tokenOf(catalog, options)
    const get = (path: string): Promise<string> =>
      send(catalog, new URL(`${catalog.uri}/v1/${path}`), { ...options, token })
    const { defaults, overrides } = parsed(
      await get(`config?warehouse=${encodeURIComponent(catalog.warehouse)}`),
    )
    const prefix = overrides?.['prefix'] ?? defaults?.['prefix']
    await get(`${prefix === undefined ? '' : `${prefix}/`}namespaces`)
  }
  try {
    await withDeadline(check, { what: 'a response', timeoutMs, signal })
  } catch (error) {
    signal?.throwIfAborted()
    throw restErrorOf(catalog, error)
  }
}

interface Answer {
  readonly access_token?: string
  readonly defaults?: Readonly<Record<string, string>>
  readonly overrides?: Readonly<Record<string, string>>
}

const parsed = (answer: string): Answer => {
  const value: unknown = JSON.parse(answer)
  return typeof value === 'object' && value !== null ? value : {}
}

interface RequestOptions {
  readonly ca?: string
  readonly signal: AbortSignal
  readonly token?: string | null
  /** The fields of a form, for POST. */
  readonly form?: URLSearchParams
}

/** The token, which the server of OAuth2 issues for a user and a password. */
const tokenOf = async (catalog: RestCatalog, options: RequestOptions): Promise<string | null> => {
  const { user, password, tokenUri, scope } = catalog
  if (user === null || password === null) return password
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: user,
    client_secret: password,
    scope: scope ?? 'catalog',
  })
  const token = parsed(await send(catalog, new URL(tokenUri), { ...options, form })).access_token
  if (token === undefined) throw new Error(`${tokenUri} did not issue a token`)
  return token
}

/** @throws PipelineError for any status but 200 */
const send = async (
  catalog: RestCatalog,
  address: URL,
  { token = null, form, ...options }: RequestOptions,
): Promise<string> => {
  const request = address.protocol === 'https:' ? httpsRequest : httpRequest
  const headers = {
    accept: 'application/json',
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
  }
  const sent = request(address, {
    ...options,
    agent: false,
    method: form === undefined ? 'GET' : 'POST',
    headers,
  })
  // `once` below throws the error. Without a listener, an error after the response would stop the process.
  sent.on('error', () => undefined)
  sent.end(form?.toString())
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const answer = await text(response)
  if (response.statusCode !== 200) throw refusal(catalog, address, response.statusCode ?? 0, answer)
  return answer
}

const refusal = ({ uri, user }: RestCatalog, address: URL, status: number, answer: string): Error => {
  const reason = /"(?:message|error_description)"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(answer)?.[1]
  const why = reason === undefined ? `status ${status}` : `${reason} (status ${status})`
  // The server of OAuth2 answers a wrong secret with 400 or 401.
  if (status === 401 || (status === 400 && /"invalid_(?:client|grant|scope)"/.test(answer)))
    return new PipelineError(
      'AUTHENTICATION_FAILED',
      `The catalog at \`${uri}\` rejected ${user === null ? 'the token' : `\`${user}\``}: ${why}`,
      { hint: 'check `lake.catalog.user`, the password or token, and `lake.catalog.oauth`' },
    )
  if (status === 403)
    return new PipelineError('ACCESS_DENIED', `The catalog at \`${uri}\` denied access: ${why}`, {
      hint: 'allow the user to create namespaces and tables in this warehouse, and to read and write them',
    })
  return new Error(`${address.pathname} returned ${why}`)
}

const restErrorOf = ({ uri }: RestCatalog, error: unknown): OffstreamError => {
  if (error instanceof PipelineError) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return isCertificateCode(code)
    ? new PipelineError(
        'CERTIFICATE_REJECTED',
        `The TLS connection to the catalog at \`${uri}\` was rejected: ${messageOf(error)}`,
        { hint: 'check `lake.catalog.tls.caFile` and the host name in `lake.catalog.uri`', cause: error },
      )
    : new PipelineError(
        'CATALOG_UNREACHABLE',
        `The catalog at \`${uri}\` cannot be used: ${messageOf(error)}`,
        {
          hint: 'check `lake.catalog.uri` and `lake.catalog.warehouse`, and whether the server is running',
          cause: error,
        },
      )
}
