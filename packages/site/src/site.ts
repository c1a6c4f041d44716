import { createServer, type IncomingMessage, type Server } from 'node:http'
import { RuntimeError } from '@offstream/runtime/errors'
import { type Answer, plainText, type Silence } from './answer.ts'
import { type Catalogue, CatalogueProduct } from './catalogue.ts'
import { FaultPlan, type FaultRule, unknownFault } from './faultPlan.ts'
import { faults, isFault } from './faults.ts'
import { type Limits, RequestCounter } from './limits.ts'
import type { SiteRequest } from './route.ts'
import { answerPage, countedAs } from './routes.ts'
import { send, statusOf } from './send.ts'
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
  /**
   * Another name of this machine, such as `localhost`, where the large exports lie: whoever asks the site for one is sent
   * there, as the real site sends to a bucket. By default they lie on the site itself.
   */
  readonly storage?: string
  /** What goes wrong, and where; nothing by default. */
  readonly faults?: readonly FaultRule[]
  /** How often a client may ask within a minute; without them, as often as it likes. */
  readonly limits?: Limits
}

/** A request that came to the site. */
export interface RequestEntry {
  readonly method: string
  /** Path and query. */
  readonly path: string
  /** Null as long as it is not answered, and for one that never is. */
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
  /** Puts these rules for what goes wrong in the place of those that are; none ends all faults. */
  readonly inject: (rules: readonly FaultRule[]) => void
}

const keptRequests = 10_000

/**
 * Starts a stand-in for Open Food Facts: its pages, the reading part of its API, and its exports.
 *
 * Anything can be made to go wrong: by `faults`, or, for one request, by `?fault=<name>` in its address.
 *
 * @returns when it can be asked
 * @throws OffstreamError PORT_TAKEN where the port is in use, FAULT_UNKNOWN
 */
export const startSite = async (options: SiteOptions): Promise<Site> => {
  const { catalogue, host = '127.0.0.1', port = 0, lang = 'fr', faults: rules = [], limits } = options
  const { storage = null } = options
  const shelf = new Shelf(catalogue)
  const counter = limits === undefined ? null : new RequestCounter(limits)
  const requests: Mutable<RequestEntry>[] = []
  let plan = new FaultPlan(rules)

  const server = createServer(async (request, response) => {
    const entry = entryOf(request)
    requests.push(entry)
    if (requests.length > keptRequests) requests.shift()
    try {
      const answer = await answerTo(request, { shelf, storage, lang, plan, counter })
      if (!('silence' in answer)) {
        entry.status = statusOf(request, answer)
        await send(request, response, answer)
      } else if (answer.silence === 'closed') response.destroy()
    } catch (error) {
      // A fault of ours, not one that was asked for: told to the client, so that its test shows it.
      entry.status = 500
      if (response.headersSent) response.destroy()
      else await send(request, response, plainText(500, `${error instanceof Error ? error.stack : error}\n`))
    }
  })
  const address = await listen(server, host, port)

  return {
    address,
    requests,
    update: product => shelf.put(CatalogueProduct.parse(product)),
    remove: shelf.remove,
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

/** What a request is answered from. */
interface Setting {
  readonly shelf: Shelf
  readonly storage: string | null
  readonly lang: Language
  readonly plan: FaultPlan
  readonly counter: RequestCounter | null
}

const answerTo = async (request: IncomingMessage, setting: Setting): Promise<Answer | Silence> => {
  const called = calledHost(request)
  const address = `http://${called}${request.url}`
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return plainText(405, 'Method Not Allowed\n', { allow: 'GET, HEAD' })
  if (!URL.canParse(address)) return plainText(400, 'Bad Request\n')
  const url = new URL(address)
  const { shelf, storage, lang } = setting
  const asked: SiteRequest = { url, view: viewOf(called, lang), shelf, storage }

  const named = url.searchParams.get('fault')
  if (named !== null && !isFault(named)) return plainText(400, `${unknownFault(named).message}\n`)
  const fault = named ?? setting.plan.faultFor(url.pathname + url.search)
  if (fault !== null) return faults[fault].answer(asked, answerPage)

  const kind = setting.counter === null ? null : countedAs(url.pathname)
  const client = request.socket.remoteAddress ?? ''
  if (kind !== null && setting.counter?.allows(client, kind, performance.now()) === false)
    return plainText(429, 'Too Many Requests\n')
  return answerPage(asked)
}

/** The name by which the site was called. It goes into the pages' addresses, so it must be a name and nothing else. */
const calledHost = ({ headers, socket }: IncomingMessage): string => {
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
    throw new RuntimeError('PORT_TAKEN', `Port ${port} of ${host} is in use`, {
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
