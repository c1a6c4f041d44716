import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { buffer } from 'node:stream/consumers'
import type { Site } from './site.ts'

/** What a test asks with; the host is the site's own address where none is given. */
export interface Ask {
  readonly host?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface Got {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly location: string | null
  readonly type: string
  readonly bytes: Buffer
  readonly body: string
}

/** Opens an answer, as far as its head; fetch would follow redirects, unpack gzip and choose `Host` itself. */
export const open = (
  site: Site,
  path: string,
  { host, method = 'GET', headers = {} }: Ask = {},
): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(site.address)
    const sent = { 'user-agent': 'offstream-test', ...headers, ...(host === undefined ? {} : { host }) }
    request({ hostname, port, path, method, headers: sent, agent: false }, resolve)
      .once('error', reject)
      .end()
  })

/** A whole answer. */
export const get = async (site: Site, path: string, ask: Ask = {}): Promise<Got> => {
  const response = await open(site, path, ask)
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
