import type { OffstreamError } from '@offstream/runtime'
import type { z } from 'zod'
import { Product } from '../../product/product.ts'
import { hasProductFields } from '../../product/productOf.ts'
import type { Skip } from '../../product/skip.ts'
import { retryAfterMs } from '../guest/retryAfter.ts'
import { redirectedElsewhere, unreachable } from '../guest/siteErrors.ts'
import { RedirectedAway, Refused, VisitError } from '../guest/visitError.ts'
import { classify, type PageAnswer, type SitePage } from './classify.ts'
import { layoutChanged, notASource, unknownNutritionTable, unreadable } from './crawlErrors.ts'
import type { ListContent } from './journal.ts'
import {
  codeInAddress,
  codeOfAddress,
  fieldSelectors,
  listSelectors,
  type ProductPage,
  productSelectors,
} from './pages.ts'

/** A page that is neither a refusal nor a failure. */
export type ReadablePage = Exclude<SitePage, { kind: 'blocked' | 'maintenance' | 'login wall' | 'failed' }>

/** What a crawl does with a page. `errorAtStart` is what the crawl fails with if the page is its start address. */
export type PageDecision =
  | { readonly kind: 'deliver'; readonly product: Product }
  | { readonly kind: 'readList'; readonly list: ListContent }
  /** The page itself says that the product is obsolete. That a list names the product does not count: lists are older. */
  | { readonly kind: 'remove'; readonly code: string }
  /** The site says that it does not know the product. A site that has lost its products says that of all of them. */
  | { readonly kind: 'doubt'; readonly code: string }
  | ({ readonly kind: 'skip'; readonly errorAtStart: OffstreamError } & Skip)
  /** The page is complete but gives no record. Another visit would show the same. */
  | ({ readonly kind: 'unrecognised' } & Skip)
  /** Another visit may show more. */
  | { readonly kind: 'failed'; readonly error: VisitError }

/** What a crawl does after a failed visit. */
export type FailureDecision =
  | { readonly kind: 'retry' }
  | ({ readonly kind: 'skip'; readonly errorAtStart: OffstreamError } & Skip)
  | { readonly kind: 'stop'; readonly error: unknown }

/** How often an address is requested again after a failure. */
const maxRetries = 3
const firstRetryPauseMs = 500

/** After so many product pages in a row without a record the layout counts as changed; fewer if the crawl had no records. */
const maxPagesWithoutRecord = 10
const maxPagesWithoutAnyRecord = 3

/** A site that reports so many products in a row as unknown has lost its products: lists name what exists. */
export const maxUnknownInRow = 10

/**
 * The page of an answer.
 * @throws Refused if the site refuses; VisitError if the page could not be read
 */
export const readablePage = (answer: PageAnswer, nowMs: number): ReadablePage => {
  const page = classify(answer.content, answer.status)
  switch (page.kind) {
    case 'blocked':
    case 'maintenance':
    case 'login wall':
      throw refusal(answer, page, nowMs)
    case 'failed':
      throw new VisitError('failed', page.reason)
    default:
      return page
  }
}

/** A refusal with the pause that the `Retry-After` of the response requests. */
export const refusal = (
  { retryAfter }: Pick<PageAnswer, 'retryAfter'>,
  { reason, isFinal }: { readonly reason: string; readonly isFinal: boolean },
  nowMs: number,
): Refused => new Refused(reason, { retryAfterMs: retryAfterMs(retryAfter, nowMs), isFinal })

/** What to do with the page that `address` led to; `now` is the time of the visit. */
export const decidePage = (address: string, page: ReadablePage, now: Date): PageDecision => {
  switch (page.kind) {
    case 'product':
      return decideProduct(page.product, now)
    case 'list':
      // An empty frame is not an empty list.
      return page.list.isRendered()
        ? { kind: 'readList', list: { products: page.list.products(), next: page.list.next() } }
        : { kind: 'failed', error: new VisitError('failed', 'the list was not rendered') }
    case 'not found':
      return isOf(address, page.code)
        ? { kind: 'doubt', code: page.code }
        : skip(address, { skippedBy: 'not-found', reason: 'the page does not exist on the site' })
    case 'obsolete':
      return isOf(address, page.code)
        ? { kind: 'remove', code: page.code }
        : skip(address, { skippedBy: 'other-product', reason: 'it shows another product, which is obsolete' })
    case 'moved': {
      const reason = `it has moved to ${page.site}: \`${page.to}\``
      const errorAtStart = redirectedElsewhere(address, page.to)
      return { kind: 'skip', skippedBy: 'other-product-type', reason, errorAtStart }
    }
    case 'unknown':
      return {
        ...{ kind: 'unrecognised', skippedBy: 'unknown-page' },
        reason: 'the page is neither a product nor a list of products',
      }
  }
}

const decideProduct = (page: ProductPage, now: Date): PageDecision => {
  const { data, error } = Product.safeParse(page.product(now))
  if (data === undefined) {
    const reason = `the page does not contain a valid record: ${problemsOf(error)}`
    return { kind: 'unrecognised', skippedBy: page.code() === null ? 'no-code' : 'invalid-record', reason }
  }
  if (!hasProductFields(data)) {
    const reason = 'the page does not contain product fields'
    return { kind: 'unrecognised', skippedBy: 'no-product-fields', reason }
  }
  if (page.unreadLabels().length === 0) return { kind: 'deliver', product: data }
  const reason = 'no label of its nutrition table is known, and its record would replace known values by null'
  return { kind: 'unrecognised', skippedBy: 'unknown-nutrition-table', reason }
}

/**
 * What to do after the visit number `attempt` (0 is the first) of `address` failed. Only a `VisitError` belongs to the
 * page. Everything else, such as a full disk, a failed delivery or a bug, would fail the same way on any other page.
 */
export const decideFailure = (address: string, error: unknown, attempt: number): FailureDecision => {
  if (!(error instanceof VisitError)) return { kind: 'stop', error }
  if (!error.isFinal && attempt < maxRetries) return { kind: 'retry' }
  // Without the site, every other page would fail too, one after the other.
  if (error.kind === 'unreachable') return { kind: 'stop', error: unreachable(address, error) }
  const skippedBy = error instanceof RedirectedAway ? 'redirected' : 'unreadable-page'
  return { kind: 'skip', skippedBy, reason: error.message, errorAtStart: unreadable(address, error) }
}

/** The pause before visit number `attempt`: none before the first, then 0.5, 1 and 2 s, up to half of it less by chance. */
export const retryPauseMs = (attempt: number, random: number): number =>
  attempt === 0 ? 0 : firstRetryPauseMs * 2 ** (attempt - 1) * (0.5 + random / 2)

/** How the product pages of a crawl turned out. */
export interface RecordTally {
  /** Pages that gave a record. */
  readonly records: number
  /** Pages in a row, up to now, that gave none. */
  readonly withoutRecord: number
}

/** Whether the pages say that the layout of the site has changed, so that the crawl must stop. */
export const layoutHasChanged = ({ records, withoutRecord }: RecordTally, isFinished: boolean): boolean =>
  withoutRecord >= maxPagesWithoutRecord ||
  (isFinished && records === 0 && withoutRecord >= maxPagesWithoutAnyRecord)

/** The error of a crawl whose start address gave an unrecognised page; `hadProducts`: there were products before. */
export const unrecognisedStart = (
  address: string,
  { skippedBy, reason }: Skip,
  hadProducts: boolean,
): OffstreamError => {
  if (skippedBy === 'unknown-nutrition-table' || hadProducts) return changedLayoutOf(address, skippedBy)
  return notASource(address, reason)
}

/** LAYOUT_CHANGED with the selectors that the page of `address` should have matched. */
export const changedLayoutOf = (address: string, skippedBy: Skip['skippedBy'] | null): OffstreamError => {
  if (skippedBy === 'unknown-nutrition-table')
    return unknownNutritionTable(address, fieldSelectors.proteins_100g)
  return layoutChanged(address, codeInAddress(address) === null ? listSelectors : productSelectors)
}

const skip = (address: string, why: Skip): PageDecision => ({
  ...{ kind: 'skip', ...why, errorAtStart: notASource(address, why.reason) },
})

/** Whether a page is about the product that its address names. */
const isOf = (address: string, code: string | null): code is string =>
  code !== null && code === codeOfAddress(address)

const problemsOf = ({ issues }: z.ZodError): string =>
  issues.map(({ path, message }) => `${path.join('.') || 'barcode'}: ${message}`).join('; ')
