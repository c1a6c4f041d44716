import type { Catalogue, CatalogueProduct } from './catalogue.ts'
import { brandNames, type Kind, kinds, type Range } from './generated/assortment.ts'
import { restrictedEan8, restrictedEan13 } from './generated/barcode.ts'
import { nutriScore } from './generated/nutriScore.ts'
import { type Random, seededRandom } from './generated/seededRandom.ts'
import { slug, tagName } from './taxonomy.ts'

export interface GenerateOptions {
  /** By default 1,000, at most 1,000,000. */
  readonly count?: number
  /** The same seed gives the same catalogue, byte for byte. */
  readonly seed?: number
}

/**
 * Generates a catalogue of French food. Each kind of product has typical nutriments, ingredients and additives, each brand
 * its own habits, and some fields are missing, as in real data. Brands are made up, and barcodes lie in the range that GS1
 * reserves for internal use, so no real product has them.
 */
export const generateCatalogue = ({ count = 1_000, seed = 1 }: GenerateOptions = {}): Catalogue => {
  const random = seededRandom(seed)
  const brands = brandNames.map((name, index) => newBrand(name, index, random))
  return { products: Array.from({ length: count }, (_, index) => newProduct(index, brands, random)) }
}

interface Brand {
  readonly name: string
  readonly kinds: readonly [Kind, ...Kind[]]
  /** The probability that a product is organic, and that it contains an additive. */
  readonly organic: number
  readonly additives: number
  readonly abroad: readonly string[]
}

const newBrand = (name: string, index: number, random: Random): Brand => ({
  name,
  // The first kind is assigned in turn, so that every kind has a brand.
  kinds: [
    kinds[index % kinds.length] ?? pick(kinds, random),
    ...Array.from({ length: random.integer(1, 3) }, () => pick(kinds, random)),
  ],
  organic: random.chance(0.25) ? 0.9 : 0.12,
  additives: random.of([0.08, 0.45, 0.8]),
  abroad: random.some(
    ['en:belgium', 'en:switzerland', 'en:germany', 'en:spain', 'en:luxembourg', 'en:united-states'],
    0.22,
  ),
})

const newProduct = (index: number, brands: readonly Brand[], random: Random): CatalogueProduct => {
  const brand = pick(brands, random)
  const kind = pick(brand.kinds, random)
  const variant = random.of(kind.variants)
  const base = random.of(kind.names)
  const organic = random.chance(brand.organic)
  const name = nameOf(base, variant, organic)
  // Contributors have not entered every field.
  const known = <T>(value: T, probability: number): T | null => (random.chance(probability) ? value : null)

  const additives = random.some(kind.additives, organic ? brand.additives / 3 : brand.additives)
  const ingredients = known(ingredientsOf(kind, base, variant, organic, additives), 0.9)
  const nutriments = known(nutrimentsOf(kind, random), 0.94)
  const labels = [...(organic ? ['en:organic', 'en:eu-organic'] : []), ...random.some(kind.labels, 0.3)]
  const environment = Math.round(random.between(...kind.environment)) + (organic ? 12 : 0)
  const hasEnvironment = random.chance(0.86)
  const quantity = known(random.of(kind.quantities), 0.92)
  const code = random.chance(0.06) ? restrictedEan8(index) : restrictedEan13(index)
  const times = timesOf(random)
  const images = random.chance(0.84) ? imagesOf(code, times.rev) : { image_url: null, image_small_url: null }
  const productName = known(name, 0.98)
  const brandName = known(brand.name, 0.96)
  const scored =
    nutriments === null
      ? null
      : nutriScore({
          ...scoreInput(kind, nutriments, additives),
          fruits: Math.round(random.between(...kind.fruits)),
        })

  return {
    code,
    product_name: productName,
    product_name_fr: productName ?? '',
    // The site would show it instead of a missing name.
    generic_name: productName === null ? null : known(kind.generic, 0.35),
    brands: brandName,
    brands_tags: brandName === null ? [] : [`xx:${slug(brandName)}`],
    quantity,
    categories: kind.categories.map(tag => tagName(tag, 'fr')).join(', '),
    categories_tags: [...kind.categories],
    labels: labels.length === 0 ? null : labels.map(tag => tagName(tag, 'fr')).join(', '),
    labels_tags: labels,
    countries: ['en:france', ...brand.abroad].map(tag => tagName(tag, 'fr')).join(', '),
    countries_tags: ['en:france', ...brand.abroad],
    ingredients_text: ingredients,
    ingredients_text_fr: ingredients ?? '',
    allergens_tags: ingredients === null ? [] : [...kind.allergens],
    traces_tags: ingredients === null ? [] : [...random.some(kind.traces, 0.4)],
    additives_tags: ingredients === null ? null : [...additives],
    additives_n: ingredients === null ? null : additives.length,
    nutriscore_grade: scored?.grade ?? 'unknown',
    nutriscore_score: scored?.score ?? null,
    nova_group: ingredients === null ? null : novaOf(kind, additives),
    environmental_score_grade: hasEnvironment ? environmentalGrade(environment) : 'unknown',
    environmental_score_score: hasEnvironment ? environment : null,
    nutriments: nutriments ?? {},
    nutrition_data_per: '100g',
    serving_size: known(
      `${random.of([15, 25, 30, 100, 125])} ${kind.score === 'beverage' || kind.score === 'water' ? 'ml' : 'g'}`,
      0.4,
    ),
    lang: 'fr',
    lc: 'fr',
    obsolete: false,
    ...times,
    completeness: Math.round(random.between(0.3, 1) * 10_000) / 10_000,
    ...images,
    url: `https://world.openfoodfacts.org/product/${code}/${slug(`${productName ?? ''} ${brandName ?? ''}`)}`,
  }
}

const pick = <T>(choices: readonly T[], random: Random): T => {
  const choice = choices[random.integer(0, choices.length - 1)]
  if (choice === undefined) throw new Error('nothing to choose from')
  return choice
}

/** `Jus de` and `orange` make `Jus d’orange`. */
const nameOf = (base: string, variant: string, organic: boolean): string => {
  const elided = /\bde$/.test(base) && /^[aeiouhéœ]/i.test(variant)
  const name = elided ? `${base.slice(0, -1)}’${variant}` : `${base} ${variant}`
  return organic ? `${name} bio` : name
}

const ingredientsOf = (
  kind: Kind,
  base: string,
  variant: string,
  organic: boolean,
  additives: readonly string[],
): string => {
  const words = kind.ingredients.map(each =>
    each.replace('{variant}', variant).replace('{name}', base.toLowerCase()),
  )
  const numbers = additives.map(tag => tag.replace('en:', '').toUpperCase())
  const list = [...words.map((word, index) => (organic && index < 3 ? `${word}*` : word)), ...numbers].join(
    ', ',
  )
  const sentence = list.charAt(0).toUpperCase() + list.slice(1)
  return organic ? `${sentence}. *Issus de l’agriculture biologique.` : `${sentence}.`
}

type Nutriments = Readonly<Record<string, number | string>>

/** Rounded as on labels: grams to a tenth, salt to a hundredth. Energy is computed from them (EU 1169/2011, annex XIV). */
const nutrimentsOf = ({ nutriments }: Kind, random: Random): Nutriments => {
  const tenth = (range: Range) => Math.round(random.between(...range) * 10) / 10
  const share = (whole: number, range: Range) =>
    Math.min(whole, Math.round(whole * random.between(...range) * 10) / 10)
  const fat = tenth(nutriments.fat)
  const carbohydrates = Math.min(tenth(nutriments.carbohydrates), Math.round((100 - fat) * 10) / 10)
  const fiber = tenth(nutriments.fiber)
  const proteins = Math.min(
    tenth(nutriments.proteins),
    Math.round(Math.max(0, 100 - fat - carbohydrates) * 10) / 10,
  )
  const salt = Math.round(random.between(...nutriments.salt) * 100) / 100
  const kcal = Math.round(fat * 9 + carbohydrates * 4 + proteins * 4 + fiber * 2)
  const kj = Math.round(fat * 37 + carbohydrates * 17 + proteins * 17 + fiber * 8)
  const grams: Readonly<Record<string, number | null>> = {
    fat,
    'saturated-fat': share(fat, nutriments.saturatedShare),
    carbohydrates,
    sugars: share(carbohydrates, nutriments.sugarsShare),
    // Fibre is optional on labels.
    fiber: random.chance(0.78) ? fiber : null,
    proteins,
    salt,
    sodium: Math.round(salt * 400) / 1000,
  }
  const fields = Object.entries(grams).flatMap(([name, value]) =>
    value === null ? [] : [[`${name}_100g`, value] as const, [`${name}_unit`, 'g'] as const],
  )
  return {
    energy_100g: kj,
    energy_unit: 'kJ',
    'energy-kj_100g': kj,
    'energy-kj_unit': 'kJ',
    'energy-kcal_100g': kcal,
    'energy-kcal_unit': 'kcal',
    ...Object.fromEntries(fields),
  }
}

const scoreInput = (kind: Kind, nutriments: Nutriments, additives: readonly string[]) => {
  const value = (name: string) => Number(nutriments[`${name}_100g`] ?? 0)
  return {
    kind: kind.score,
    energyKj: value('energy-kj'),
    fat: value('fat'),
    saturatedFat: value('saturated-fat'),
    sugars: value('sugars'),
    fiber: value('fiber'),
    proteins: value('proteins'),
    salt: value('salt'),
    sweetened: additives.some(tag => /^en:e9\d\d/.test(tag)),
  }
}

// These additives do not make food ultra-processed: they are used in home cooking, or preserve, such as vitamin C.
const harmless: ReadonlySet<string> = new Set([
  'en:e300',
  'en:e301',
  'en:e330',
  'en:e440',
  'en:e500',
  'en:e509',
  'en:e250',
  'en:e252',
  'en:e270',
])

const novaOf = (kind: Kind, additives: readonly string[]): number =>
  additives.some(tag => !harmless.has(tag)) ? 4 : Math.max(kind.nova, additives.length > 0 ? 3 : 1)

/** @see Open Food Facts' Green-Score of 2024, which has grades A+ and F */
const environmentalGrade = (score: number): string =>
  environmentalLimits.find(([, minScore]) => score >= minScore)?.[0] ?? 'f'

const environmentalLimits = [
  ['a-plus', 90],
  ['a', 75],
  ['b', 60],
  ['c', 45],
  ['d', 30],
  ['e', 15],
] as const

/** Seconds since 1970 in a fixed range, because the same seed must give the same catalogue every day. */
const timesOf = (random: Random) => {
  const created = random.integer(1_514_764_800, 1_735_689_600)
  const modified = random.integer(created, 1_767_225_600)
  const updated = random.chance(0.7) ? modified : random.integer(modified, 1_772_323_200)
  return {
    rev: random.integer(1, 40),
    created_t: created,
    last_modified_t: modified,
    last_updated_t: updated,
    schema_version: 1003,
  }
}

const imagesOf = (code: string, rev: number) => {
  const padded = code.padStart(13, '0')
  const parts = [padded.slice(0, 3), padded.slice(3, 6), padded.slice(6, 9), padded.slice(9)]
  const path = `https://images.openfoodfacts.org/images/products/${parts.join('/')}/front_fr.${rev}`
  return { image_url: `${path}.400.jpg`, image_small_url: `${path}.200.jpg` }
}
