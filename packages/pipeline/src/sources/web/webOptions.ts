import type { PausePolicy } from '../guest/circuitBreaker.ts'

/** Which unfinished crawl the source resumes. */
export interface ResumeOptions {
  /** The broker that receives the products. What one Kafka has acknowledged, another may not have. */
  readonly destination: string
  /** Start from the beginning, whatever an earlier crawl has done. */
  readonly fresh: boolean
}

/** Options of `webSource`. */
export interface WebSourceOptions {
  /** Where the crawl starts: a page of a list of products, or the page of one product. */
  readonly address: string
  /**
   * The maximum number of products to deliver, including those of the crawl that this one resumes. By default all
   * products that the list names.
   */
  readonly limit?: number
  /** The maximum number of list pages to read; by default all. */
  readonly pages?: number
  /** How many pages are open at the same time. */
  readonly concurrency: number
  /** The rate limit; null for none, which is only for a site on this machine. */
  readonly pagesPerMinute: number | null
  /** When the crawl pauses, and when it stops. */
  readonly pausePolicy: PausePolicy
  /** The timeout of one page; by default 45 s. */
  readonly pageTimeoutMs?: number
  /** Names offstream and a contact, as Open Food Facts requires. */
  readonly userAgent: string
  /** The browser; without a path, an installed one is used. */
  readonly chromium: { readonly executablePath?: string }
  /** The folder for the state that a later crawl reads. */
  readonly storageDirectory: string
  /** null: the crawl neither resumes an earlier one nor can be resumed, as in a dry run. */
  readonly resume: ResumeOptions | null
}
