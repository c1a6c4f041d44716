import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { findChromium } from '@offstream/pipeline'
import { until } from '@offstream/runtime'
import { generateCatalogue } from '@offstream/site'
import axe from 'axe-core'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Pipeline, startPipeline } from './pipeline.ts'

const products = 60
const views = ['/', '/services', '/topic', '/stream', '/table', '/products', '/charts']
const widths = [360, 1_280, 2_560]

/** If this variable has a folder, the test writes a screenshot of each view there, in each layout. */
const screenshots = process.env['DASHBOARD_SCREENSHOTS']
const layouts = [
  ...[['en', 'light'] as const, ['fr', 'dark'] as const],
  // The colours change no width.
  ...(screenshots === undefined ? [] : [['en', 'dark'] as const, ['fr', 'light'] as const]),
]

const executablePath = await findChromium()

describe.skipIf(executablePath === null)('the dashboard in Chromium (needs Chromium)', () => {
  let pipeline: Pipeline
  let browser: Browser
  /** The address with the token, as the command prints it. */
  let signIn: string
  let address: string

  beforeAll(async () => {
    pipeline = await startPipeline(generateCatalogue({ count: products }))
    const printed = (await pipeline.stack.json(['dashboard'])) as { readonly address: string }
    signIn = printed.address
    address = new URL(signIn).origin
    browser = await chromium.launch({
      ...{ executablePath: executablePath ?? '', chromiumSandbox: process.getuid?.() !== 0 },
    })
    await scrape(products - 1)
  })

  afterAll(async () => {
    await browser?.close()
    await pipeline?.[Symbol.asyncDispose]()
  })

  /** Reads products from the export of the site, without a browser. */
  const scrape = async (limit: number): Promise<void> => {
    const { site, stack } = pipeline
    const file = `${site.address}/data/openfoodfacts-products.jsonl.gz`
    await stack.succeed(['scrape', '--source', 'export', '--file', file, '--limit', String(limit)])
    await pipeline.waitForTable(`visible=${limit}`)
  }

  const withPage = async (
    use: (page: Page, context: BrowserContext) => Promise<void>,
    options: Parameters<Browser['newContext']>[0] = {},
  ): Promise<void> => {
    const context = await browser.newContext({ locale: 'en', reducedMotion: 'reduce', ...options })
    // What the policy blocks is an error of the console.
    const errors: string[] = []
    const page = await context.newPage()
    page.on('pageerror', error => errors.push(error.message))
    page.on('console', message => {
      if (message.type() === 'error') errors.push(message.text())
    })
    const requested: string[] = []
    page.on('request', request => requested.push(new URL(request.url()).origin))
    await use(page, context)
    await context.close()
    expect([errors, [...new Set(requested)]]).toEqual([[], [address]])
  }

  const countsOn = (page: Page): Promise<string[]> =>
    page.locator('[data-hop]').evaluateAll(hops => hops.map(hop => hop.getAttribute('data-count') ?? ''))

  test('shows the numbers of `status --json`', async () => {
    await withPage(async page => {
      await page.goto(`${address}/`)
      await page.locator('[data-hop]').first().waitFor()
      const { loaded, shown } = await page.evaluate<{ loaded: number; shown: number }>(
        `({ shown: performance.now(), loaded: performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd })`,
      )
      process.stdout.write(
        `the page is interactive after ${Math.round(loaded)} ms, and shows the first counts after ${Math.round(shown)} ms\n`,
      )
      const { flow } = await pipeline.status()
      const { fetched, acknowledged, consumed, rows, visible } = flow
      await expect
        .poll(() => countsOn(page), { timeout: 20_000 })
        .toEqual([fetched, acknowledged, consumed, rows, visible].map(String))
      expect(await page.locator('[data-stack]').getAttribute('data-stack')).toBe('healthy')
    })
  })

  test('shows a scraped product without a reload', async () => {
    await withPage(async page => {
      await page.goto(`${address}/products`)
      await page.locator('tr[data-code]').first().waitFor()
      const { stack, site } = pipeline
      const known = new Set(
        (await pipeline.query('SELECT code FROM Products')).map(({ code }) => String(code)),
      )
      const added = generateCatalogue({ count: products }).products.find(({ code }) => !known.has(code))
      const code = added?.code ?? expect.fail()
      await stack.succeed([
        ...['scrape', '--source', 'api', '--codes', code, '--set', `api.url=${site.address}`],
      ])
      const publishedAt = Date.now()
      await page.locator(`tr[data-code="${code}"]`).waitFor({ timeout: 60_000 })
      const shownAfterMs = Date.now() - publishedAt
      process.stdout.write(`a product is shown ${shownAfterMs} ms after the end of its scrape\n`)
      expect(await page.locator('[data-total]').getAttribute('data-total')).toBe(String(products))
    })
  })

  test('a killed service is red', async () => {
    await withPage(async page => {
      await page.goto(`${address}/services`)
      await page.locator('tr[data-service="zookeeper"][data-state="healthy"]').waitFor()
      const { services } = await pipeline.status()
      const pid = services.find(({ name }) => name === 'zookeeper')?.pid ?? expect.fail()
      const red = page.locator('tr[data-service="zookeeper"] .pill-bad')
      const killedAt = Date.now()
      process.kill(pid, 'SIGKILL')
      await red.waitFor({ timeout: 30_000 })
      process.stdout.write(`a killed service is red after ${Date.now() - killedAt} ms\n`)
      await page.locator('tr[data-service="zookeeper"][data-state="healthy"]').waitFor({ timeout: 60_000 })
    })
    await pipeline.waitForTable()
  })

  test('without the token it only shows; with it, a service is restarted after a confirmation', async () => {
    await withPage(async page => {
      await page.goto(`${address}/services`)
      await page.getByText('run offstream dashboard').waitFor()
      expect(await page.getByRole('button', { name: 'Restart zookeeper' }).count()).toBe(0)
    })
    expect((await fetch(`${address}/api/services/zookeeper/stop`, { method: 'POST' })).status).toBe(401)
    const before = (await pipeline.status()).services.find(({ name }) => name === 'spark-worker')?.pid
    await withPage(async page => {
      await page.goto(signIn)
      expect(page.url()).toBe(`${address}/`)
      await page.goto(`${address}/services`)
      await page.getByRole('button', { name: 'Restart spark-worker' }).press('Enter')
      const dialog = page.getByRole('dialog', { name: 'Restart spark-worker?' })
      await dialog.getByRole('button', { name: 'Cancel' }).press('Enter')
      await dialog.waitFor({ state: 'hidden' })
      await page.getByRole('button', { name: 'Restart spark-worker' }).click()
      await dialog.getByRole('button', { name: 'Restart' }).click()
      await dialog.waitFor({ state: 'hidden', timeout: 120_000 })
    })
    const after = (await pipeline.status()).services.find(({ name }) => name === 'spark-worker')?.pid
    expect(after).not.toBe(before)
    await pipeline.waitForTable()
  })

  test('refuses other hosts and origins', async () => {
    const { hostname, port } = new URL(address)
    const statusOf = (headers: Record<string, string>): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        httpRequest({ hostname, port, path: '/api/session', headers }, response => {
          response.resume()
          resolve(response.statusCode)
        })
          .once('error', reject)
          .end()
      })
    expect([
      await statusOf({ host: `${hostname}:${port}` }),
      await statusOf({ host: `example.org:${port}` }),
      await statusOf({ host: `${hostname}:${port}`, origin: 'http://example.org' }),
    ]).toEqual([200, 403, 403])
  })

  test('the log of a service is searched while it grows', async () => {
    await withPage(async page => {
      await page.goto(`${address}/services`)
      await page.getByRole('combobox', { name: 'Service' }).selectOption('kafka')
      await page.getByLabel('Search').fill('products-events')
      const entries = page.locator('[role="log"] .entry-text')
      await entries.first().waitFor()
      for (const text of await entries.allTextContents()) expect(text).toContain('products-events')
    })
  })

  test('a product has its fields, its scores and its messages', async () => {
    await withPage(async page => {
      await page.goto(`${address}/products`)
      const row = page.locator('tr[data-code]').first()
      const code = (await row.getAttribute('data-code')) ?? ''
      await row.getByRole('link').click()
      await page.getByText(code, { exact: true }).first().waitFor()
      await page.locator('li[data-offset] summary').first().click()
      await page.getByText(`"code": "${code}"`).waitFor()
    })
  })

  test('a switch changes the language, and the browser remembers it', async () => {
    await withPage(
      async page => {
        await page.goto(`${address}/products`)
        await page.getByRole('heading', { name: 'Produits' }).waitFor()
        await page.getByRole('button', { name: 'English' }).click()
        await page.getByRole('heading', { name: 'Products' }).waitFor()
        await page.reload()
        await page.getByRole('heading', { name: 'Products' }).waitFor()
      },
      { locale: 'fr-FR' },
    )
  })

  test.each(['light', 'dark'] as const)('axe finds nothing on any view, %s', async colorScheme => {
    await withPage(
      async page => {
        for (const view of await allViews()) {
          await open(page, view)
          await page.evaluate(axe.source)
          const violations = await page.evaluate(async () => {
            const { axe } = globalThis as unknown as {
              axe: { run: () => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
            }
            return (await axe.run()).violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)
          })
          expect([view, violations]).toEqual([view, []])
        }
      },
      { colorScheme },
    )
  })

  test.each(widths)('no view is wider than the window of %i pixels, in both languages', async width => {
    for (const [locale, colorScheme] of layouts)
      await withPage(
        async page => {
          for (const view of await allViews()) {
            await open(page, view)
            const excess = await page.evaluate<number>(
              'document.documentElement.scrollWidth - document.documentElement.clientWidth',
            )
            expect([view, excess]).toEqual([view, 0])
            const name = view.replaceAll('/', '-').slice(1) || 'pipeline'
            if (screenshots !== undefined)
              await page.screenshot({
                path: join(screenshots, `${name}-${width}-${colorScheme}-${locale}.png`),
              })
          }
        },
        { locale, colorScheme, viewport: { width, height: width < 500 ? 800 : (width * 10) / 16 } },
      )
  })

  /** With the page of a product. */
  const allViews = async (): Promise<string[]> => {
    const [row] = await pipeline.query('SELECT code FROM Products ORDER BY code LIMIT 1')
    return [...views, `/products/${row?.['code']}`]
  }

  /** Opens a view and waits until it shows what it loads. */
  const open = async (page: Page, view: string): Promise<void> => {
    await page.goto(`${address}${view}`)
    await page.locator('[data-stack="healthy"]').waitFor()
    await until(
      async () => {
        if ((await page.getByText(/^(Loading|Chargement) …$/).count()) > 0) throw new Error('it is loading')
        const pending = await page
          .locator('img')
          .evaluateAll(images =>
            images.filter(image => !(image as unknown as { complete: boolean }).complete),
          )
        if (view === '/charts' && pending.length > 0) throw new Error('a chart is loading')
      },
      { what: `the view ${view}`, timeoutMs: 60_000, intervalMs: 100 },
    )
  }
})
