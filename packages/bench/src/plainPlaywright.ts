import { type BrowserContext, chromium } from 'playwright'
import { extractInPage } from './extract.ts'
import { print } from './figures.ts'

/**
 * A typical script: it reads the lists, then opens a new page for each product, two at a time.
 * `node dist/plainPlaywright.js <site> <chromium>`
 */
const [site = '', executablePath = ''] = process.argv.slice(2)

const productsOf = async (context: BrowserContext): Promise<string[]> => {
  const page = await context.newPage()
  const addresses: string[] = []
  for (let list: string | null = site; list !== null; ) {
    await page.goto(list)
    await page.waitForSelector('a.list_product_a')
    const links = await page.locator('a.list_product_a').all()
    for (const link of links)
      addresses.push(new URL((await link.getAttribute('href')) ?? '', page.url()).href)
    const next = page.locator('#pages a[rel^="next"]')
    list =
      (await next.count()) === 0 ? null : new URL((await next.getAttribute('href')) ?? '', page.url()).href
  }
  await page.close()
  return addresses
}

const browser = await chromium.launch({ executablePath })
const context = await browser.newContext()
const addresses = await productsOf(context)
const worker = async () => {
  for (let address = addresses.shift(); address !== undefined; address = addresses.shift()) {
    const page = await context.newPage()
    await page.goto(address)
    print(JSON.stringify(await page.evaluate(extractInPage)))
    await page.close()
  }
}
await Promise.all([worker(), worker()])
await browser.close()
