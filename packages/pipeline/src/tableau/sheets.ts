import { additiveFields, calculations, type Field, productFields, productsMeasure } from './fields.ts'

/** A query of the Thrift server and its fields. */
export interface DataSource {
  /** The name of the query, also the start of the ids. */
  readonly id: 'products' | 'additives'
  readonly caption: string
  readonly sql: string
  /** The columns of the query, in its order. */
  readonly columns: readonly Field[]
  readonly calculations: readonly Field[]
}

/** A field as it is used: as it is, aggregated, or truncated to a month. */
export interface Use {
  readonly field: string
  readonly derivation: 'None' | 'User' | 'Sum' | 'Avg' | 'Median' | 'Month-Trunc'
}

/** A worksheet, which answers the question of one chart of `charts/`. */
export interface Sheet {
  readonly name: string
  /** The base name of the chart. */
  readonly chart: string
  readonly question: string
  readonly definition: string
  readonly source: DataSource
  readonly mark: 'Bar' | 'Square' | 'Circle'
  readonly rows: readonly Use[]
  readonly cols: readonly Use[]
  readonly color?: Use
  readonly text?: Use
  readonly size?: Use
  /** The field of the marks, if neither a row nor a column has it. */
  readonly detail?: Use
  /** Only the values of this dimension with the most values of the field `by`. */
  readonly top?: { readonly dimension: Use; readonly count: number; readonly by: string }
  /** The dimension to sort, and the value to sort it by, from the largest. */
  readonly sort?: { readonly dimension: Use; readonly by: Use }
}

export const productsSource: DataSource = {
  id: 'products',
  caption: 'Products (Spark Thrift Server)',
  sql: 'SELECT * FROM Products',
  columns: productFields,
  calculations,
}

/** Tableau cannot split a list into rows, so Spark does. */
export const additivesSource: DataSource = {
  id: 'additives',
  caption: 'Additives (Spark Thrift Server)',
  sql: "SELECT code, additive FROM Products LATERAL VIEW explode(split(additives, ', ')) AS additive",
  columns: additiveFields,
  calculations: [productsMeasure],
}

const plain = (field: string): Use => ({ field, derivation: 'None' })
const median = (nutrient: string): Use => ({ field: `Calculation_${nutrient}`, derivation: 'Median' })
const average = (column: string): Use => ({ field: `Calculation_known_${column}`, derivation: 'Avg' })

const products: Use = { field: 'Calculation_products', derivation: 'User' }
const ultra: Use = { field: 'Calculation_ultra', derivation: 'User' }
const brand = plain('Calculation_brand')
const category = plain('Calculation_category')
const country = plain('Calculation_country')
const brandShare: Use = { field: 'Calculation_brand_share', derivation: 'Sum' }
const categoryShare: Use = { field: 'Calculation_category_share', derivation: 'Sum' }
const novaShare: Use = { field: 'Calculation_nova_share', derivation: 'Sum' }

/** The dimensions that filter every sheet of products; the dashboard shows their filters. */
export const filters: readonly Use[] = [country, category]

const scoreBars = (name: string, column: string) => ({
  ...{ name, source: productsSource, mark: 'Bar' as const, rows: [plain(column)], cols: [products] },
  ...{ color: plain(column), text: products },
})

export const sheets: readonly Sheet[] = [
  {
    ...scoreBars('NOVA groups', 'nova_group'),
    chart: 'nova-distribution',
    question: 'How processed are the products?',
    definition: 'Number of products in each NOVA group',
  },
  {
    ...scoreBars('Nutri-Score', 'nutriscore_grade'),
    chart: 'nutri-score-ranking',
    question: 'How do products rank by Nutri-Score?',
    definition: 'Number of products of each grade, best to worst',
  },
  {
    name: 'Brands',
    chart: 'brands-by-processing',
    question: 'How processed are the products of the largest brands?',
    definition: 'The 12 brands with the most products, the largest share of ultra-processed products first',
    source: productsSource,
    ...{ mark: 'Bar', rows: [brand], cols: [brandShare], color: plain('nova_group'), text: brandShare },
    top: { dimension: brand, count: 12, by: 'brands' },
    sort: { dimension: brand, by: ultra },
  },
  {
    ...scoreBars('Environmental score', 'environmental_score_grade'),
    chart: 'environmental-impact',
    question: 'What is the environmental impact of the products?',
    definition: 'Number of products of each environmental score, A+ is best',
  },
  {
    name: 'Nutri-Score by NOVA',
    chart: 'nutri-score-by-nova',
    question: 'Do less processed products have a better Nutri-Score?',
    definition: 'Share of each Nutri-Score grade among the products of a NOVA group',
    source: productsSource,
    ...{ mark: 'Square', rows: [plain('nutriscore_grade')], cols: [plain('nova_group')] },
    ...{ color: novaShare, text: products },
  },
  {
    name: 'Nutrients',
    chart: 'nutrients-by-nutri-score',
    question: 'How do nutrients differ by Nutri-Score?',
    definition: 'Median in 100 g or 100 ml; values above 100 g are excluded',
    source: productsSource,
    ...{ mark: 'Bar', rows: [plain('nutriscore_grade')], color: plain('nutriscore_grade') },
    cols: ['sugars', 'saturated_fat', 'salt', 'fat', 'fiber', 'proteins'].map(median),
  },
  {
    name: 'Additives',
    chart: 'most-frequent-additives',
    question: 'Which additives are the most common?',
    definition: 'The 15 most common ones, in all countries and categories',
    source: additivesSource,
    ...{ mark: 'Bar', rows: [plain('additive')], cols: [products], text: products },
    top: { dimension: plain('additive'), count: 15, by: 'additive' },
    sort: { dimension: plain('additive'), by: products },
  },
  {
    name: 'Sugars and fat',
    chart: 'sugar-against-fat',
    question: 'Which categories are high in sugars, in fat, or in both?',
    definition:
      'Median in 100 g or 100 ml; the 14 largest categories, each product in the first of its categories',
    source: productsSource,
    ...{ mark: 'Circle', rows: [median('fat')], cols: [median('sugars')], detail: category },
    ...{ size: products, text: category },
    top: { dimension: category, count: 14, by: 'categories' },
  },
  {
    name: 'Environmental score by category',
    chart: 'environmental-score-by-category',
    question: 'Which categories have the smallest environmental impact?',
    definition:
      'The 12 categories with the most scored products, each product in the first of its categories',
    source: productsSource,
    ...{ mark: 'Bar', rows: [category], cols: [categoryShare], text: categoryShare },
    color: plain('environmental_score_grade'),
    top: { dimension: category, count: 12, by: 'environmental_score_grade' },
  },
  {
    name: 'Completeness',
    chart: 'completeness-by-country',
    question: "How complete is the data on each country's products?",
    definition: 'Share of the products for which a field is known; the 8 countries with the most products',
    source: productsSource,
    ...{ mark: 'Bar', rows: [country], detail: products },
    cols: ['product_name', 'brands', 'categories', 'ingredients_text', 'nutriscore_grade', 'nova_group'].map(
      average,
    ),
    top: { dimension: country, count: 8, by: 'countries' },
    sort: { dimension: country, by: products },
  },
  {
    name: 'Arrivals',
    chart: 'arrivals-over-time',
    question: 'When were the products last updated?',
    definition: 'Number of products by the month that their record describes',
    source: productsSource,
    ...{ mark: 'Bar', rows: [products], cols: [{ field: 'as_of', derivation: 'Month-Trunc' }] },
  },
]
