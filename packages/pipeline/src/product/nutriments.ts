import { type JsonObject, objectOf, textOf } from './json.ts'
import { energyOf, massOf, rounded } from './normalise.ts'
import type { Product } from './product.ts'

/** The nutriments of the record, each with the name it has in Open Food Facts' data. */
export const nutrientNames = {
  energy_kcal_100g: 'energy-kcal',
  fat_100g: 'fat',
  saturated_fat_100g: 'saturated-fat',
  carbohydrates_100g: 'carbohydrates',
  sugars_100g: 'sugars',
  fiber_100g: 'fiber',
  proteins_100g: 'proteins',
  salt_100g: 'salt',
} as const

/** What stands in for a nutriment that is not told itself. */
const otherNutrients = ['energy-kj', 'energy', 'sodium'] as const

/** All that are read, by their names in Open Food Facts' data. */
export const nutrients: readonly string[] = [...Object.values(nutrientNames), ...otherNutrients]

type Nutriments = Pick<Product, keyof typeof nutrientNames>

/**
 * What a product has for 100 g or 100 ml as sold, from any of the forms it is told in: the record's own columns, the
 * schema `nutrition` (since 2026: the set that the server aggregates), or the schema `nutriments` (whose `_100g` are
 * grams, and for energy kilojoules). What is told of a serving or of the prepared product only is null.
 *
 * Kilocalories are converted from kilojoules, and salt is 2.5 times the sodium, where only those are told: both are
 * what Open Food Facts does.
 * @see lib/ProductOpener/Nutrition.pm and Food.pm of openfoodfacts-server
 */
export const nutrimentsOf = (raw: JsonObject): Nutriments => {
  const told: Told = {
    raw,
    nutrients: aggregated(raw),
    nutriments: objectOf(raw['nutriments']),
  }
  return {
    energy_kcal_100g: energy(told),
    fat_100g: mass(told, 'fat_100g', 'fat'),
    saturated_fat_100g: mass(told, 'saturated_fat_100g', 'saturated-fat'),
    carbohydrates_100g: mass(told, 'carbohydrates_100g', 'carbohydrates'),
    sugars_100g: mass(told, 'sugars_100g', 'sugars'),
    fiber_100g: mass(told, 'fiber_100g', 'fiber'),
    proteins_100g: mass(told, 'proteins_100g', 'proteins'),
    salt_100g: mass(told, 'salt_100g', 'salt') ?? saltOf(mass(told, 'sodium_100g', 'sodium')),
  }
}

/** The places where a value may stand, the later one asked only where the earlier has none. */
interface Told {
  readonly raw: JsonObject
  readonly nutrients: JsonObject | null
  readonly nutriments: JsonObject | null
}

/** The nutrients of `nutrition` that hold for 100 g or 100 ml of the product as sold. */
const aggregated = (raw: JsonObject): JsonObject | null => {
  const set = objectOf(objectOf(raw['nutrition'])?.['aggregated_set'])
  if (set === null || set['preparation'] === 'prepared') return null
  return set['per'] === '100g' || set['per'] === '100ml' ? objectOf(set['nutrients']) : null
}

const mass = (told: Told, column: string, name: string): number | null => {
  const nutrient = objectOf(told.nutrients?.[name])
  return (
    massOf(told.raw[column]) ??
    (nutrient === null ? null : massOf(nutrient['value'], textOf(nutrient['unit']) ?? 'g')) ??
    massOf(told.nutriments?.[`${name}_100g`])
  )
}

const energy = (told: Told): number | null => {
  const kilocalories = energyIn(told, 'energy_kcal_100g', 'energy-kcal', 'kcal')
  return (
    kilocalories ??
    energyIn(told, 'energy_kj_100g', 'energy-kj', 'kJ') ??
    energyIn(told, 'energy_100g', 'energy', 'kJ')
  )
}

const energyIn = (told: Told, column: string, name: string, unit: string): number | null => {
  const nutrient = objectOf(told.nutrients?.[name])
  return (
    energyOf(told.raw[column], unit) ??
    (nutrient === null ? null : energyOf(nutrient['value'], textOf(nutrient['unit']) ?? unit)) ??
    energyOf(told.nutriments?.[`${name}_100g`], unit)
  )
}

const saltOf = (sodium: number | null): number | null => (sodium === null ? null : rounded(sodium * 2.5))
