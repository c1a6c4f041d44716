import { describe, expect, test } from 'vitest'
import { allOf, codes, executablePath, productPages, testCrawl } from './testCrawl.ts'
import { listPage, pathOf, productPage, serve } from './testSite.ts'

describe.skipIf(executablePath === null)('politeness towards a site (needs Chromium)', () => {
  const crawl = testCrawl()

  test('a page that asks crawlers to stop stops the crawl at once and is never a product', async () => {
    const stop = 'Your requests are overloading the Open Food Facts server, please stop'
    await using site = await serve(() => ({
      '/': listPage(codes(9)),
      ...productPages(codes(9)),
      [pathOf('40000003')]: { body: stop, headers: { 'content-type': 'text/plain' } },
    }))
    const { done, results } = crawl(site, '/', { concurrency: 1 })
    await expect(done).rejects.toMatchObject({
      code: 'SOURCE_BLOCKED',
      outcome: 'blocked',
      message: `The site refused \`${site.origin}${pathOf('40000003')}\`: it asks crawlers to stop`,
    })
    expect(results()).toEqual({ ...allOf(codes(2)), found: 9 })
    expect(site.requested).toEqual(['/', ...codes(3).map(pathOf)])
  })

  test('robots.txt applies to the start address and to each product', async () => {
    const robots = `User-agent: *\nDisallow: /cgi\nDisallow: ${pathOf('40000002')}`
    await using site = await serve(() => ({
      '/robots.txt': { body: robots, headers: { 'content-type': 'text/plain' } },
      '/': listPage(codes(2)),
      '/cgi/search.pl': listPage(codes(2)),
      ...productPages(codes(2)),
    }))
    await expect(crawl(site, '/cgi/search.pl').done).rejects.toMatchObject({
      code: 'SOURCE_DISALLOWED',
      outcome: 'refused',
    })
    const { done, results } = crawl(site, '/')
    await done
    expect(results()).toEqual({
      ...allOf(codes(1)),
      found: 2,
      skipped: [[pathOf('40000002'), 'robots.txt disallows it']],
    })
    expect(site.requested).toEqual(['/', pathOf('40000001')])
  })

  test('no other host receives a request, whatever a page or a redirect contains', async () => {
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
    const { done, results } = crawl(site, '/')
    await done
    expect(results()).toEqual({
      ...allOf(codes(1)),
      found: 3,
      skipped: [
        [pathOf('40000003'), `it redirects to another site: \`${elsewhere}${pathOf('40000003')}\``],
        [`${elsewhere}${pathOf('40000002')}`, 'it is on another site'],
      ],
    })
    expect([other.requested, [...other.userAgents]]).toEqual([[], []])
  })

  test('a site that refuses connections is unreachable', async () => {
    const closed = await serve(() => ({}))
    await closed[Symbol.asyncDispose]()
    await expect(crawl(closed, '/').done).rejects.toMatchObject({
      code: 'SITE_UNREACHABLE',
      outcome: 'unreachable',
      message: `No response from \`${closed.origin.replace('http://', '')}\`: net::ERR_CONNECTION_REFUSED`,
    })
  })

  test.each([429, 503])('repeated refusals, here status %i without a body, stop the crawl', async status => {
    await using site = await serve(() => ({ '/': listPage(codes(2)), [pathOf('40000001')]: { status } }))
    const { done, results, pauses } = crawl(site, '/', { concurrency: 2 })
    await expect(done).rejects.toMatchObject({
      code: 'SOURCE_BLOCKED',
      message: `The site refused \`${site.origin}${pathOf('40000001')}\`: it responded with status ${status}`,
    })
    expect(results()).toEqual({
      ...allOf([]),
      found: 2,
      skipped: [[pathOf('40000002'), 'the page does not exist on the site']],
    })
    expect([site.requested.filter(path => path === pathOf('40000001')).length, pauses().length]).toEqual([
      4, 3,
    ])
  })

  test('`Retry-After` pauses the whole crawl; afterwards every product is fetched', async () => {
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
    const { done, results, pauses } = crawl(site, '/')
    await done
    expect(results()).toEqual(allOf(all))
    expect(pauses()).toEqual([
      { kind: 'paused', ms: 1_000, reason: 'it responded with status 429', requested: true },
    ])
    // No request was sent in the second after the 429.
    const longest = Math.max(...moments.slice(1).map((moment, index) => moment - Number(moments[index])))
    expect(longest).toBeGreaterThan(900)
  })

  test('a site whose pages all fail stops the crawl', async () => {
    const { [pathOf('40000001')]: first, ...others } = productPages(codes(30))
    const failing = Object.fromEntries(
      Object.keys(others).map(path => [path, { status: 500, body: '<h1>oops</h1>' }]),
    )
    await using site = await serve(() => ({
      '/': listPage(codes(30)),
      [pathOf('40000001')]: first ?? '',
      ...failing,
    }))
    const { done, results, pauses } = crawl(site, '/')
    await expect(done).rejects.toMatchObject({
      code: 'SITE_UNREACHABLE',
      outcome: 'unreachable',
      message: `Could not load a page from \`${site.origin.replace('http://', '')}\`: it responded with status 500`,
    })
    expect([results().delivered, pauses().length]).toEqual([allOf(codes(1)).delivered, 3])
    expect(site.requested.length).toBeLessThan(15)
  })

  test('an endless robots.txt stops the crawl', async () => {
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
    await expect(crawl(site, '/').done).rejects.toMatchObject({
      ...{ code: 'RESPONSE_TOO_LARGE', outcome: 'refused' },
      message: expect.stringContaining(`${site.origin}/robots.txt`),
    })
    expect(sent).toBeLessThan(500)
  })

  test('no page is requested if robots.txt cannot be read', async () => {
    await using site = await serve(() => ({ '/robots.txt': { status: 503 }, '/': listPage(codes(2)) }))
    const { done, results, pauses } = crawl(site, '/')
    await expect(done).rejects.toMatchObject({
      code: 'SOURCE_BLOCKED',
      message: `The site refused \`${site.origin}/robots.txt\`: it responded with status 503`,
    })
    expect([site.requested, results(), pauses().length]).toEqual([[], allOf([]), 3])
  })
})
