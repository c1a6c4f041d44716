import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type CatalogueProduct, generateCatalogue } from '@offstream/site'

export interface ExportChoice {
  /** The size of the file in millions of bytes. The last line may exceed it. */
  readonly megabytes: number
  /** `whole` has all members of the real export, `short` only those that contributors enter: a quarter of the length. */
  readonly lines: 'whole' | 'short'
  /** The same seed gives the same bytes. */
  readonly seed: number
}

/**
 * Lines of an export in the format of Open Food Facts: a generated product with the members that the server computes and
 * offstream does not use. Structure and size follow the real export, whose lines have 10 to 35 KB (average 20 KB, from 50
 * lines of 2026) and about 170 members in the random order of Perl's hashes. None of its content is copied.
 */
const exportLines = function* (
  products: readonly CatalogueProduct[],
  lines: ExportChoice['lines'],
): Generator<string> {
  for (const [index, product] of products.entries()) {
    const members = lines === 'short' ? enteredMembers(product, index) : allMembers(product, index)
    yield `${JSON.stringify(Object.fromEntries(shuffled(members, index)))}\n`
  }
}

/**
 * Writes an export.
 * @returns the codes of its products in the order of the file
 */
export const writeExport = async (
  file: string,
  { megabytes, lines, seed }: ExportChoice,
): Promise<readonly string[]> => {
  const codes: string[] = []
  const { products } = generateCatalogue({
    count: Math.ceil((megabytes * 1_000_000) / minBytesOf[lines]),
    seed,
  })
  const upToSize = function* (): Generator<string> {
    let left = megabytes * 1_000_000
    for (const line of exportLines(products, lines)) {
      if (left <= 0) return
      codes.push(products[codes.length]?.code ?? '')
      left -= Buffer.byteLength(line)
      yield line
    }
    if (left > 0) throw new Error('the lines are shorter than they should be')
  }
  await pipeline(Readable.from(upToSize()), createWriteStream(file))
  return codes
}

const minBytesOf = { whole: 16_000, short: 3_500 }

type Member = readonly [name: string, value: unknown]

const enteredMembers = (product: CatalogueProduct, index: number): Member[] => [
  ...Object.entries(product),
  ...Object.entries(identity(product, index)),
  ...Object.entries(nutritionMembers(product)),
]

const allMembers = (product: CatalogueProduct, index: number): Member[] => {
  const words = (product.ingredients_text ?? product.product_name ?? 'produit').split(', ')
  const tags = words.map(word => `fr:${word.toLowerCase().replaceAll(/[^a-z]+/g, '-')}`)
  const grade = product.nutriscore_grade ?? 'unknown'
  return [
    ...enteredMembers(product, index),
    ...Object.entries(ingredientMembers(words, tags, product)),
    ...Object.entries(tagMembers(product, tags, grade)),
    ...Object.entries(scoreMembers(index, grade)),
    ...Object.entries(contributionMembers(index)),
  ]
}

const identity = ({ code, lang, product_name: name }: CatalogueProduct, index: number) => ({
  _id: code,
  id: code,
  codes_tags: [
    'code-13',
    ...Array.from({ length: 12 }, (_, cut) => code.slice(0, 12 - cut) + 'x'.repeat(cut)),
  ],
  languages: { [`en:${lang}`]: 4 },
  languages_codes: { [lang ?? 'fr']: 4 },
  languages_hierarchy: ['en:french'],
  languages_tags: ['en:french', 'en:1'],
  _keywords: (name ?? '').toLowerCase().split(' '),
  interface_version_created: 'import_us_ndb.pl - version 2017/03/04',
  update_key: `key_${1_770_000_000 + index}`,
  product_type: 'food',
  schema_version: 1003,
  creator: 'kiliweb',
  popularity_key: 20_000_000_000 + index,
  popularity_tags: years.flatMap(year => [
    `bottom-25-percent-scans-${year}`,
    `top-${100 - (index % 90)}-percent-scans-${year}`,
  ]),
})

const years = [2021, 2022, 2023, 2024, 2025]

const ingredientMembers = (
  words: readonly string[],
  tags: readonly string[],
  { ingredients_text: text, lang }: CatalogueProduct,
) => ({
  ingredients: words.map((word, place) => ({
    ...{ id: tags[place], text: word, is_in_taxonomy: place % 3 === 0 ? 0 : 1 },
    ...{ percent_estimate: 100 / 2 ** (place + 1), percent_min: 0, percent_max: 100 / (place + 1) },
    ...{
      vegan: 'maybe',
      vegetarian: 'yes',
      ciqual_food_code: String(11_000 + place),
      ecobalyse_code: tags[place],
    },
  })),
  ingredients_tags: tags,
  ingredients_hierarchy: tags,
  ingredients_original_tags: tags,
  ingredients_without_ciqual_codes: tags,
  ingredients_without_ecobalyse_ids: tags,
  ingredients_n: words.length,
  known_ingredients_n: words.length,
  ingredients_text_debug: text,
  ingredients_text_with_allergens: `<span class="allergen">${text}</span>`,
  [`ingredients_text_with_allergens_${lang}`]: `<span class="allergen">${text}</span>`,
  [`ingredients_text_${lang}_imported`]: text,
  ingredients_analysis: { 'en:palm-oil-content-unknown': tags, 'en:vegan-status-unknown': tags },
  ingredients_analysis_tags: ['en:palm-oil-content-unknown', 'en:vegan-status-unknown'],
  ingredients_lc: lang,
  ingredients_percent_analysis: 1,
  ingredients_with_specified_percent_n: 0,
  ingredients_with_unspecified_percent_sum: 100,
})

const tagMembers = (product: CatalogueProduct, tags: readonly string[], grade: string) => ({
  states: states.join(', '),
  states_tags: states,
  states_hierarchy: states,
  misc_tags: [...states, ...warnings, `en:nutriscore-2023-${grade}`],
  data_quality_tags: [...warnings, ...states],
  data_quality_info_tags: states.slice(0, 6),
  data_quality_warnings_tags: warnings,
  data_quality_errors_tags: [],
  data_quality_completeness_tags: states,
  categories_hierarchy: product.categories_tags,
  categories_old: product.categories,
  categories_imported: product.categories,
  categories_properties: { 'ciqual_food_code:en': '31032' },
  categories_properties_tags: [
    'all-products',
    'categories-known',
    'agribalyse-food-code-known',
    ...tags.slice(0, 3),
  ],
  countries_hierarchy: product.countries_tags,
  labels_hierarchy: product.labels_tags,
  labels_old: product.labels,
  allergens_hierarchy: product.allergens_tags,
  allergens_from_ingredients: (product.allergens_tags ?? []).join(', '),
  traces_hierarchy: product.traces_tags,
  ...Object.fromEntries(emptyTags.map(name => [`${name}_tags`, []])),
  food_groups: 'en:sweets',
  food_groups_tags: ['en:sugary-snacks', 'en:sweets'],
  pnns_groups_1: 'Sugary snacks',
  pnns_groups_1_tags: ['sugary-snacks', 'known'],
  pnns_groups_2: 'Sweets',
  pnns_groups_2_tags: ['sweets', 'known'],
  nova_groups_tags: ['en:4-ultra-processed-food-and-drink-products'],
  nova_groups_markers: {
    '3': [['categories', 'en:sweets']],
    '4': [
      ['additives', 'en:e322'],
      ['ingredients', 'en:emulsifier'],
    ],
  },
})

const states = [
  ...[
    'to-be-completed',
    'nutrition-facts-completed',
    'ingredients-completed',
    'expiration-date-to-be-completed',
  ],
  ...['packaging-code-to-be-completed', 'characteristics-to-be-completed', 'origins-to-be-completed'],
  ...['categories-completed', 'brands-completed', 'packaging-to-be-completed', 'quantity-completed'],
  ...[
    'product-name-completed',
    'photos-to-be-validated',
    'packaging-photo-to-be-selected',
    'photos-uploaded',
  ],
].map(state => `en:${state}`)

const warnings = [
  ...[
    'ecoscore-origins-of-ingredients-origins-are-100-percent-unknown',
    'ecoscore-packaging-packaging-data-missing',
  ],
  ...['ecoscore-production-system-no-label', 'ingredients-percent-analysis-ok', 'quantity-not-recognized'],
  ...['serving-quantity-defined-but-quantity-undefined', 'environmental-score-missing-data-warning'],
].map(warning => `en:${warning}`)

const emptyTags = [
  ...['additives_old', 'amino_acids', 'amino_acids_prev', 'checkers', 'cities', 'emb_codes', 'informers'],
  ...['ingredients_from_palm_oil', 'ingredients_that_may_be_from_palm_oil', 'main_countries', 'minerals'],
  ...[
    'minerals_prev',
    'nucleotides',
    'nucleotides_prev',
    'origins',
    'other_nutritional_substances',
    'packaging',
  ],
  ...['packaging_materials', 'packaging_recycling', 'packaging_shapes', 'photographers', 'purchase_places'],
  ...['removed_countries', 'stores', 'unknown_nutrients', 'vitamins', 'vitamins_prev', 'weighers'],
]

const scoreMembers = (index: number, grade: string) => ({
  environmental_score_data: {
    status: 'known',
    agribalyse: impact(index),
    previous_data: { agribalyse: impact(index + 1), grade: 'c', score: index % 100 },
    missing: { labels: 1, origins: 1, packagings: 1 },
    adjustments: {
      origins_of_ingredients: {
        aggregated_origins: [{ epi_score: 0, origin: 'en:unknown', percent: 100, transportation_score: 0 }],
        ...{
          epi_score: 0,
          epi_value: -5,
          origins_from_categories: ['en:unknown'],
          value: -5,
          warning: 'origins_are_100_percent_unknown',
        },
        transportation_scores: perCountry,
        values: perCountry,
      },
      packaging: {
        value: -15,
        warning: 'packaging_data_missing',
        non_recyclable_and_non_biodegradable_materials: 1,
      },
      production_system: { labels: [], value: 0, warning: 'no_label' },
      threatened_species: {},
    },
    scores: perCountry,
  },
  nutriscore: Object.fromEntries([2021, 2023].map(year => [year, nutriscoreOf(index, grade)])),
  nutriscore_data: nutriscoreOf(index, grade).data,
  nutriscore_version: '2023',
  nutriscore_tags: [grade],
  nutriscore_2023_tags: [grade],
  nutrition_grade_fr: grade,
  nutrition_grades: grade,
  nutrition_score_debug: 'energy 7 + sugars 9 + saturated fat 9 - fiber 0 - proteins 0',
})

const perCountry = Object.fromEntries(
  'ad al at ax ba be bg ch cy cz de dk dz ee eg es fi fo fr gb gg gi gr hr hu ie il im is it je lb li lt lu lv ly ma mc md me mk mt nl no pl ps pt ro rs se si sj sk sm sy tn tr ua uk us va world xk'
    .split(' ')
    .map((country, place) => [country, place % 40]),
)

const impact = (index: number) => ({
  ...{
    code: String(10_000 + (index % 30_000)),
    agribalyse_food_code: '31032',
    version: '3.1.1',
    dqr: '2.54',
  },
  ...{
    name_en: 'A dish of that kind, prepacked',
    name_fr: 'Un plat de ce genre, préemballé',
    score: index % 100,
  },
  ...Object.fromEntries(
    [
      'agriculture',
      'consumption',
      'distribution',
      'packaging',
      'processing',
      'total',
      'transportation',
    ].flatMap((step, place) => [
      [`co2_${step}`, (index % 977) / (place + 7)],
      [`ef_${step}`, (index % 983) / (place + 1_307)],
    ]),
  ),
})

const nutriscoreOf = (index: number, grade: string) => {
  const component = (id: string, place: number) => ({
    id,
    points: place,
    points_max: 10 + place,
    unit: 'g',
    value: (index % 97) / 4,
  })
  return {
    data: {
      components: {
        negative: ['energy', 'sugars', 'saturated_fat', 'salt'].map(component),
        positive: ['fiber', 'fruits_vegetables_legumes', 'proteins'].map(component),
      },
      ...{ negative_points: 25, negative_points_max: 55, positive_points: 0, positive_points_max: 17 },
      ...{ count_proteins: 0, count_proteins_reason: 'negative_points_greater_than_or_equal_to_11' },
      ...{ is_beverage: 0, is_cheese: 0, is_fat_oil_nuts_seeds: 0, is_red_meat_product: 0, is_water: 0 },
      positive_nutrients: ['fiber', 'fruits_vegetables_legumes'],
    },
    ...{
      grade,
      score: index % 40,
      category_available: 1,
      nutrients_available: 1,
      nutriscore_applicable: 1,
      nutriscore_computed: 1,
    },
  }
}

const nutritionMembers = ({ nutriments }: CatalogueProduct) => {
  const entered = Object.entries(nutriments ?? {})
  const values = entered.filter(([name]) => name.endsWith('_100g'))
  return {
    // The server writes each value as entered, converted, per 100 g and per serving.
    nutriments: Object.fromEntries([
      ...entered,
      ...values.flatMap(([name, value]) =>
        ['', '_value', '_serving'].map(form => [name.replace('_100g', form), value]),
      ),
    ]),
    nutriments_estimated: Object.fromEntries(
      Array.from({ length: 30 }, (_, place) => [`nutrient-${place}_100g`, place / 7]),
    ),
    nutrient_levels: { fat: 'high', salt: 'low', 'saturated-fat': 'high', sugars: 'moderate' },
    nutrient_levels_tags: ['fat', 'salt', 'saturated-fat', 'sugars'].map(
      name => `en:${name}-in-moderate-quantity`,
    ),
    nutrition_data: 'on',
    nutrition_data_prepared_per: '100g',
    no_nutrition_data: '',
  }
}

const contributionMembers = (index: number) => ({
  sources: [
    {
      ...{
        id: 'database-usda',
        name: 'database-usda',
        manufacturer: null,
        url: null,
        import_t: 1_587_000_000 + index,
      },
      fields: [
        'product_name',
        'categories',
        'brand_owner',
        'data_sources',
        'serving_size',
        'nutrients.salt_value',
      ],
      images: [],
    },
  ],
  sources_fields: {
    'org-database-usda': {
      fdc_id: String(index),
      available_date: '2018-07-05T00:00:00Z',
      fdc_category: 'Food',
    },
  },
  data_sources: 'Databases, database-usda',
  data_sources_tags: ['databases', 'database-usda'],
  entry_dates_tags: ['2020-04-22', '2020-04', '2020'],
  last_edit_dates_tags: ['2024-11-03', '2024-11', '2024'],
  images: Object.fromEntries(
    ['1', '2', '3', 'front_fr', 'ingredients_fr', 'nutrition_fr'].map(key => [
      key,
      {
        ...{
          imgid: key,
          rev: String(index % 60),
          angle: 0,
          geometry: '0x0-0-0',
          normalize: null,
          white_magic: null,
        },
        ...{ x1: '-1', x2: '-1', y1: '-1', y2: '-1', uploaded_t: 1_587_000_000 + index, uploader: 'someone' },
        sizes: Object.fromEntries(
          [100, 200, 400, 'full'].map(size => [size, { h: Number(size) || 1200, w: 75 }]),
        ),
      },
    ]),
  ),
})

/** In an order that differs between lines, as in Perl's hashes, but is the same in each run. */
const shuffled = (members: readonly Member[], index: number): readonly Member[] => {
  const mixed = [...members]
  let state = index + 1
  for (let last = mixed.length - 1; last > 0; last -= 1) {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + last
    const other = (state >>> 0) % (last + 1)
    const [one, two] = [mixed[last], mixed[other]]
    if (one !== undefined && two !== undefined) [mixed[last], mixed[other]] = [two, one]
  }
  return mixed
}
