import { generateCatalogue, startSite } from '@offstream/site'
import { describe, expect, test } from 'vitest'
import { codes, executablePath, removing, resumable, testCrawl } from './testCrawl.ts'
import { type Answer, listPage, pathOf, productPage, serve } from './testSite.ts'

describe.skipIf(executablePath === null)('products that no longer exist (needs Chromium)', () => {
  const crawl = testCrawl()

  const [sold = '', unknown = '', obsolete = '', moved = '', plain = ''] = codes(5)
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
    // As from a proxy: it does not name the product.
    [pathOf(plain)]: { status: 404, body: '<h1>404 Not Found</h1>' },
  })
  const crawlRemoving = removing(crawl)

  test('a product is deleted if its own page says that it does not exist', async () => {
    await using site = await serve(answers)
    const { done, results, removed } = crawlRemoving(site, '/', { ...resumable(), limit: 3 })
    await done
    // The unknown product is deleted only after a later page shows a product.
    expect(removed).toEqual(
      [obsolete, unknown].map(code => ({ code, as_of: expect.stringMatching(/Z$/), source: 'web' })),
    )
    expect(results()).toEqual({
      ...{
        delivered: [[sold, `Product ${sold}`]],
        found: 3,
        fetched: [sold, unknown, obsolete],
        skipped: [],
      },
    })
  })

  test('a product that has moved to another site, or that the page does not name, is not deleted', async () => {
    await using site = await serve(answers)
    const { done, results } = crawlRemoving(site, '/')
    await done
    expect(results().skipped).toEqual([
      [pathOf(moved), `it has moved to Open Beauty Facts: \`${elsewhere}\``],
      [pathOf(plain), 'the page does not exist on the site'],
    ])
  })

  test('a resumed crawl does not request a deleted product again', async () => {
    await using site = await serve(answers)
    const abort = new AbortController()
    const remove = async () => {
      abort.abort()
      return { topic: 'test', partition: 0, offset: 1 }
    }
    await crawl(site, '/', resumable(), { remove, signal: abort.signal }).done
    const { done, removed, resumed } = crawlRemoving(site, '/', resumable())
    await done
    expect([removed.map(({ code }) => code), resumed()]).toEqual([[unknown], [[2, 5]]])
    expect(site.requested.filter(path => path === pathOf(obsolete)).length).toBe(1)
  })

  test.each([
    [9, 'PRODUCTS_LOST', 0],
    [8, null, 9],
  ])(
    'nothing is deleted if the site reports ten products in a row as unknown: here %i after the first',
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
      const { done, results, removed } = crawlRemoving(site, '/', { concurrency: 1 })
      const failure = await done.then(
        () => null,
        error => error.code,
      )
      expect([failure, removed.length]).toEqual([code, removals])
      expect(results().delivered).toEqual([[first, `Product ${first}`]])
    },
  )

  test('a run that takes no deletes skips the product, and another one replaces it in the limit', async () => {
    await using site = await serve(answers)
    const { done, results } = crawl(site, '/', { limit: 2, concurrency: 1 })
    await done
    const gone = [unknown, obsolete].map(code => [pathOf(code), 'the product no longer exists'])
    expect(results()).toMatchObject({ delivered: [[sold, `Product ${sold}`]], found: 5 })
    expect(results().skipped).toEqual(expect.arrayContaining(gone))
    const alone = crawl(site, pathOf(obsolete))
    await alone.done
    expect(alone.results().skipped).toEqual([[pathOf(obsolete), 'the product no longer exists']])
  })

  test('a product is deleted also if only its own address was requested, on pages of the stand-in too', async () => {
    const catalogue = generateCatalogue({ count: 3 })
    const [gone, old, left] = catalogue.products
    if (gone === undefined || old === undefined || left === undefined) throw new Error('too few products')
    await using site = await startSite({ catalogue })
    site.remove(gone.code)
    site.update({ ...old, obsolete: 'on' })
    for (const { code } of [gone, old]) {
      const { done, removed } = crawlRemoving({ origin: site.address }, `/produit/${code}`)
      await done
      expect(removed.map(removal => removal.code)).toEqual([code])
    }
    site.update({ ...left, product_type: 'beauty' })
    await expect(crawlRemoving({ origin: site.address }, `/produit/${left.code}`).done).rejects.toMatchObject(
      { code: 'REDIRECTED_ELSEWHERE', outcome: 'refused' },
    )
  })
})
