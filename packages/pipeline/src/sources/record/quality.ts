import type { Product } from '../../product.ts'
import { nutrientNames } from './nutriments.ts'

/**
 * What is absurd about a record's nutriments: the names of the rules it breaks, sorted, joined by `,`; null for none.
 *
 * Rules, limits and names are those of Open Food Facts' data quality, so that a flag can be looked up there under
 * `en:<flag>`; where the record lacks what a rule needs, it differs, and says so.
 * @see lib/ProductOpener/DataQualityFood.pm of openfoodfacts-server, `check_nutrition_data` and
 *   `check_nutrition_data_energy_computation`
 */
export const qualityFlags = (product: Unflagged): string | null => {
  const flags = rules.flatMap(rule => rule(product))
  return flags.length === 0 ? null : flags.sort().join(',')
}

/** A record of which nobody has yet said what is absurd. */
export type Unflagged = Omit<Product, 'quality_flags'>

/** The record with its flags: the last step of every source. */
export const flagged = (product: Unflagged): Product => ({ ...product, quality_flags: qualityFlags(product) })

type Rule = (product: Unflagged) => readonly string[]

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

const when = (holds: boolean, flag: string): readonly string[] => (holds ? [flag] : [])

const rules: readonly Rule[] = [
  // 105 instead of 100: 100 ml of some drinks weigh more than 100 g.
  product =>
    masses
      .filter(nutriment => (product[nutriment] ?? 0) > 105)
      .map(nutriment => `nutrition-value-over-105-${nutrientNames[nutriment]}`),

  product =>
    all
      .filter(nutriment => (product[nutriment] ?? 0) < 0)
      .map(nutriment => `nutrition-value-negative-${nutrientNames[nutriment]}`),

  ({ fat_100g, carbohydrates_100g, proteins_100g, salt_100g }) =>
    when(sum(fat_100g, carbohydrates_100g, proteins_100g, salt_100g) > 105, 'nutrition-value-total-over-105'),

  // The limit is 3,800 kJ; pure fat has 3,700.
  ({ energy_kcal_100g }) => when((energy_kcal_100g ?? 0) * 4.184 > 3800, 'nutrition-value-over-3800-energy'),

  product =>
    when(energyIsOff(product), 'energy-value-in-kcal-does-not-match-value-computed-from-other-nutrients'),

  // The rule adds starch to the sugars, which the record does not have.
  ({ sugars_100g, carbohydrates_100g }) =>
    when(
      carbohydrates_100g !== null && (sugars_100g ?? 0) > carbohydrates_100g + 0.001,
      'nutrition-sugars-plus-starch-greater-than-carbohydrates',
    ),

  ({ saturated_fat_100g, fat_100g }) =>
    when(
      fat_100g !== null && (saturated_fat_100g ?? 0) > fat_100g + 0.001,
      'nutrition-saturated-fat-greater-than-fat',
    ),

  product => when(threeAreEqual(product), 'nutrition-3-or-more-values-are-identical'),

  product => {
    const known = all.map(nutriment => product[nutriment]).filter(value => value !== null)
    return when(known.length > 0 && known.every(value => value === 0), 'all-nutrition-values-are-set-to-0')
  },

  // Milligrams written as grams.
  ({ salt_100g }) =>
    when(salt_100g !== null && salt_100g > 0 && salt_100g < 0.001, 'nutrition-value-under-0-001-g-salt'),

  // A rule of ours: such a moment would win against every later change, and is not believed (see `as_of`).
  ({ last_modified_t, observed_at }) =>
    when((last_modified_t ?? 0) * 1000 > Date.parse(observed_at), 'last-modified-in-the-future'),
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
  const values = masses.map(nutriment => product[nutriment] ?? 0).filter(value => value > 1)
  return values.some(value => values.filter(other => other === value).length >= 3)
}
