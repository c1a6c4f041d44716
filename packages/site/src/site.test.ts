import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CatalogueProduct } from './catalogue.ts'
import { generateCatalogue } from './generate.ts'
import { type Site, startSite } from './site.ts'
import { get } from './testClient.ts'

const chocolate: CatalogueProduct = {
  code: '2100000000005',
  product_name: 'Chocolat noir orange',
  brands: 'Orvelune',
  quantity: '100 g',
  categories: 'Chocolats,Chocolats noirs',
  categories_tags: ['en:chocolates', 'en:dark-chocolates'],
  labels_tags: ['en:organic'],
  countries_tags: ['en:france', 'en:germany'],
  ingredients_text: 'Pâte de cacao*, sucre*',
  allergens_tags: ['en:soybeans'],
  traces_tags: ['en:milk'],
  additives_tags: ['en:e322', 'en:e999'],
  nutriscore_grade: 'e',
  nova_group: 3,
  environmental_score_grade: 'a-plus',
  nutriments: {
    energy_100g: 2669,
    'energy-kcal_100g': 644,
    fat_100g: 49.3,
    salt_100g: 0.0001,
    fat_serving: 12,
  },
  serving_size: '25 g',
  image_url: 'https://images.openfoodfacts.org/images/products/210/000/000/0005/front_fr.4.400.jpg',
  image_small_url: 'https://images.openfoodfacts.org/images/products/210/000/000/0005/front_fr.4.200.jpg',
}
const catalogue = { products: [chocolate, ...generateCatalogue({ count: 249 }).products] }
const first = catalogue.products[0]
const firstPath = '/produit/2100000000005/chocolat-noir-orange-orvelune'

const listed = (body: string): readonly { readonly code: string; readonly url: string }[] =>
  JSON.parse(/^var products = (.*);$/m.exec(body)?.[1] ?? 'null')

const nextLink = (body: string): string | null =>
  /<a href="([^"]*)" rel="next\$nofollow">/.exec(body)?.[1]?.replaceAll('&amp;', '&') ?? null

let site: Site
beforeAll(async () => {
  site = await startSite({ catalogue })
})
afterAll(() => site[Symbol.asyncDispose]())

describe('lists', () => {
  test('the home page and its next pages contain each product once, 100 per page', async () => {
    const paths = ['/', '/2', '/3']
    const pages = await Promise.all(paths.map(path => get(site, path)))
    expect(pages.map(({ status, body }) => [status, listed(body).length, nextLink(body)])).toEqual([
      [200, 100, '/2'],
      [200, 100, '/3'],
      [200, 50, null],
    ])
    expect(pages.flatMap(({ body }) => listed(body).map(({ code }) => code))).toEqual(
      catalogue.products.map(({ code }) => code),
    )
    expect(pages.map(({ body }) => body.includes('<ul class="products"></ul>'))).toEqual([true, true, true])
  })

  test('`?page=` and `?page_size=` are kept in the links of a list', async () => {
    const { body } = await get(site, '/?page=2&page_size=20')
    expect([listed(body)[0]?.code, listed(body).length, nextLink(body)]).toEqual([
      catalogue.products[20]?.code,
      20,
      '/?page=3&page_size=20',
    ])
    expect(listed((await get(site, '/?page_size=1000')).body)).toHaveLength(100)
  })

  test.each([
    [
      '/categorie/yaourts',
      '/facets/categories/yaourts',
      '/category/yogurts',
      '/facets/categories/en:yogurts',
    ],
    ['/marque/orvelune', '/facets/marques/orvelune', '/brand/Orvelune', '/facets/brands/orvelune'],
    ['/pays/belgique', '/facets/pays/belgique', '/country/belgium', '/facets/countries/en%3Abelgium'],
    ['/label/commerce-equitable', '/facets/labels/commerce-equitable', '/label/fair-trade'],
  ])('%s is a list with several addresses', async (...paths) => {
    const pages = await Promise.all(paths.map(path => get(site, path)))
    const [codes, ...others] = pages.map(({ body }) => listed(body).map(({ code }) => code))
    expect(pages.map(({ status }) => status)).toEqual(paths.map(() => 200))
    expect(codes?.length).toBeGreaterThan(1)
    expect(others).toEqual(others.map(() => codes))
  })

  test('the list of a tag has pages', async () => {
    const { body } = await get(site, '/pays/france')
    expect([listed(body).length, nextLink(body)]).toEqual([100, '/facets/pays/france/2'])
    expect(listed((await get(site, '/facets/pays/france/3')).body)).toHaveLength(50)
  })

  test('the tags of a facet are listed with their numbers of products', async () => {
    const { status, body } = await get(site, '/facets/pays')
    expect([status, body]).toEqual([
      200,
      expect.stringContaining('<a href="/facets/pays/france" class="tag known">France</a></td><td>250</td>'),
    ])
  })

  test.each([
    '/4',
    '/categorie/nothing',
    '/marque/orvelune/9',
    '/nowhere',
    '/nowhere/at-all',
    '/0',
    '/%E0%A4%A',
    '/categorie/%E0%A4%A',
  ])('%s does not exist', async path => {
    const { status, body } = await get(site, path)
    expect([status, body]).toEqual([404, expect.stringContaining('<h1 class="if-empty-dnone">Erreur</h1>')])
  })
})

describe('search', () => {
  test.each(['/cgi/search.pl', '/search', '/recherche'])('%s finds prefixes of words', async path => {
    const { status, body } = await get(site, `${path}?search_terms=Chocol%20NOIR&action=process`)
    expect(status).toBe(200)
    const textOf = (each: CatalogueProduct) =>
      [each.product_name, each.generic_name, each.brands, each.categories].join(' ')
    const wanted = catalogue.products.filter(
      each => /\bchocol/i.test(textOf(each)) && /\bnoir/i.test(textOf(each)),
    )
    expect(wanted.length).toBeGreaterThan(2)
    expect(listed(body).map(({ code }) => code)).toEqual(wanted.map(({ code }) => code))
  })

  test('results have pages of 50 products', async () => {
    const { body } = await get(site, '/cgi/search.pl?search_terms=fr&sort_by=product_name')
    expect([listed(body).length, nextLink(body)]).toEqual([
      50,
      '/cgi/search.pl?search_terms=fr&sort_by=product_name&page=2',
    ])
  })

  test('tags filter results, or are excluded', async () => {
    const path = '/cgi/search.pl?action=process&tagtype_0=categories&tag_contains_0=contains&tag_0=snacks'
    const all = listed((await get(site, `${path}&page_size=100`)).body)
    const others = listed(
      (await get(site, `${path}&tagtype_1=categories&tag_contains_1=does_not_contain&tag_1=dark-chocolates`))
        .body,
    )
    expect(all.length).toBeGreaterThan(others.length)
    expect(others.length).toBeGreaterThan(0)
    expect(others.map(({ code }) => code)).not.toContain(first?.code)
  })

  test('a search without results is an empty list', async () => {
    const { status, body } = await get(site, '/search?search_terms=zzz')
    expect([status, listed(body)]).toEqual([200, []])
  })
})

describe('products', () => {
  test('a product has one address, and all others redirect to it', async () => {
    const code = first?.code ?? ''
    const paths = [`/produit/${code}`, `/product/${code}/x`, `/produit/000${code}/y?rev=1`, firstPath]
    const got = await Promise.all(paths.map(path => get(site, path)))
    expect(got.map(({ status, location }) => [status, location])).toEqual([
      [302, firstPath],
      [302, firstPath],
      [302, `${firstPath}?rev=1`],
      [200, null],
    ])
  })

  test('a page shows the fields of the catalogue', async () => {
    const { body, type } = await get(site, firstPath, { host: 'localhost:1' })
    expect(type).toBe('text/html; charset=utf-8')
    for (const part of [
      '<html class="no-js" lang="fr" dir="ltr">',
      `<link rel="canonical" href="//localhost:1${firstPath}">`,
      '<h1 class="title-3" property="food:name" itemprop="name">Chocolat noir orange - Orvelune - 100\u00a0g</h1>',
      '<span id="barcode" property="food:code" itemprop="gtin13">2100000000005</span>',
      '<img id="og_image" itemprop="image" src="//localhost:1/images/products/210/000/000/0005/front_fr.4.400.jpg"',
      'id="field_brands_value"><a itemprop="brand" href="/facets/marques/orvelune" class="tag user_defined">Orvelune</a></span>',
      '<a href="/facets/categories/chocolats-noirs" class="tag well_known">Chocolats noirs</a>',
      '<a href="/facets/labels/bio" class="tag well_known">Bio</a>',
      '<a href="/facets/pays/allemagne" class="tag well_known">Allemagne</a>',
      '<a href="#panel_nutriscore_2023_content" class="panel_title grade_e">',
      '<a href="#panel_environmental_score_content" class="panel_title grade_a_plus">',
      '<img src="/images/attributes/dist/nova-group-3.svg"',
      '<th scope="col">Tel que vendu<br>pour 100 g / 100 ml</th>',
      '<tr><td><span>Énergie</span></td><td><span>2\u202f669 kJ<br>(644 kcal)</span></td>',
      '<tr><td><span>Matières grasses</span></td><td><span>49,3 g</span></td><td><span>12 g</span></td></tr>',
      '<tr><td><span>Sel</span></td><td><span>0,0001 g</span></td><td><span>?</span></td></tr>',
      'Tel que vendu<br>par portion (25 g)</th>',
      '<div class="panel_text">Pâte de cacao*, sucre*',
      '<div class="panel_text"><strong>Allergènes :</strong> Soja</div>',
      '<div class="panel_text"><strong>Traces éventuelles :</strong> Lait</div>',
    ])
      expect(body).toContain(part)
  })

  test('an English page has English names and numbers', async () => {
    const host = 'world.openfoodfacts.localhost'
    const path = '/product/2100000000005/chocolat-noir-orange-orvelune'
    const { status, body } = await get(site, path, { host })
    expect(status).toBe(200)
    for (const part of [
      '<html class="no-js" lang="en" dir="ltr">',
      '<a href="/facets/categories/dark-chocolates" class="tag well_known">Dark chocolates</a>',
      '<th scope="col">As sold<br>for 100 g / 100 ml</th>',
      '<tr><td><span>Energy</span></td><td><span>2,669 kJ<br>(644 kcal)</span></td>',
      '<tr><td><span>Fat</span></td><td><span>49.3 g</span></td>',
    ])
      expect(body).toContain(part)
  })

  test('additives have panels inside the panel of the ingredients', async () => {
    expect((await get(site, firstPath)).body).toMatch(
      /id="panel_ingredients_content"[\s\S]*id="panel_additives_content"[\s\S]*id="panel_additive_en:e322"[\s\S]*<h4>E322 - Lécithines<\/h4>[\s\S]*<h4>E999<\/h4>/,
    )
  })

  test('missing fields are omitted', async () => {
    await using bare = await startSite({ catalogue: { products: [{ code: '20000011' }] } })
    const { body } = await get(bare, '/produit/20000011')
    for (const part of [
      'field_',
      'panel_environmental_score',
      'panel_ingredients',
      'og_image',
      'undefined',
      'null',
    ])
      expect(body).not.toContain(part)
    expect(body).toContain('class="panel_title grade_unknown"')
    expect(body).toContain('nova-group-unknown.svg')
    expect(body).toContain('<tr><td><span>Sel</span></td><td><span>?</span></td></tr>')
  })

  test.each([
    ['127.0.0.1', 'Erreur', 'Aucun produit listé pour le code-barres 1000000000001.'],
    ['world.openfoodfacts.localhost', 'Error', 'No product listed for barcode 1000000000001.'],
  ])('an unknown barcode is reported at %s', async (host, title, words) => {
    const { status, body } = await get(site, '/produit/1000000000001/x', { host })
    expect(status).toBe(404)
    expect(body).toContain(`<h1 class="if-empty-dnone">${title}</h1>\n<p>${words}</p>`)
  })

  test('markup in fields is escaped', async () => {
    const text = '"><script>alert(1)</script>'
    const product = {
      code: '20000011',
      obsolete: false,
      product_name: text,
      brands: text,
      quantity: text,
      ingredients_text: text,
      labels: text,
      labels_tags: [text],
      additives_tags: [text],
      nutriscore_grade: text,
      environmental_score_grade: text,
      image_url: `https://x/${text}`,
      serving_size: text,
      nutriments: { fat_serving: 1 },
    }
    await using hostile = await startSite({ catalogue: { products: [product] } })
    const path = (await get(hostile, '/produit/20000011')).location ?? ''
    const bodies = [
      await get(hostile, path),
      await get(hostile, '/'),
      await get(hostile, `/search?search_terms=${encodeURIComponent(text)}`),
    ]
    expect(bodies.map(({ status }) => status)).toEqual([200, 200, 200])
    for (const { body } of bodies) expect(body).not.toContain('<script>alert')
    expect(listed((await get(hostile, '/')).body)[0]).toMatchObject({
      product_display_name: expect.stringContaining(text),
    })
  })

  test('updates and removals take effect immediately', async () => {
    await using changing = await startSite({ catalogue: generateCatalogue({ count: 3 }) })
    const codes = async () => listed((await get(changing, '/')).body).map(({ code }) => code)
    const before = await codes()
    changing.update({ code: before[1] ?? '', product_name: 'Nouveau', brands: 'Neuve' })
    changing.update({ code: '20999997' })
    expect([changing.remove(before[0] ?? ''), changing.remove('1')]).toEqual([true, false])
    expect(await codes()).toEqual([before[1], before[2], '20999997'])
    expect((await get(changing, `/produit/${before[1]}`)).location).toBe(
      `/produit/${before[1]}/nouveau-neuve`,
    )
    expect((await get(changing, '/marque/neuve')).status).toBe(200)
    expect((await get(changing, `/produit/${before[0]}`)).status).toBe(404)
  })
})

test('an obsolete product keeps its page, and a product of another type redirects to its site', async () => {
  const products = [
    { code: '20000011', product_name: 'Alt', obsolete: 'on' },
    { code: '20000028', product_name: 'Crème', product_type: 'beauty' },
    { code: '20000035', product_name: 'Neu', product_type: 'food' },
  ]
  await using mixed = await startSite({ catalogue: { products } })
  expect(listed((await get(mixed, '/')).body).map(({ code }) => code)).toEqual(['20000035'])
  expect((await get(mixed, '/produit/20000011/alt')).body).toContain(
    'id="obsolete">Produit retiré de la vente.',
  )
  expect((await get(mixed, '/produit/20000028')).location).toBe(
    'https://world.openbeautyfacts.org/product/20000028/creme',
  )
})

describe('hosts', () => {
  test('the host of a country lists the products that are sold there, and has the page of every product', async () => {
    const [french, foreign] = generateCatalogue({ count: 2 }).products.map((each, index) => ({
      ...each,
      countries_tags: [index === 0 ? 'en:france' : 'en:spain'],
    }))
    if (french === undefined || foreign === undefined) throw new Error('two products were requested')
    await using mixed = await startSite({ catalogue: { products: [french, foreign] } })
    const codesAt = async (host: string) =>
      listed((await get(mixed, '/', { host })).body).map(({ code }) => code)
    expect([
      await codesAt('fr.openfoodfacts.localhost'),
      await codesAt('world.openfoodfacts.localhost'),
      await codesAt('127.0.0.1'),
    ]).toEqual([[french.code], [french.code, foreign.code], [french.code, foreign.code]])
    expect(
      (await get(mixed, `/produit/${foreign.code}`, { host: 'fr.openfoodfacts.localhost' })).status,
    ).toBe(302)
  })

  test('links use the requested host, but never an invalid one', async () => {
    const urls = await Promise.all(
      ['fr.openfoodfacts.localhost:8080', '"><script>'].map(
        async host => listed((await get(site, '/', { host })).body)[0]?.url,
      ),
    )
    expect(urls).toEqual([
      `//fr.openfoodfacts.localhost:8080${firstPath}`,
      `//${new URL(site.address).host}${firstPath}`,
    ])
  })

  test('`lang` is the language of hosts without a country', async () => {
    await using world = await startSite({ catalogue, lang: 'en' })
    expect(listed((await get(world, '/')).body)[0]?.url).toBe(
      `//${new URL(world.address).host}${firstPath.replace('produit', 'product')}`,
    )
  })
})

describe('files', () => {
  test('robots.txt disallows search, API and facets in both languages, and bans robots by name', async () => {
    const { type, body } = await get(site, '/robots.txt')
    expect(type).toBe('text/plain; charset=utf-8')
    const rules = body.split('\n\n')
    expect(rules[0]?.split('\n')).toEqual([
      'User-agent: *',
      'Allow: /cgi/product_image.pl',
      'Allow: /cgi/opensearch.pl',
      ...[
        'cgi',
        'code',
        'api',
        'brands',
        'categories',
        'countries',
        'country',
        'labels',
        'marques',
        'pays',
      ].map(path => `Disallow: /${path}`),
    ])
    expect(rules).toContain('User-agent: Scrapy\nDisallow: /')
  })

  test('pictures exist only at the paths of the catalogue', async () => {
    const paths = [first?.image_url, first?.image_small_url].map(address => new URL(address ?? '').pathname)
    const got = await Promise.all([...paths, '/images/products/1/front.jpg'].map(path => get(site, path)))
    expect(got.map(({ status, type }) => [status, type])).toEqual([
      [200, 'image/svg+xml; charset=utf-8'],
      [200, 'image/svg+xml; charset=utf-8'],
      [404, 'text/html; charset=utf-8'],
    ])
  })

  test.each([
    ['/favicon.ico', 200, 'image/svg+xml; charset=utf-8'],
    ['/css/dist/app.css', 200, 'text/css; charset=utf-8'],
    ['/js/dist/product-search.js', 200, 'text/javascript; charset=utf-8'],
    ['/images/attributes/dist/nova-group-4.svg', 200, 'image/svg+xml; charset=utf-8'],
    ['/images/attributes/dist/nutriscore-not-applicable-new-en.svg', 200, 'image/svg+xml; charset=utf-8'],
    ['/images/attributes/dist/green-score-a-plus.svg', 200, 'image/svg+xml; charset=utf-8'],
    ['/images/attributes/dist/other.svg', 404, 'text/html; charset=utf-8'],
  ])('%s', async (path, status, type) => {
    expect(await get(site, path)).toMatchObject({ status, type })
  })

  test('no page loads or runs anything from other hosts, and each names the source of its data', async () => {
    for (const path of ['/', firstPath, '/marque/orvelune', '/nowhere']) {
      const { body } = await get(site, path)
      const loaded = [
        ...body.matchAll(/\bsrc="([^"]*)"|<link rel="(?:icon|stylesheet)" href="([^"]*)"/g),
      ].map(each => each[1] ?? each[2] ?? '')
      const outside = loaded.filter(each => new URL(each, site.address).origin !== site.address)
      expect([path, outside]).toEqual([path, []])
      expect(body).toContain('<a href="https://world.openfoodfacts.org">Open Food Facts</a>')
      expect(body).toContain('<a href="https://opendatacommons.org/licenses/odbl/1-0/">ODbL</a>')
      expect(body).toContain('Doublure d’Open Food Facts, servie par offstream')
    }
  })
})

describe('the server', () => {
  test('records each request with its user agent and status, in order', async () => {
    await using watched = await startSite({ catalogue: generateCatalogue({ count: 2 }) })
    for (const path of ['/', '/nowhere?x=1', '/produit/2900000000001']) await get(watched, path)
    expect(watched.requests).toEqual([
      { method: 'GET', path: '/', status: 200, userAgent: 'offstream-test' },
      { method: 'GET', path: '/nowhere?x=1', status: 404, userAgent: 'offstream-test' },
      { method: 'GET', path: '/produit/2900000000001', status: 302, userAgent: 'offstream-test' },
    ])
  })

  test('answers HEAD without a body, and rejects other methods', async () => {
    expect(await get(site, '/', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' })
    expect(await get(site, '/', { method: 'POST' })).toMatchObject({ status: 405 })
  })

  test('reports a taken port', async () => {
    const port = Number(new URL(site.address).port)
    await expect(startSite({ catalogue, port })).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      outcome: 'portTaken',
      message: `Port ${port} on 127.0.0.1 is in use`,
    })
  })

  test('closes all connections on disposal', async () => {
    const closed = await startSite({ catalogue })
    await get(closed, '/')
    await closed[Symbol.asyncDispose]()
    await expect(get(closed, '/')).rejects.toThrow('ECONNREFUSED')
  })
})
