import type { Page, Response } from 'playwright'
import { normaliseCode } from '../../names.ts'
import { codeOfAddress, ListPage, type PageContent, ProductPage, readContent } from './pages.ts'

/** What an answer of the site is. Only a `product` may ever be published. */
export type SitePage =
  | { readonly kind: 'product'; readonly product: ProductPage }
  | { readonly kind: 'list'; readonly list: ListPage }
  /** `code`: the normalised barcode of which the site itself says that it has no product; null where it says nothing. */
  | { readonly kind: 'not found'; readonly code: string | null }
  /** The page of a product that is no longer sold, by its normalised barcode. */
  | { readonly kind: 'obsolete'; readonly code: string | null }
  | Moved
  | Refusal
  /** The site has failed; another visit may see something better. */
  | { readonly kind: 'failed'; readonly reason: string }
  /** None of these: a page of another sort, or one whose layout has changed. */
  | { readonly kind: 'unknown' }

/** A product that is filed on another site of the same people, since it is no food. */
interface Moved {
  readonly kind: 'moved'
  readonly to: string
  /** What that site is called. */
  readonly site: string
}

/** The site does not want us, or nobody, now. */
interface Refusal {
  readonly kind: 'blocked' | 'maintenance' | 'login wall'
  readonly reason: string
  /** Whether asking again would be what it asks us not to do. */
  readonly forGood: boolean
}

// 444 is nginx's "closed without an answer", which Open Food Facts' proxy uses against bots.
const refusingStatuses: ReadonlySet<number> = new Set([401, 403])
const busyStatuses: ReadonlySet<number> = new Set([429, 444, 502, 503, 504])
const missingStatuses: ReadonlySet<number> = new Set([404, 410])

// A block often comes with status 200 (read 2026); these words stand in the site's own pages for it.
const refusals: readonly (readonly [words: RegExp, Refusal])[] = [
  [/^\s*NOINDEX\b/, { kind: 'blocked', reason: 'it takes us for a search engine', forGood: true }],
  [
    /requests are overloading the Open Food Facts server/i,
    { kind: 'blocked', reason: 'it asks us to stop', forGood: true },
  ],
  [
    /downtime|temporarily unavailable|\bmaintenance\b/i,
    { kind: 'maintenance', reason: 'it is down for maintenance', forGood: false },
  ],
  [
    /^\s*(?:sign in|log in|se connecter)\s*$/i,
    { kind: 'login wall', reason: 'it asks to sign in', forGood: true },
  ],
]

/** The sites for what is no food, of Open Food Facts' own. */
const flavours: readonly (readonly [host: RegExp, name: string])[] = [
  [/(?:^|\.)openbeautyfacts\.(?:org|net)$/, 'Open Beauty Facts'],
  [/(?:^|\.)openpetfoodfacts\.(?:org|net)$/, 'Open Pet Food Facts'],
  [/(?:^|\.)openproductsfacts\.(?:org|net)$/, 'Open Products Facts'],
]

/**
 * Says what an answer is, before anything is made of it.
 * @param page null where the answer came with nothing to show
 */
export const classifyAnswer = async (page: Page | null, response: Response): Promise<SitePage> => {
  const status = response.status()
  return classifyStatus(status) ?? classify(page === null ? nothing : await readContent(page), status)
}

const nothing: PageContent = { address: '', found: {}, products: null }

/** What an error status says by itself, whatever page comes with it; null where the page has to say. */
const classifyStatus = (status: number): SitePage | null => {
  const reason = `it answered with status ${status}`
  if (refusingStatuses.has(status)) return { kind: 'blocked', reason, forGood: true }
  if (busyStatuses.has(status)) return { kind: 'blocked', reason, forGood: false }
  return status >= 400 && !missingStatuses.has(status) ? { kind: 'failed', reason } : null
}

/**
 * Says what a page is: by what only a product or only a list has, or by its words.
 * @param status with which it came
 */
export const classify = (content: PageContent, status: number): SitePage => {
  if (missingStatuses.has(status))
    return refusalIn(content) ?? { kind: 'not found', code: deniedCode(content) }
  const count = (place: keyof typeof content.found) => (content.found[place] ?? []).length
  if (count('barcode') > 0 && count('title') > 0) {
    if (isGarbled(content)) return { kind: 'failed', reason: 'its text is not in the encoding that it names' }
    const product = new ProductPage(content)
    return count('obsolete') > 0 ? { kind: 'obsolete', code: product.code() } : { kind: 'product', product }
  }
  if (count('list') > 0 || content.products !== null) return { kind: 'list', list: new ListPage(content) }
  return refusalIn(content) ?? { kind: 'unknown' }
}

/** What a redirect off the site says: that the product of `address` has moved; null for any other target. */
export const classifyRedirect = (address: string, to: string): Moved | null => {
  const { hostname } = new URL(to)
  const [, site] = flavours.find(([host]) => host.test(hostname)) ?? []
  const code = codeOfAddress(address)
  return site !== undefined && code !== null && code === codeOfAddress(to)
    ? { kind: 'moved', to, site }
    : null
}

const refusalIn = ({ found }: PageContent): Refusal | null => {
  const places = [found.heading, found.documentTitle, found.plainText]
  const texts = places.flatMap(place => (place ?? []).map(({ text }) => text))
  const [, refusal] = refusals.find(([words]) => texts.some(text => words.test(text))) ?? []
  return refusal ?? null
}

/** The one barcode that the site's error page names: "No product listed for barcode …", in whatever language. */
const deniedCode = ({ found }: PageContent): string | null => {
  const text = (found.errorText ?? []).map(each => each.text).join(' ')
  const [code, another] = text.match(/(?<!\d)\d{4,24}(?!\d)/g) ?? []
  return code === undefined || another !== undefined ? null : normaliseCode(code)
}

/** Whether a browser could not read letters of it: it shows `\ufffd` in their place, and the letters are lost. */
const isGarbled = ({ found }: PageContent): boolean =>
  Object.values(found).some(elements => elements.some(({ text }) => text.includes('\ufffd')))
