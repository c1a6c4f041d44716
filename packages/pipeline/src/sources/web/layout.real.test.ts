import { generateCatalogue, startSite } from '@offstream/site'
import { describe, expect, test } from 'vitest'
import { codes, executablePath, productPages, resumable, testCrawl } from './testCrawl.ts'
import { listPage, serve } from './testSite.ts'

describe.skipIf(executablePath === null)('a changed layout (needs Chromium)', () => {
  const crawl = testCrawl()

  const catalogue = generateCatalogue({ count: 70 })
  const options = { ...resumable(true), concurrency: 2 }

  test('a field that is filled far less often than before raises an alarm with its selector; records are delivered as they are', async () => {
    await using site = await startSite({ catalogue })
    await crawl({ origin: site.address }, '/', options).done
    site.inject([{ path: '/produit/*', fault: 'missing-fields' }])
    const { done, results, layout } = crawl({ origin: site.address }, '/', options)
    await done
    expect(results().delivered.length).toBe(70)
    expect(layout()).toEqual(
      expect.arrayContaining([
        { kind: 'layout', field: 'categories', selector: '#field_categories_value', rate: 0, typicalRate: 1 },
      ]),
    )
    expect(layout().map(({ field }) => field)).not.toEqual(expect.arrayContaining(['product_name']))
  })

  test('several pages in a row that give no record stop the crawl', async () => {
    await using site = await startSite({ catalogue })
    site.inject([{ path: '/produit/*', fault: 'other-layout' }])
    const { done, results } = crawl({ origin: site.address }, '/')
    await expect(done).rejects.toMatchObject({
      ...{ code: 'LAYOUT_CHANGED', outcome: 'blocked' },
      message: expect.stringContaining('`#barcode` and `h1[property="food:name"]`'),
    })
    expect(results().delivered).toEqual([])
    expect(site.requests.filter(({ path }) => path.startsWith('/produit/')).length).toBeLessThan(15)
  })

  test('an address that had products before and shows none now has changed its layout', async () => {
    const [old, other] = ['/liste', '/decouvrir']
    let isList = true
    await using site = await serve(() => ({
      [old]: (_request, response) =>
        void response.end(isList ? listPage(codes(1)) : '<h1>Another layout</h1>'),
      [other]: '<h1>Another layout</h1>',
      ...productPages(codes(1)),
    }))
    await crawl(site, old, options).done
    isList = false
    await expect(crawl(site, old, options).done).rejects.toMatchObject({
      ...{ code: 'LAYOUT_CHANGED', message: expect.stringContaining('`ul.products`') },
    })
    await expect(crawl(site, other, options).done).rejects.toMatchObject({ code: 'NOT_A_SOURCE' })
  })
})
