import { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { createGzip } from 'node:zlib'
import { html } from './html.ts'
import { layout } from './pages/layout.ts'
import { ProductStore } from './productStore.ts'
import { type NoResponse, page, plainText, redirect, type SiteResponse } from './response.ts'
import type { SiteRequest } from './route.ts'
import type { View } from './view.ts'

interface Fault {
  /** What the client receives. */
  readonly description: string
  readonly answer: (
    request: SiteRequest,
    respond: Respond,
  ) => SiteResponse | NoResponse | Promise<SiteResponse | NoResponse>
}

/** Responds to a request without a fault. */
type Respond = (request: SiteRequest) => Promise<SiteResponse>

const gibibyte = 2 ** 30

/**
 * All faults by name. The real site often blocks clients with a page of status 200 (observed 2026). Our text differs from
 * those pages, except for the phrases that identify them.
 */
export const faults = {
  'too-many-requests': {
    description: 'status 429 without `Retry-After`, as on the real site',
    answer: () => plainText(429, 'Too Many Requests\n'),
  },
  'retry-after': {
    description: 'status 429 with `Retry-After: 2`',
    answer: () => plainText(429, 'Too Many Requests\n', { 'retry-after': '2' }),
  },
  unavailable: {
    description: 'status 503',
    answer: () => plainText(503, 'Service Unavailable\n'),
  },
  'bad-gateway': {
    description: 'status 502 with the maintenance page',
    answer: ({ view }) => ({ ...maintenance(view), status: 502 }),
  },
  'server-error': {
    description: 'status 500 without a body',
    answer: () => plainText(500, ''),
  },
  'stop-crawling': {
    description: 'status 200 with the plain text for crawlers that must stop',
    answer: () =>
      plainText(
        200,
        'ATTENTION\n\nYour requests are overloading the Open Food Facts server. Use the database exports for many products.\n',
      ),
  },
  noindex: {
    description: 'status 200 with the NOINDEX page for search engines instead of the content',
    answer: ({ view }) => notice(view, 'NOINDEX', 'Your browser was classified as a robot.'),
  },
  maintenance: {
    description: 'status 200 with the maintenance page',
    answer: ({ view }) => maintenance(view),
  },
  login: {
    description: 'status 200 with a login form instead of the page',
    answer: ({ view }) => signIn(view),
  },
  hang: {
    description: 'the connection stays open without a response',
    answer: () => ({ noResponse: 'hang' }),
  },
  closed: {
    description: 'the connection is closed without a response, like status 444 of nginx',
    answer: () => ({ noResponse: 'close' }),
  },
  'cut-off': {
    description: 'the connection is closed in the middle of the body',
    answer: async (request, respond) => {
      const { cutOffAfter: _none, ...answer } = await respond(request)
      const body = await bytesOf(answer)
      return { ...answer, body, cutOffAfter: Math.floor(body.length / 2) }
    },
  },
  drip: {
    description: 'the page is sent one byte every 200 ms',
    answer: async (request, respond) => {
      const answer = await respond(request)
      const body = await bytesOf(answer)
      return { ...answer, body: () => Readable.from(dripping(body)) }
    },
  },
  huge: {
    description: 'a page of 1 GiB',
    answer: () => ({ ...page(''), body: () => Readable.from(filler()) }),
  },
  'gzip-bomb': {
    description: '1 MB of gzip that unpacks to a page of 1 GiB',
    answer: () => {
      const { headers, ...answer } = page('')
      return {
        ...answer,
        headers: { ...headers, 'content-encoding': 'gzip' },
        body: () => {
          const packed = createGzip({ level: 9 })
          const unpacked = Readable.from(filler())
          packed.once('close', () => unpacked.destroy())
          return unpacked.pipe(packed)
        },
      }
    },
  },
  'redirect-loop': {
    description: 'an endless redirect to the same address',
    answer: ({ url }) => redirect(url.pathname + url.search),
  },
  'redirect-private': {
    description: 'a redirect to the metadata address of cloud machines',
    answer: () => redirect('http://169.254.169.254/latest/meta-data/'),
  },
  'wrong-charset': {
    description: 'the page in Latin-1, declared as UTF-8',
    answer: (request, respond) => changed(request, respond, text => Buffer.from(text, 'latin1')),
  },
  'malformed-html': {
    description: 'the page with mismatched tags, cut off inside a tag after two thirds',
    answer: (request, respond) => changed(request, respond, text => Buffer.from(malformed(text))),
  },
  'missing-fields': {
    description: 'the product page with only barcode, name and brands',
    answer: (request, respond) => respond({ ...request, store: storeWithoutFields(request.store) }),
  },
  'other-layout': {
    description:
      'the page with other ids, classes and properties, as after a redesign; JSON inside an envelope',
    answer: (request, respond) => changed(request, respond, text => Buffer.from(redesigned(text))),
  },
} as const satisfies Readonly<Record<string, Fault>>

export type FaultName = keyof typeof faults

export const isFault = (name: string): name is FaultName => Object.hasOwn(faults, name)

const notice = (view: View, title: string, text: string): SiteResponse =>
  page(layout({ view, title, bodyClass: 'error_page', content: html`<h1>${title}</h1>\n<p>${text}</p>` }))

const maintenance = (view: View): SiteResponse =>
  notice(
    view,
    'Maintenance',
    'This site is temporarily unavailable. / Ce site est momentanément indisponible.',
  )

const signIn = (view: View): SiteResponse => {
  const title = view.language === 'fr' ? 'Se connecter' : 'Sign in'
  const content = html`<h1>${title}</h1>
<form method="post" action="/cgi/session.pl" id="login"><input name="user_id" autocomplete="username"><input name="password" type="password"><button>${title}</button></form>`
  return page(layout({ view, title, bodyClass: 'login_page', content }))
}

const bytesOf = async ({ body }: SiteResponse): Promise<Buffer> => {
  if (typeof body === 'string') return Buffer.from(body)
  return Buffer.isBuffer(body) ? body : Buffer.concat(await body().toArray())
}

/** The normal response with a changed body. Files that are not text stay unchanged. */
const changed = async (
  request: SiteRequest,
  respond: Respond,
  change: (text: string) => Buffer,
): Promise<SiteResponse> => {
  const answer = await respond(request)
  const isText = /^text\/html|^application\/json/.test(answer.headers['content-type'] ?? '')
  return isText ? { ...answer, body: change((await bytesOf(answer)).toString('utf8')) } : answer
}

const malformed = (text: string): string => {
  const broken = text
    .replaceAll('</h2>', '</h1>')
    .replaceAll('</p>', '</span>')
    .replaceAll('</td>', '')
    .replace('<main ', '<main id=main id="other" <')
  const end = broken.indexOf('<', Math.floor(broken.length * 0.66))
  return end < 0 ? broken.slice(0, -1) : broken.slice(0, end + 4)
}

const redesigned = (text: string): string =>
  text.startsWith('{')
    ? JSON.stringify({ data: JSON.parse(text) })
    : text
        .replace(/ (id|class|property|itemprop)="([^"]+)"/g, ' data-$1="v2-$2"')
        .replaceAll('var products =', 'var catalogue =')

const storeWithoutFields = (store: ProductStore): ProductStore =>
  new ProductStore({
    products: store.all().map(({ code, product_name, brands }) => ({ code, product_name, brands })),
  })

const dripping = async function* (body: Buffer): AsyncGenerator<Buffer> {
  for (let index = 0; index < body.length; index += 1) {
    yield body.subarray(index, index + 1)
    // A client that has disconnected must not keep the process running.
    await pause(200, undefined, { ref: false })
  }
}

const filler = function* (): Generator<Buffer> {
  const start = Buffer.from('<!doctype html><title>x</title><p>')
  const chunk = Buffer.alloc(64 * 1024, 'x')
  yield start
  for (let sent = start.length; sent < gibibyte; sent += chunk.length)
    yield chunk.subarray(0, Math.min(chunk.length, gibibyte - sent))
}
