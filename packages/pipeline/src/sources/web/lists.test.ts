import { generateCatalogue, startSite } from '@offstream/site'
import { expect, test } from 'vitest'
import { isLoopback } from '../guest/host.ts'
import { isPlaceOfProducts, type ListChoice, listAddress } from './lists.ts'

test.each<readonly [site: string, choice: ListChoice, address: string]>([
  ['https://fr.openfoodfacts.org/produit/1', {}, 'https://fr.openfoodfacts.org/produit/1'],
  ['https://fr.openfoodfacts.org', { lang: 'world' }, 'https://world.openfoodfacts.org/'],
  ['https://openfoodfacts.org', { lang: 'be-nl' }, 'https://be-nl.openfoodfacts.org/'],
  ['http://127.0.0.1:8090', { lang: 'world' }, 'http://world.localhost:8090/'],
  ['http://fr.localhost:8090/', { lang: 'world-fr' }, 'http://world-fr.localhost:8090/'],
  [
    'https://fr.openfoodfacts.org',
    { list: { facet: 'category', name: 'Pâtes à tartiner' } },
    'https://fr.openfoodfacts.org/facets/categories/pates-a-tartiner',
  ],
  [
    'https://fr.openfoodfacts.org',
    { list: { facet: 'category', name: 'en:spreads' } },
    'https://fr.openfoodfacts.org/facets/categories/en:spreads',
  ],
  [
    'https://fr.openfoodfacts.org',
    { list: { facet: 'brand', name: 'Bob’s Œuvre & Pies' } },
    'https://fr.openfoodfacts.org/facets/marques/bob-s-oeuvre-pies',
  ],
  [
    'https://fr.openfoodfacts.org',
    { lang: 'world', list: { facet: 'brand', name: 'Nutella' } },
    'https://world.openfoodfacts.org/facets/brands/nutella',
  ],
  [
    'https://world-fr.openfoodfacts.org',
    { list: { facet: 'country', name: 'us' } },
    'https://world-fr.openfoodfacts.org/facets/pays/en:united-states',
  ],
  [
    'https://world.openfoodfacts.org',
    { list: { facet: 'country', name: 'Hong Kong' } },
    'https://world.openfoodfacts.org/facets/countries/en:hong-kong',
  ],
  [
    'https://fr.openfoodfacts.org',
    { lang: 'world', search: 'crème & café' },
    'https://world.openfoodfacts.org/search?search_terms=cr%C3%A8me+%26+caf%C3%A9',
  ],
  [
    'https://world.openfoodfacts.org',
    { list: { facet: 'label', name: '有機' } },
    `https://world.openfoodfacts.org/facets/labels/${encodeURIComponent('有機')}`,
  ],
])('on %s, %j is %s', (site, choice, address) => {
  expect(listAddress(site, choice)).toBe(address)
})

test.each<readonly [site: string, choice: ListChoice]>([
  ['https://fr.openfoodfacts.org/facets/categories/snacks', { lang: 'world' }],
  ['https://fr.openfoodfacts.org/?page=2', { list: { facet: 'brand', name: 'nutella' } }],
  ['https://fr.openfoodfacts.org/?page=2', { search: 'tarte' }],
  ['https://example.org', { lang: 'fr' }],
  ['https://openfoodfacts.org.example.org', { lang: 'fr' }],
  ['https://fr.openfoodfacts.org', { list: { facet: 'label', name: '…' } }],
])('%s has no list %j', (site, choice) => {
  expect(() => listAddress(site, choice)).toThrow(
    expect.objectContaining({ code: 'ADDRESS_INVALID', outcome: 'usage' }),
  )
})

test('the stand-in has the lists, in any language', async () => {
  const catalogue = generateCatalogue({ count: 30 })
  await using site = await startSite({ catalogue })
  const [product] = catalogue.products
  const choices: ListChoice['list'][] = [
    { facet: 'category', name: product?.categories_tags?.[0] ?? '' },
    { facet: 'brand', name: product?.brands?.split(',')[0] ?? '' },
    { facet: 'country', name: 'France' },
  ]
  const answers = await Promise.all(
    choices.map(async list => (await fetch(listAddress(site.address, { list }))).text()),
  )
  for (const answer of answers) expect(answer).toContain(product?.code)
})

test.each([
  ['127.0.0.1', true],
  ['127.8.9.10', true],
  ['[::1]', true],
  ['localhost', true],
  ['fr.localhost', true],
  ['localhost.example.org', false],
  ['10.0.0.1', false],
  ['127.0.0.1.example.org', false],
])('%s is this machine: %s', (name, near) => {
  expect(isLoopback(name)).toBe(near)
})

test.each([
  ['https://fr.openfoodfacts.org', true],
  ['https://fr.openfoodfacts.org/3', true],
  ['https://fr.openfoodfacts.org/produit/3017620422003/nutella', true],
  ['https://fr.openfoodfacts.org/facets/categories/chocolats/2', true],
  ['https://fr.openfoodfacts.org/search?search_terms=tarte', true],
  ['http://127.0.0.1:8090/', true],
  ['https://fr.openfoodfacts.org/facets/categories', false],
  ['https://fr.openfoodfacts.org/decouvrir', false],
  ['https://example.org/', false],
])('whether the form of %s is that of products: %s', (address, expected) => {
  expect(isPlaceOfProducts(address)).toBe(expected)
})
