import { ListPage, type PageContent, ProductPage } from './pages.ts'

/** What an answer of the site is. Only a `product` may ever be published. */
export type SitePage =
  | { readonly kind: 'product'; readonly product: ProductPage }
  | { readonly kind: 'list'; readonly list: ListPage }
  | { readonly kind: 'not found' }
  /** The site does not want us, or nobody, now; `forGood`: asking again would be what it asks us not to do. */
  | { readonly kind: 'blocked'; readonly reason: string; readonly forGood: boolean }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'unknown' }

// 444 is nginx's "closed without an answer", which Open Food Facts' proxy uses against bots.
const refusingStatuses: ReadonlySet<number> = new Set([401, 403])
const busyStatuses: ReadonlySet<number> = new Set([429, 444, 502, 503, 504])

// A block often comes with status 200 (read 2026); these words stand in the site's own pages for it.
const blockingWords: readonly (readonly [words: RegExp, reason: string, forGood: boolean])[] = [
  [/^\s*NOINDEX\b/, 'it takes us for a search engine', true],
  [/requests are overloading the Open Food Facts server/i, 'it asks us to stop', true],
  [/downtime|temporarily unavailable|\bmaintenance\b/i, 'it is down for maintenance', false],
  [/^\s*(?:sign in|log in|se connecter)\s*$/i, 'it asks to sign in', true],
]

/** What an error status says by itself, whatever page comes with it; null for any other status. */
export const classifyStatus = (status: number): SitePage | null => {
  const reason = `it answered with status ${status}`
  if (refusingStatuses.has(status)) return { kind: 'blocked', reason, forGood: true }
  if (busyStatuses.has(status)) return { kind: 'blocked', reason, forGood: false }
  if (status === 404 || status === 410) return { kind: 'not found' }
  return status >= 400 ? { kind: 'failed', reason } : null
}

/** Says what a page is, before anything is made of it: by what only a product or only a list has, or by its words. */
export const classify = (content: PageContent): SitePage => {
  const count = (place: keyof typeof content.found) => (content.found[place] ?? []).length
  if (count('barcode') > 0 && count('title') > 0)
    return { kind: 'product', product: new ProductPage(content) }
  if (count('list') > 0 || content.products !== null) return { kind: 'list', list: new ListPage(content) }

  const places = [content.found.heading, content.found.documentTitle, content.found.plainText]
  const texts = places.flatMap(found => (found ?? []).map(({ text }) => text))
  const block = blockingWords.find(([words]) => texts.some(text => words.test(text)))
  return block === undefined ? { kind: 'unknown' } : { kind: 'blocked', reason: block[1], forGood: block[2] }
}
