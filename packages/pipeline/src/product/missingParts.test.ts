import { expect, test } from 'vitest'
import { missingParts } from './missingParts.ts'
import { productColumns } from './product.ts'

test.each<[string, object, readonly string[]]>([
  [
    'a product of the API',
    { product_name: 'A', nutriments: { fat_100g: 1 }, countries_tags: ['en:spain'] },
    [],
  ],
  ['a product whose fields are empty', { product_name: '', nutriments: {}, countries: null }, []],
  ['the newer schema', { product_name_es: 'A', nutrition: null, countries: '' }, []],
  ['a record', Object.fromEntries(productColumns.map(column => [column, null])), []],
  ['some columns of the record', { product_name: 'A', salt_100g: null, countries: null }, []],
  ['a search result', { code: '1', product_name: 'A' }, ['nutriments', 'countries']],
  ['a path of a mapping that finds nothing', { product_name: undefined, salt_100g: 1 }, ['countries']],
  ['a barcode', { code: '1' }, ['product_name', 'nutriments', 'countries']],
])('%s lacks %j', (_what, fields, missing) => {
  expect(missingParts({ ...fields })).toEqual(missing)
})
