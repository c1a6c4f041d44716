import type { Page, Response } from 'playwright'
import { normaliseCode } from '../../names.ts'
import { codeOfAddress, ListPage, type PageContent, ProductPage, readContent } from './pages.ts'

/** What a response of the site is. Only a `product` may be published. */
export type SitePage =
  | { readonly kind: 'product'; readonly product: ProductPage }
  | { readonly kind: 'list'; readonly list: ListPage }
  /** `code`: the normalised barcode that the site names as unknown; null if it names none. */
  | { readonly kind: 'not found'; readonly code: string | null }
  /** The page of a product that is no longer sold; `code` is its normalised barcode. */
  | { readonly kind: 'obsolete'; readonly code: string | null }
  | Moved
  | Refusal
  /** The site failed; another visit may succeed. */
  | { readonly kind: 'failed'; readonly reason: string }
  /** None of these: a page of another sort, or one whose layout has changed. */
  | { readonly kind: 'unknown' }

/** A product that has moved to a sister site, because it is not food. */
interface Moved {
  readonly kind: 'moved'
  readonly to: string
  /** The name of that site. */
  readonly site: string
}

/** The site refuses to serve us, or anyone, now. */
interface Refusal {
  readonly kind: 'blocked' | 'maintenance' | 'login wall'
  readonly reason: string
  /** Whether the site wants no further requests. */
  readonly isFinal: boolean
}

// 444 is nginx's "closed without a response", which Open Food Facts' proxy uses against bots.
const refusingStatuses: ReadonlySet<number> = new Set([401, 403])
const busyStatuses: ReadonlySet<number> = new Set([429, 444, 502, 503, 504])
const missingStatuses: ReadonlySet<number> = new Set([404, 410])

// A block often comes with status 200 (read 2026). These words are on the site's own pages for it.
const refusals: readonly (readonly [words: RegExp, Refusal])[] = [
  [/^\s*NOINDEX\b/, { kind: 'blocked', reason: 'it blocks search engines', isFinal: true }],
  [
    /requests are overloading the Open Food Facts server/i,
    { kind: 'blocked', reason: 'it asks crawlers to stop', isFinal: true },
  ],
  [
    /downtime|temporarily unavailable|\bmaintenance\b/i,
    { kind: 'maintenance', reason: 'it is down for maintenance', isFinal: false },
  ],
  [
    /^\s*(?:sign in|log in|se connecter)\s*$/i,
    { kind: 'login wall', reason: 'it requires a login', isFinal: true },
  ],
]

/** The sister sites of Open Food Facts, for products that are not food. */
const flavours: readonly (readonly [host: RegExp, name: string])[] = [
  [/(?:^|\.)openbeautyfacts\.(?:org|net)$/, 'Open Beauty Facts'],
  [/(?:^|\.)openpetfoodfacts\.(?:org|net)$/, 'Open Pet Food Facts'],
  [/(?:^|\.)openproductsfacts\.(?:org|net)$/, 'Open Products Facts'],
]

/** A response as data; to classify it needs no browser. */
export interface PageAnswer {
  readonly status: number
  /** The `Retry-After` header. */
  readonly retryAfter: string | null
  /** Empty if the status alone classifies the response. */
  readonly content: PageContent
}

/** @param page null for a response without a body */
export const readAnswer = async (page: Page | null, response: Response): Promise<PageAnswer> => {
  const status = response.status()
  const isDecided = page === null || classifyStatus(status) !== null
  return {
    status,
    retryAfter: response.headers()['retry-after'] ?? null,
    content: isDecided ? nothing : await readContent(page),
  }
}

const nothing: PageContent = { address: '', found: {}, products: null }

/** What an error status says, whatever the page contains; null if the page decides. */
const classifyStatus = (status: number): SitePage | null => {
  const reason = `it responded with status ${status}`
  if (refusingStatuses.has(status)) return { kind: 'blocked', reason, isFinal: true }
  if (busyStatuses.has(status)) return { kind: 'blocked', reason, isFinal: false }
  return status >= 400 && !missingStatuses.has(status) ? { kind: 'failed', reason } : null
}

/** What a page with this status is: decided by the elements that only a product or only a list has, or by its words. */
export const classify = (content: PageContent, status: number): SitePage => {
  const decided = classifyStatus(status)
  if (decided !== null) return decided
  if (missingStatuses.has(status))
    return refusalIn(content) ?? { kind: 'not found', code: deniedCode(content) }
  const count = (place: keyof typeof content.found) => (content.found[place] ?? []).length
  if (count('barcode') > 0 && count('title') > 0) {
    if (isGarbled(content)) return { kind: 'failed', reason: 'its text is not in the declared encoding' }
    const product = new ProductPage(content)
    return count('obsolete') > 0 ? { kind: 'obsolete', code: product.code() } : { kind: 'product', product }
  }
  if (count('list') > 0 || content.products !== null) return { kind: 'list', list: new ListPage(content) }
  return refusalIn(content) ?? { kind: 'unknown' }
}

/** A redirect to a sister site means that the product of `address` has moved there; null for any other target. */
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

/** The only barcode on the site's error page ("No product listed for barcode …", in any language); otherwise null. */
const deniedCode = ({ found }: PageContent): string | null => {
  const text = (found.errorText ?? []).map(each => each.text).join(' ')
  const [code, another] = text.match(/(?<!\d)\d{4,24}(?!\d)/g) ?? []
  return code === undefined || another !== undefined ? null : normaliseCode(code)
}

/** Whether the browser could not decode the text: it shows `\ufffd` for each letter that is lost. */
const isGarbled = ({ found }: PageContent): boolean =>
  Object.values(found).some(elements => elements.some(({ text }) => text.includes('\ufffd')))
