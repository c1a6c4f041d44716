import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { productOf } from '../product/productOf.ts'
import { type ApiQuery, apiSource } from './api.ts'
import { taken } from './testRun.ts'
import { type Answer, serve } from './web/testSite.ts'

const userAgent = 'offstream-test (test@example.org)'
const retryPolicy = { retries: 4, firstPauseMs: 1, chunkTimeoutMs: 30_000, responseTimeoutMs: 60_000 }

const json = (value: unknown, status = 200): Answer => ({
  status,
  body: JSON.stringify(value),
  headers: { 'content-type': 'application/json' },
})

/** Serves answers by path, whatever the query; `queries` has both. */
const api = (answers: Readonly<Record<string, Answer>>) => {
  const requested: URL[] = []
  return serve(origin => {
    const byQuery: Record<string, Answer> = {}
    return new Proxy(byQuery, {
      get: (_target, url) => {
        const address = new URL(String(url), origin)
        requested.push(address)
        return answers[address.pathname]
      },
    })
  }).then(site => Object.assign(site, { queries: requested }))
}

const run = (origin: string, query: ApiQuery, options: { readonly limit?: number } = {}) =>
  taken(
    apiSource({
      ...{ address: origin, query, userAgent, retryPolicy, ...options },
      ...{ productsPerMinute: null, searchesPerMinute: null },
    }),
  )

const byCodes = (codes: readonly string[], version: 2 | 3 = 2): ApiQuery => ({
  kind: 'codes',
  codes,
  version,
})

describe('by barcode', () => {
  test('version 2: a product, an unknown one, one of another site, and invalid barcodes', async () => {
    await using site = await api({
      '/api/v2/product/3017620422003': json({
        code: '3017620422003',
        status: 1,
        product: { product_name: 'Nutella', nutriments: { fat_100g: 30.9 } },
      }),
      '/api/v2/product/00000042': json({ code: '42', status: 0, status_verbose: 'product not found' }, 404),
      '/api/v2/product/00000043': json(
        { code: '43', status: 0, status_verbose: 'product found with a different product type: beauty' },
        404,
      ),
      '/api/v2/product/00000044': {
        status: 302,
        headers: { location: 'https://world.openbeautyfacts.example/x' },
      },
    })
    const codes = ['3017620422003', '42', '43', '44', '45', 'abc']
    const { products, removals, skipped, error } = await run(site.origin, byCodes(codes))
    expect(error).toBe(null)
    expect(
      products.map(({ code, product_name, fat_100g, url, source }) => [
        code,
        product_name,
        fat_100g,
        url,
        source,
      ]),
    ).toEqual([['3017620422003', 'Nutella', 30.9, `${site.origin}/product/3017620422003`, 'api']])
    expect(removals).toEqual([{ code: '00000042', as_of: expect.stringMatching(/Z$/), source: 'api' }])
    expect(skipped).toEqual([
      [`${site.origin}/api/v2/product/00000043`, 'it belongs to another site'],
      [`${site.origin}/api/v2/product/00000044`, 'it redirects to another site'],
      [`${site.origin}/api/v2/product/00000045`, 'the address does not exist on the site'],
      ['abc', 'it is not a barcode'],
    ])
    expect([...site.userAgents]).toEqual([userAgent])
    expect(site.queries[0]?.searchParams.get('fields')?.split(',')).toContain('nutriments')
  })

  test('version 3', async () => {
    await using site = await api({
      '/api/v3/product/3017620422003': json({
        code: '3017620422003',
        status: 'success_with_warnings',
        warnings: [{}],
        result: { id: 'product_found' },
        product: {
          code: '3017620422003',
          nutrition: {
            aggregated_set: {
              per: '100g',
              preparation: 'as_sold',
              nutrients: { fat: { value: 30.9, unit: 'g' } },
            },
          },
        },
      }),
      '/api/v3/product/00000042': json(
        { code: '42', status: 'failure', errors: [{}], result: { id: 'product_not_found' } },
        404,
      ),
      '/api/v3/product/00000043': json({
        status: 'failure',
        result: { id: 'product_found_with_a_different_product_type' },
      }),
    })
    const { products, removals, skipped } = await run(site.origin, byCodes(['3017620422003', '42', '43'], 3))
    expect(products.map(({ code, fat_100g }) => [code, fat_100g])).toEqual([['3017620422003', 30.9]])
    expect(removals.map(({ code }) => code)).toEqual(['00000042'])
    expect(skipped.map(([, reason]) => reason)).toEqual(['it belongs to another site'])
  })
})

describe('by search', () => {
  const search: Extract<ApiQuery, { kind: 'search' }> = {
    kind: 'search',
    parameters: { categories_tags_en: 'chocolates', brands_tags: 'a b' },
  }
  const page = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => ({ code: String(10_000_000 + from + index), brands: 'A' }))

  const pages =
    (all: readonly (readonly object[])[]): Answer =>
    (request, response) => {
      const number = Number(new URL(request.url ?? '', 'http://x').searchParams.get('page'))
      response.end(
        JSON.stringify({ count: 1_000, page: number, page_size: 100, products: all[number - 1] ?? [] }),
      )
    }

  test('reads all pages and delivers each product once', async () => {
    await using site = await api({ '/api/v2/search': pages([page(0, 100), page(90, 100), page(190, 7)]) })
    const { products, skipped, error } = await run(site.origin, search)
    expect([new Set(products.map(({ code }) => code)).size, products.length, skipped, error]).toEqual([
      197,
      197,
      [],
      null,
    ])
    expect(site.queries.map(({ searchParams }) => searchParams.get('page'))).toEqual(['1', '2', '3'])
    expect(Object.fromEntries(site.queries[0]?.searchParams ?? [])).toMatchObject({
      categories_tags_en: 'chocolates',
      brands_tags: 'a b',
      page_size: '100',
    })
  })

  test('requests only as many pages as the limit needs', async () => {
    await using site = await api({ '/api/v2/search': pages([page(0, 100), page(100, 100), page(200, 100)]) })
    const { products } = await run(site.origin, search, { limit: 150 })
    expect([products.length, site.queries.length]).toEqual([150, 2])
  })

  test('starts at the requested page, with the requested page size', async () => {
    const all = [page(0, 20), page(20, 20), page(40, 20), page(60, 3)]
    await using site = await api({
      '/api/v2/search': (request, response) => {
        const number = Number(new URL(request.url ?? '', 'http://x').searchParams.get('page'))
        response.end(JSON.stringify({ page_size: '20', products: all[number - 1] }))
      },
    })
    const parameters = { ...search.parameters, page: '2', page_size: '20', fields: 'code' }
    const { products } = await run(site.origin, { kind: 'search', parameters })
    expect(products.map(({ code }) => code)).toEqual(page(20, 43).map(({ code }) => code))
    expect(site.queries[0]?.searchParams.getAll('fields')).toEqual([expect.stringContaining('nutriments')])
    expect(
      site.queries.map(({ searchParams }) => [searchParams.get('page'), searchParams.get('page_size')]),
    ).toEqual([
      ['2', '20'],
      ['3', '20'],
      ['4', '20'],
    ])
  })

  test.each([
    ['1000', [page(0, 100), page(100, 100), page(200, 3)], 203],
    ['nonsense', [page(0, 100), page(100, 3)], 103],
  ])('with `page_size=%s` a site that gives 100 is read to its end', async (page_size, all, count) => {
    await using site = await api({ '/api/v2/search': pages(all) })
    const parameters = { ...search.parameters, page_size }
    expect((await run(site.origin, { kind: 'search', parameters })).products.length).toBe(count)
  })

  test('addresses in skips and errors omit the parameters that every request has', async () => {
    await using site = await api({
      '/api/v2/search': pages([[{ code: 'x' }]]),
      '/api/v2/product/10000001': { status: 403 },
    })
    const { skipped } = await run(site.origin, search)
    expect(skipped).toEqual([
      [
        `${site.origin}/api/v2/search?categories_tags_en=chocolates&brands_tags=a+b&page_size=100&page=1#x`,
        'its code `x` is not a barcode',
      ],
    ])
    const { error } = await run(site.origin, byCodes(['10000001']))
    expect((error as Error).message).toMatch(
      /^The site refused `http:\/\/\S+\/api\/v2\/product\/10000001\?fields=\S+…`: it responded with status 403$/,
    )
    expect((error as Error).message.length).toBeLessThan(200)
  })

  test('a list that repeats itself is read only once', async () => {
    await using site = await api({ '/api/v2/search': pages([page(0, 100), page(0, 100), page(0, 100)]) })
    const { products, error } = await run(site.origin, search)
    expect([products.length, site.queries.length, error]).toEqual([100, 2, null])
  })

  test.each([[json({ errors: [] })], [json({}, 404)]])(
    'a response without products is NOT_A_SOURCE',
    async answer => {
      await using site = await api({ '/api/v2/search': answer })
      expect((await run(site.origin, search)).error).toMatchObject({ code: 'NOT_A_SOURCE', outcome: 'usage' })
    },
  )
})

describe('a site that refuses', () => {
  const found = json({ status: 1, product: { code: '10000001', brands: 'A' } })
  const path = '/api/v2/product/10000001'
  /** Gives each answer once, then the last for ever. */
  const inTurn = (answers: readonly Exclude<Answer, string>[]): Answer => {
    const left = [...answers]
    return (request, response) => {
      const answer = left.length > 1 ? left.shift() : left[0]
      if (typeof answer === 'function') return answer(request, response)
      response.writeHead(answer?.status ?? 200, answer?.headers).end(answer?.body)
    }
  }
  const busy = (status: number, headers = {}): Exclude<Answer, string> => ({ status, headers, body: 'later' })

  test.each([429, 500, 502, 503, 504])('is requested again after status %d', async status => {
    await using site = await api({ [path]: inTurn([busy(status), busy(status), found as object]) })
    const { products, error } = await run(site.origin, byCodes(['10000001']))
    expect([products.length, error, site.queries.length]).toEqual([1, null, 3])
  })

  test('is requested again after the pause of `Retry-After`', async () => {
    await using site = await api({ [path]: inTurn([busy(429, { 'retry-after': '1' }), found as object]) })
    const startedMs = performance.now()
    const { products } = await run(site.origin, byCodes(['10000001']))
    expect([products.length, performance.now() - startedMs >= 1_000]).toEqual([1, true])
  })

  test.each<readonly [what: string, answer: Exclude<Answer, string>, requests: number, reason: string]>([
    [
      'requests a pause of an hour',
      busy(503, { 'retry-after': '3600' }),
      1,
      'it requests a pause of 60 minutes',
    ],
    [
      'requests a pause until another year',
      busy(429, { 'retry-after': 'Fri, 31 Dec 2100 23:59:59 GMT' }),
      1,
      'minutes',
    ],
    ['responds with status 403', busy(403), 1, 'status 403'],
    ['refuses every attempt', busy(429), 5, 'status 429'],
    ['responds with a page and status 200', { body: '<h1>NOINDEX</h1>' }, 1, 'a page instead of data'],
  ])('stops the run if it %s', async (_what, answer, requests, reason) => {
    await using site = await api({ [path]: inTurn([answer]) })
    const { products, error } = await run(site.origin, byCodes(['10000001', '10000002']))
    expect(error).toMatchObject({
      code: 'SOURCE_BLOCKED',
      outcome: 'blocked',
      message: expect.stringContaining(reason),
      hint: expect.stringContaining('--source export'),
    })
    expect([products.length, site.queries.length]).toEqual([0, requests])
  })

  test('is not read further after the maximum size of a response', async () => {
    let sent = 0
    await using site = await api({
      [path]: (_request, response) => {
        const more = () => {
          while (!response.destroyed && response.write(Buffer.alloc(1024 * 1024, ' '))) sent += 1
          if (!response.destroyed) response.once('drain', more)
        }
        more()
      },
    })
    const { error } = await run(site.origin, byCodes(['10000001']))
    expect(error).toMatchObject({ code: 'RESPONSE_TOO_LARGE', outcome: 'refused' })
    expect(sent).toBeLessThan(200)
  })

  test('is SITE_UNREACHABLE if every connection is cut', async () => {
    await using site = await api({ [path]: (_request, response) => response.destroy() })
    const { error } = await run(site.origin, byCodes(['10000001']))
    expect([error, site.queries.length]).toEqual([expect.objectContaining({ code: 'SITE_UNREACHABLE' }), 5])
  })

  test('an abort stops the waiting at once', async () => {
    await using site = await api({ [path]: busy(429, { 'retry-after': '500' }) })
    const stop = new AbortController()
    const source = apiSource({
      ...{ address: site.origin, query: byCodes(['10000001']), userAgent, retryPolicy },
      ...{ productsPerMinute: null, searchesPerMinute: null },
    })
    const running = taken(source, { signal: stop.signal })
    while (site.queries.length === 0) await new Promise(resolve => setImmediate(resolve))
    stop.abort()
    expect((await running).error).toBe(null)
  })
})

test('the rate limit holds: 1,200 products a minute are one every 50 ms', async () => {
  const startedMs = performance.now()
  let lastRequestMs = 0
  await using site = await api(
    Object.fromEntries(
      [1, 2, 3].map(number => [
        `/api/v2/product/1000000${number}`,
        ((_request, response) => {
          lastRequestMs = performance.now()
          response.end(JSON.stringify({ status: 1, product: { code: `1000000${number}`, brands: 'A' } }))
        }) as Answer,
      ]),
    ),
  )
  await taken(
    apiSource({
      ...{ address: site.origin, query: byCodes(['10000001', '10000002', '10000003']), userAgent },
      ...{ productsPerMinute: 1_200, searchesPerMinute: 1 },
    }),
  )
  // Measured from the start of the run: a busy machine may see the first request late, but never the last one early.
  expect([site.queries.length, lastRequestMs - startedMs >= 98]).toEqual([3, true])
})

const catalogueFile = join(import.meta.dirname, '../../../../../shared/off/products.jsonl')

test.skipIf(!existsSync(catalogueFile))(
  `the requested fields are all that a record needs (needs ${catalogueFile})`,
  async () => {
    const products = (await readFile(catalogueFile, 'utf8'))
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    await using site = await api({
      '/api/v2/search': (request, response) => {
        const { searchParams } = new URL(request.url ?? '', 'http://x')
        const page = Number(searchParams.get('page'))
        const wanted = new Set(searchParams.get('fields')?.split(','))
        const requested = products
          .slice((page - 1) * 100, page * 100)
          .map(product => Object.fromEntries(Object.entries(product).filter(([name]) => wanted.has(name))))
        response.end(JSON.stringify({ products: requested }))
      },
    })
    const { products: records } = await run(site.origin, { kind: 'search', parameters: {} })
    const whole = products.map(product =>
      productOf(product, { source: 'api', observedAt: records[0]?.observed_at ?? '', site: site.origin }),
    )
    const asOne = (observed_at: string) =>
      records.map(product => ({ kind: 'product', product: { ...product, observed_at } }))
    expect(asOne(records[0]?.observed_at ?? '')).toEqual(whole)
  },
)
