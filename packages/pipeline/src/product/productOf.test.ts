import fc from 'fast-check'
import { expect, test } from 'vitest'
import { apiFields } from './fields.ts'
import { Product } from './product.ts'
import { productOf, type RecordContext } from './productOf.ts'

const context: RecordContext = {
  source: 'export',
  observedAt: '2026-04-01T12:00:00.000Z',
  site: 'https://world.openfoodfacts.org',
}

const recordOf = (raw: object): Product => {
  // Any field of a product makes it one.
  const reading = productOf({ code: '3017620422003', quantity: '350 g', ...raw }, context)
  if (reading.kind !== 'product') throw new Error(`it is ${reading.kind}`)
  return Product.parse(reading.product)
}

test('a product of the API becomes a record, column by column', () => {
  const raw = {
    code: ' 03017620422003',
    product_name: ' Nutella&nbsp;&quot;classic&quot; ',
    generic_name: '',
    quantity: '400 g',
    brands: 'Ferrero,  Nutella,null',
    categories: 'Pâtes à tartiner,en:sweet-spreads,fr:Pâtes aux noisettes',
    labels: '',
    labels_tags: ['en:no-gluten', 'fr:triman'],
    countries: 'Stany Zjednoczone',
    countries_tags: ['en:united-states', 'en:bosnia-and-herzegovina'],
    ingredients_text: 'Sucre,\n huile de palme',
    allergens_tags: ['en:milk', 'en:nuts'],
    additives_tags: ['en:e322', 'en:e322i', 'en:e1505', 'en:e150'],
    nutriscore_grade: 'E',
    nova_group: 4,
    ecoscore_grade: 'a_plus',
    nutriments: {
      'energy-kcal_100g': '539',
      fat_100g: 30.9,
      'saturated-fat_100g': '10,6',
      carbohydrates_100g: 57.49999999999999,
      sugars_100g: '< 56.3',
      proteins_100g: '6.3 g',
      salt_100g: '',
      sodium_100g: 0.0428,
    },
    images: { '1': {}, front_en: { rev: '7' }, front_fr: { imgid: '3', rev: 4 } },
    lang: 'fr',
    last_modified_t: '1774461913',
    last_updated_t: 1_774_461_999,
    rev: '19',
  }
  const reading = productOf(raw, context)
  expect(reading.kind === 'product' && Object.entries(reading.product)).toEqual(
    Object.entries({
      code: '3017620422003',
      product_name: 'Nutella "classic"',
      generic_name: null,
      quantity: '400 g',
      brands: 'Ferrero, Nutella',
      categories: 'Pâtes à tartiner, Sweet spreads, Pâtes aux noisettes',
      labels: 'No gluten, Triman',
      countries: 'United States, Bosnia and Herzegovina',
      ingredients_text: 'Sucre, huile de palme',
      allergens: 'Milk, Nuts',
      additives: 'E322, E322i, E1505, E150',
      additives_n: 3,
      nutriscore_grade: 'e',
      nova_group: 4,
      environmental_score_grade: 'a-plus',
      energy_kcal_100g: 539,
      fat_100g: 30.9,
      saturated_fat_100g: 10.6,
      carbohydrates_100g: 57.5,
      sugars_100g: 56.3,
      fiber_100g: null,
      proteins_100g: 6.3,
      salt_100g: 0.107,
      image_url: 'https://images.openfoodfacts.org/images/products/301/762/042/2003/front_fr.4.400.jpg',
      url: 'https://world.openfoodfacts.org/product/3017620422003',
      lang: 'fr',
      last_modified_t: 1_774_461_913,
      rev: 19,
      as_of: '2026-03-25T18:06:39.000Z',
      observed_at: '2026-04-01T12:00:00.000Z',
      source: 'export',
      quality_flags: null,
    }),
  )
})

test.each([
  ['the schema `nutriments`', { nutriments: { fat_100g: 1, 'energy-kcal_100g': 2 } }, [1, 2]],
  [
    'the schema `nutrition`, whatever its units',
    { nutriments: {}, nutrition: aggregated({ fat: [1000, 'mg'], 'energy-kcal': [2, 'kcal'] }) },
    [1, 2],
  ],
  [
    'kilojoules without kilocalories',
    { nutrition: aggregated({ fat: [1, 'g'], energy: [1000, 'kJ'] }) },
    [1, 239],
  ],
  ['100 ml', { nutrition: aggregated({ fat: [1, 'g'] }, { per: '100ml' }) }, [1, null]],
  ['a serving only', { nutrition: aggregated({ fat: [1, 'g'] }, { per: 'serving' }) }, [null, null]],
  [
    'the prepared product',
    { nutrition: aggregated({ fat: [1, 'g'] }, { preparation: 'prepared' }) },
    [null, null],
  ],
  ['an amount that is not a mass', { nutrition: aggregated({ fat: [1, '%'] }) }, [null, null]],
  ['old kilojoules', { nutriments: { energy_100g: 1000, fat_serving: 3, fat: 4 } }, [null, 239]],
  [
    'kilojoules in the place of kilocalories',
    { nutriments: { 'energy-kcal_100g': 1672, energy_100g: 1675 } },
    [null, 399.6],
  ],
  [
    'kilocalories that nothing proves to be kilojoules',
    { nutriments: { 'energy-kcal_100g': 1672, energy_100g: 6996 } },
    [null, 1672],
  ],
  ['the record’s own columns', { fat_100g: '1', energy_kcal_100g: 2 }, [1, 2]],
  [
    'implausible values, which are kept',
    { nutriments: { fat_100g: 700, 'energy-kcal_100g': -3 } },
    [700, -3],
  ],
])('nutriments are read from %s', (_what, raw, expected) => {
  const { fat_100g, energy_kcal_100g } = recordOf(raw)
  expect([fat_100g, energy_kcal_100g]).toEqual(expected)
})

function aggregated(nutrients: Record<string, readonly [value: number, unit: string]>, set: object = {}) {
  const entries = Object.entries(nutrients).map(([name, [value, unit]]) => [name, { value, unit }])
  return {
    aggregated_set: { per: '100g', preparation: 'as_sold', ...set, nutrients: Object.fromEntries(entries) },
  }
}

test('unknown and not-applicable are null', () => {
  const { nutriscore_grade, nova_group, environmental_score_grade } = recordOf({
    nutriscore_grade: 'not-applicable',
    nova_group: 'unknown',
    environmental_score_grade: 'unknown',
  })
  expect([nutriscore_grade, nova_group, environmental_score_grade]).toEqual([null, null, null])
})

test('an empty list of additives is 0 if the ingredients are known, otherwise unknown', () => {
  const counts = [
    recordOf({ additives_tags: [], ingredients_text: 'Sugar' }),
    recordOf({ additives_tags: [] }),
    recordOf({ additives_n: '2' }),
  ]
  expect(counts.map(({ additives_n }) => additives_n)).toEqual([0, null, 2])
})

test('a name in another language is used if the main one is missing', () => {
  const names = [
    recordOf({ product_name: '', product_name_en: 'Orzo', product_name_fr: 'Orge', lang: 'fr' }),
    recordOf({ product_name_en: 'Orzo', product_name_debug: 'x', lang: 'fr' }),
  ]
  expect(names.map(({ product_name }) => product_name)).toEqual(['Orge', 'Orzo'])
})

test('the address of the image is built from every schema', () => {
  const urls = [
    recordOf({ code: '4012', lang: 'de', images: { selected: { front: { de: { rev: 12 } } } } }),
    recordOf({ images: [{ key: 'front_it', rev: 3n }, { key: '1' }] }),
    recordOf({ image_url: 'javascript:alert(1)', image_front_url: 'https://example.org/a.jpg' }),
    recordOf({ images: { front_fr: {}, ingredients_fr: { rev: 1 } } }),
  ]
  expect(urls.map(({ image_url }) => image_url)).toEqual([
    'https://images.openfoodfacts.org/images/products/000/000/000/4012/front_de.12.400.jpg',
    'https://images.openfoodfacts.org/images/products/301/762/042/2003/front_it.3.400.jpg',
    'https://example.org/a.jpg',
    null,
  ])
})

test('unknown times are the time of reading', () => {
  const unknown = [
    {},
    { last_modified_t: 0, last_updated_t: -5 },
    { as_of: '1970-01-01T00:00:00.000Z' },
    { as_of: 'yesterday' },
  ]
  expect(unknown.map(raw => recordOf(raw).as_of)).toEqual(unknown.map(() => context.observedAt))
})

test('a record from a machine whose clock is ahead does not win for ever', () => {
  const future = '2099-01-01T00:00:00.000Z'
  const { last_modified_t, as_of, observed_at, quality_flags } = recordOf({
    ...{ as_of: future, observed_at: future, last_modified_t: 4_070_908_800, source: 'web' },
  })
  expect([last_modified_t, as_of, observed_at, quality_flags]).toEqual([
    4_070_908_800,
    context.observedAt,
    context.observedAt,
    'last-modified-in-the-future',
  ])
})

test('a modification in the future is ignored', () => {
  const { last_modified_t, as_of } = recordOf({ last_modified_t: 4_000_000_000 })
  expect([last_modified_t, as_of]).toEqual([4_000_000_000, context.observedAt])
})

test.each([
  [1_774_461_913, 1_774_461_913],
  [1_774_461_913_000, 1_774_461_913],
  ['2026-03-25T18:05:13Z', 1_774_461_913],
  [1_774_461_913_123_456, 1_774_461_913],
  [1_774_461_913_123_456_789n, 1_774_461_913],
  ['1774461913000000', 1_774_461_913],
  [new Date('2026-03-25T18:05:13Z'), 1_774_461_913],
  ['yesterday', null],
  ['', null],
  [0, null],
  ['0', null],
  [0.5, null],
  [-1, null],
  [-1_774_461_913_000, null],
  [1e300, null],
  [100_000_000_000, 100_000_000_000],
  [100_000_000_000_000, 100_000_000_000],
  [100_000_000_001_000, 100_000_000],
  ['9999-12-31T23:59:59Z', null],
])('a moment written %s is second %s', (written, expected) => {
  expect(recordOf({ last_modified_t: written }).last_modified_t).toBe(expected)
})

test.each([
  [null, 'not-an-object', 'it is not a JSON object'],
  [[], 'not-an-object', 'it is not a JSON object'],
  ['text', 'not-an-object', 'it is not a JSON object'],
  [{}, 'no-code', 'it has no `code`'],
  [{ code: {} }, 'no-code', 'it has no `code`'],
  [{ code: 'a3017620422003' }, 'invalid-code', 'its code `a3017620422003` is not a barcode'],
  [{ code: '0000' }, 'invalid-code', 'its code `0000` is not a barcode'],
  [{ code: '3.02E+12' }, 'invalid-code', 'its code `3.02E+12` is not a barcode'],
  [{ code: 98_765_432_109_876_540 }, 'invalid-code', 'its code `98765432109876540` is not a barcode'],
  [{ code: 4012.5 }, 'invalid-code', 'its code `4012.5` is not a barcode'],
  [{ code: -4012 }, 'invalid-code', 'its code `-4012` is not a barcode'],
  [
    { code: '4012', product_type: 'petfood', product_name: 'Bones', obsolete: 'on' },
    'other-product-type',
    'its product type is `petfood`, not `food`',
  ],
])('%j is unreadable: %s', (raw, skippedBy, reason) => {
  expect(productOf(raw, context)).toEqual({ kind: 'unreadable', skippedBy, reason })
})

test.each([
  [['food'], [undefined, 'food']],
  [
    ['food', 'petfood'],
    [undefined, 'food', 'petfood'],
  ],
  [['beauty'], ['beauty']],
])('of the product types %j, %j are products', (productTypes, products) => {
  const rules = { productTypes, partial: 'publish' } as const
  const types = [undefined, 'food', 'petfood', 'beauty', 'product', 'anything']
  const read = types.filter(product_type => {
    const raw = { code: '4012', product_name: 'A', product_type }
    return productOf(raw, { ...context, rules }).kind === 'product'
  })
  expect(read).toEqual(products)
})

test.each([
  [['beauty'], 'beauty'],
  [['en:petfood'], 'petfood'],
  ['en:beauty', 'beauty'],
  ['Beauty', 'beauty'],
  ['beauty,product', 'beauty,product'],
])('the product type %j is %s, which is not food', (product_type, type) => {
  expect(productOf({ code: '4012', product_name: 'A', product_type }, context)).toMatchObject({
    ...{ skippedBy: 'other-product-type', reason: `its product type is \`${type}\`, not \`food\`` },
  })
})

test.each(['NULL', 'null', 'None', ' None ', 'undefined', '\\N', '<NA>'])(
  'the text %j is what a program wrote for a missing value',
  written => {
    const raw = { code: '4012', product_name: 'A', quantity: written, generic_name: written }
    expect(productOf(raw, context)).toMatchObject({
      product: { product_name: 'A', quantity: null, generic_name: null },
    })
    expect(productOf({ code: '4012', product_name: written }, context)).toMatchObject({
      skippedBy: 'no-product-fields',
    })
  },
)

test.each([[['food']], ['en:food'], ['Food'], [['beauty', 'food']], [[]], [null], ['']])(
  'a product of the type %j is food',
  product_type => {
    expect(productOf({ code: '4012', product_name: 'A', product_type }, context).kind).toBe('product')
  },
)

test('the reason names the requested product types', () => {
  const rules = { productTypes: ['beauty', 'product'], partial: 'publish' } as const
  expect(productOf({ code: '4012', product_name: 'A' }, { ...context, rules })).toMatchObject({
    ...{ skippedBy: 'other-product-type', reason: 'its product type is `food`, not `beauty` or `product`' },
  })
})

test.each([
  [{}],
  [{ url: 'https://example.org/orders/4012', lang: 'en', last_modified_t: 1_774_461_913, rev: 3 }],
  [{ event: 'order-created', quantity: 3 }],
  [{ schema: { type: 'struct' }, payload: { product_name: 'Oats' } }],
  [{ product_name: '  ', nutriments: {}, additives_tags: [] }],
])('a code with %j beside it is not a product', more => {
  expect(productOf({ code: '4012', ...more }, context)).toMatchObject({ skippedBy: 'no-product-fields' })
})

test.each([
  [{ product_name_de: 'Hafer' }],
  [{ quantity: '350 g' }],
  [{ nutriments: { salt_100g: 0 } }],
  [{ product_type: 'food', brands_tags: ['xx:oats'] }],
])('a code with %j beside it is a product', more => {
  expect(productOf({ code: '4012', ...more }, context)).toMatchObject({ kind: 'product' })
})

test.each([
  [4_006_381_333_931, '4006381333931'],
  [98_765_432_109_876_543n, '98765432109876543'],
  [' 978-3-16-148410-0 ', '9783161484100'],
])('the code %s is exact', (code, expected) => {
  expect(recordOf({ code, product_name: 'Oats' }).code).toBe(expected)
})

test('an obsolete product is deleted as of its last change', () => {
  expect(productOf({ code: '4012', obsolete: 'on', last_modified_t: 1_774_461_913 }, context)).toEqual({
    kind: 'gone',
    code: '00004012',
    as_of: '2026-03-25T18:05:13.000Z',
  })
})

test('a record stays unchanged, whatever source reads it', () => {
  const record = recordOf({ product_name: 'A', last_modified_t: 1_774_461_913 })
  const later: RecordContext = { source: 'stdin', observedAt: '2027-01-01T00:00:00.000Z', site: null }
  expect(productOf(record, later)).toEqual({ kind: 'product', product: record })
})

// A failure prints its seed and the smallest input that fails.
const anyValue = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.string({ unit: 'binary' }),
  fc.stringMatching(/^(( ?[a-z]{2}:)|[-,A& ;]|&amp;|quot;|\u0301|\u200b|null){0,9}$/),
  fc.array(fc.stringMatching(/^([a-z]{2}:|[-,A ]|[a-z]{1,3}){0,6}$/)),
  fc.double(),
  fc.dictionary(
    fc.constantFrom('fat_100g', 'energy-kcal_100g', 'front_fr', 'selected', 'aggregated_set'),
    fc.anything(),
  ),
)
const anyProduct = fc
  .tuple(
    fc.oneof(fc.constant('3017620422003'), fc.integer({ min: 1 }), fc.string()),
    fc.dictionary(fc.constantFrom(...Object.keys(apiFields)), anyValue),
  )
  .map(([code, raw]) => ({ ...raw, code }))

test('any JSON gives a valid record, or a reason', () => {
  fc.assert(
    fc.property(fc.oneof(anyProduct, fc.jsonValue()), raw => {
      const reading = productOf(raw, context)
      if (reading.kind === 'product') Product.parse(reading.product)
      else if (reading.kind === 'unreadable') expect(reading.reason).not.toBe('')
    }),
    { numRuns: 1_000 },
  )
})

test('making a record of a record changes nothing', () => {
  fc.assert(
    fc.property(anyProduct, raw => {
      const first = productOf(raw, context)
      if (first.kind !== 'product') return
      expect(productOf(first.product, context)).toEqual(first)
      expect(productOf(JSON.parse(JSON.stringify(first.product)), context)).toEqual(first)
    }),
    { numRuns: 1_000 },
  )
})

test('`productOf` reads no member that `apiFields` does not name', () => {
  fc.assert(
    fc.property(anyProduct, raw => {
      const read = new Set<string>()
      const spy = new Proxy(raw, {
        get: (target, name) => {
          read.add(String(name))
          return Reflect.get(target, name)
        },
      })
      productOf(spy, context)
      const unnamed = [...read].filter(name => !isNamed(name))
      expect(unnamed).toEqual([])
    }),
  )
})

// Kilojoules under a name that only a mapping of one's own could use.
const isNamed = (name: string): boolean =>
  Object.keys(apiFields).some(
    field => name === field || (field.endsWith('*') && name.startsWith(field.slice(0, -1))),
  ) || ['energy_kj_100g', 'energy_100g', 'sodium_100g'].includes(name)
