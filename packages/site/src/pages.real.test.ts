import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { generateCatalogue } from './generate.ts'
import { type Site, startSite } from './site.ts'

const executablePath = [
  ...['google-chrome', 'google-chrome-stable', 'chromium', 'chromium-browser'].flatMap(name =>
    (process.env['PATH'] ?? '').split(delimiter).map(directory => join(directory, name)),
  ),
  chromium.executablePath(),
].find(existsSync)

describe.skipIf(executablePath === undefined)('in a browser (needs Chrome or Chromium)', () => {
  const catalogue = generateCatalogue({ count: 120 })
  let site: Site
  let browser: Browser

  beforeAll(async () => {
    site = await startSite({ catalogue })
    browser = await chromium.launch({
      executablePath: executablePath ?? '',
      args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    })
  })
  afterAll(async () => {
    await browser?.close()
    await site?.[Symbol.asyncDispose]()
  })

  /** A page, its requests, and the errors of its scripts. */
  const open = async (path: string) => {
    const page = await browser.newPage()
    const requests: string[] = []
    const errors: string[] = []
    page.on('request', request => requests.push(request.url()))
    page.on('console', message => errors.push(message.text()))
    page.on('pageerror', error => errors.push(error.message))
    await page.goto(site.address + path, { waitUntil: 'networkidle' })
    return { page, requests, errors }
  }

  const names = (page: Page) =>
    page.locator('ul.products a.list_product_a .list_product_name').allTextContents()

  test('the script renders the list, and its links open the products', async () => {
    const { page, errors } = await open('/2')
    const expected = catalogue.products.slice(100)
    const shown = await names(page)
    expect(shown).toHaveLength(20)
    expect(shown[0]).toContain(expected[0]?.product_name)
    await page.locator('a.list_product_a').nth(3).click()
    await page.waitForSelector('#barcode')
    expect(await page.locator('#barcode').textContent()).toBe(expected[3]?.code)
    expect(errors).toEqual([])
    await page.close()
  })

  test('markup in a name is shown as text', async () => {
    const hostile = '</script><img src=x onerror="document.title=1">'
    site.update({ code: '20999997', product_name: hostile, brands: 'Neuve' })
    const { page, errors } = await open('/marque/neuve')
    expect([await names(page), await page.title(), errors]).toEqual([[`${hostile} - Neuve`], 'Neuve', []])
    await page.close()
  })

  test('nothing is loaded from other hosts', async () => {
    for (const path of ['/', '/produit/2900000000001', '/recherche?search_terms=chocolat']) {
      const { page, requests, errors } = await open(path)
      expect(requests.filter(address => new URL(address).origin !== site.address)).toEqual([])
      expect([requests.length > 3, errors]).toEqual([true, []])
      await page.close()
    }
  })
})
