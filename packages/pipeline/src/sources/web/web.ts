import type { Source } from '../source.ts'
import type { WebSourceOptions } from './webOptions.ts'

/**
 * Products from the pages of the site, read in a real browser as a visitor sees them.
 *
 * Reads list page after list page and visits the products that they name, each once. A product is deleted if its own
 * page says that it no longer exists. A crawl that was interrupted is resumed by the next one of the same address
 * (`Journal`). `run` throws OffstreamError SCRAPE_RUNNING, SITE_UNREACHABLE, SOURCE_BLOCKED, SOURCE_DISALLOWED
 * (robots.txt), NOT_A_SOURCE (the address is neither a list nor a product), REDIRECTED_ELSEWHERE and RESPONSE_TOO_LARGE
 * (the same address), LAYOUT_CHANGED, PRODUCTS_LOST, DISK_FULL, CHROMIUM_MISSING or CHROMIUM_FAILED.
 */
export const webSource = (options: WebSourceOptions): Source => ({
  name: 'web',
  run: async run => {
    // Playwright takes half a second to load; a command that only names its sources does not wait for it.
    const { crawl } = await import('./crawl.ts')
    await crawl(options, run)
  },
})
