import { createServer, type IncomingMessage, type Server } from 'node:http'
import { RuntimeError } from '@offstream/runtime/errors'
import { type Catalogue, CatalogueProduct } from './catalogue.ts'
import { FaultPlan, type FaultRule, unknownFault } from './faultPlan.ts'
import { faults, isFault } from './faults.ts'
import { type Limits, RequestCounter } from './limits.ts'
import { ProductStore } from './productStore.ts'
import { type NoResponse, plainText, type SiteResponse } from './response.ts'
import type { SiteRequest } from './route.ts'
import { countedAs, respondTo } from './router.ts'
import { sendResponse, statusOf } from './sendResponse.ts'
import type { Language } from './taxonomy.ts'
import { viewOf } from './view.ts'

export interface SiteOptions {
  /** The products in the order of the lists, from `readCatalogue` or `generateCatalogue`. */
  readonly catalogue: Catalogue
  /** Address to listen on, by default 127.0.0.1. */
  readonly host?: string
  /** By default 0: any free port. */
  readonly port?: number
  /** Language of hosts without `fr.` or `world.`, by default French. */
  readonly lang?: Language
  /**
   * Another name of this machine, such as `localhost`. The site redirects requests for large exports to it, as the real
   * site redirects to a bucket. By default the site serves them itself.
   */
  readonly storage?: string
  /** By default no faults. */
  readonly faults?: readonly FaultRule[]
  /** Rate limits, by default none. */
  readonly limits?: Limits
}

/** A request that the site received. */
export interface RequestEntry {
  readonly method: string
  /** Path and query. */
  readonly path: string
  /** Null until the response is sent. */
  readonly status: number | null
  /** Empty if the client sent none. */
  readonly userAgent: string
}

/** A running site. Disposal closes every connection. */
export interface Site extends AsyncDisposable {
  /** Such as `http://127.0.0.1:43210`, without a trailing slash. */
  readonly address: string
  /** The last 10,000 requests in order of arrival. */
  readonly requests: readonly RequestEntry[]
  /** Replaces the product with the same code, or appends it. */
  readonly update: (product: CatalogueProduct) => void
  /** Removes a product. @returns whether it existed */
  readonly remove: (code: string) => boolean
  /** Replaces the fault rules. An empty list disables all faults. */
  readonly inject: (rules: readonly FaultRule[]) => void
}

const maxRequests = 10_000

/**
 * Starts a stand-in for Open Food Facts with its pages, its read API and its exports. Resolves when the site accepts
 * requests.
 *
 * The option `faults` makes requests fail, and `?fault=<name>` in the address of a request makes this request fail.
 *
 * @throws OffstreamError PORT_TAKEN, FAULT_UNKNOWN
 */
export const startSite = async (options: SiteOptions): Promise<Site> => {
  const { catalogue, host = '127.0.0.1', port = 0, lang = 'fr', faults: rules = [], limits } = options
  const { storage = null } = options
  const store = new ProductStore(catalogue)
  const counter = limits === undefined ? null : new RequestCounter(limits)
  const requests: Mutable<RequestEntry>[] = []
  let plan = new FaultPlan(rules)

  const server = createServer(async (request, response) => {
    const entry = entryOf(request)
    requests.push(entry)
    if (requests.length > maxRequests) requests.shift()
    try {
      const answer = await answerTo(request, { store, storage, lang, plan, counter })
      if (!('noResponse' in answer)) {
        entry.status = statusOf(request, answer)
        await sendResponse(request, response, answer)
      } else if (answer.noResponse === 'close') response.destroy()
    } catch (error) {
      // This is a bug of the site, not a requested fault. The client gets the stack, so that its test shows it.
      entry.status = 500
      if (response.headersSent) response.destroy()
      else
        await sendResponse(
          request,
          response,
          plainText(500, `${error instanceof Error ? error.stack : error}\n`),
        )
    }
  })
  const address = await listen(server, host, port)

  return {
    address,
    requests,
    update: product => store.put(CatalogueProduct.parse(product)),
    remove: store.remove,
    inject: changed => {
      plan = new FaultPlan(changed)
    },
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

/** Everything except the request that a response depends on. */
interface SiteState {
  readonly store: ProductStore
  readonly storage: string | null
  readonly lang: Language
  readonly plan: FaultPlan
  readonly counter: RequestCounter | null
}

const answerTo = async (request: IncomingMessage, state: SiteState): Promise<SiteResponse | NoResponse> => {
  const requestedHost = requestHost(request)
  const address = `http://${requestedHost}${request.url}`
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return plainText(405, 'Method Not Allowed\n', { allow: 'GET, HEAD' })
  if (!URL.canParse(address)) return plainText(400, 'Bad Request\n')
  const url = new URL(address)
  const { store, storage, lang } = state
  const siteRequest: SiteRequest = { url, view: viewOf(requestedHost, lang), store, storage }

  const requestedFault = url.searchParams.get('fault')
  if (requestedFault !== null && !isFault(requestedFault))
    return plainText(400, `${unknownFault(requestedFault).message}\n`)
  const fault = requestedFault ?? state.plan.faultFor(url.pathname + url.search)
  if (fault !== null) return faults[fault].answer(siteRequest, respondTo)

  const kind = state.counter === null ? null : countedAs(url.pathname)
  const client = request.socket.remoteAddress ?? ''
  if (kind !== null && state.counter?.allows(client, kind, performance.now()) === false)
    return plainText(429, 'Too Many Requests\n')
  return respondTo(siteRequest)
}

/** The requested host. Pages contain it in links, so anything but a valid host is replaced by the local address. */
const requestHost = ({ headers, socket }: IncomingMessage): string => {
  const named = headers.host ?? ''
  const address = socket.localFamily === 'IPv6' ? `[${socket.localAddress}]` : socket.localAddress
  return /^(?:[a-z\d.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i.test(named)
    ? named.toLowerCase()
    : `${address}:${socket.localPort}`
}

const listen = async (server: Server, host: string, port: number): Promise<string> => {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  }).catch(error => {
    if (error?.code !== 'EADDRINUSE') throw error
    throw new RuntimeError('PORT_TAKEN', `Port ${port} on ${host} is in use`, {
      hint: 'choose another with `--port`, or 0 for any free one',
      cause: error,
    })
  })
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('a listening server has an address')
  return `http://${host.includes(':') ? `[${host}]` : host}:${bound.port}`
}

const close = (server: Server): Promise<void> =>
  new Promise(resolve => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
