import { type CatalogueProduct, startSite } from '@offstream/site'
import { describe, expect, test } from 'vitest'
import type { Product } from '../../product/product.ts'
import { executablePath, testCrawl } from './testCrawl.ts'
import { listPage, pathOf, productPage, serve } from './testSite.ts'

const asSold = {
  'energy-kcal_100g': 502,
  fat_100g: 24.75,
  'saturated-fat_100g': 11.3,
  carbohydrates_100g: 61.1,
  sugars_100g: 33.3,
  fiber_100g: 4.2,
  proteins_100g: 6.05,
  salt_100g: 0.107,
}
const nothing = {
  energy_kcal_100g: null,
  fat_100g: null,
  saturated_fat_100g: null,
  carbohydrates_100g: null,
  sugars_100g: null,
  fiber_100g: null,
  proteins_100g: null,
  salt_100g: null,
}

const biscuits: readonly CatalogueProduct[] = [
  { code: '4000000000019', product_name: 'A', brands: 'B', nutriments: asSold },
  {
    code: '4000000000026',
    product_name: 'C',
    brands: 'B',
    serving_size: '100 g',
    nutriments: { ...asSold, fat_serving: 99, fat_prepared_100g: 77, 'energy-kcal_prepared_100g': 12 },
  },
  { code: '4000000000033', product_name: 'D', nutriments: { fat_prepared_100g: 77, salt_prepared_100g: 1 } },
]

describe.skipIf(executablePath === null)('pages in the languages of the site (need Chromium)', () => {
  const crawl = testCrawl()

  test.each(['ar', 'de', 'en', 'es', 'fr', 'it', 'ja', 'nl', 'pl', 'ru'] as const)(
    'in %s the values for 100 g as sold are read; those for a serving and the prepared product are not',
    async lang => {
      await using site = await startSite({ catalogue: { products: biscuits }, lang })
      const products: Product[] = []
      const deliver = async (product: Product) => products.push(product)
      const { done, layout } = crawl({ origin: site.address }, '/', {}, { deliver })
      await done
      const read = products
        .toSorted((one, other) => one.code.localeCompare(other.code))
        .map(product => [
          product.lang,
          Object.fromEntries(Object.keys(nothing).map(name => [name, product[name as keyof Product]])),
        ])
      const known = {
        energy_kcal_100g: 502,
        fat_100g: 24.75,
        saturated_fat_100g: 11.3,
        carbohydrates_100g: 61.1,
        sugars_100g: 33.3,
        fiber_100g: 4.2,
        proteins_100g: 6.05,
        salt_100g: 0.107,
      }
      expect({ read, layout: layout() }).toEqual({
        read: [
          [lang, known],
          [lang, known],
          [lang, nothing],
        ],
        layout: [],
      })
    },
  )

  test('a page without a known label in its nutrition table is reported with its labels, and skipped', async () => {
    const [code, other] = ['40000001', '40000002']
    const row = (label: string) => `<tr><td>${label}</td><td>3 g</td></tr>`
    const table = `<div id="panel_nutrition_facts_table_content"><table><thead><tr><th></th><th>for 100 g / 100 ml</th></tr></thead>
      <tbody>${row('Rasvaa')}${row('Suolaa')}</tbody></table></div>`
    await using site = await serve(() => ({
      '/list': listPage([code, other]),
      [pathOf(code)]: productPage(code, 'Keksi') + table,
      [pathOf(other)]: productPage(other, 'Korppu'),
    }))
    const { done, results, layout } = crawl(site, '/list')
    await done
    expect([results().fetched, results().skipped, layout()]).toEqual([
      [other],
      [[pathOf(code), expect.stringContaining('no label of its nutrition table is known')]],
      [
        {
          ...{ kind: 'layout', field: 'nutriments', address: site.origin + pathOf(code) },
          selector: '#panel_nutrition_facts_table_content tbody tr',
          labels: ['Rasvaa', 'Suolaa'],
        },
      ],
    ])
  })
})
