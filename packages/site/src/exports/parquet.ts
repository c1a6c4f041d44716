import { parquetWriteBuffer } from 'hyparquet-writer'
import type { CatalogueProduct } from '../catalogue.ts'
import { isObsolete, tagsOf } from '../productStore.ts'
import { additivesCount } from '../taxonomy.ts'

type SchemaElement = NonNullable<Parameters<typeof parquetWriteBuffer>[0]['schema']>[number]

interface Column {
  readonly name: string
  readonly schema: readonly SchemaElement[]
  readonly value: (product: CatalogueProduct) => unknown
}

/**
 * The Parquet export with the nesting of the official export: texts are lists of languages with `main` first, nutriments are
 * a list of names and 32-bit numbers. Of its 97 columns those without data in our catalogues are omitted.
 */
export const parquetOf = (products: readonly CatalogueProduct[]): Buffer => {
  const schema = [
    { name: 'schema', num_children: columns.length },
    ...columns.flatMap(column => column.schema),
  ]
  const columnData = columns.map(({ name, value }) => ({ name, data: products.map(value) }))
  // The row group size of the official file. Readers keep a whole group in memory.
  return Buffer.from(parquetWriteBuffer({ schema, columnData, rowGroupSize: 1_024 }))
}

const optional = { repetition_type: 'OPTIONAL' } as const

const text = (name: string): SchemaElement => ({
  name,
  type: 'BYTE_ARRAY',
  converted_type: 'UTF8',
  ...optional,
})

const list = (name: string, ...element: readonly SchemaElement[]): readonly SchemaElement[] => [
  { name, converted_type: 'LIST', num_children: 1, ...optional },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  ...element,
]

const group = (...children: readonly SchemaElement[]): readonly SchemaElement[] => [
  { name: 'element', num_children: children.length, ...optional },
  ...children,
]

const textColumn = (name: string): Column => ({
  name,
  schema: [text(name)],
  value: product => (typeof product[name] === 'string' ? product[name] : null),
})

const wholeColumn = (name: string, type: 'INT32' | 'INT64' = 'INT32'): Column => ({
  name,
  schema: [{ name, type, ...optional }],
  value: product => {
    const value = product[name]
    if (typeof value !== 'number') return null
    return type === 'INT64' ? BigInt(value) : value
  },
})

const tagsColumn = (name: string): Column => ({
  name,
  schema: list(name, text('element')),
  value: product => (Array.isArray(product[name]) ? product[name] : null),
})

/** The text of the product's language appears twice: as `main` and as the language. */
const languagesColumn = (name: 'product_name' | 'generic_name' | 'ingredients_text'): Column => ({
  name,
  schema: list(name, ...group(text('lang'), text('text'))),
  value: product => {
    const written = product[name]
    const languages = product.lang ? ['main', product.lang] : ['main']
    return written ? languages.map(lang => ({ lang, text: written })) : []
  },
})

const numbers = ['value', '100g', 'serving'] as const

const nutrimentsColumn: Column = {
  name: 'nutriments',
  schema: list(
    'nutriments',
    ...group(
      text('name'),
      ...numbers.map(name => ({ name, type: 'FLOAT', ...optional }) as const),
      text('unit'),
    ),
  ),
  value: ({ nutriments }) => {
    const values = nutriments ?? {}
    const names = new Set(Object.keys(values).flatMap(key => /^(.*)_(?:100g|serving)$/.exec(key)?.[1] ?? []))
    const number = (key: string) => (typeof values[key] === 'number' ? values[key] : null)
    return [...names].map(name => ({
      name,
      value: number(`${name}_100g`) ?? number(`${name}_serving`),
      '100g': number(`${name}_100g`),
      serving: number(`${name}_serving`),
      unit: typeof values[`${name}_unit`] === 'string' ? values[`${name}_unit`] : null,
    }))
  },
}

const columns: readonly Column[] = [
  {
    name: 'additives_n',
    schema: [{ name: 'additives_n', type: 'INT32', ...optional }],
    value: ({ additives_tags }) => (additives_tags ? additivesCount(additives_tags) : null),
  },
  tagsColumn('additives_tags'),
  tagsColumn('allergens_tags'),
  {
    name: 'brands_tags',
    schema: list('brands_tags', text('element')),
    value: product => tagsOf(product, 'brands', 'en').map(({ tag }) => `xx:${tag}`),
  },
  textColumn('brands'),
  textColumn('categories'),
  tagsColumn('categories_tags'),
  textColumn('code'),
  tagsColumn('countries_tags'),
  wholeColumn('created_t', 'INT64'),
  textColumn('environmental_score_grade'),
  wholeColumn('environmental_score_score'),
  languagesColumn('generic_name'),
  languagesColumn('ingredients_text'),
  tagsColumn('labels_tags'),
  textColumn('labels'),
  textColumn('lang'),
  wholeColumn('last_modified_t', 'INT64'),
  wholeColumn('last_updated_t', 'INT64'),
  {
    name: 'nova_group',
    schema: [{ name: 'nova_group', type: 'INT32', ...optional }],
    value: ({ nova_group: group }) => (group ? Number(group) : null),
  },
  nutrimentsColumn,
  textColumn('nutriscore_grade'),
  wholeColumn('nutriscore_score'),
  textColumn('nutrition_data_per'),
  { name: 'obsolete', schema: [{ name: 'obsolete', type: 'BOOLEAN', ...optional }], value: isObsolete },
  languagesColumn('product_name'),
  textColumn('quantity'),
  wholeColumn('rev'),
  textColumn('serving_size'),
  tagsColumn('traces_tags'),
  wholeColumn('schema_version'),
]
