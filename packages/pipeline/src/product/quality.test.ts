import { expect, test } from 'vitest'
import type { Product } from './product.ts'
import { productOf } from './productOf.ts'

const flagsOf = (columns: Partial<Product>): string | null => {
  const context = { source: 'stdin', observedAt: '2026-04-01T12:00:00.000Z', site: null } as const
  const reading = productOf({ code: '3017620422003', brands: 'A', ...columns }, context)
  if (reading.kind !== 'product') throw new Error(reading.kind)
  return reading.product.quality_flags
}

const plausible: Partial<Product> = {
  energy_kcal_100g: 539,
  fat_100g: 30.9,
  saturated_fat_100g: 10.6,
  carbohydrates_100g: 57.5,
  sugars_100g: 56.3,
  proteins_100g: 6.3,
  salt_100g: 0.107,
}

test.each<readonly [what: string, columns: Partial<Product>, flags: string | null]>([
  ['a plausible product', plausible, null],
  ['a product of which nothing is known', {}, null],
  ['pure fat', { energy_kcal_100g: 900, fat_100g: 100, carbohydrates_100g: 0, proteins_100g: 0 }, null],
  ['gin', { energy_kcal_100g: 230, fat_100g: 0, carbohydrates_100g: 0, proteins_100g: 0 }, null],
  ['liqueur', { energy_kcal_100g: 327, fat_100g: 0, carbohydrates_100g: 32, proteins_100g: 0 }, null],
  [
    'energy from nothing',
    { energy_kcal_100g: 388, fat_100g: 0, carbohydrates_100g: 0, proteins_100g: 0 },
    'energy-value-in-kcal-does-not-match-value-computed-from-other-nutrients',
  ],
  [
    'kilojoules as kilocalories',
    { ...plausible, energy_kcal_100g: 2252 },
    'energy-value-in-kcal-does-not-match-value-computed-from-other-nutrients,nutrition-value-over-3800-energy',
  ],
  [
    'milligrams as grams',
    { ...plausible, fat_100g: 700, saturated_fat_100g: null },
    'energy-value-in-kcal-does-not-match-value-computed-from-other-nutrients,nutrition-value-over-105-fat,nutrition-value-total-over-105',
  ],
  ['a negative value', { salt_100g: -1 }, 'nutrition-value-negative-salt'],
  ['negative fat', { fat_100g: -1 }, 'nutrition-value-negative-fat'],
  ['negative carbohydrates', { carbohydrates_100g: -2 }, 'nutrition-value-negative-carbohydrates'],
  [
    'negative fat with energy',
    { ...plausible, fat_100g: -30, saturated_fat_100g: null },
    'nutrition-value-negative-fat',
  ],
  [
    'parts greater than the whole',
    { fat_100g: 1, saturated_fat_100g: 2, carbohydrates_100g: 3, sugars_100g: 4 },
    'nutrition-saturated-fat-greater-than-fat,nutrition-sugars-plus-starch-greater-than-carbohydrates',
  ],
  [
    'one value for all',
    { fat_100g: 5, carbohydrates_100g: 5, proteins_100g: 5 },
    'nutrition-3-or-more-values-are-identical',
  ],
  ['nothing but zeros', { fat_100g: 0, salt_100g: 0 }, 'all-nutrition-values-are-set-to-0'],
  ['hardly any salt', { salt_100g: 0.0005 }, 'nutrition-value-under-0-001-g-salt'],
  ['a change in the future', { last_modified_t: 4_000_000_000 }, 'last-modified-in-the-future'],
])('%s: %s', (_what, columns, flags) => {
  expect(flagsOf(columns)).toBe(flags)
})
