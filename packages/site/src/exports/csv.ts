import type { CatalogueProduct } from '../catalogue.ts'
import { tagsOf } from '../productStore.ts'
import { additiveName, additivesCount, type Facet } from '../taxonomy.ts'

type Cell = string | number | null | undefined

/**
 * The CSV export: separated by tabs, with the names and the order of the official export's columns. Of its 210 columns
 * those without data in our catalogues are omitted.
 */
export const csvHead: () => string = () => line(columns.map(([name]) => name))

export const csvLine = (product: CatalogueProduct): string => line(columns.map(([, cell]) => cell(product)))

const line = (cells: readonly Cell[]): string => `${cells.map(written).join('\t')}\n`

/** Quoted only if necessary. Quotes are doubled, tabs and line breaks become blanks. */
const written = (cell: Cell): string => {
  const text = String(cell ?? '').replace(/[\t\r\n]+/g, ' ')
  return text.includes('"') ? `"${text.replaceAll('"', '""')}"` : text
}

type Column = readonly [name: string, cell: (product: CatalogueProduct) => Cell]

const plain = (name: string): Column => [
  name,
  product => {
    const value = product[name]
    return typeof value === 'string' || typeof value === 'number' ? value : null
  },
]

/** Each time has two columns: seconds, and a date. */
const moment = (name: string): readonly Column[] => [
  plain(`${name}_t`),
  [
    `${name}_datetime`,
    product => {
      const seconds = product[`${name}_t`]
      return typeof seconds === 'number' ? new Date(seconds * 1000).toISOString().replace('.000', '') : null
    },
  ],
]

const tags = (name: string): Column => [
  name,
  product => {
    const value = product[name]
    return Array.isArray(value) ? value.join(',') : null
  },
]

/** The written names, the tags, and the English names. */
const facet = (name: Facet): readonly Column[] => [
  [
    name,
    product => {
      const names = product[name]
      if (typeof names === 'string') return names
      return tagsOf(product, name, 'fr')
        .map(each => each.name)
        .join(',')
    },
  ],
  name === 'brands'
    ? [
        'brands_tags',
        product =>
          tagsOf(product, name, 'en')
            .map(({ tag }) => `xx:${tag}`)
            .join(','),
      ]
    : tags(`${name}_tags`),
  [
    `${name}_en`,
    product =>
      tagsOf(product, name, 'en')
        .map(each => each.name)
        .join(','),
  ],
]

const nutriment = (name: string): Column => [
  `${name}_100g`,
  ({ nutriments }) => {
    const value = nutriments?.[`${name}_100g`]
    return typeof value === 'number' ? value : null
  },
]

const columns: readonly Column[] = [
  plain('code'),
  plain('url'),
  ...moment('created'),
  ...moment('last_modified'),
  ...moment('last_updated'),
  plain('product_name'),
  plain('generic_name'),
  plain('quantity'),
  ...facet('brands'),
  ...facet('categories'),
  ...facet('labels'),
  plain('stores'),
  ...facet('countries'),
  plain('ingredients_text'),
  // Unlike similar columns, the official column of this name contains tags.
  ['allergens', ({ allergens_tags }) => (allergens_tags ?? []).join(',')],
  tags('traces_tags'),
  plain('serving_size'),
  [
    'additives_n',
    ({ additives_n, additives_tags }) =>
      typeof additives_n === 'number' ? additives_n : additives_tags && additivesCount(additives_tags),
  ],
  tags('additives_tags'),
  [
    'additives_en',
    ({ additives_tags }) => (additives_tags ?? []).map(tag => additiveName(tag, 'en')).join(','),
  ],
  plain('nutriscore_score'),
  plain('nutriscore_grade'),
  plain('nova_group'),
  plain('environmental_score_score'),
  plain('environmental_score_grade'),
  plain('completeness'),
  plain('image_url'),
  plain('image_small_url'),
  ...[
    'energy-kj',
    'energy-kcal',
    'energy',
    'fat',
    'saturated-fat',
    'monounsaturated-fat',
    'polyunsaturated-fat',
    'trans-fat',
    'cholesterol',
    'carbohydrates',
    'sugars',
    'added-sugars',
    'fiber',
    'proteins',
    'salt',
    'sodium',
    'alcohol',
  ].map(nutriment),
]
