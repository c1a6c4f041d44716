import { generateCatalogue, startSite } from '@offstream/site'
import { describe, expect, test } from 'vitest'
import { listAddress } from './lists.ts'
import { allOf, codes, executablePath, productPages, testCrawl } from './testCrawl.ts'
import { listPage, nextLink, pathOf, productPage, serve } from './testSite.ts'

describe.skipIf(executablePath === null)('what a crawl requests (needs Chromium)', () => {
  const crawl = testCrawl()

  test('it reads list after list and requests each product once, with its own user agent', async () => {
    const [first, second] = [codes(60), codes(60, 51)]
    await using site = await serve(() => ({
      '/': listPage(first, nextLink('/2')),
      '/2': listPage([...second, 'no barcode'], '<ul id="pages"></ul>'),
      ...productPages(codes(110)),
    }))
    const { done, results } = crawl(site, '/')
    await done
    expect(results()).toEqual(allOf(codes(110)))
    expect(site.requested.toSorted()).toEqual(['/', '/2', ...codes(110).map(pathOf)].toSorted())
    expect([...site.userAgents]).toEqual(['offstream-test/1 (+test@example.org)'])
  })

  test('a list without a link to its next page continues by page number until it repeats itself', async () => {
    const drawn = codes(50, 51).map(code => `<a class="list_product_a" href="${pathOf(code)}">x</a>`)
    await using site = await serve(() => ({
      '/brand/acme': listPage(codes(50)),
      // Rendered by a script, after a delay.
      '/brand/acme/2': `<ul class="products"></ul><script src="/draw.js"></script>`,
      '/draw.js': `setTimeout(() => { document.querySelector('ul.products').innerHTML = ${JSON.stringify(drawn.join(''))} }, 20)`,
      '/brand/acme/3': listPage(codes(50)),
      ...productPages(codes(100)),
    }))
    const { done, results } = crawl(site, '/brand/acme')
    await done
    expect(results()).toEqual(allOf(codes(100)))
  })

  test('no more pages of a list are read than requested', async () => {
    await using site = await serve(() => ({
      '/': listPage(codes(3), nextLink('/2')),
      '/2': listPage(codes(3, 4), nextLink('/3')),
      '/3': listPage(codes(3, 7)),
      ...productPages(codes(9)),
    }))
    const { done, results } = crawl(site, '/', { pages: 2 })
    await done
    expect(results()).toEqual(allOf(codes(6)))
    expect(site.requested).not.toContain('/3')
  })

  test('the limit counts delivered products: another one replaces a product that does not exist', async () => {
    const { [pathOf('40000002')]: _gone, ...pages } = productPages(codes(10))
    await using site = await serve(() => ({ '/': listPage(codes(10), nextLink('/2')), ...pages }))
    const { done, results } = crawl(site, '/', { limit: 4, concurrency: 1 })
    await done
    const expected = ['40000001', '40000003', '40000004', '40000005']
    expect(results()).toEqual({
      ...allOf(expected),
      found: 5,
      skipped: [[pathOf('40000002'), 'the page does not exist on the site']],
    })
    expect(site.requested).toEqual(['/', ...codes(5).map(pathOf)])
  })

  test('the address of a product page delivers that product', async () => {
    await using site = await serve(() => productPages(codes(1)))
    const { done, results } = crawl(site, pathOf('40000001'))
    await done
    expect(results()).toEqual(allOf(codes(1)))
  })

  test('a product is requested again if the site fails, and skipped if it still fails', async () => {
    let failures = 0
    await using site = await serve(() => ({
      '/': listPage(codes(3)),
      ...productPages(codes(3)),
      [pathOf('40000002')]: (_request, response) => {
        failures += 1
        if (failures === 1) response.writeHead(500).end('<h1>oops</h1>')
        else response.end(productPage('40000002', 'Product 40000002'))
      },
      [pathOf('40000003')]: '<h1>Another layout</h1>',
    }))
    const { done, results } = crawl(site, '/')
    await done
    expect(results()).toEqual({
      ...allOf(codes(2)),
      found: 3,
      skipped: [[pathOf('40000003'), 'the page is neither a product nor a list of products']],
    })
  })

  test('a search is read under an address that robots.txt allows', async () => {
    const catalogue = generateCatalogue({ count: 130 })
    await using site = await startSite({ catalogue })
    // Every barcode of the catalogue starts with this digit.
    const { pathname, search } = new URL(listAddress(site.address, { search: '2' }))
    const { done, results } = crawl({ origin: site.address }, pathname + search, { limit: 60 })
    await done
    expect(results().delivered.length).toBe(60)
  })

  test('an address that is neither a list nor a product is reported as NOT_A_SOURCE', async () => {
    await using site = await serve(() => ({}))
    await expect(crawl(site, '/nowhere').done).rejects.toMatchObject({
      code: 'NOT_A_SOURCE',
      outcome: 'usage',
      message: `No products were found at \`${site.origin}/nowhere\`: the page does not exist on the site`,
    })
  })
})
