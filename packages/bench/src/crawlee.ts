import { PlaywrightCrawler } from '@crawlee/playwright'
import { extractInPage } from './extract.ts'
import { print } from './figures.ts'

/**
 * crawlee's PlaywrightCrawler with its default settings, except the browser.
 * `node dist/crawlee.js <site> <chromium>`
 */
const [site = '', executablePath = ''] = process.argv.slice(2)

const crawler = new PlaywrightCrawler({
  launchContext: { launchOptions: { executablePath } },
  requestHandler: async ({ page, request, enqueueLinks }) => {
    if (request.label === 'product') return print(JSON.stringify(await page.evaluate(extractInPage)))
    await page.waitForSelector('a.list_product_a')
    await enqueueLinks({ selector: 'a.list_product_a', label: 'product' })
    await enqueueLinks({ selector: '#pages a[rel^="next"]' })
  },
})
await crawler.run([site])
