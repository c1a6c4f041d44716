import { parquetWriteBuffer } from 'hyparquet-writer'
import type { CatalogueProduct } from '../catalogue.ts'
import { isObsolete, tagsOf } from '../shelf.ts'
import { additivesCount } from '../taxonomy.ts'

type SchemaElement = NonNullable<Parameters<typeof parquetWriteBuffer>[0]['schema']>[number]

interface Column {
  readonly name: string
  readonly schema: readonly SchemaElement[]
  readonly value: (product: CatalogueProduct) => unknown
}

/**
 * The Parquet export with the official one's nesting: texts are lists of languages, `main` first; nutriments a list
 * with a name each and 32-bit numbers. Of its 97 columns those are left out that no catalogue of ours fills.
 */
export const parquetOf = (products: readonly CatalogueProduct[]): Buffer => {
  const schema = [
    { name: 'schema', num_children: columns.length },
    ...columns.flatMap(column => column.schema),
  ]
  const columnData = columns.map(({ name, value }) => ({ name, data: products.map(value) }))
  // As many rows in a group as the official file has: a reader holds a whole group.
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

/** In the product's language twice: as `main`, and under the language's name. */
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
    const told = nutriments ?? {}
    const names = new Set(Object.keys(told).flatMap(key => /^(.*)_(?:100g|serving)$/.exec(key)?.[1] ?? []))
    const number = (key: string) => (typeof told[key] === 'number' ? told[key] : null)
    return [...names].map(name => ({
      name,
      value: number(`${name}_100g`) ?? number(`${name}_serving`),
      '100g': number(`${name}_100g`),
      serving: number(`${name}_serving`),
      unit: typeof told[`${name}_unit`] === 'string' ? told[`${name}_unit`] : null,
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
