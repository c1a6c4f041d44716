import { type JsonObject, objectOf, textOf } from './json.ts'
import { energyOf, massOf, rounded } from './normalise.ts'
import type { Product } from './product.ts'

/** The nutriments of the record, each with its name in the data of Open Food Facts. */
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

/** Nutrients from which a missing one is computed. */
const otherNutrients = ['energy-kj', 'energy', 'sodium'] as const

/** All nutrients that are read, by their names in the data of Open Food Facts. */
export const nutrients: readonly string[] = [...Object.values(nutrientNames), ...otherNutrients]

type Nutriments = Pick<Product, keyof typeof nutrientNames>

/**
 * The nutriments for 100 g or 100 ml of the product as sold: grams, and kilocalories for energy. They come from the
 * columns of the record, from the schema `nutrition` (since 2026: the set that the server aggregates), or from the
 * schema `nutriments` (its `_100g` values are grams, for energy kilojoules). Values that exist only for a serving or
 * for the prepared product are null.
 *
 * As in Open Food Facts, missing kilocalories are converted from kilojoules, and missing salt is 2.5 times the sodium.
 * @see openfoodfacts-server, lib/ProductOpener/Nutrition.pm and Food.pm
 */
export const nutrimentsOf = (raw: JsonObject): Nutriments => {
  const places: Places = {
    raw,
    nutrients: aggregated(raw),
    nutriments: objectOf(raw['nutriments']),
  }
  return {
    energy_kcal_100g: energy(places),
    fat_100g: mass(places, 'fat_100g', 'fat'),
    saturated_fat_100g: mass(places, 'saturated_fat_100g', 'saturated-fat'),
    carbohydrates_100g: mass(places, 'carbohydrates_100g', 'carbohydrates'),
    sugars_100g: mass(places, 'sugars_100g', 'sugars'),
    fiber_100g: mass(places, 'fiber_100g', 'fiber'),
    proteins_100g: mass(places, 'proteins_100g', 'proteins'),
    salt_100g: mass(places, 'salt_100g', 'salt') ?? saltOf(mass(places, 'sodium_100g', 'sodium')),
  }
}

/** The places of a value. A later one is read only if the earlier ones have no value. */
interface Places {
  readonly raw: JsonObject
  readonly nutrients: JsonObject | null
  readonly nutriments: JsonObject | null
}

/** The nutrients of `nutrition`, if they are for 100 g or 100 ml of the product as sold. */
const aggregated = (raw: JsonObject): JsonObject | null => {
  const set = objectOf(objectOf(raw['nutrition'])?.['aggregated_set'])
  if (set === null || set['preparation'] === 'prepared') return null
  return set['per'] === '100g' || set['per'] === '100ml' ? objectOf(set['nutrients']) : null
}

const mass = (places: Places, column: string, name: string): number | null => {
  const nutrient = objectOf(places.nutrients?.[name])
  return (
    massOf(places.raw[column]) ??
    (nutrient === null ? null : massOf(nutrient['value'], textOf(nutrient['unit']) ?? 'g')) ??
    massOf(places.nutriments?.[`${name}_100g`])
  )
}

const energy = (places: Places): number | null => {
  const kilocalories = energyIn(places, 'energy_kcal_100g', 'energy-kcal', 'kcal')
  if (kilocalories === null) return energyOfKilojoules(places)
  return kilocalories > maxKcal && isKilojoules(kilocalories, places)
    ? energyOf(kilocalories, 'kJ')
    : kilocalories
}

const energyOfKilojoules = (places: Places): number | null =>
  energyIn(places, 'energy_kj_100g', 'energy-kj', 'kJ') ?? energyIn(places, 'energy_100g', 'energy', 'kJ')

/** Pure fat has 900 kcal. */
const maxKcal = 900

/**
 * Whether impossible kilocalories are the kilojoules of the same product, to 1 %. Old records contain kilojoules in
 * `energy-kcal_100g` (openfoodfacts-server #13916). Without such a proof the value is kept, and flagged.
 */
const isKilojoules = (kilocalories: number, places: Places): boolean => {
  const other = energyOfKilojoules(places)
  return other !== null && Math.abs(kilocalories / 4.184 - other) <= other / 100
}

const energyIn = (places: Places, column: string, name: string, unit: string): number | null => {
  const nutrient = objectOf(places.nutrients?.[name])
  return (
    energyOf(places.raw[column], unit) ??
    (nutrient === null ? null : energyOf(nutrient['value'], textOf(nutrient['unit']) ?? unit)) ??
    energyOf(places.nutriments?.[`${name}_100g`], unit)
  )
}

const saltOf = (sodium: number | null): number | null => (sodium === null ? null : rounded(sodium * 2.5))
