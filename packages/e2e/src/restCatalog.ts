import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { assetPath, ensureRuntimes } from '@offstream/pipeline'
import { makeCertificates } from '@offstream/pipeline/testCertificates'
import { freePort } from '@offstream/pipeline/testKafka'
import { until } from '@offstream/runtime'
import { execa } from 'execa'
import { testJars } from './testJars.ts'

/** A REST catalog for one test file: Iceberg's own server, behind a gateway with TLS and OAuth2. */
export interface TestRestCatalog extends AsyncDisposable {
  /** `https://127.0.0.1:port/api/catalog` */
  readonly uri: string
  /** The address that issues tokens. */
  readonly tokenUri: string
  /** The authority that signed the certificate of the gateway, a PEM file. */
  readonly caFile: string
  /** The client that gets tokens for the password. */
  readonly user: string
  /** Whether a valid token gives no permissions. */
  isDenied: boolean
  /** Stops the gateway. Disposal does it too. */
  readonly stop: () => Promise<void>
}

export interface RestCatalogOptions {
  /** A folder for the certificates and the database of the server. */
  readonly directory: string
  /** The folder of the tables, which the server decides. */
  readonly warehouse: string
  readonly user: string
  readonly password: string
  readonly scope: string
}

const path = '/api/catalog'

/** Starts both on free ports. */
export const startRestCatalog = async (options: RestCatalogOptions): Promise<TestRestCatalog> => {
  const { directory, user } = options
  const { caFile, of } = await makeCertificates(directory, { gateway: 'IP:127.0.0.1' })
  const { port, stop: stopServer } = await startServer(options)
  const token = 'token-of-the-test'
  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const send = (status: number, body: object): void =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (incoming.url === '/token') {
      const isValid = isLogin(new URLSearchParams(await text(incoming)), options)
      if (isValid) send(200, { access_token: token, token_type: 'bearer', expires_in: 3_600 })
      else send(401, { error: 'invalid_client', error_description: 'wrong secret' })
    } else if (incoming.headers.authorization !== `Bearer ${token}`)
      send(401, { error: { message: 'Not authorized', type: 'NotAuthorizedException', code: 401 } })
    else if (catalog.isDenied)
      send(403, { error: { message: 'Not permitted', type: 'ForbiddenException', code: 403 } })
    else forward(incoming, response, port)
  }
  const gateway = createServer(
    { key: await readFile(of.gateway.keyFile), cert: await readFile(of.gateway.certFile) },
    (incoming, response) => void answer(incoming, response),
  ).listen(0, '127.0.0.1')
  await once(gateway, 'listening')
  const origin = `https://127.0.0.1:${(gateway.address() as AddressInfo).port}`
  const stop = async (): Promise<void> => {
    gateway.closeAllConnections()
    await new Promise(resolve => gateway.close(resolve))
  }
  const catalog: TestRestCatalog = {
    ...{ uri: `${origin}${path}`, tokenUri: `${origin}/token`, caFile, user, isDenied: false, stop },
    async [Symbol.asyncDispose]() {
      await stop()
      await stopServer()
    },
  }
  return catalog
}

const isLogin = (form: URLSearchParams, { user, password, scope }: RestCatalogOptions): boolean =>
  form.get('client_id') === user && form.get('client_secret') === password && form.get('scope') === scope

const forward = (incoming: IncomingMessage, response: ServerResponse, port: number): void => {
  const { method, headers, url = '' } = incoming
  const options = { host: '127.0.0.1', port, path: url.slice(path.length), method, headers }
  const sent = request(options, received => {
    response.writeHead(received.statusCode ?? 502, received.headers)
    received.pipe(response)
  })
  sent.on('error', () => response.writeHead(502).end())
  incoming.pipe(sent)
}

const startServer = async ({ directory, warehouse }: RestCatalogOptions) => {
  const runtimes = await ensureRuntimes({
    environment: process.env,
    ivySettings: assetPath(directory, 'config', 'ivysettings.xml'),
  })
  const jars = await testJars('iceberg-rest', runtimes)
  const port = await freePort()
  const server = execa(
    runtimes.java,
    ['-Xmx256m', '-cp', join(jars, '*'), 'org.apache.iceberg.rest.RESTCatalogServer'],
    {
      env: {
        CATALOG_REST_PORT: String(port),
        CATALOG_URI: `jdbc:sqlite:${join(directory, 'catalog.db')}`,
        CATALOG_JDBC_SCHEMA__VERSION: 'V1',
        CATALOG_WAREHOUSE: `file:${warehouse}`,
      },
      // Without a locale, Java cannot read the name of every folder, such as that of a clone.
      cwd: directory,
      ...{ extendEnv: false, reject: false, stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' },
    },
  )
  const ping = async (): Promise<void> => {
    const response = await fetch(`http://127.0.0.1:${port}/v1/config`)
    if (!response.ok) throw new Error(`it returned ${response.status}`)
  }
  const stop = async (): Promise<void> => {
    server.kill()
    await server
  }
  try {
    await until(ping, { what: 'the REST catalog to start', timeoutMs: 60_000 })
  } catch (error) {
    await stop()
    throw error
  }
  return { port, stop }
}
