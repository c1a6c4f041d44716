import { nutrientNames } from './nutriments.ts'
import type { Product } from './product.ts'

/**
 * What is absurd about a record's nutriments: the names of the rules it breaks, sorted, joined by `,`; null for none.
 *
 * Rules, limits and names are those of Open Food Facts' data quality, so that a flag can be looked up there under
 * `en:<flag>`; where the record lacks what a rule needs, it differs, and says so.
 * @see lib/ProductOpener/DataQualityFood.pm of openfoodfacts-server, `check_nutrition_data` and
 *   `check_nutrition_data_energy_computation`
 */
export const qualityFlags = (product: Unflagged): string | null => {
  const flags: string[] = []
  const add = (flag: string): void => void flags.push(flag)
  for (const rule of rules) rule(product, add)
  return flags.length === 0 ? null : flags.sort().join(',')
}

/** A record of which nobody has yet said what is absurd. */
export type Unflagged = Omit<Product, 'quality_flags'>

/** The record with its flags: the last step of every source. The very same object: to copy it takes as long as to flag it. */
export const flagged = (product: Unflagged): Product => {
  const record = product as Product
  record.quality_flags = qualityFlags(product)
  return record
}

/** Adds the flags that a record deserves. Hardly any does, so what deserves none makes no garbage. */
type Rule = (product: Unflagged, add: (flag: string) => void) => void

const masses = [
  'fat_100g',
  'saturated_fat_100g',
  'carbohydrates_100g',
  'sugars_100g',
  'fiber_100g',
  'proteins_100g',
  'salt_100g',
] as const
const all = ['energy_kcal_100g', ...masses] as const

/** A rule of one flag. */
const when =
  (flag: string, holds: (product: Unflagged) => boolean): Rule =>
  (product, add) => {
    if (holds(product)) add(flag)
  }

const rules: readonly Rule[] = [
  // 105 instead of 100: 100 ml of some drinks weigh more than 100 g.
  (product, add) => {
    for (const nutriment of masses)
      if ((product[nutriment] ?? 0) > 105) add(`nutrition-value-over-105-${nutrientNames[nutriment]}`)
  },

  (product, add) => {
    for (const nutriment of all)
      if ((product[nutriment] ?? 0) < 0) add(`nutrition-value-negative-${nutrientNames[nutriment]}`)
  },

  when(
    'nutrition-value-total-over-105',
    ({ fat_100g, carbohydrates_100g, proteins_100g, salt_100g }) =>
      sum(fat_100g, carbohydrates_100g, proteins_100g, salt_100g) > 105,
  ),

  // The limit is 3,800 kJ; pure fat has 3,700.
  when('nutrition-value-over-3800-energy', ({ energy_kcal_100g }) => (energy_kcal_100g ?? 0) * 4.184 > 3800),

  when('energy-value-in-kcal-does-not-match-value-computed-from-other-nutrients', product =>
    energyIsOff(product),
  ),

  // The rule adds starch to the sugars, which the record does not have.
  when(
    'nutrition-sugars-plus-starch-greater-than-carbohydrates',
    ({ sugars_100g, carbohydrates_100g }) =>
      carbohydrates_100g !== null && (sugars_100g ?? 0) > carbohydrates_100g + 0.001,
  ),

  when(
    'nutrition-saturated-fat-greater-than-fat',
    ({ saturated_fat_100g, fat_100g }) => fat_100g !== null && (saturated_fat_100g ?? 0) > fat_100g + 0.001,
  ),

  when('nutrition-3-or-more-values-are-identical', product => threeAreEqual(product)),

  when('all-nutrition-values-are-set-to-0', product => {
    let known = 0
    for (const nutriment of all) {
      const value = product[nutriment]
      if (value === null) continue
      if (value !== 0) return false
      known += 1
    }
    return known > 0
  }),

  // Milligrams written as grams.
  when(
    'nutrition-value-under-0-001-g-salt',
    ({ salt_100g }) => salt_100g !== null && salt_100g > 0 && salt_100g < 0.001,
  ),

  // A rule of ours: such a moment would win against every later change, and is not believed (see `as_of`).
  when(
    'last-modified-in-the-future',
    ({ last_modified_t, observed_at }) => (last_modified_t ?? 0) * 1000 > Date.parse(observed_at),
  ),
]

const sum = (...values: readonly (number | null)[]): number =>
  values.reduce<number>((total, value) => total + (value ?? 0), 0)

/** More energy than all the alcohol of a spirit gives, kilocalories in 100 ml. */
const mostFromAlcohol = 300

/**
 * Off by more than 30 % and 5 kcal from what fat (9), carbohydrates and proteins (4) and fiber (2 kcal a gram) make.
 * Alcohol (7) is not in the record: energy that is too high is believed where there is room for alcohol, that is where
 * less than half of the product is something else, and where a spirit could have as much.
 * @see Regulation (EU) No 1169/2011, Annex XIV, for the factors
 */
const energyIsOff = (product: Unflagged): boolean => {
  const {
    energy_kcal_100g: told,
    fat_100g: fat,
    carbohydrates_100g: carbohydrates,
    proteins_100g: proteins,
  } = product
  if (told === null || fat === null || carbohydrates === null || proteins === null) return false
  const fiber = product.fiber_100g ?? 0
  const computed = 9 * fat + 4 * carbohydrates + 4 * proteins + 2 * fiber
  if (computed > told * 1.3 + 5) return true
  const mayBeAlcohol =
    sum(fat, carbohydrates, proteins, fiber, product.salt_100g) < 50 && told - computed <= mostFromAlcohol
  return !mayBeAlcohol && computed < told * 0.7 - 5
}

const threeAreEqual = (product: Unflagged): boolean => {
  for (const one of masses) {
    const value = product[one] ?? 0
    if (value <= 1) continue
    let equal = 0
    for (const other of masses) if (product[other] === value) equal += 1
    if (equal >= 3) return true
  }
  return false
}
