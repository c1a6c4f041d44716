import { describe, expect, test } from 'vitest'
import { codeInAddress, ListPage, type PageContent, ProductPage } from './pages.ts'

const address = 'https://fr.openfoodfacts.org/produit/3017620422003/x'

/** A page on which each place holds elements with these texts, or these properties. */
const content = (
  found: Readonly<Record<string, readonly (string | Partial<Found>)[]>>,
  rest: Partial<PageContent> = {},
): PageContent => ({
  address,
  products: null,
  found: Object.fromEntries(
    Object.entries(found).map(([place, elements]) => [
      place,
      elements.map(each => ({
        ...{ text: '', children: [], attributes: {} },
        ...(typeof each === 'string' ? { text: each } : each),
      })),
    ]),
  ),
  ...rest,
})
type Found = NonNullable<PageContent['found']['title']>[number]

const withClass = (name: string): Partial<Found> => ({ attributes: { class: name } })

describe('a product page', () => {
  test('ingredients, allergens and traces are split by their labels', () => {
    const page = new ProductPage(
      content({
        ingredientTexts: [
          { text: '\n Traces éventuelles : Soja', children: ['Traces éventuelles :'] },
          { text: '\n Français : Farine de blé, sel', children: ['Français :', 'blé'] },
          { text: 'Allergènes :\n   en:Apple, Œufs,  Gluten', children: ['Allergènes :'] },
        ],
        additives: ['\n E330 - Acide citrique\n', 'E500 - Carbonates de sodium'],
      }),
    )
    expect([page.ingredients(), page.allergens(), page.additives(), page.additivesCount()]).toEqual([
      'Farine de blé, sel',
      'en:Apple, Œufs, Gluten',
      'E330 - Acide citrique, E500 - Carbonates de sodium',
      2,
    ])
  })

  test('bold text at the start of the ingredients is not a label', () => {
    const page = new ProductPage(
      content({ ingredientTexts: [{ text: 'blé, sel: marin', children: ['blé'] }] }),
    )
    expect([page.ingredients(), page.allergens(), page.additives(), page.additivesCount()]).toEqual([
      'blé, sel: marin',
      null,
      null,
      0,
    ])
  })

  test('grades are read from classes, the NOVA group from its image', () => {
    const page = new ProductPage(
      content({
        nutriScore: [withClass('panel_title grade_e')],
        environmentalScore: [withClass('panel_title grade_a_plus')],
        nova: [{ attributes: { src: '//static.openfoodfacts.org/images/attributes/dist/nova-group-4.svg' } }],
      }),
    )
    const none = new ProductPage(
      content({
        nutriScore: [withClass('panel_title grade_not_applicable')],
        environmentalScore: [withClass('panel_title grade_unknown')],
        nova: [{ attributes: { src: '/nova-group-unknown.svg' } }],
      }),
    )
    expect([page, none].map(each => [each.nutriScore(), each.environmentalScore(), each.nova()])).toEqual([
      ['e', 'a-plus', 4],
      [null, null, null],
    ])
  })

  test('lists are the names of their links, otherwise the text split at commas', () => {
    const page = new ProductPage(
      content({
        title: ['Tea - Tetley - 100\u00a0g'],
        quantity: ['100 g'],
        brands: ['Tetley, Other'],
        labels: ['Bio <img>, Label'],
        labelNames: [' Bio ', 'Label'],
      }),
    )
    expect([page.name(), page.brands(), page.labels(), page.countries()]).toEqual([
      'Tea',
      'Tetley, Other',
      'Bio, Label',
      null,
    ])
  })

  test('relative addresses are resolved', () => {
    const page = new ProductPage(
      content({
        canonical: [{ attributes: { href: '//fr.openfoodfacts.org/produit/3017620422003/nutella' } }],
        image: [{ attributes: { src: '/images/products/301/front.400.jpg' } }],
      }),
    )
    expect([page.address(), page.image(), new ProductPage(content({})).address()]).toEqual([
      'https://fr.openfoodfacts.org/produit/3017620422003/nutella',
      'https://fr.openfoodfacts.org/images/products/301/front.400.jpg',
      address,
    ])
  })

  test('a page without a barcode gives no record', () => {
    const pages = [{}, { barcode: ['no digits'] }, { barcode: ['1'.repeat(25)] }]
    expect(pages.map(found => new ProductPage(content(found)).product(new Date(0)))).toEqual([
      null,
      null,
      null,
    ])
  })
})

describe('a list page', () => {
  const fifty = Array.from({ length: 50 }, (_, index) => ({
    code: `${40_000_000 + index}`,
    url: `/product/${index}`,
  }))

  test('each product is named once, with a resolved address', () => {
    const page = new ListPage(
      content(
        {},
        {
          products: [
            { code: '3017620422003', url: '//world.openfoodfacts.org/product/3017620422003/nutella' },
            { code: '03017620422003', url: '/product/3017620422003/again' },
            { code: 'undefined', url: '/product/none' },
            { code: '12345678', url: 'http://' },
          ],
        },
      ),
    )
    expect(page.products()).toEqual([
      { code: '3017620422003', address: 'https://world.openfoodfacts.org/product/3017620422003/nutella' },
    ])
  })

  test('without `var products` it is read from its links', () => {
    const links = [
      '/produit/3017620422003/nutella',
      '/facets/marques/ferrero',
      'https://x.org/product/12345678',
    ]
    const page = new ListPage(content({ listedProducts: links.map(href => ({ attributes: { href } })) }))
    expect(page.products()).toEqual([
      { code: '3017620422003', address: 'https://fr.openfoodfacts.org/produit/3017620422003/nutella' },
      { code: '12345678', address: 'https://x.org/product/12345678' },
    ])
  })

  test('the link to the next page is used, whatever its address', () => {
    const nextPage = [{ attributes: { href: '/category/teas/7' } }]
    expect(new ListPage(content({ pagination: [''], nextPage })).next()).toBe(
      'https://fr.openfoodfacts.org/category/teas/7',
    )
  })

  test('with links to pages, the last page has no next one', () => {
    expect(new ListPage(content({ pagination: [''] }, { products: fifty })).next()).toBe(null)
  })

  test.each([
    ['https://x.org/', 'https://x.org/2'],
    ['https://x.org/2', 'https://x.org/3'],
    ['https://x.org/facets/brands/acme', 'https://x.org/facets/brands/acme/2'],
    ['https://x.org/facets/brands/acme/9', 'https://x.org/facets/brands/acme/10'],
    ['https://x.org/cgi/search.pl?search_terms=a', 'https://x.org/cgi/search.pl?search_terms=a&page=2'],
    ['https://x.org/?page=4', 'https://x.org/?page=5'],
    ['https://x.org/?page_size=100', null],
  ])('without links, the page after the full page %s is %s', (at, next) => {
    expect(new ListPage(content({}, { address: at, products: fifty })).next()).toBe(next)
  })

  test('without links, a page that is not full is the last', () => {
    expect(new ListPage(content({}, { products: fifty.slice(1) })).next()).toBe(null)
  })
})

test.each([
  ['https://fr.openfoodfacts.org/produit/3017620422003/nutella', '3017620422003'],
  ['//world.openfoodfacts.org/product/3017620422003', '3017620422003'],
  ['/product/00007658/x?rev=3#top', '00007658'],
  ['https://fr.openfoodfacts.org/', null],
  ['https://fr.openfoodfacts.org/12345678', null],
  ['https://fr.openfoodfacts.org/facets/brands/12345678', null],
  ['https://fr.openfoodfacts.org/product/', null],
])('the barcode in %s is %s', (written, code) => {
  expect(codeInAddress(written)).toBe(code)
})
