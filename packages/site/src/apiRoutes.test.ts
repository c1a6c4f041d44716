import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CatalogueProduct } from './catalogue.ts'
import { generateCatalogue } from './generate.ts'
import { officialLimits } from './limits.ts'
import { type Site, startSite } from './site.ts'
import { get } from './testClient.ts'

const invented = generateCatalogue({ count: 120 }).products
const tea: CatalogueProduct = {
  code: '2100000000005',
  product_name: 'Thé',
  brands: 'Orvelune',
  categories_tags: ['en:teas'],
  labels_tags: ['en:organic', 'en:fair-trade'],
  countries_tags: ['en:japan'],
  nutriments: { fat_100g: 0 },
}
const cream: CatalogueProduct = { code: '2100000000012', product_name: 'Crème', product_type: 'beauty' }

let site: Site
beforeAll(async () => {
  site = await startSite({ catalogue: { products: [...invented, tea, cream] } })
})
afterAll(() => site[Symbol.asyncDispose]())

const ask = async (path: string, host?: string) => {
  const { status, type, body } = await get(site, path, host === undefined ? {} : { host })
  expect(type).toBe('application/json; charset=utf-8')
  return { status, answer: JSON.parse(body) }
}

describe('a product', () => {
  test.each([
    '/api/v2/product/2100000000005',
    '/api/v0/product/2100000000005.json',
    '/api/v2.1/product/02100000000005',
  ])('of version 2 and before has a numeric status (%s)', async path => {
    expect(await ask(path)).toEqual({
      status: 200,
      answer: {
        code: tea.code,
        product: { _id: tea.code, ...tea },
        status: 1,
        status_verbose: 'product found',
      },
    })
  })

  test.each([
    ['1000000000001', 404, { code: '1000000000001', status: 0, status_verbose: 'product not found' }],
    ['0000000000000', 200, { code: '0000000000000', status: 0, status_verbose: 'no code or invalid code' }],
    [
      cream.code,
      404,
      { code: cream.code, status: 0, status_verbose: 'product found with a different product type: beauty' },
    ],
  ])('unknown to version 2: %s', async (code, status, answer) => {
    expect(await ask(`/api/v2/product/${code}`)).toEqual({ status, answer })
  })

  test('of version 3 has a status in words', async () => {
    expect(await ask('/api/v3/product/2100000000005.json?fields=code,nutriments,nothing')).toEqual({
      status: 200,
      answer: {
        code: tea.code,
        errors: [],
        product: { code: tea.code, nutriments: { fat_100g: 0 } },
        result: { id: 'product_found', lc_name: 'Product found', name: 'Product found' },
        status: 'success',
        warnings: [],
      },
    })
    expect((await ask('/api/v3.4/product/02100000000005')).answer).toMatchObject({
      code: tea.code,
      status: 'success_with_warnings',
      warnings: [
        {
          message: { id: 'different_normalized_product_code' },
          field: { id: 'code', value: '02100000000005' },
        },
      ],
    })
  })

  test.each([
    ['17', 'product_not_found', { id: 'code', value: '00000017' }],
    ['x', 'invalid_code', { id: 'code', value: 'x' }],
    [cream.code, 'product_found_with_a_different_product_type', { id: 'product_type', value: 'beauty' }],
  ])('unknown to version 3: %s', async (code, id, field) => {
    const { status, answer } = await ask(`/api/v3/product/${code}`)
    expect([status, answer]).toEqual([
      404,
      {
        code: field.id === 'code' ? field.value : code,
        errors: [
          {
            field,
            impact: { id: 'failure', lc_name: 'Failure', name: 'Failure' },
            message: { id, lc_name: '', name: '' },
          },
        ],
        result: expect.objectContaining({ id }),
        status: 'failure',
        warnings: [],
      },
    ])
  })

  test.each(['v2', 'v3'])(
    '%s redirects to the site of another product type, if the client requests all types',
    async version => {
      const path = `/api/${version}/product/${cream.code}?product_type=all`
      expect(await get(site, path)).toMatchObject({
        status: 302,
        location: `https://world.openbeautyfacts.org${path}`,
      })
    },
  )
})

describe('a search', () => {
  const codes = (answer: { products: readonly CatalogueProduct[] }) => answer.products.map(({ code }) => code)

  test('has pages', async () => {
    const first = (await ask('/api/v2/search?fields=code')).answer
    const third = (await ask('/api/v2/search?fields=code&page=3&page_size=50')).answer
    expect(first).toEqual({
      count: 121,
      page: 1,
      page_count: 50,
      page_size: 50,
      products: invented.slice(0, 50).map(({ code }) => ({ code })),
      skip: 0,
    })
    expect({ ...third, products: codes(third) }).toEqual({
      count: 121,
      page: 3,
      page_count: 21,
      page_size: 50,
      products: [...invented.slice(100), tea].map(({ code }) => code),
      skip: 100,
    })
    expect((await ask('/api/v2/search?page=9')).answer).toMatchObject({
      count: 121,
      page_count: 0,
      products: [],
    })
    expect((await ask('/api/v2/search?page_size=5000')).answer.page_size).toBe(100)
  })

  test.each([
    ['categories_tags=en:teas', [tea.code]],
    ['categories_tags_en=teas', [tea.code]],
    ['labels_tags=en:organic,en:fair-trade&countries_tags=en:japan', [tea.code]],
    ['categories_tags=en:teas|en:nothing', [tea.code]],
    ['categories_tags=en:teas&labels_tags=-en:organic', []],
    [`code=${invented[3]?.code},0${tea.code},9`, [invented[3]?.code, tea.code]],
  ])('by %s', async (query, expected) => {
    expect(codes((await ask(`/api/v2/search?${query}`)).answer)).toEqual(expected)
  })

  test('is sorted by `sort_by`', async () => {
    const { answer } = await ask('/api/v2/search?sort_by=last_modified_t&page_size=100')
    const times = answer.products.map(({ last_modified_t }: CatalogueProduct) => last_modified_t)
    expect(times).toEqual([...times].sort((one, other) => other - one))
  })

  test('at the host of a country finds the products that are sold there', async () => {
    expect(
      (await ask('/api/v2/search?categories_tags=en:teas', 'fr.openfoodfacts.localhost')).answer.count,
    ).toBe(0)
  })

  test('by terms is the HTML search with `json=1`', async () => {
    const { answer } = await ask('/cgi/search.pl?search_terms=th%C3%A9&json=1&fields=code')
    expect(answer).toEqual({
      count: 1,
      page: 1,
      page_count: 1,
      page_size: 50,
      products: [{ code: tea.code }],
      skip: 0,
    })
  })
})

test('the official limits apply to each kind of request separately', async () => {
  await using limited = await startSite({ catalogue: { products: [tea] }, limits: officialLimits })
  const statuses = async (count: number, path: string) => {
    const all: number[] = []
    for (let index = 0; index < count; index += 1) all.push((await get(limited, path)).status)
    return all
  }
  const times = (count: number, status: number) => Array.from({ length: count }, () => status)
  expect(await statuses(11, '/api/v2/search')).toEqual([...times(10, 200), 429])
  expect(await statuses(3, '/marque/orvelune')).toEqual([...times(2, 200), 429])
  expect(await statuses(101, '/api/v3/product/2100000000005')).toEqual([...times(100, 200), 429])
  expect(await statuses(1, '/produit/2100000000005/the-orvelune')).toEqual([429])
  expect(await statuses(50, '/')).toEqual(times(50, 200))
})
