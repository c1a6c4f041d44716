import { nutrientNames } from './nutriments.ts'
import type { Product } from './product.ts'

/**
 * The names of the rules that the nutriments of a record break, sorted and joined by `,`; null for none. Records with
 * flags are published like others.
 *
 * Rules, limits and names are those of the data quality facet of Open Food Facts, where a flag is found as `en:<flag>`.
 * A rule that needs a value that the record does not have differs from it, and has a comment.
 * @see openfoodfacts-server, lib/ProductOpener/DataQualityFood.pm, `check_nutrition_data` and
 *   `check_nutrition_data_energy_computation`
 */
export const qualityFlags = (product: Unflagged): string | null => {
  const flags: string[] = []
  const add = (flag: string): void => void flags.push(flag)
  for (const rule of rules) rule(product, add)
  return flags.length === 0 ? null : flags.sort().join(',')
}

/** A record before its flags are computed. */
export type Unflagged = Omit<Product, 'quality_flags'>

/**
 * Adds the flags to a record; the last step of every source. Changes and returns the same object, because a copy takes
 * as long as the flags.
 */
export const flagged = (product: Unflagged): Product => {
  const record = product as Product
  record.quality_flags = qualityFlags(product)
  return record
}

/** Calls `add` for each flag. Most records have none, and then nothing is allocated. */
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

/** A rule with one flag. */
const when =
  (flag: string, holds: (product: Unflagged) => boolean): Rule =>
  (product, add) => {
    if (holds(product)) add(flag)
  }

const rules: readonly Rule[] = [
  // 105 instead of 100, because 100 ml of some drinks weigh more than 100 g.
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

  // The limit is 3,800 kJ. Pure fat has 3,700 kJ.
  when('nutrition-value-over-3800-energy', ({ energy_kcal_100g }) => (energy_kcal_100g ?? 0) * 4.184 > 3800),

  when('energy-value-in-kcal-does-not-match-value-computed-from-other-nutrients', product =>
    energyDoesNotMatch(product),
  ),

  // The original rule adds starch, which the record does not have.
  when(
    'nutrition-sugars-plus-starch-greater-than-carbohydrates',
    ({ sugars_100g, carbohydrates_100g }) =>
      carbohydrates_100g !== null && sugars_100g !== null && sugars_100g > carbohydrates_100g + 0.001,
  ),

  when(
    'nutrition-saturated-fat-greater-than-fat',
    ({ saturated_fat_100g, fat_100g }) =>
      fat_100g !== null && saturated_fat_100g !== null && saturated_fat_100g > fat_100g + 0.001,
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

  // Most likely milligrams entered as grams.
  when(
    'nutrition-value-under-0-001-g-salt',
    ({ salt_100g }) => salt_100g !== null && salt_100g > 0 && salt_100g < 0.001,
  ),

  // Our own rule. Such a moment would win against every later change, so `as_of` does not use it.
  when(
    'last-modified-in-the-future',
    ({ last_modified_t, observed_at }) => (last_modified_t ?? 0) * 1000 > Date.parse(observed_at),
  ),
]

const sum = (...values: readonly (number | null)[]): number =>
  values.reduce<number>((total, value) => total + (value ?? 0), 0)

/** Kilocalories in 100 ml: more than the alcohol of any spirit gives. */
const maxAlcoholKcal = 300

/**
 * Whether the energy differs by more than 30 % and 5 kcal from the energy of fat (9 kcal a gram), carbohydrates and
 * proteins (4) and fiber (2). The record does not contain alcohol (7). Therefore energy that is too high is accepted if
 * alcohol can explain it: less than half of the product is something else, and a spirit could have that much.
 * @see Regulation (EU) No 1169/2011, Annex XIV, for the factors
 */
const energyDoesNotMatch = (product: Unflagged): boolean => {
  const {
    energy_kcal_100g: stated,
    fat_100g: fat,
    carbohydrates_100g: carbohydrates,
    proteins_100g: proteins,
  } = product
  if (stated === null || fat === null || carbohydrates === null || proteins === null) return false
  const fiber = product.fiber_100g ?? 0
  // A negative value has its own flag, and gives no energy to compare with.
  if (Math.min(stated, fat, carbohydrates, proteins, fiber) < 0) return false
  const computed = 9 * fat + 4 * carbohydrates + 4 * proteins + 2 * fiber
  if (computed > stated * 1.3 + 5) return true
  const mayBeAlcohol =
    sum(fat, carbohydrates, proteins, fiber, product.salt_100g) < 50 && stated - computed <= maxAlcoholKcal
  return !mayBeAlcohol && computed < stated * 0.7 - 5
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
