import { tmpdir } from 'node:os'
import { type FaultName, type FaultRule, generateCatalogue, type Site, startSite } from '@offstream/site'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Product } from '../../product/product.ts'
import { taken } from '../testRun.ts'
import { findChromium } from './chromium.ts'
import { webSource } from './web.ts'
import type { WebSourceOptions } from './webOptions.ts'

const executablePath = await findChromium()
const catalogue = generateCatalogue({ count: 3 })
const [first = '', spoilt = '', last = ''] = catalogue.products.map(({ code }) => code)
const all = [first, spoilt, last]

let site: Site
beforeAll(async () => {
  site = await startSite({ catalogue })
})
afterAll(() => site[Symbol.asyncDispose]())

/** The results of a scrape of a site with these faults. */
const scraped = (faults: readonly FaultRule[], options: Partial<WebSourceOptions> = {}) => {
  site.inject(faults)
  return scrapedFrom(site, options)
}

const scrapedFrom = ({ address }: Site, options: Partial<WebSourceOptions>) =>
  taken(
    webSource({
      ...{ address, concurrency: 1, pagesPerMinute: null },
      pausePolicy: { firstPauseMs: 20, maxPauses: 2, maxFailures: 5 },
      userAgent: 'offstream-test',
      chromium: { executablePath: executablePath ?? '' },
      ...{ storageDirectory: tmpdir(), resume: null },
      ...options,
    }),
  )

/** A short timeout for faults that never end. */
const timeFor = (fault: FaultName): Partial<WebSourceOptions> =>
  fault === 'hang' || fault === 'drip' ? { pageTimeoutMs: 1_500 } : {}

describe.skipIf(executablePath === null)('one page of the site is faulty (needs Chromium)', () => {
  /** The outcome of a scrape with a fault in the second of three products. */
  const outcome = async (fault: FaultName) => {
    const { products, removals, skipped, events, error } = await scraped([
      { path: `/produit/${spoilt}*`, fault },
    ])
    return {
      delivered: products.map(({ code }) => code).toSorted(),
      skipped: skipped.map(([address, reason]) => [/\d{8,}/.exec(address)?.[0], reason]),
      pauses: events.flatMap(event => (event.kind === 'paused' ? [event.reason] : [])),
      error: error === null ? null : Object(error).code,
      removals,
    }
  }
  const nothing = { skipped: [], pauses: [], error: null, removals: [] }

  test.each<[FaultName, string]>([
    ['too-many-requests', 'it responded with status 429'],
    ['bad-gateway', 'it responded with status 502'],
    ['maintenance', 'it is down for maintenance'],
  ])('a permanent `%s` stops the scrape, and nothing of the page is published', async (fault, reason) => {
    expect(await outcome(fault)).toEqual({
      ...{ ...nothing, delivered: [first], pauses: [reason, reason], error: 'SOURCE_BLOCKED' },
    })
  })

  test('a permanent `closed` stops the scrape as SITE_UNREACHABLE', async () => {
    const reason = 'net::ERR_EMPTY_RESPONSE'
    expect(await outcome('closed')).toEqual({
      ...{ ...nothing, delivered: [first], pauses: [reason, reason], error: 'SITE_UNREACHABLE' },
    })
  })

  test.each<FaultName>(['stop-crawling', 'noindex', 'login'])(
    '`%s` stops the scrape at once',
    async fault => {
      expect(await outcome(fault)).toEqual({ ...nothing, delivered: [first], error: 'SOURCE_BLOCKED' })
    },
  )

  test('`redirect-loop` skips only that product, after a few redirects', async () => {
    const before = site.requests.length
    expect(await outcome('redirect-loop')).toEqual({
      ...{ ...nothing, delivered: [first, last].toSorted() },
      skipped: [[spoilt, 'it redirects more than 5 times']],
    })
    // Chromium may follow a few more before it is stopped.
    expect(site.requests.slice(before).filter(({ path }) => path.includes(spoilt)).length).toBeLessThan(21)
  })

  describe('with status 200', () => {
    const productWith = async (fault: FaultName | null): Promise<Product> => {
      const { products } = await scraped(fault === null ? [] : [{ path: `/produit/${spoilt}*`, fault }])
      const product = products.find(({ code }) => code === spoilt)
      if (product === undefined) throw new Error('the spoilt page gave no product')
      return product
    }
    /** The columns that differ from those of the correct page, with their values. */
    const changes = async (
      fault: FaultName,
    ): Promise<readonly (readonly [column: string, value: unknown])[]> => {
      const honest = new Map(Object.entries(await productWith(null)))
      const columns = Object.entries(await productWith(fault))
      return columns.filter(
        ([column, value]) => !['as_of', 'observed_at'].includes(column) && honest.get(column) !== value,
      )
    }

    test('`missing-fields` gives a record with fewer values, none of them wrong', async () => {
      const changed = await changes('missing-fields')
      expect(changed.length).toBeGreaterThan(10)
      expect(changed.filter(([column, value]) => value !== null && column !== 'url')).toEqual([])
    })

    test('`malformed-html` is read as a browser shows it: missing parts are null, and nothing is wrong', async () => {
      expect((await changes('malformed-html')).filter(([, value]) => value !== null)).toEqual([])
    })
  })
})

describe.skipIf(executablePath === null)(
  'many pages are faulty, each in another way (needs Chromium)',
  () => {
    const many = generateCatalogue({ count: 24 }).products.map(({ code }) => code)
    // Each with a correct page before and after it.
    const spoiltBy = (names: readonly FaultName[]) =>
      new Map(names.map((fault, index) => [fault, many[2 * index + 1] ?? '']))

    let large: Site
    beforeAll(async () => {
      large = await startSite({ catalogue: generateCatalogue({ count: many.length }) })
    })
    afterAll(() => large[Symbol.asyncDispose]())

    /** The outcome of a scrape in which each of `names` is the fault of another product. */
    const outcome = async (
      names: readonly FaultName[],
      rule: Pick<FaultRule, 'count'> = {},
      options: Partial<WebSourceOptions> = {},
    ) => {
      const spoilt = spoiltBy(names)
      large.inject([...spoilt].map(([fault, code]) => ({ path: `/produit/${code}*`, fault, ...rule })))
      const before = large.requests.length
      const { products, removals, skipped, events, error } = await scrapedFrom(large, {
        concurrency: 4,
        // So that several failures in a row do not stop the crawl.
        pausePolicy: { firstPauseMs: 20, maxPauses: 2, maxFailures: 100 },
        ...options,
      })
      const named = (address: string) =>
        [...spoilt].find(([, code]) => address.includes(code))?.[0] ?? address
      const visits = large.requests.slice(before).filter(({ path }) => path.startsWith('/produit/'))
      return {
        delivered: new Set(products.map(({ code }) => code)),
        skipped: Object.fromEntries(skipped.map(([address, reason]) => [named(address), reason])),
        pauses: events.flatMap(event => (event.kind === 'paused' ? [event.reason] : [])).toSorted(),
        visits: (fault: FaultName) => visits.filter(({ path }) => named(path) === fault).length,
        removals,
        error,
      }
    }

    test('no product is missing after pauses', async () => {
      const reasons: Partial<Record<FaultName, string>> = {
        'too-many-requests': 'it responded with status 429',
        'retry-after': 'it responded with status 429',
        unavailable: 'it responded with status 503',
        'bad-gateway': 'it responded with status 502',
        maintenance: 'it is down for maintenance',
      }
      const came = await outcome(Object.keys(reasons) as FaultName[], { count: 1 }, { concurrency: 1 })
      expect(came).toMatchObject({ skipped: {}, removals: [], error: null })
      expect(came.pauses).toEqual(Object.values(reasons).toSorted())
      expect(came.delivered).toEqual(new Set(many))
    })

    test('a page that fails once is requested again', async () => {
      const names: FaultName[] = ['server-error', 'cut-off', 'wrong-charset', 'hang', 'drip']
      const came = await outcome(names, { count: 1 }, shortVisits)
      expect(came).toMatchObject({ skipped: {}, pauses: [], removals: [], error: null })
      expect(came.delivered).toEqual(new Set(many))
    })

    type Failure = readonly [fault: FaultName, reason: string, visits: number]
    /** Expects that only these products are missing, each for its reason and after so many visits. */
    const expectAlone = async (failures: readonly Failure[], options: Partial<WebSourceOptions> = {}) => {
      const names = failures.map(([fault]) => fault)
      const came = await outcome(names, {}, options)
      expect(came).toMatchObject({ pauses: [], removals: [], error: null })
      expect(came.skipped).toEqual(Object.fromEntries(failures.map(([fault, reason]) => [fault, reason])))
      expect(failures.map(([fault]) => [fault, came.visits(fault)])).toEqual(
        failures.map(([fault, , visits]) => [fault, visits]),
      )
      const spoilt = new Set(spoiltBy(names).values())
      expect(came.delivered).toEqual(new Set(many.filter(code => !spoilt.has(code))))
    }

    test('a page that fails every time skips only its product', () =>
      expectAlone([
        ['server-error', 'it responded with status 500', 4],
        ['cut-off', 'the response was cut off', 4],
        ['wrong-charset', 'its text is not in the declared encoding', 4],
        ['huge', 'it is larger than 8 MB', 1],
        ['gzip-bomb', 'it is larger than 8 MB', 1],
        ['redirect-private', 'it redirects to another site: `http://169.254.169.254/latest/meta-data/`', 1],
        ['other-layout', 'the page is neither a product nor a list of products', 1],
      ]))

    // On a busy machine a correct page may take as long; it is then requested again. A large one would time out.
    const shortVisits = { pageTimeoutMs: 3_000 }

    test('a page that never ends skips only its product', () =>
      expectAlone(
        [
          ['hang', 'it took too long', 4],
          ['drip', 'it took too long', 4],
        ],
        shortVisits,
      ))
  },
)

describe.skipIf(executablePath === null)('the first page is faulty (needs Chromium)', () => {
  /** The error of the scrape; null if it succeeds. The type requires every fault. */
  const outcomes: Readonly<Record<FaultName, readonly [code: string, outcome: string] | null>> = {
    'too-many-requests': ['SOURCE_BLOCKED', 'blocked'],
    'retry-after': ['SOURCE_BLOCKED', 'blocked'],
    unavailable: ['SOURCE_BLOCKED', 'blocked'],
    'bad-gateway': ['SOURCE_BLOCKED', 'blocked'],
    'server-error': ['SITE_UNREACHABLE', 'unreachable'],
    'stop-crawling': ['SOURCE_BLOCKED', 'blocked'],
    noindex: ['SOURCE_BLOCKED', 'blocked'],
    maintenance: ['SOURCE_BLOCKED', 'blocked'],
    login: ['SOURCE_BLOCKED', 'blocked'],
    hang: ['SITE_UNREACHABLE', 'unreachable'],
    closed: ['SITE_UNREACHABLE', 'unreachable'],
    'cut-off': ['SITE_UNREACHABLE', 'unreachable'],
    drip: ['SITE_UNREACHABLE', 'unreachable'],
    huge: ['RESPONSE_TOO_LARGE', 'refused'],
    'gzip-bomb': ['RESPONSE_TOO_LARGE', 'refused'],
    'redirect-loop': ['SOURCE_BLOCKED', 'blocked'],
    'redirect-private': ['REDIRECTED_ELSEWHERE', 'refused'],
    // Barcodes and addresses are ASCII.
    'wrong-charset': null,
    // The list is in the part that is cut off.
    'malformed-html': ['SITE_UNREACHABLE', 'unreachable'],
    'missing-fields': null,
    'other-layout': ['LAYOUT_CHANGED', 'blocked'],
  }

  test.each(Object.entries(outcomes))('%s', async (name, expected) => {
    const fault = name as FaultName
    const { products, removals, error } = await scraped([{ path: '/', fault }], timeFor(fault))
    expect(error).toEqual(
      expected === null ? null : expect.objectContaining({ code: expected[0], outcome: expected[1] }),
    )
    expect([products.map(({ code }) => code), removals]).toEqual([expected === null ? all : [], []])
  })
})
