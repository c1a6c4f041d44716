import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { buffer } from 'node:stream/consumers'
import type { Site } from './site.ts'

/** The options of a test request. The default host is the site's address. */
export interface RequestOptions {
  readonly host?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface TestResponse {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly location: string | null
  readonly type: string
  readonly bytes: Buffer
  readonly body: string
}

/** Sends a request and resolves with the head of the response. fetch would follow redirects, unpack gzip and set `Host`. */
export const open = (
  site: Site,
  path: string,
  { host, method = 'GET', headers = {} }: RequestOptions = {},
): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(site.address)
    const sent = { 'user-agent': 'offstream-test', ...headers, ...(host === undefined ? {} : { host }) }
    request({ hostname, port, path, method, headers: sent, agent: false }, resolve)
      .once('error', reject)
      .end()
  })

/** Sends a request and reads the whole response. */
export const get = async (site: Site, path: string, options: RequestOptions = {}): Promise<TestResponse> => {
  const response = await open(site, path, options)
  const bytes = await buffer(response)
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    location: response.headers.location ?? null,
    type: response.headers['content-type'] ?? '',
    bytes,
    body: bytes.toString('utf8'),
  }
}
