import { expect, test } from 'vitest'
import { classify, classifyRedirect } from './classify.ts'
import type { PageContent } from './pages.ts'

/** A page with one element with this text at each place. */
const page = (texts: Partial<Record<keyof PageContent['found'], string>>): PageContent => ({
  address: 'https://fr.openfoodfacts.org/produit/3017620422003/x',
  products: null,
  found: Object.fromEntries(
    Object.entries(texts).map(([place, text]) => [place, [{ text, children: [], attributes: {} }]]),
  ),
})
const product = { barcode: '3017620422003', title: 'Nutella' }

test.each<readonly [what: string, status: number, content: PageContent, kind: object]>([
  ['a product', 200, page(product), { kind: 'product' }],
  [
    'a product that is no longer sold',
    200,
    page({ ...product, obsolete: 'Produit retiré de la vente' }),
    { kind: 'obsolete', code: '3017620422003' },
  ],
  [
    'a product with letters that could not be decoded',
    200,
    page({ ...product, quantity: '1 bo\ufffdte' }),
    { kind: 'failed', reason: 'its text is not in the declared encoding' },
  ],
  ['a list', 200, page({ list: '' }), { kind: 'list' }],
  [
    'the site’s own page for an unknown barcode',
    404,
    page({ heading: 'Erreur', errorText: 'Aucun produit listé pour le code-barres 03017620422003.' }),
    { kind: 'not found', code: '3017620422003' },
  ],
  [
    'the error page for any other address',
    404,
    page({ heading: 'Erreur', errorText: 'Adresse invalide.' }),
    { kind: 'not found', code: null },
  ],
  ['a 404 of a proxy', 410, page({ heading: '410 Gone' }), { kind: 'not found', code: null }],
  [
    'a 404 that names several numbers',
    404,
    page({ errorText: 'No product 3017620422003 (request 20261124)' }),
    { kind: 'not found', code: null },
  ],
  [
    'maintenance that comes with status 404',
    404,
    page({ documentTitle: 'Maintenance', errorText: '3017620422003' }),
    { kind: 'maintenance', reason: 'it is down for maintenance', isFinal: false },
  ],
  [
    'a block',
    200,
    page({ heading: 'NOINDEX' }),
    { kind: 'blocked', reason: 'it blocks search engines', isFinal: true },
  ],
  [
    'a wall',
    200,
    page({ heading: 'Se connecter' }),
    { kind: 'login wall', reason: 'it requires a login', isFinal: true },
  ],
  ['a product with the name of a block', 200, page({ ...product, heading: 'Sign in' }), { kind: 'product' }],
  ['anything else', 200, page({ heading: 'Nos partenaires' }), { kind: 'unknown' }],
])('%s with status %i', (_what, status, content, kind) => {
  expect(classify(content, status)).toMatchObject(kind)
})

test.each([
  ['https://fr.openbeautyfacts.org/product/3017620422003/x', 'Open Beauty Facts'],
  ['https://world.openpetfoodfacts.org/product/3017620422003', 'Open Pet Food Facts'],
  ['https://openproductsfacts.net/produit/03017620422003/y', 'Open Products Facts'],
])('a redirect to %s means that the product has moved', (to, site) => {
  expect(classifyRedirect('https://fr.openfoodfacts.org/produit/3017620422003/x', to)).toEqual({
    ...{ kind: 'moved', to, site },
  })
})

test.each([
  'https://fr.openbeautyfacts.org/',
  'https://fr.openbeautyfacts.org/product/4017620422003/x',
  'https://openbeautyfacts.org.example.org/product/3017620422003/x',
  'http://169.254.169.254/product/3017620422003/x',
])('a redirect to %s does not mean that the product has moved', to => {
  expect(classifyRedirect('https://fr.openfoodfacts.org/produit/3017620422003/x', to)).toBe(null)
})
