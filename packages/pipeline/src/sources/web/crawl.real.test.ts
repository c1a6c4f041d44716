import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '@offstream/runtime'
import { generateCatalogue, startSite } from '@offstream/site'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Removal } from '../../product/message.ts'
import { Product } from '../../product/product.ts'
import type { SourceEvent, SourceRun } from '../source.ts'
import { findChromium } from './chromium.ts'
import { listAddress } from './lists.ts'
import { type Answer, listPage, nextLink, pathOf, productPage, serve, type TestSite } from './testSite.ts'
import { type WebSourceOptions, webSource } from './web.ts'

const executablePath = await findChromium()

/** Barcodes in their normal form, from `first` on. */
const codes = (count: number, first = 1): readonly string[] =>
  Array.from({ length: count }, (_, index) => String(40_000_000 + first + index))

const productPages = (all: readonly string[]): Record<string, Answer> =>
  Object.fromEntries(all.map(code => [pathOf(code), productPage(code, `Product ${code}`)]))

/** What a crawl did, as its user sees it. */
interface Told {
  readonly delivered: readonly (readonly [code: string, name: string | null])[]
  readonly found: number
  readonly fetched: readonly string[]
  readonly skipped: readonly (readonly [path: string, reason: string])[]
}

describe.skipIf(executablePath === null)('crawling (needs Chromium)', () => {
  let storageDirectory: string
  beforeAll(async () => {
    storageDirectory = await mkdtemp(join(tmpdir(), 'offstream-web-'))
  })
  afterAll(() => rm(storageDirectory, { recursive: true }))

  /** What a test may have done with each product, in the place of nothing. */
  interface TestRun extends Partial<Omit<SourceRun, 'deliver'>> {
    readonly deliver?: (product: Product) => Promise<unknown>
  }

  /** Crawls a test site from `path` on; `told` grows while it does. */
  const crawl = (
    site: Pick<TestSite, 'origin'>,
    path: string,
    options: Partial<WebSourceOptions> = {},
    run: TestRun = {},
  ) => {
    const delivered: [string, string | null][] = []
    const events: SourceEvent[] = []
    const ended = webSource({
      address: site.origin + path,
      concurrency: 2,
      pagesPerMinute: null,
      patience: { firstPauseMs: 20, pauses: 3, failures: 5 },
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
    const told = (): Told => ({
      delivered: delivered.toSorted(),
      found: events.reduce((sum, event) => sum + (event.kind === 'found' ? event.count : 0), 0),
      fetched: events.flatMap(event => (event.kind === 'fetched' ? [event.code] : [])).toSorted(),
      skipped: events
        .flatMap(event => (event.kind === 'skipped' ? [[pathIn(event.address), event.reason] as const] : []))
        .toSorted(),
    })
    /** For each time that it went on: how much was done of what was known. */
    const resumed = () =>
      events.flatMap(event => (event.kind === 'resumed' ? [[event.done, event.listed] as const] : []))
    const waits = () => events.filter(({ kind }) => kind === 'waiting')
    const layout = () => events.filter(event => event.kind === 'layout')
    return { ended, told, resumed, waits, layout }
  }

  const allOf = (all: readonly string[]): Told => ({
    delivered: all.map(code => [code, `Product ${code}`]),
    found: all.length,
    fetched: all,
    skipped: [],
  })

  test('it walks from list to list and asks for each product once, by its own name', async () => {
    const [first, second] = [codes(60), codes(60, 51)]
    await using site = await serve(() => ({
      '/': listPage(first, nextLink('/2')),
      '/2': listPage([...second, 'no barcode'], '<ul id="pages"></ul>'),
      ...productPages(codes(110)),
    }))
    const { ended, told } = crawl(site, '/')
    await ended
    expect(told()).toEqual(allOf(codes(110)))
    expect(site.asked.toSorted()).toEqual(['/', '/2', ...codes(110).map(pathOf)].toSorted())
    expect([...site.userAgents]).toEqual(['offstream-test/1 (+test@example.org)'])
  })

  test('a list without links to its next page goes on by its number, until it repeats itself', async () => {
    const drawn = codes(50, 51).map(code => `<a class="list_product_a" href="${pathOf(code)}">x</a>`)
    await using site = await serve(() => ({
      '/brand/acme': listPage(codes(50)),
      // Drawn by a script, and not at once.
      '/brand/acme/2': `<ul class="products"></ul><script src="/draw.js"></script>`,
      '/draw.js': `setTimeout(() => { document.querySelector('ul.products').innerHTML = ${JSON.stringify(drawn.join(''))} }, 20)`,
      '/brand/acme/3': listPage(codes(50)),
      ...productPages(codes(100)),
    }))
    const { ended, told } = crawl(site, '/brand/acme')
    await ended
    expect(told()).toEqual(allOf(codes(100)))
  })

  test('no more pages of a list are walked than were asked for', async () => {
    await using site = await serve(() => ({
      '/': listPage(codes(3), nextLink('/2')),
      '/2': listPage(codes(3, 4), nextLink('/3')),
      '/3': listPage(codes(3, 7)),
      ...productPages(codes(9)),
    }))
    const { ended, told } = crawl(site, '/', { pages: 2 })
    await ended
    expect(told()).toEqual(allOf(codes(6)))
    expect(site.asked).not.toContain('/3')
  })

  test('the limit counts what was delivered: a product that is gone is made up for', async () => {
    const { [pathOf('40000002')]: _gone, ...pages } = productPages(codes(10))
    await using site = await serve(() => ({ '/': listPage(codes(10), nextLink('/2')), ...pages }))
    const { ended, told } = crawl(site, '/', { limit: 4, concurrency: 1 })
    await ended
    const expected = ['40000001', '40000003', '40000004', '40000005']
    expect(told()).toEqual({
      ...allOf(expected),
      found: 5,
      skipped: [[pathOf('40000002'), 'the site knows no such page']],
    })
    expect(site.asked).toEqual(['/', ...codes(5).map(pathOf)])
  })

  test('the address of one product gives that product', async () => {
    await using site = await serve(() => productPages(codes(1)))
    const { ended, told } = crawl(site, pathOf('40000001'))
    await ended
    expect(told()).toEqual(allOf(codes(1)))
  })

  test('a product is tried again when the site fails, and skipped when it goes on failing', async () => {
    let failures = 0
    await using site = await serve(() => ({
      '/': listPage(codes(3)),
      ...productPages(codes(3)),
      [pathOf('40000002')]: (_request, response) => {
        failures += 1
        if (failures === 1) response.writeHead(500).end('<h1>oops</h1>')
        else response.end(productPage('40000002', 'Product 40000002'))
      },
      [pathOf('40000003')]: '<h1>Under another roof</h1>',
    }))
    const { ended, told } = crawl(site, '/')
    await ended
    expect(told()).toEqual({
      ...allOf(codes(2)),
      found: 3,
      skipped: [[pathOf('40000003'), 'it is neither a product nor a list of products']],
    })
  })

  describe('going on', () => {
    const site = () =>
      serve(() => ({
        '/': listPage(codes(4), nextLink('/2')),
        '/2': listPage(codes(4, 5)),
        ...productPages(codes(8)),
      }))
    const remembering = (fresh = false): Partial<WebSourceOptions> => ({
      ...{ concurrency: 1, resume: { destination: 'localhost:9092', fresh } },
    })
    const interruptedAfter = async (count: number, of: TestSite): Promise<void> => {
      const abort = new AbortController()
      let delivered = 0
      const deliver = async () => {
        delivered += 1
        if (delivered === count) abort.abort()
      }
      await crawl(of, '/', remembering(), { deliver, signal: abort.signal }).ended
    }

    test('a crawl that ended too early fetches neither lists nor products again, and then is over', async () => {
      await using one = await site()
      await interruptedAfter(6, one)
      const second = crawl(one, '/', remembering())
      await second.ended
      expect(second.told()).toEqual(allOf(codes(2, 7)))
      expect(second.resumed()).toEqual([[6, 8]])
      expect(one.asked).toEqual(['/', ...codes(4).map(pathOf), '/2', ...codes(4, 5).map(pathOf)])

      const third = crawl(one, '/', remembering())
      await third.ended
      expect([third.told(), third.resumed()]).toEqual([allOf(codes(8)), []])
    })

    test('the limit counts what the whole crawl delivers', async () => {
      await using one = await site()
      await interruptedAfter(3, one)
      const { ended, told } = crawl(one, '/', { ...remembering(), limit: 5 })
      await ended
      expect(told()).toEqual(allOf(codes(2, 4)))
    })

    test('it begins anew where that is asked for', async () => {
      await using one = await site()
      await interruptedAfter(3, one)
      const { ended, told, resumed } = crawl(one, '/', remembering(true))
      await ended
      expect([told(), resumed()]).toEqual([allOf(codes(8)), []])
    })

    test('a dry run neither goes on nor is gone on with', async () => {
      await using one = await site()
      await interruptedAfter(3, one)
      const dry = crawl(one, '/')
      await dry.ended
      expect(dry.told()).toEqual(allOf(codes(8)))
      const { ended, told } = crawl(one, '/', remembering())
      await ended
      expect(told()).toEqual(allOf(codes(5, 4)))
    })

    test('a crawl whose next list can not be had has not come to its end', async () => {
      let isBroken = true
      await using one = await serve(() => ({
        '/': listPage(codes(4), nextLink('/2')),
        '/2': (_request, response) =>
          void (isBroken
            ? response.writeHead(500).end('<h1>oops</h1>')
            : response.end(listPage(codes(4, 5)))),
        ...productPages(codes(8)),
      }))
      await crawl(one, '/', remembering()).ended
      isBroken = false
      const { ended, told } = crawl(one, '/', remembering())
      await ended
      expect(told()).toEqual(allOf(codes(4, 5)))
    })

    test('while it runs, another of the same address is refused', async () => {
      await using one = await site()
      let other: unknown
      const deliver = async () => {
        other ??= await crawl(one, '/', remembering()).ended.catch(error => error)
      }
      await crawl(one, '/', remembering(), { deliver }).ended
      expect(other).toMatchObject({ code: 'SCRAPE_RUNNING', outcome: 'locked' })
    })
  })

  describe('a changed layout', () => {
    const catalogue = generateCatalogue({ count: 70 })
    const remembering = { resume: { destination: 'localhost:9092', fresh: true } }

    test('a field that fell far below its usual alarms by its selector, and the records are as they are', async () => {
      await using site = await startSite({ catalogue })
      await crawl({ origin: site.address }, '/', remembering).ended
      site.inject([{ path: '/produit/*', fault: 'missing-fields' }])
      const { ended, told, layout } = crawl({ origin: site.address }, '/', remembering)
      await ended
      expect(told().delivered.length).toBe(70)
      expect(layout()).toEqual(
        expect.arrayContaining([
          { kind: 'layout', field: 'categories', selector: '#field_categories_value', rate: 0, usual: 1 },
        ]),
      )
      expect(layout().map(({ field }) => field)).not.toEqual(expect.arrayContaining(['product_name']))
    })

    test('pages that make no record any more end the crawl, after some in a row', async () => {
      await using site = await startSite({ catalogue })
      site.inject([{ path: '/produit/*', fault: 'other-layout' }])
      const { ended, told } = crawl({ origin: site.address }, '/')
      await expect(ended).rejects.toMatchObject({
        ...{ code: 'LAYOUT_CHANGED', outcome: 'blocked' },
        message: expect.stringContaining('`#barcode` and `h1[property="food:name"]`'),
      })
      expect(told().delivered).toEqual([])
      expect(site.requests.filter(({ path }) => path.startsWith('/produit/')).length).toBeLessThan(15)
    })

    test('an address that led to products before and shows none any more has changed its layout', async () => {
      const [old, other] = ['/liste', '/decouvrir']
      let isList = true
      await using site = await serve(() => ({
        [old]: (_request, response) =>
          void response.end(isList ? listPage(codes(1)) : '<h1>Under another roof</h1>'),
        [other]: '<h1>Under another roof</h1>',
        ...productPages(codes(1)),
      }))
      await crawl(site, old, remembering).ended
      isList = false
      await expect(crawl(site, old, remembering).ended).rejects.toMatchObject({
        ...{ code: 'LAYOUT_CHANGED', message: expect.stringContaining('`ul.products`') },
      })
      await expect(crawl(site, other, remembering).ended).rejects.toMatchObject({ code: 'NOT_A_SOURCE' })
    })
  })

  describe('what is no more', () => {
    const [sold = '', unknown = '', obsolete = '', moved = '', wordless = ''] = codes(5)
    const elsewhere = `https://world.openbeautyfacts.org${pathOf(moved)}`
    const answers = (): Record<string, Answer> => ({
      '/': listPage(codes(5)),
      [pathOf(sold)]: productPage(sold, `Product ${sold}`),
      [pathOf(unknown)]: {
        status: 404,
        body: `<h1 class="if-empty-dnone">Error</h1><p>No product listed for barcode ${unknown}.</p>`,
      },
      [pathOf(obsolete)]: `${productPage(obsolete, 'Old')}<div id="obsolete">No longer sold</div>`,
      [pathOf(moved)]: { status: 302, headers: { location: elsewhere } },
      // As from a proxy: it says nothing of the product.
      [pathOf(wordless)]: { status: 404, body: '<h1>404 Not Found</h1>' },
    })
    /** Crawls, and takes what is removed, each with its acknowledgement. */
    const crawlRemoving = (
      site: Pick<TestSite, 'origin'>,
      path: string,
      options: Partial<WebSourceOptions> = {},
    ) => {
      const removed: Removal[] = []
      const remove = async (removal: Removal) => {
        removed.push(removal)
        return { topic: 'test', partition: 0, offset: 100 + removed.length }
      }
      return { ...crawl(site, path, options, { remove }), removed }
    }

    test('is removed if its own page says so, and then is done', async () => {
      const remembering = { concurrency: 1, resume: { destination: 'localhost:9092', fresh: false } }
      await using site = await serve(answers)
      const { ended, told, removed } = crawlRemoving(site, '/', { ...remembering, limit: 3 })
      await ended
      // That which the site does not know waits for a page that shows a product.
      expect(removed).toEqual(
        [obsolete, unknown].map(code => ({ code, as_of: expect.stringMatching(/Z$/), source: 'web' })),
      )
      expect(told()).toEqual({
        ...{
          delivered: [[sold, `Product ${sold}`]],
          found: 3,
          fetched: [sold, unknown, obsolete],
          skipped: [],
        },
      })
    })

    test('stays in peace where it has moved to another site, or where nothing is said of it', async () => {
      await using site = await serve(answers)
      const { ended, told } = crawlRemoving(site, '/')
      await ended
      expect(told().skipped).toEqual([
        [pathOf(moved), `it has moved to Open Beauty Facts, to \`${elsewhere}\``],
        [pathOf(wordless), 'the site knows no such page'],
      ])
    })

    test('is not asked for again by a crawl that goes on', async () => {
      const remembering = { concurrency: 1, resume: { destination: 'localhost:9092', fresh: false } }
      await using site = await serve(answers)
      const abort = new AbortController()
      const remove = async () => {
        abort.abort()
        return { topic: 'test', partition: 0, offset: 1 }
      }
      await crawl(site, '/', remembering, { remove, signal: abort.signal }).ended
      const { ended, removed, resumed } = crawlRemoving(site, '/', remembering)
      await ended
      expect([removed.map(({ code }) => code), resumed()]).toEqual([[unknown], [[2, 5]]])
      expect(site.asked.filter(path => path === pathOf(obsolete)).length).toBe(1)
    })

    test.each([
      [9, 'PRODUCTS_LOST', 0],
      [8, null, 9],
    ])(
      'is not believed of a site that knows none of many any more: %i beside another',
      async (count, code, removals) => {
        const all = codes(count + 2)
        const [first = '', ...others] = all
        const notFound = (barcode: string): Answer => ({
          status: 404,
          body: `<h1 class="if-empty-dnone">Error</h1><p>No product listed for barcode ${barcode}.</p>`,
        })
        await using site = await serve(() => ({
          '/': listPage(all),
          [pathOf(first)]: productPage(first, `Product ${first}`),
          ...Object.fromEntries(others.map(barcode => [pathOf(barcode), notFound(barcode)])),
        }))
        const { ended, told, removed } = crawlRemoving(site, '/', { concurrency: 1 })
        const failure = await ended.then(
          () => null,
          error => error.code,
        )
        expect([failure, removed.length]).toEqual([code, removals])
        expect(told().delivered).toEqual([[first, `Product ${first}`]])
      },
    )

    test('is passed over by a run that takes no removals, and the limit is made up for', async () => {
      await using site = await serve(answers)
      const { ended, told } = crawl(site, '/', { limit: 2, concurrency: 1 })
      await ended
      const gone = [unknown, obsolete].map(code => [pathOf(code), 'the product is no more'])
      expect(told()).toMatchObject({ delivered: [[sold, `Product ${sold}`]], found: 5 })
      expect(told().skipped).toEqual(expect.arrayContaining(gone))
      const alone = crawl(site, pathOf(obsolete))
      await alone.ended
      expect(alone.told().skipped).toEqual([[pathOf(obsolete), 'the product is no more']])
    })

    test('is removed as well where it alone was asked for, by the stand-in’s own pages too', async () => {
      const catalogue = generateCatalogue({ count: 3 })
      const [gone, old, left] = catalogue.products
      if (gone === undefined || old === undefined || left === undefined) throw new Error('too few products')
      await using site = await startSite({ catalogue })
      site.remove(gone.code)
      site.update({ ...old, obsolete: 'on' })
      for (const { code } of [gone, old]) {
        const { ended, removed } = crawlRemoving({ origin: site.address }, `/produit/${code}`)
        await ended
        expect(removed.map(removal => removal.code)).toEqual([code])
      }
      site.update({ ...left, product_type: 'beauty' })
      await expect(
        crawlRemoving({ origin: site.address }, `/produit/${left.code}`).ended,
      ).rejects.toMatchObject({ code: 'REDIRECTED_ELSEWHERE', outcome: 'refused' })
    })
  })

  test('a site that asks us to stop is left at once, and its page is never a product', async () => {
    const stop = 'Your requests are overloading the Open Food Facts server, please stop'
    await using site = await serve(() => ({
      '/': listPage(codes(9)),
      ...productPages(codes(9)),
      [pathOf('40000003')]: { body: stop, headers: { 'content-type': 'text/plain' } },
    }))
    const { ended, told } = crawl(site, '/', { concurrency: 1 })
    await expect(ended).rejects.toMatchObject({
      code: 'SOURCE_BLOCKED',
      outcome: 'blocked',
      message: `The site refused to show \`${site.origin}${pathOf('40000003')}\`: it asks us to stop`,
    })
    expect(told()).toEqual({ ...allOf(codes(2)), found: 9 })
    expect(site.asked).toEqual(['/', ...codes(3).map(pathOf)])
  })

  test('robots.txt is obeyed, for the start and for each product', async () => {
    const robots = `User-agent: *\nDisallow: /cgi\nDisallow: ${pathOf('40000002')}`
    await using site = await serve(() => ({
      '/robots.txt': { body: robots, headers: { 'content-type': 'text/plain' } },
      '/': listPage(codes(2)),
      '/cgi/search.pl': listPage(codes(2)),
      ...productPages(codes(2)),
    }))
    await expect(crawl(site, '/cgi/search.pl').ended).rejects.toMatchObject({
      code: 'SOURCE_DISALLOWED',
      outcome: 'refused',
    })
    const { ended, told } = crawl(site, '/')
    await ended
    expect(told()).toEqual({
      ...allOf(codes(1)),
      found: 2,
      skipped: [[pathOf('40000002'), 'robots.txt keeps robots off it']],
    })
    expect(site.asked).toEqual(['/', pathOf('40000001')])
  })

  test('no other host is ever asked, whatever a page or a redirect says', async () => {
    await using other = await serve(() => productPages(codes(9)))
    const elsewhere = other.origin.replace('127.0.0.1', 'localhost')
    await using site = await serve(origin => ({
      '/': `<ul class="products"></ul><img src="${elsewhere}/i.png"><iframe src="${elsewhere}/frame"></iframe>
        <script src="${elsewhere}/s.js"></script>
        <script>fetch('${elsewhere}/fetch'); window.open('${elsewhere}/popup')
        var products = ${JSON.stringify([
          { code: '40000001', url: `${origin}${pathOf('40000001')}` },
          { code: '40000002', url: `${elsewhere}${pathOf('40000002')}` },
          { code: '40000003', url: `${origin}${pathOf('40000003')}` },
        ])}</script>`,
      [pathOf('40000001')]: productPage('40000001', 'Product 40000001'),
      [pathOf('40000003')]: { status: 302, headers: { location: `${elsewhere}${pathOf('40000003')}` } },
    }))
    const { ended, told } = crawl(site, '/')
    await ended
    expect(told()).toEqual({
      ...allOf(codes(1)),
      found: 3,
      skipped: [
        [pathOf('40000003'), `it led off the site, to \`${elsewhere}${pathOf('40000003')}\``],
        [`${elsewhere}${pathOf('40000002')}`, 'it is on another site'],
      ],
    })
    expect([other.asked, [...other.userAgents]]).toEqual([[], []])
  })

  test('a site that is not there is unreachable', async () => {
    const closed = await serve(() => ({}))
    await closed[Symbol.asyncDispose]()
    await expect(crawl(closed, '/').ended).rejects.toMatchObject({
      code: 'SITE_UNREACHABLE',
      outcome: 'unreachable',
      message: `No answer from \`${closed.origin.replace('http://', '')}\`: net::ERR_CONNECTION_REFUSED`,
    })
  })

  test.each([429, 503])(
    'a site that refuses again and again, here by its status %i alone, is left',
    async status => {
      await using site = await serve(() => ({ '/': listPage(codes(2)), [pathOf('40000001')]: { status } }))
      const { ended, told, waits } = crawl(site, '/', { concurrency: 2 })
      await expect(ended).rejects.toMatchObject({
        code: 'SOURCE_BLOCKED',
        message: `The site refused to show \`${site.origin}${pathOf('40000001')}\`: it answered with status ${status}`,
      })
      expect(told()).toEqual({
        ...allOf([]),
        found: 2,
        skipped: [[pathOf('40000002'), 'the site knows no such page']],
      })
      expect([site.asked.filter(path => path === pathOf('40000001')).length, waits().length]).toEqual([4, 3])
    },
  )

  test('`Retry-After` holds up the whole crawl, and then everything is fetched', async () => {
    const moments: number[] = []
    const all = codes(6)
    await using site = await serve(() => ({
      '/': listPage(all),
      ...Object.fromEntries(
        all.map(code => [
          pathOf(code),
          (_request, response) => {
            moments.push(Date.now())
            if (moments.length === 2) response.writeHead(429, { 'retry-after': '1' }).end()
            else response.end(productPage(code, `Product ${code}`))
          },
        ]),
      ),
    }))
    const { ended, told, waits } = crawl(site, '/')
    await ended
    expect(told()).toEqual(allOf(all))
    expect(waits()).toEqual([
      { kind: 'waiting', ms: 1_000, reason: 'it answered with status 429', asked: true },
    ])
    // Whatever was asked before the answer came, nothing was asked in the second after it.
    const longest = Math.max(...moments.slice(1).map((moment, index) => moment - Number(moments[index])))
    expect(longest).toBeGreaterThan(900)
  })

  test('a site that gives no page any more is left, whatever page it is asked for', async () => {
    const { [pathOf('40000001')]: first, ...others } = productPages(codes(30))
    const failing = Object.fromEntries(
      Object.keys(others).map(path => [path, { status: 500, body: '<h1>oops</h1>' }]),
    )
    await using site = await serve(() => ({
      '/': listPage(codes(30)),
      [pathOf('40000001')]: first ?? '',
      ...failing,
    }))
    const { ended, told, waits } = crawl(site, '/')
    await expect(ended).rejects.toMatchObject({
      code: 'SITE_UNREACHABLE',
      outcome: 'unreachable',
      message: `No page from \`${site.origin.replace('http://', '')}\`: it answered with status 500`,
    })
    expect([told().delivered, waits().length]).toEqual([allOf(codes(1)).delivered, 3])
    expect(site.asked.length).toBeLessThan(15)
  })

  test('a site whose robots.txt never ends is left', async () => {
    const part = Buffer.alloc(1024 * 1024, '#')
    let sent = 0
    await using site = await serve(() => ({
      '/robots.txt': (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/plain' })
        const more = () => {
          while (sent < 1_000 && response.write(part)) sent += 1
        }
        response.on('drain', more)
        more()
      },
    }))
    await expect(crawl(site, '/').ended).rejects.toMatchObject({
      ...{ code: 'RESPONSE_TOO_LARGE', outcome: 'refused' },
      message: expect.stringContaining(`${site.origin}/robots.txt`),
    })
    expect(sent).toBeLessThan(500)
  })

  test('a search is read where robots are let in', async () => {
    const catalogue = generateCatalogue({ count: 130 })
    await using site = await startSite({ catalogue })
    // All of its barcodes begin so.
    const { pathname, search } = new URL(listAddress(site.address, { search: '2' }))
    const { ended, told } = crawl({ origin: site.address }, pathname + search, { limit: 60 })
    await ended
    expect(told().delivered.length).toBe(60)
  })

  test('a site whose robots.txt fails is left alone', async () => {
    await using site = await serve(() => ({ '/robots.txt': { status: 503 }, '/': listPage(codes(2)) }))
    const { ended, told, waits } = crawl(site, '/')
    await expect(ended).rejects.toMatchObject({
      code: 'SOURCE_BLOCKED',
      message: `The site refused to show \`${site.origin}/robots.txt\`: it answered with status 503`,
    })
    expect([site.asked, told(), waits().length]).toEqual([[], allOf([]), 3])
  })

  test('an address that is no list and no product is told as such', async () => {
    await using site = await serve(() => ({}))
    await expect(crawl(site, '/nowhere').ended).rejects.toMatchObject({
      code: 'NOT_A_SOURCE',
      outcome: 'usage',
      message: `No products at \`${site.origin}/nowhere\`: the site knows no such page`,
    })
  })

  test('what the delivery comes to ends the crawl, and no product is delivered twice', async () => {
    await using site = await serve(() => ({ '/': listPage(codes(9)), ...productPages(codes(9)) }))
    const full = new Error('the topic is full')
    const deliver = () => Promise.reject(full)
    const { ended, told } = crawl(site, '/', { concurrency: 1 }, { deliver })
    await expect(ended).rejects.toBe(full)
    expect(told()).toEqual({ ...allOf(codes(1)), found: 9 })
  })

  test('an abort ends a page that hangs, and a delivery in hand is waited for', async () => {
    const abort = new AbortController()
    let finished = false
    let begun: () => void = () => undefined
    const delivering = new Promise<void>(resolve => {
      begun = resolve
    })
    await using site = await serve(() => ({
      '/': listPage(codes(3)),
      ...productPages(codes(3)),
      [pathOf('40000002')]: () => void delivering.then(() => abort.abort()),
    }))
    const deliver = async () => {
      const aborted = new Promise(resolve => abort.signal.addEventListener('abort', resolve))
      begun()
      await aborted
      finished = true
    }
    const { ended, told } = crawl(site, '/', {}, { signal: abort.signal, deliver })
    await ended
    expect(told()).toEqual({ ...allOf(codes(1)), found: 3 })
    expect(finished).toBe(true)
  })

  test('Ctrl-C stays the command’s, and crawlee leaves no files', async () => {
    await using site = await serve(() => ({ '/': listPage(codes(2)), ...productPages(codes(2)) }))
    const before = process.listeners('SIGINT')
    const during: unknown[] = []
    const deliver = async () => void during.push(process.listeners('SIGINT'))
    const storage = await mkdtemp(join(storageDirectory, 'own-'))
    await crawl(site, '/', { storageDirectory: storage }, { deliver }).ended
    expect([...during, process.listeners('SIGINT')]).toEqual([before, before, before])
    expect([await readdir(storage), existsSync('storage')]).toEqual([[], false])
  })

  describe.skipIf(process.platform !== 'linux')('processes (need /proc)', () => {
    test.each([
      ['every page', (command: string) => command.includes('--type=renderer')],
      ['the browser', (command: string) => !command.includes('--type=')],
    ])('when %s is killed no product is lost, and none delivered twice', async (_what, isVictim) => {
      const all = codes(30)
      let kills = 0
      const killOnce: Answer = (_request, response) => {
        kills += 1
        const victims = kills > 1 ? [] : chromiumProcesses().filter(({ command }) => isVictim(command))
        for (const { pid } of victims) process.kill(pid, 'SIGKILL')
        response.end(productPage('40000010', 'Product 40000010'))
      }
      await using site = await serve(() => ({
        '/': listPage(all),
        ...productPages(all),
        [pathOf('40000010')]: killOnce,
      }))
      const { ended, told } = crawl(site, '/')
      await ended
      expect(told()).toEqual(allOf(all))
      expect(kills).toBeGreaterThan(1)
    })

    test('a browser that does not end when it is asked is ended by force', async () => {
      await using site = await serve(() => ({ '/': listPage(codes(9)), ...productPages(codes(9)) }))
      const abort = new AbortController()
      const hang = async () => {
        for (const { pid } of chromiumProcesses()) process.kill(pid, 'SIGSTOP')
        abort.abort(new Error('enough'))
      }
      await crawl(site, '/', {}, { deliver: hang, signal: abort.signal }).ended
      expect(chromiumProcesses()).toEqual([])
    })

    test('no browser process outlives a crawl, whatever it came to', async () => {
      await using site = await serve(() => ({
        '/': listPage(codes(2)),
        ...productPages(codes(2)),
        '/blocked': { status: 429 },
      }))
      let during = 0
      const count = async () => {
        during = chromiumProcesses().length
      }
      await crawl(site, '/', {}, { deliver: count }).ended
      await expect(crawl(site, '/blocked').ended).rejects.toMatchObject({ code: 'SOURCE_BLOCKED' })
      expect(during).toBeGreaterThan(0)
      await until(
        async () => {
          if (chromiumProcesses().length > 0) throw new Error('still there')
        },
        { what: 'the last browser process', timeoutMs: 10_000 },
      )
    })
  })
})

interface ProcessEntry {
  readonly pid: number
  readonly parent: number
  readonly command: string
}

/** The Chromium processes that this process started, at any depth. */
const chromiumProcesses = (): readonly ProcessEntry[] => {
  const entries = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(readProcess)
  const byPid = new Map(entries.map(entry => [entry.pid, entry]))
  const isOurs = ({ parent }: ProcessEntry): boolean => {
    const next = byPid.get(parent)
    return parent === process.pid || (next !== undefined && isOurs(next))
  }
  return entries.filter(entry => /chrom/.test(entry.command) && isOurs(entry))
}

const readProcess = (name: string): readonly ProcessEntry[] => {
  try {
    const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ')
    const parent = /\) \w (\d+)/.exec(readFileSync(`/proc/${name}/stat`, 'utf8'))?.[1]
    return [{ pid: Number(name), parent: Number(parent), command }]
  } catch {
    // It ended while we looked.
    return []
  }
}
