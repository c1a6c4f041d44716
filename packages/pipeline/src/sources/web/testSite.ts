import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type ChromiumKind, findChromium } from './chromium.ts'

/** The answer of a test site at one address; text is a page with status 200. */
export type Answer =
  | string
  | { readonly status?: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> }
  | ((request: IncomingMessage, response: ServerResponse) => void)

/** A running test site. */
export interface TestSite extends AsyncDisposable {
  readonly origin: string
  /** The requested paths in their order, without `robots.txt` and requests of the browser itself. */
  readonly requested: readonly string[]
  /** The user agents of the requests. */
  readonly userAgents: ReadonlySet<string>
}

/**
 * Serves these answers on a free port of 127.0.0.1, for pages that `packages/site` does not have. Other paths are a 404.
 */
export const serve = async (
  answers: (origin: string) => Readonly<Record<string, Answer>>,
): Promise<TestSite> => {
  const requested: string[] = []
  const userAgents = new Set<string>()
  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    if (path !== '/robots.txt' && path !== '/favicon.ico') requested.push(path)
    userAgents.add(request.headers['user-agent'] ?? '')
    const answer = byPath[path] ?? { status: 404 }
    if (typeof answer === 'function') return answer(request, response)
    const { status = 200, body = '', headers = {} } = typeof answer === 'string' ? { body: answer } : answer
    response.writeHead(status, { 'content-type': 'text/html; charset=utf-8', ...headers }).end(body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${portOf(server.address())}`
  const byPath = answers(origin)
  return {
    origin,
    requested,
    userAgents,
    [Symbol.asyncDispose]: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** The path of a product page of the test site. */
export const pathOf = (code: string): string => `/product/${code}/x`

/** A minimal product page. */
export const productPage = (code: string, name: string): string => `<!doctype html>
  <html lang="en"><title>${name}</title><body>
  <h1 property="food:name">${name}</h1><span id="barcode">${code}</span>`

/** A list page with products in the form of the site; `paging` has its links. */
export const listPage = (codes: readonly string[], paging = ''): string => {
  const products = codes.map(code => ({ code, url: pathOf(code) }))
  return `<!doctype html><html lang="en"><body><ul class="products"></ul>${paging}
    <script>var products = ${JSON.stringify(products)}</script>`
}

/** The link of a list page to the next one. */
export const nextLink = (path: string): string =>
  `<ul id="pages"><li><a href="${path}" rel="next$nofollow">Next</a></li></ul>`

const portOf = (address: AddressInfo | string | null): number => {
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}

/** One browser of each kind, null if this machine has none, for tests that must pass in both. */
export const chromiums = (): Promise<readonly (readonly [kind: ChromiumKind, path: string | null])[]> =>
  Promise.all(
    (['headless-shell', 'whole'] as const).map(
      async kind => [kind, await findChromium({ kinds: [kind] })] as const,
    ),
  )
