import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Product } from '../../product/product.ts'
import { Host } from '../guest/host.ts'
import { SharedBrowser } from './browser.ts'
import { classify, readAnswer, type SitePage } from './classify.ts'
import { type Answer, chromiums, serve, type TestSite } from './testSite.ts'

const realPages = join(import.meta.dirname, '../../../../../../shared/off/pages')
const seenAt = new Date('2026-11-24T10:00:00.000Z')

const plain = { 'content-type': 'text/plain; charset=utf-8' }
const page = (file: string, answer: Exclude<Answer, string | (() => void)> = {}): Answer => ({
  ...answer,
  body: readFileSync(join(realPages, file), 'utf8'),
})

/** Real pages of Open Food Facts, under addresses like the real ones. */
const answers = (): Readonly<Record<string, Answer>> => ({
  '/produit/3300000000001/apple-pie-bob-s-pies': page('fr-product-3300000000001.html'),
  '/product/0200000000235/only-product-nutella': page('world-product-0200000000235.html'),
  '/product/1000000000001': page('world-product-not-found.html', { status: 404 }),
  '/facets/categories/hazelnut-spreads': page('world-category-hazelnut-spreads.html'),
  '/cgi/search.pl?search_terms=tarte': page('fr-search-results.html'),
  '/502-planned': page('502-planned.html', { status: 502 }),
  '/200-planned': page('502-planned.html'),
  '/200-unplanned': page('502-unplanned.html'),
  '/noindex': page('crawler-noindex.html'),
  '/stop': page('stop-crawling.txt', { headers: plain }),
  '/stop-as-html': page('stop-crawling.txt'),
})

describe.each(await chromiums())('real pages of Open Food Facts, %s', (_, executablePath) => {
  describe.skipIf(executablePath === null || !existsSync(realPages))(
    `(need that browser and ${realPages})`,
    () => {
      let site: TestSite
      let browser: SharedBrowser

      beforeAll(async () => {
        site = await serve(answers)
        browser = new SharedBrowser({
          executablePath: executablePath ?? '',
          userAgent: 'offstream-test',
          host: new Host(site.origin),
        })
      })
      afterAll(async () => {
        await browser.close()
        await site[Symbol.asyncDispose]()
      })

      const visit = async (path: string): Promise<SitePage> => {
        const { content, status } = await browser.visit({
          address: site.origin + path,
          loadScripts: true,
          read: readAnswer,
          signal: new AbortController().signal,
        })
        return classify(content, status)
      }
      const productAt = async (path: string): Promise<Product | null> => {
        const found = await visit(path)
        return found.kind === 'product' ? found.product.product(seenAt) : null
      }

      test('a French product page gives its record', async () => {
        expect(await productAt('/produit/3300000000001/apple-pie-bob-s-pies')).toEqual({
          code: '3300000000001',
          product_name: 'Apple pie',
          generic_name: 'default_name',
          quantity: '100 g',
          brands: "Bob's pies",
          categories: 'Desserts, Tartes, Tartes sucrées, Tartes aux pommes',
          labels: 'Commerce équitable',
          countries: 'Inde, Japon, États-Unis',
          ingredients_text: null,
          allergens: null,
          additives: null,
          additives_n: null,
          nutriscore_grade: 'd',
          nova_group: null,
          environmental_score_grade: null,
          energy_kcal_100g: null,
          fat_100g: null,
          saturated_fat_100g: null,
          carbohydrates_100g: null,
          sugars_100g: null,
          fiber_100g: null,
          proteins_100g: null,
          salt_100g: null,
          image_url: null,
          url: `${site.origin}/produit/3300000000001/apple-pie-bob-s-pies`,
          lang: 'fr',
          last_modified_t: null,
          rev: null,
          as_of: '2026-11-24T10:00:00.000Z',
          observed_at: '2026-11-24T10:00:00.000Z',
          source: 'web',
          quality_flags: null,
        })
      })

      test('an English product page gives its record', async () => {
        expect(await productAt('/product/0200000000235/only-product-nutella')).toEqual({
          code: '0200000000235',
          product_name: 'Only-Product',
          generic_name: 'default_name',
          quantity: '100 g',
          brands: 'Nutella',
          categories: 'Snacks, Breakfasts, Spreads, fr:Pâtes à tartiner, Hazelnut spreads',
          labels: null,
          countries: null,
          ingredients_text: 'water, test_ingredient',
          allergens: null,
          additives: null,
          additives_n: 0,
          nutriscore_grade: null,
          nova_group: 3,
          environmental_score_grade: null,
          energy_kcal_100g: null,
          fat_100g: null,
          saturated_fat_100g: null,
          carbohydrates_100g: null,
          sugars_100g: null,
          fiber_100g: null,
          proteins_100g: null,
          salt_100g: null,
          image_url: null,
          url: 'http://world.openfoodfacts.localhost/product/0200000000235/only-product-nutella',
          lang: 'en',
          last_modified_t: null,
          rev: null,
          as_of: '2026-11-24T10:00:00.000Z',
          observed_at: '2026-11-24T10:00:00.000Z',
          source: 'web',
          quality_flags: null,
        })
      })

      test('a category and an empty search are lists', async () => {
        const lists = [
          await visit('/facets/categories/hazelnut-spreads'),
          await visit('/cgi/search.pl?search_terms=tarte'),
        ]
        expect(
          lists.map(found =>
            found.kind === 'list' ? { products: found.list.products(), next: found.list.next() } : found.kind,
          ),
        ).toEqual([
          {
            products: [
              {
                code: '0200000000235',
                address: 'http://world.openfoodfacts.localhost/product/0200000000235/only-product-nutella',
              },
            ],
            next: null,
          },
          { products: [], next: null },
        ])
      })

      test.each([
        ['/product/1000000000001', { kind: 'not found', code: '1000000000001' }],
        ['/502-planned', { kind: 'blocked', reason: 'it responded with status 502', isFinal: false }],
        ['/200-planned', { kind: 'maintenance', reason: 'it is down for maintenance', isFinal: false }],
        ['/200-unplanned', { kind: 'maintenance', reason: 'it is down for maintenance', isFinal: false }],
        ['/noindex', { kind: 'blocked', reason: 'it blocks search engines', isFinal: true }],
        ['/stop', { kind: 'blocked', reason: 'it asks crawlers to stop', isFinal: true }],
        ['/stop-as-html', { kind: 'blocked', reason: 'it asks crawlers to stop', isFinal: true }],
      ])('%s is %j', async (path, kind) => {
        expect(await visit(path)).toEqual(kind)
      })
    },
  )
})
