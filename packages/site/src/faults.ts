import { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { createGzip } from 'node:zlib'
import { type Answer, page, plainText, redirect, type Silence } from './answer.ts'
import { html } from './html.ts'
import { layout } from './pages/layout.ts'
import type { SiteRequest } from './route.ts'
import { Shelf } from './shelf.ts'
import type { View } from './view.ts'

interface Fault {
  /** What the client meets, for a person. */
  readonly description: string
  readonly answer: (request: SiteRequest, honest: Honest) => Answer | Silence | Promise<Answer | Silence>
}

/** What the site would have answered to a request. */
type Honest = (request: SiteRequest) => Promise<Answer>

const gibibyte = 2 ** 30

/**
 * Everything that can be made to go wrong, by name. Those that come as a page with status 200 are how the real site
 * often blocks (read 2026); their words are ours, but for the few by which they are known.
 */
export const faults = {
  'too-many-requests': {
    description: 'status 429, which tells no time to wait, as the real site does',
    answer: () => plainText(429, 'Too Many Requests\n'),
  },
  'retry-after': {
    description: 'status 429 with a `Retry-After` of 2 seconds',
    answer: () => plainText(429, 'Too Many Requests\n', { 'retry-after': '2' }),
  },
  unavailable: {
    description: 'status 503',
    answer: () => plainText(503, 'Service Unavailable\n'),
  },
  'bad-gateway': {
    description: 'status 502 with the page for maintenance',
    answer: ({ view }) => ({ ...maintenance(view), status: 502 }),
  },
  'server-error': {
    description: 'status 500, without a body',
    answer: () => plainText(500, ''),
  },
  'stop-crawling': {
    description: 'status 200 with the plain text that asks a robot to stop',
    answer: () =>
      plainText(
        200,
        'ATTENTION\n\nYour requests are overloading the Open Food Facts server. Use the database exports for many products.\n',
      ),
  },
  noindex: {
    description: 'status 200 with the page for search engines, which says NOINDEX and nothing else',
    answer: ({ view }) => notice(view, 'NOINDEX', 'Your browser was taken for a robot.'),
  },
  maintenance: {
    description: 'status 200 with the page for maintenance',
    answer: ({ view }) => maintenance(view),
  },
  login: {
    description: 'status 200 with a form to sign in, in the place of the page',
    answer: ({ view }) => signIn(view),
  },
  hang: {
    description: 'the connection stays open and nothing comes',
    answer: () => ({ silence: 'for ever' }),
  },
  closed: {
    description: 'the connection is closed without an answer, as nginx does for status 444',
    answer: () => ({ silence: 'closed' }),
  },
  'cut-off': {
    description: 'the connection breaks in the middle of the body',
    answer: async (request, honest) => {
      const { brokenOffAfter: _none, ...answer } = await honest(request)
      const body = await bytesOf(answer)
      return { ...answer, body, brokenOffAfter: Math.floor(body.length / 2) }
    },
  },
  drip: {
    description: 'the page comes, one byte every 200 ms',
    answer: async (request, honest) => {
      const answer = await honest(request)
      const body = await bytesOf(answer)
      return { ...answer, body: () => Readable.from(dripping(body)) }
    },
  },
  huge: {
    description: 'a page of 1 GiB',
    answer: () => ({ ...page(''), body: () => Readable.from(filler()) }),
  },
  'gzip-bomb': {
    description: 'a megabyte of gzip that unpacks to a page of 1 GiB',
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
    description: 'a redirect to the same address, for ever',
    answer: ({ url }) => redirect(url.pathname + url.search),
  },
  'redirect-private': {
    description: 'a redirect to the address under which clouds tell their machines’ secrets',
    answer: () => redirect('http://169.254.169.254/latest/meta-data/'),
  },
  'wrong-charset': {
    description: 'the page in Latin-1, called UTF-8',
    answer: (request, honest) => changed(request, honest, text => Buffer.from(text, 'latin1')),
  },
  'malformed-html': {
    description: 'the page with tags that close nothing, and without its last third, which ends within a tag',
    answer: (request, honest) => changed(request, honest, text => Buffer.from(malformed(text))),
  },
  'missing-fields': {
    description: 'the page of a product of which only barcode, name and brands are known',
    answer: (request, honest) => honest({ ...request, shelf: bareShelf(request.shelf) }),
  },
  'other-layout': {
    description: 'the page after a redesign: other ids, classes and properties; JSON inside an envelope',
    answer: (request, honest) => changed(request, honest, text => Buffer.from(redesigned(text))),
  },
} as const satisfies Readonly<Record<string, Fault>>

export type FaultName = keyof typeof faults

export const isFault = (name: string): name is FaultName => Object.hasOwn(faults, name)

const notice = (view: View, title: string, text: string): Answer =>
  page(layout({ view, title, bodyClass: 'error_page', content: html`<h1>${title}</h1>\n<p>${text}</p>` }))

const maintenance = (view: View): Answer =>
  notice(
    view,
    'Maintenance',
    'This site is temporarily unavailable. / Ce site est momentanément indisponible.',
  )

const signIn = (view: View): Answer => {
  const title = view.language === 'fr' ? 'Se connecter' : 'Sign in'
  const content = html`<h1>${title}</h1>
<form method="post" action="/cgi/session.pl" id="login"><input name="user_id" autocomplete="username"><input name="password" type="password"><button>${title}</button></form>`
  return page(layout({ view, title, bodyClass: 'login_page', content }))
}

const bytesOf = async ({ body }: Answer): Promise<Buffer> => {
  if (typeof body === 'string') return Buffer.from(body)
  return Buffer.isBuffer(body) ? body : Buffer.concat(await body().toArray())
}

/** The honest answer with another body. Files that are no text stay as they are. */
const changed = async (
  request: SiteRequest,
  honest: Honest,
  change: (text: string) => Buffer,
): Promise<Answer> => {
  const answer = await honest(request)
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

const bareShelf = (shelf: Shelf): Shelf =>
  new Shelf({
    products: shelf.all().map(({ code, product_name, brands }) => ({ code, product_name, brands })),
  })

const dripping = async function* (body: Buffer): AsyncGenerator<Buffer> {
  for (let index = 0; index < body.length; index += 1) {
    yield body.subarray(index, index + 1)
    // A visitor who has left must not keep the process.
    await pause(200, undefined, { ref: false })
  }
}

const filler = function* (): Generator<Buffer> {
  const begin = Buffer.from('<!doctype html><title>x</title><p>')
  const chunk = Buffer.alloc(64 * 1024, 'x')
  yield begin
  for (let sent = begin.length; sent < gibibyte; sent += chunk.length)
    yield chunk.subarray(0, Math.min(chunk.length, gibibyte - sent))
}
