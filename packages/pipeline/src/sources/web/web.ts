import type { RetryPolicy } from '../guest/circuitBreaker.ts'
import type { Source } from '../source.ts'

export interface ResumeOptions {
  /** Where the products go: what one Kafka has acknowledged, another may not have. */
  readonly destination: string
  /** Begin anew, whatever was done before. */
  readonly fresh: boolean
}

export interface WebSourceOptions {
  /** Where to begin: a page of a list of products, or one product's page. */
  readonly address: string
  /**
   * How many products to deliver at most, those of the crawl that is gone on with among them; all that the list leads
   * to where it is left out.
   */
  readonly limit?: number
  /** How many pages of the list to walk at most; all of them where it is left out. */
  readonly pages?: number
  /** Pages open at once. */
  readonly concurrency: number
  /** null: as fast as it goes; only for a site on this machine. */
  readonly pagesPerMinute: number | null
  /** How much is borne before the site is left alone. */
  readonly patience: RetryPolicy
  /** How long one page may take, in milliseconds; 45 s where it is left out. */
  readonly pageTimeoutMs?: number
  /** Names offstream and a contact: Open Food Facts asks for it. */
  readonly userAgent: string
  /** The browser; looked for where no path is given. */
  readonly chromium: { readonly executablePath?: string }
  /** Where a crawl keeps what the next one has to know. */
  readonly storageDirectory: string
  /** Whether an unfinished crawl is gone on with, and this one can be; null leaves no trace, as for a dry run. */
  readonly resume: ResumeOptions | null
}

/**
 * Products from the site's own pages, read in a real browser as a visitor sees them.
 *
 * Walks from list page to list page and visits the products they name, each once. A product of which its own page says
 * that it is no more is removed. A crawl that did not come to its end is gone on with by the next of the same address
 * (`Journal`). `run` throws OffstreamError SCRAPE_RUNNING, SITE_UNREACHABLE, SOURCE_BLOCKED (the site asked us to stop),
 * SOURCE_DISALLOWED (robots.txt), NOT_A_SOURCE (the address is no list and no product), REDIRECTED_ELSEWHERE and
 * RESPONSE_TOO_LARGE (the same address), LAYOUT_CHANGED (pages of products make no record any more), CHROMIUM_MISSING or
 * CHROMIUM_FAILED.
 */
export const webSource = (options: WebSourceOptions): Source => ({
  name: 'web',
  run: async run => {
    // Playwright and crawlee take half a second to load; a command that only names its sources need not pay for them.
    const { crawl } = await import('./crawl.ts')
    await crawl(options, run)
  },
})
