import { expect, test } from 'vitest'
import { displayName, productPath, viewOf } from './view.ts'

test.each([
  ['fr.openfoodfacts.localhost:8080', 'fr', 'en:france'],
  ['world.openfoodfacts.localhost', 'en', null],
  ['world-fr.openfoodfacts.localhost', 'fr', null],
  ['fr-en.openfoodfacts.localhost', 'en', 'en:france'],
  ['world-de.openfoodfacts.localhost', 'de', null],
  ['world-xx.openfoodfacts.localhost', 'en', null],
  ['127.0.0.1:8080', 'fr', null],
  ['localhost', 'fr', null],
  ['fr', 'fr', null],
])('%s is in %s and shows the products that are sold in %s', (host, language, country) => {
  expect(viewOf(host, 'fr')).toEqual({ host, language, country })
})

test.each([
  [{ product_name: 'Thé', brands: 'Orvelune,Autre', quantity: '100 g' }, 'Thé - Orvelune - 100\u00a0g'],
  [{ product_name: 'Thé Orvelune 100 g', brands: 'Orvelune', quantity: '100 g' }, 'Thé Orvelune 100 g'],
  [{ product_name: null, generic_name: 'Infusion', brands: null }, 'Infusion'],
  [{ product_name: '', brands: 'Orvelune' }, 'Orvelune'],
  [{ quantity: '33cl' }, '33cl'],
  [{}, ''],
])('%j is shown as `%s`', (product, name) => {
  expect(displayName({ code: '20000011', ...product })).toBe(name)
})

test('the path of a product has its name and brand', () => {
  const product = {
    code: '20000011',
    obsolete: false,
    product_name: 'Crème brûlée & œufs',
    brands: 'Orvelune',
  }
  const at = (host: string) => productPath(product, viewOf(host, 'fr'))
  expect([at('localhost'), at('world.x.localhost')]).toEqual([
    '/produit/20000011/creme-brulee-oeufs-orvelune',
    '/product/20000011/creme-brulee-oeufs-orvelune',
  ])
  expect(productPath({ code: '20000011' }, viewOf('localhost', 'fr'))).toBe('/produit/20000011')
})
