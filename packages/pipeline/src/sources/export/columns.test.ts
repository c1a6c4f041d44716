import { expect, test } from 'vitest'
import { columnsOf, productIn } from './columns.ts'

test('columns are recognised with spaces and in any case; of two, the first counts', () => {
  const columns = columnsOf(['\ufeffCODE ', 'x', ' Fat_100g', 'code', 'energy-kcal_100g'])
  expect(columns).toEqual([
    { index: 0, field: 'code', isNutrient: false },
    { index: 2, field: 'fat_100g', isNutrient: true },
    { index: 4, field: 'energy-kcal_100g', isNutrient: true },
  ])
  expect(productIn(columns, index => index)).toEqual({
    value: { code: 0, nutriments: { fat_100g: 2, 'energy-kcal_100g': 4 } },
  })
})
