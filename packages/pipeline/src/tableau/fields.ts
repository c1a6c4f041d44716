import { environmentalScoreGrades, nutriScoreGrades } from '../names.ts'
import { type Product, productColumns } from '../product/product.ts'

type Datatype = 'string' | 'integer' | 'real' | 'datetime'

/** A column of a data source, or a calculation over its columns. */
export interface Field {
  readonly name: string
  readonly caption: string
  readonly datatype: Datatype
  readonly role: 'dimension' | 'measure'
  readonly type: 'nominal' | 'ordinal' | 'quantitative'
  /** A formula of Tableau, which names other fields in brackets. */
  readonly formula?: string
  readonly format?: string
  /** How values are shown, by the value as Tableau writes it, such as `"a"`, `1` or `%null%`. */
  readonly aliases?: Readonly<Record<string, string>>
}

const captions: Readonly<Record<keyof Product, string>> = {
  code: 'Barcode',
  product_name: 'Product name',
  generic_name: 'Generic name',
  quantity: 'Quantity',
  brands: 'Brands',
  categories: 'Categories',
  labels: 'Labels',
  countries: 'Countries',
  ingredients_text: 'Ingredients',
  allergens: 'Allergens',
  additives: 'Additives',
  additives_n: 'Number of additives',
  nutriscore_grade: 'Nutri-Score',
  nova_group: 'NOVA group',
  environmental_score_grade: 'Environmental score',
  energy_kcal_100g: 'Energy (kcal per 100 g)',
  fat_100g: 'Fat (g per 100 g)',
  saturated_fat_100g: 'Saturated fat (g per 100 g)',
  carbohydrates_100g: 'Carbohydrates (g per 100 g)',
  sugars_100g: 'Sugars (g per 100 g)',
  fiber_100g: 'Fibre (g per 100 g)',
  proteins_100g: 'Proteins (g per 100 g)',
  salt_100g: 'Salt (g per 100 g)',
  image_url: 'Image address',
  url: 'Page address',
  lang: 'Language',
  last_modified_t: 'Last modified (seconds since 1970)',
  rev: 'Revision',
  as_of: 'True as of',
  observed_at: 'Observed at',
  source: 'Source',
  quality_flags: 'Quality flags',
}

const integers: readonly string[] = ['additives_n', 'nova_group', 'last_modified_t', 'rev']
const times: readonly string[] = ['as_of', 'observed_at']

const datatypeOf = (name: string): Datatype => {
  if (name.endsWith('_100g')) return 'real'
  if (integers.includes(name)) return 'integer'
  return times.includes(name) ? 'datetime' : 'string'
}

const letters = (grades: readonly string[]): Record<string, string> => ({
  ...Object.fromEntries(
    grades.map(grade => [`"${grade}"`, grade.replace('-plus', '+').toUpperCase()] as const),
  ),
  '%null%': 'Unknown',
})

const aliases: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  nutriscore_grade: letters(nutriScoreGrades),
  nova_group: {
    '1': '1 – Unprocessed or minimally processed',
    '2': '2 – Processed culinary ingredients',
    '3': '3 – Processed foods',
    '4': '4 – Ultra-processed foods',
    '%null%': 'Unknown',
  },
  environmental_score_grade: letters(environmentalScoreGrades),
}

const columnField = (name: keyof Product): Field => {
  const datatype = datatypeOf(name)
  const isMeasure = datatype === 'real' || name === 'additives_n'
  return {
    name,
    caption: captions[name],
    datatype,
    role: isMeasure ? 'measure' : 'dimension',
    type: isMeasure ? 'quantitative' : datatype === 'string' ? 'nominal' : 'ordinal',
    ...(aliases[name] === undefined ? {} : { aliases: aliases[name] }),
  }
}

/** The columns of the view `Products`. */
export const productFields: readonly Field[] = productColumns.map(columnField)

const first = (list: string): string =>
  `IF CONTAINS([${list}], ",") THEN LEFT([${list}], FIND([${list}], ",") - 1) ELSE [${list}] END`

const dimension = (name: string, caption: string, formula: string): Field => ({
  ...{ name: `Calculation_${name}`, caption, datatype: 'string', role: 'dimension', type: 'nominal' },
  formula,
})

const measure = (name: string, caption: string, formula: string, format?: string): Field => ({
  ...{ name: `Calculation_${name}`, caption, role: 'measure', type: 'quantitative', formula },
  datatype: name === 'products' ? 'integer' : 'real',
  ...(format === undefined ? {} : { format }),
})

/** More than 100 g in 100 g is an entry error. */
const plausible = (nutrient: string, caption: string): Field =>
  measure(nutrient, caption, `IF [${nutrient}_100g] <= 100 THEN [${nutrient}_100g] END`)

const known = (name: keyof Product, caption: string): Field =>
  measure(`known_${name}`, caption, `IF ISNULL([${name}]) THEN 0.0 ELSE 1.0 END`, 'p0%')

export const productsMeasure: Field = measure('products', 'Number of products', 'COUNT([code])')

/** The calculations of the sheets over the columns of `Products`. */
export const calculations: readonly Field[] = [
  productsMeasure,
  dimension(
    'brand',
    'Brand',
    `// A product's first brand is its own; those after it are mostly the owner's or a shop's.\n${first('brands')}`,
  ),
  dimension('country', 'Country', `// The first of the countries.\n${first('countries')}`),
  dimension(
    'category',
    'Category',
    `// The first of the categories, which is the broadest one.\n${first('categories')}`,
  ),
  measure(
    'brand_share',
    "Share of the brand's products",
    '1.0 / { FIXED [Calculation_brand] : COUNT([code]) }',
    'p0%',
  ),
  measure(
    'category_share',
    "Share of the category's products",
    'IF NOT ISNULL([environmental_score_grade]) THEN 1.0 / { FIXED [Calculation_category] : COUNT([environmental_score_grade]) } END',
    'p0%',
  ),
  measure(
    'nova_share',
    "Share of the NOVA group's products",
    'IF NOT ISNULL([nutriscore_grade]) THEN 1.0 / { FIXED [nova_group] : COUNT([nutriscore_grade]) } END',
    'p0%',
  ),
  measure(
    'ultra',
    'Share of ultra-processed products',
    'SUM(IF [nova_group] = 4 THEN 1 ELSE 0 END) / COUNT([code])',
    'p0%',
  ),
  plausible('sugars', 'Sugars, g'),
  plausible('saturated_fat', 'Saturated fat, g'),
  plausible('salt', 'Salt, g'),
  plausible('fat', 'Fat, g'),
  plausible('fiber', 'Fibre, g'),
  plausible('proteins', 'Proteins, g'),
  known('product_name', 'Name known'),
  known('brands', 'Brand known'),
  known('categories', 'Categories known'),
  known('ingredients_text', 'Ingredients known'),
  known('nutriscore_grade', 'Nutri-Score known'),
  known('nova_group', 'NOVA group known'),
]

/** The columns of the query of additives: one row for each additive of a product. */
export const additiveFields: readonly Field[] = [
  columnField('code'),
  { name: 'additive', caption: 'Additive', datatype: 'string', role: 'dimension', type: 'nominal' },
]
