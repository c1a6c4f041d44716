import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { OffstreamError } from '@offstream/runtime'
import type { Answer } from './answer.ts'
import { type Catalogue, CatalogueProduct } from './catalogue.ts'
import { answerPage } from './routes.ts'
import { Shelf } from './shelf.ts'
import type { Language } from './taxonomy.ts'
import { viewOf } from './view.ts'

export interface SiteOptions {
  /** What it shows, in this order; `readCatalogue` and `generateCatalogue` make one. */
  readonly catalogue: Catalogue
  /** Address to listen on; 127.0.0.1 by default. */
  readonly host?: string
  /** 0, the default, takes any free one. */
  readonly port?: number
  /** Language of a bare address (no `fr.` or `world.` before its name); French by default. */
  readonly lang?: Language
}

/** A request that came to the site. */
export interface RequestEntry {
  readonly method: string
  /** Path and query. */
  readonly path: string
  /** Null as long as it is not answered. */
  readonly status: number | null
  /** Empty where the client sent none. */
  readonly userAgent: string
}

/** A running site; disposing of it ends every connection. */
export interface Site extends AsyncDisposable {
  /** Such as `http://127.0.0.1:43210`, without a slash at its end. */
  readonly address: string
  /** What was asked, in the order it came: the last 10,000 requests. */
  readonly requests: readonly RequestEntry[]
  /** Puts a product in the place of the one of the same code, or at the end of the lists. */
  readonly update: (product: CatalogueProduct) => void
  /** Takes a product off the site. @returns whether it was there */
  readonly remove: (code: string) => boolean
}

const keptRequests = 10_000

/**
 * Starts a stand-in for Open Food Facts.
 *
 * @returns when it can be asked
 * @throws OffstreamError PORT_TAKEN where the port is in use
 */
export const startSite = async (options: SiteOptions): Promise<Site> => {
  const { catalogue, host = '127.0.0.1', port = 0, lang = 'fr' } = options
  const shelf = new Shelf(catalogue)
  const requests: Mutable<RequestEntry>[] = []

  const server = createServer((request, response) => {
    const entry = entryOf(request)
    requests.push(entry)
    if (requests.length > keptRequests) requests.shift()
    const answer = answerTo(request, shelf, lang)
    entry.status = answer.status
    send(request, response, answer)
  })
  const address = await listen(server, host, port)

  return {
    address,
    requests,
    update: product => shelf.put(CatalogueProduct.parse(product)),
    remove: shelf.remove,
    [Symbol.asyncDispose]: () => close(server),
  }
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

const entryOf = ({ method = 'GET', url = '/', headers }: IncomingMessage): Mutable<RequestEntry> => ({
  method,
  path: url,
  status: null,
  userAgent: headers['user-agent'] ?? '',
})

const answerTo = (request: IncomingMessage, shelf: Shelf, lang: Language): Answer => {
  const called = calledHost(request)
  const url = `http://${called}${request.url}`
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return plain(405, 'Method Not Allowed\n', { allow: 'GET, HEAD' })
  if (!URL.canParse(url)) return plain(400, 'Bad Request\n')
  return answerPage({ url: new URL(url), view: viewOf(called, lang), shelf })
}

const plain = (status: number, body: string, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8', ...headers },
  body,
})

/** The name by which the site was called. It goes into the pages' addresses, so it must be a name and nothing else. */
const calledHost = ({ headers, socket }: IncomingMessage): string => {
  const named = headers.host ?? ''
  const address = socket.localFamily === 'IPv6' ? `[${socket.localAddress}]` : socket.localAddress
  return /^(?:[a-z\d.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i.test(named)
    ? named.toLowerCase()
    : `${address}:${socket.localPort}`
}

const send = (
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: Answer,
): void => {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) })
  response.end(request.method === 'HEAD' ? undefined : body)
}

const listen = async (server: Server, host: string, port: number): Promise<string> => {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  }).catch(error => {
    if (error?.code !== 'EADDRINUSE') throw error
    throw new OffstreamError('PORT_TAKEN', `Port ${port} of ${host} is in use`, {
      outcome: 'portTaken',
      hint: 'choose another with `--port`, or 0 for any free one',
      cause: error,
    })
  })
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('a server that listens has an address')
  return `http://${host.includes(':') ? `[${host}]` : host}:${bound.port}`
}

const close = (server: Server): Promise<void> =>
  new Promise(resolve => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
