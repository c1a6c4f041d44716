import { expect, test } from 'vitest'
import { productsIn } from './answer.ts'

const reasonsIn = (value: unknown) =>
  productsIn(value).map(candidate =>
    'skippedBy' in candidate ? candidate.skippedBy : 'value' in candidate ? candidate.value : candidate,
  )

const oats = { code: '4006381333931', product_name: 'Oats' }
const refusal = (id: string, more: object = {}) => ({
  ...{ code: '4006381333931', result: { id, name: 'x' }, status: 'failure', warnings: [] },
  ...{ errors: [{ field: { id: 'code', value: '4006381333931' }, message: { id } }] },
  ...more,
})

test.each<[string, unknown, readonly unknown[]]>([
  ['a product', oats, [oats]],
  [
    'version 0, found',
    { status: 1, status_verbose: 'product found', code: oats.code, product: oats },
    [oats],
  ],
  [
    'version 2, found, with some fields only',
    { code: oats.code, status: 1, status_verbose: 'product found', product: { product_name: 'Oats' } },
    [oats],
  ],
  [
    'version 3, found with warnings',
    {
      code: oats.code,
      status: 'success_with_warnings',
      warnings: [{}],
      errors: [],
      result: { id: 'product_found' },
      product: oats,
    },
    [oats],
  ],
  [
    'version 3, found with errors',
    {
      code: oats.code,
      status: 'success_with_errors',
      errors: [{}],
      result: { id: 'product_found' },
      product: oats,
    },
    [oats],
  ],
  [
    'version 0, not found',
    { status: 0, status_verbose: 'product not found', code: oats.code },
    ['not-found'],
  ],
  ['version 0, not found, without words', { status: 0, code: oats.code, product: null }, ['not-found']],
  [
    'version 2, not found, with an empty product',
    { status: 0, status_verbose: 'product not found', code: oats.code, product: {} },
    ['not-found'],
  ],
  ['version 3, not found', refusal('product_not_found'), ['not-found']],
  [
    'version 2, another type',
    { status: 0, status_verbose: 'product found with a different product type: beauty', code: oats.code },
    ['other-product-type'],
  ],
  [
    'version 3, another type',
    refusal('product_found_with_a_different_product_type', { product: { product_type: 'beauty' } }),
    ['other-product-type'],
  ],
  ['version 3, an invalid code', refusal('invalid_code'), ['no-product-in-response']],
  [
    'version 3, only errors',
    { errors: [{}], status: 'failure', code: '12345678' },
    ['no-product-in-response'],
  ],
  ['a search', { count: 2, products: [oats, { ...oats, code: '4012' }] }, [oats, { ...oats, code: '4012' }]],
  ['a search without results', { count: 0, products: [] }, []],
])('%s is recognised', (_what, value, expected) => {
  expect(reasonsIn(value)).toEqual(expected)
})
