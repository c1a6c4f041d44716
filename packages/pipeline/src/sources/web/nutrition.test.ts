import { expect, test } from 'vitest'
import { nutrimentsOf } from './nutrition.ts'

const unknown = {
  energy_kcal_100g: null,
  fat_100g: null,
  saturated_fat_100g: null,
  carbohydrates_100g: null,
  sugars_100g: null,
  fiber_100g: null,
  proteins_100g: null,
  salt_100g: null,
}

test('a French table is read by its labels, in the column for 100 g as sold', () => {
  const table = {
    head: ['Tableau nutritionnel', 'Tel que venduepar portion (100 g)', 'Tel que vendupour 100 g / 100 ml'],
    rows: [
      ['\n  Énergie\n', '1 kJ(1 kcal)', '2\u202f524 kJ(617,5 kcal)'],
      ['Matières grasses', '1 g', '48 g'],
      ['Acides gras saturés', '1 g', '< 0,5 g'],
      ['Acides gras monoinsaturés', '1 g', '9 g'],
      ['Glucides (sans fibres)', '1 g', '1\u202f036,25 g'],
      ['Sucres', '1 g', '~ 32 g'],
      ['Fibres alimentaires', '1 g', '?'],
      ['Protéines', '1 g', '-'],
      ['Sel', '1 g', '10 mg'],
    ],
  }
  expect(nutrimentsOf(table, 'fr')).toEqual({
    energy_kcal_100g: 617.5,
    fat_100g: 48,
    saturated_fat_100g: 0.5,
    carbohydrates_100g: 1036.25,
    sugars_100g: 32,
    fiber_100g: null,
    proteins_100g: null,
    salt_100g: 0.01,
  })
})

test('an English table is read by its labels, and a missing row is unknown', () => {
  const table = {
    head: ['Nutrition facts', 'As soldfor 100 g / 100 ml', 'Compared to: Snacks'],
    rows: [
      ['Energy', '1,000 kJ(239 kcal)', '+5%'],
      ['Fat', '1,250.5 g', '+5%'],
      ['Carbohydrates', '3 g', '+5%'],
      ['Fiber', '0.000072 g', '+5%'],
      ['Salt', '0.3 g (12 % DV)', '+5%'],
    ],
  }
  expect(nutrimentsOf(table, 'en')).toEqual({
    ...unknown,
    energy_kcal_100g: 239,
    fat_100g: 1250.5,
    carbohydrates_100g: 3,
    fiber_100g: 0.000072,
    salt_100g: 0.3,
  })
})

test.each([
  ['a serving', ['Nutrition facts', 'As soldper serving (100 g)']],
  ['the prepared product', ['Nutrition facts', 'Preparedfor 100 g / 100 ml']],
  ['nothing', []],
])('a table with values only %s gives no values for 100 g as sold', (_what, head) => {
  expect(nutrimentsOf({ head, rows: [['Fat', '3 g']] }, 'en')).toEqual(unknown)
})
