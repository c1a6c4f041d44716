import type { ListContent } from './journal.ts'
import type { ListedProduct } from './pages.ts'

/** Options of `Frontier`. */
export interface FrontierOptions {
  /** The maximum number of products to deliver. */
  readonly limit?: number | undefined
  /** The maximum number of list pages to read. */
  readonly pages?: number | undefined
  /** How many products the resumed crawl has delivered; they count towards the limit. */
  readonly delivered?: number
  /** Whether a product needs no request, because the resumed crawl has delivered it. */
  readonly isDone?: (product: ListedProduct) => boolean
}

/** Decides what a crawl requests next: which of the listed products, up to the limit, and which page of the list. */
export class Frontier {
  private readonly limit: number
  private readonly pages: number
  private readonly isDone: (product: ListedProduct) => boolean
  /** The codes that lists have named so far, so that each product is requested once. */
  private readonly listed = new Set<string>()
  /** Products that were named but not taken; the limit may be reached without them. */
  private readonly waiting: ListedProduct[] = []
  private readonly takenLists = new Set<string>()
  private nextList: string | null = null
  private listsRead = 0
  /** Products that were delivered or taken, without those that gave nothing. */
  private expected: number

  constructor({
    limit = Number.POSITIVE_INFINITY,
    pages = Number.POSITIVE_INFINITY,
    delivered = 0,
    isDone = () => false,
  }: FrontierOptions) {
    this.limit = limit
    this.pages = pages
    this.expected = delivered
    this.isDone = isDone
  }

  /** Starts at a page of a list. */
  readonly startAtList = (address: string): void => {
    this.nextList = address
  }

  /** Adds one product, unless it is done. */
  readonly addProduct = (product: ListedProduct): void => {
    if (!this.isDone(product)) this.waiting.push(product)
  }

  /** Adds what a page of the list names. A page that names nothing new is the last: the list repeats itself. */
  readonly addList = ({ products, next }: ListContent): void => {
    const fresh = products.filter(({ code }) => !this.listed.has(code))
    for (const product of fresh) {
      this.listed.add(product.code)
      this.addProduct(product)
    }
    this.listsRead += 1
    this.nextList = fresh.length > 0 && this.listsRead < this.pages ? next : null
  }

  /** The products to request now; none if the limit is reached or all are taken. */
  readonly takeProducts = (): readonly ListedProduct[] => {
    const products = this.waiting.splice(0, Math.max(0, this.limit - this.expected))
    this.expected += products.length
    return products
  }

  /** The page of the list to read now, each once; null after the last, or if the limit is reached. */
  readonly takeList = (): string | null => {
    const list = this.nextList
    if (list === null || this.expected >= this.limit || this.takenLists.has(list)) return null
    this.nextList = null
    this.takenLists.add(list)
    return list
  }

  /** Call this when a product that was taken gave nothing to deliver: another one may take its place. */
  readonly release = (): void => {
    this.expected -= 1
  }
}
