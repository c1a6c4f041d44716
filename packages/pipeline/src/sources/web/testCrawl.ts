import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import type { Removal } from '../../product/message.ts'
import { Product } from '../../product/product.ts'
import type { SourceEvent, SourceRun } from '../source.ts'
import { findChromium } from './chromium.ts'
import { type Answer, pathOf, productPage, type TestSite } from './testSite.ts'
import { webSource } from './web.ts'
import type { WebSourceOptions } from './webOptions.ts'

/** The browser of the tests; null if this machine has none. */
export const executablePath = await findChromium()

/** Normalised barcodes, starting with number `first`. */
export const codes = (count: number, first = 1): readonly string[] =>
  Array.from({ length: count }, (_, index) => String(40_000_000 + first + index))

/** The pages of these products, by path. */
export const productPages = (all: readonly string[]): Record<string, Answer> =>
  Object.fromEntries(all.map(code => [pathOf(code), productPage(code, `Product ${code}`)]))

/** What a crawl did, as its user sees it; every list is sorted. */
export interface Results {
  readonly delivered: readonly (readonly [code: string, name: string | null])[]
  readonly found: number
  readonly fetched: readonly string[]
  readonly skipped: readonly (readonly [path: string, reason: string])[]
}

/** The results of a crawl that delivered exactly these products and skipped nothing. */
export const allOf = (all: readonly string[]): Results => ({
  delivered: all.map(code => [code, `Product ${code}`]),
  found: all.length,
  fetched: all,
  skipped: [],
})

/** Options of a crawl that the next one resumes. */
export const resumable = (fresh = false): Partial<WebSourceOptions> => ({
  ...{ concurrency: 1, resume: { destination: 'localhost:9092', fresh } },
})

/** What a test does with each product or event. By default every delivery succeeds. */
interface TestRun extends Partial<Omit<SourceRun, 'deliver'>> {
  readonly deliver?: (product: Product) => Promise<unknown>
}

/** Gives a test file a `crawl` function, with a temporary storage folder that all its crawls share. */
export const testCrawl = () => {
  let storageDirectory: string
  beforeAll(async () => {
    storageDirectory = await mkdtemp(join(tmpdir(), 'offstream-web-'))
  })
  afterAll(() => rm(storageDirectory, { recursive: true }))

  /** Crawls a test site, starting at `path`; `results` may be called while the crawl is running. */
  return (
    site: Pick<TestSite, 'origin'>,
    path: string,
    options: Partial<WebSourceOptions> = {},
    run: TestRun = {},
  ) => {
    const delivered: [string, string | null][] = []
    const events: SourceEvent[] = []
    const done = webSource({
      address: site.origin + path,
      concurrency: 2,
      pagesPerMinute: null,
      pausePolicy: { firstPauseMs: 20, maxPauses: 3, maxFailures: 5 },
      userAgent: 'offstream-test/1 (+test@example.org)',
      chromium: { executablePath: executablePath ?? '' },
      storageDirectory,
      resume: null,
      ...options,
    }).run({
      deliver: async ({ json }) => {
        const product = Product.parse(JSON.parse(String(json)))
        delivered.push([product.code, product.product_name])
        await run.deliver?.(product)
        return { topic: 'test', partition: 0, offset: delivered.length - 1 }
      },
      remove: run.remove,
      report: event => {
        events.push(event)
        run.report?.(event)
      },
      signal: run.signal ?? new AbortController().signal,
    })
    const pathIn = (address: string) => address.replace(site.origin, '')
    const results = (): Results => ({
      delivered: delivered.toSorted(),
      found: events.reduce((sum, event) => sum + (event.kind === 'found' ? event.count : 0), 0),
      fetched: events.flatMap(event => (event.kind === 'fetched' ? [event.code] : [])).toSorted(),
      skipped: events
        .flatMap(event => (event.kind === 'skipped' ? [[pathIn(event.address), event.reason] as const] : []))
        .toSorted(),
    })
    /** For each time that the crawl was resumed: how many products were done, and how many listed. */
    const resumed = () =>
      events.flatMap(event => (event.kind === 'resumed' ? [[event.done, event.listed] as const] : []))
    const pauses = () => events.filter(({ kind }) => kind === 'paused')
    const layout = () => events.filter(event => event.kind === 'layout')
    return { done, results, resumed, pauses, layout }
  }
}

/** Runs a crawl that takes deletes, and collects them; each is acknowledged. */
export const removing = (crawl: ReturnType<typeof testCrawl>) => {
  return (site: Pick<TestSite, 'origin'>, path: string, options: Partial<WebSourceOptions> = {}) => {
    const removed: Removal[] = []
    const remove = async (removal: Removal) => {
      removed.push(removal)
      return { topic: 'test', partition: 0, offset: 100 + removed.length }
    }
    return { ...crawl(site, path, options, { remove }), removed }
  }
}
