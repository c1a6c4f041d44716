import { environmentalScoreGrades, normaliseCode, nutriScoreGrades, productSources } from '../names.ts'
import { imageUrl } from './image.ts'
import { type JsonObject, objectOf, textOf, textsOf } from './json.ts'
import { cleanText, gradeAmong, novaGroup, numberOf } from './normalise.ts'
import { nutrimentsOf } from './nutriments.ts'
import type { Product } from './product.ts'
import { flagged, type Unflagged } from './quality.ts'
import { countriesOf, namesOf } from './tags.ts'

/** What a product can't say of itself. */
export interface RecordContext {
  readonly source: Product['source']
  /** ISO 8601, UTC, with milliseconds. */
  readonly observedAt: string
  /** Where products have their page at `/product/<code>`; null where that is not known. */
  readonly site: string | null
}

/** What was read from one object of JSON. */
export type Reading =
  | { readonly kind: 'product'; readonly product: Product }
  /** The product is obsolete: its record is to be removed. */
  | { readonly kind: 'gone'; readonly code: string; readonly as_of: string }
  | { readonly kind: 'unreadable'; readonly reason: string }

/**
 * The record of a product, from JSON in the form of Open Food Facts' API, which its JSONL export has too, or in the
 * form of the record itself. Everything that a source writes in its own way ends here: codes, entities, numbers as
 * text, units, old and new names, tags. Absurd values are kept, and flagged (`qualityFlags`).
 *
 * A record comes back as it is, with its own moments and source, so that records can be copied from place to place.
 */
export const productOf = (raw: unknown, context: RecordContext): Reading => {
  const told = objectOf(raw)
  if (told === null) return unreadable('it is no JSON object')
  const written = textOf(told['code']) ?? textOf(told['_id'])
  if (written === null) return unreadable('it has no code')
  const code = codeOf(written)
  if (code === null) return unreadable(`its code \`${written.slice(0, 40)}\` is no barcode`)
  return isOn(told['obsolete'])
    ? { kind: 'gone', code, as_of: asOf(told, observedAt(told, context)) }
    : { kind: 'product', product: flagged(record(told, code, context)) }
}

const unreadable = (reason: string): Reading => ({ kind: 'unreadable', reason })

const record = (told: JsonObject, code: string, context: RecordContext): Unflagged => {
  const lang = langOf(told)
  const observed = observedAt(told, context)
  const nutriments = nutrimentsOf(told)
  const ingredients = text(told['ingredients_text'])
  return {
    code,
    product_name: textIn(told, 'product_name', lang),
    generic_name: textIn(told, 'generic_name', lang),
    quantity: text(told['quantity']),
    brands: namesOf(told['brands'], told['brands_tags']),
    categories: namesOf(told['categories'], told['categories_tags']),
    labels: namesOf(told['labels'], told['labels_tags']),
    // What contributors wrote differs from product to product (`US`, `Stany Zjednoczone`); the tag is one.
    countries: countriesOf(told['countries_tags'], told['countries']),
    ingredients_text: ingredients,
    allergens: namesOf(told['allergens_tags'], told['allergens']),
    additives: namesOf(told['additives_tags'], told['additives']),
    additives_n: countOf(told['additives_n']) ?? additivesCount(told['additives_tags'], ingredients),
    nutriscore_grade: gradeAmong(
      nutriScoreGrades,
      textOf(told['nutriscore_grade'] ?? told['nutrition_grade_fr']),
    ),
    nova_group: novaGroup(textOf(told['nova_group'] ?? told['nova_groups'])),
    environmental_score_grade: gradeAmong(
      environmentalScoreGrades,
      textOf(told['environmental_score_grade'] ?? told['ecoscore_grade']),
    ),
    energy_kcal_100g: nutriments.energy_kcal_100g,
    fat_100g: nutriments.fat_100g,
    saturated_fat_100g: nutriments.saturated_fat_100g,
    carbohydrates_100g: nutriments.carbohydrates_100g,
    sugars_100g: nutriments.sugars_100g,
    fiber_100g: nutriments.fiber_100g,
    proteins_100g: nutriments.proteins_100g,
    salt_100g: nutriments.salt_100g,
    image_url:
      webAddress(told['image_url']) ??
      webAddress(told['image_front_url']) ??
      imageUrl(told['images'], code, lang),
    url: webAddress(told['url']) ?? (context.site === null ? null : `${context.site}/product/${code}`),
    lang,
    last_modified_t: secondsOf(told['last_modified_t']),
    rev: countOf(told['rev']),
    as_of: asOf(told, observed),
    observed_at: observed,
    source: sourceOf(told, context),
  }
}

const text = (value: unknown): string | null => cleanText(textOf(value))

/** A text in the product's main language; a few products have it only under the name of a language. */
const textIn = (told: JsonObject, name: string, lang: string | null): string | null =>
  text(told[name]) ?? text(told[`${name}_${lang}`]) ?? textInAnyLanguage(told, name)

const textInAnyLanguage = (told: JsonObject, name: string): string | null => {
  for (const key in told) {
    if (key.length !== name.length + 3 || !key.startsWith(`${name}_`)) continue
    const found = text(told[key])
    if (found !== null) return found
  }
  return null
}

/** Digits, blanks and dashes make a barcode; in a text with letters in it, digits are something else. */
const codeOf = (written: string): string | null =>
  /^[\d\s-]+$/.test(written) ? normaliseCode(written) : null

const langOf = (told: JsonObject): string | null =>
  /^[a-z]{2}/.exec((textOf(told['lang'] ?? told['lc']) ?? '').trim().toLowerCase())?.[0] ?? null

const webAddress = (value: unknown): string | null => {
  const address = text(value)
  return address !== null && /^https?:\/\/[^\s/]/.test(address) ? address : null
}

const countOf = (value: unknown): number | null => {
  const number = numberOf(value)
  return number !== null && Number.isSafeInteger(number) && number >= 0 ? number : null
}

/**
 * How many additives the tags name, as Open Food Facts counts, but for a parent that the ingredients name too: E322i is
 * listed with its parent E322 and is one. No tags are none where the ingredients are known, else nobody knows.
 */
const additivesCount = (tags: unknown, ingredients: string | null): number | null => {
  const names = textsOf(tags).map(tag => tag.trim())
  const known = names.filter(name => name !== '')
  if (known.length === 0) return Array.isArray(tags) && ingredients !== null ? 0 : null
  const isParent = (name: string) =>
    known.some(other => other.startsWith(name) && /^[a-z]/.test(other.slice(name.length)))
  return known.filter(name => !isParent(name)).length
}

const isOn = (value: unknown): boolean =>
  value === true || value === 1 || value === 'on' || value === '1' || value === 'true'

/** 9999-12-31: a later year has no place in ISO 8601 with four digits. */
const lastSecond = 253_402_300_799

/** Seconds since 1970 from seconds, milliseconds or a date in ISO 8601; null for anything else. */
const secondsOf = (value: unknown): number | null => {
  const number = numberOf(value)
  if (number === null) {
    const milliseconds =
      typeof value === 'string' && /^\d{4}-\d\d-\d\d/.test(value) ? Date.parse(value) : Number.NaN
    return Number.isNaN(milliseconds) || milliseconds < 0 ? null : withinYears(milliseconds / 1000)
  }
  // Seconds reach this only in the year 5138.
  return number < 0 ? null : withinYears(number > 100_000_000_000 ? number / 1000 : number)
}

const withinYears = (seconds: number): number | null => (seconds <= lastSecond ? Math.floor(seconds) : null)

const observedAt = (told: JsonObject, context: RecordContext): string =>
  isoMoment(told['observed_at']) ?? context.observedAt

const asOf = (told: JsonObject, observed: string): string => {
  const truth = isoMoment(told['as_of']) ?? modifiedAt(told)
  // A record from the future would win against every later one.
  return truth === null || truth > observed ? observed : truth
}

/**
 * When Open Food Facts last changed the product: `last_updated_t` counts what its programs did too, such as a grade
 * computed anew.
 */
const modifiedAt = (told: JsonObject): string | null => {
  const seconds = Math.max(secondsOf(told['last_updated_t']) ?? -1, secondsOf(told['last_modified_t']) ?? -1)
  return seconds < 0 ? null : new Date(seconds * 1000).toISOString()
}

/** A moment in ISO 8601 as the record writes it; null for what is none, or before 1970 or after 9999. */
const isoMoment = (value: unknown): string | null => {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\dT/.test(value)) return null
  const milliseconds = Date.parse(value)
  return milliseconds >= 0 && milliseconds / 1000 <= lastSecond ? new Date(milliseconds).toISOString() : null
}

/** A record that was copied keeps the source it first came from. */
const sourceOf = (told: JsonObject, { source }: RecordContext): Product['source'] =>
  isoMoment(told['observed_at']) === null
    ? source
    : (productSources.find(each => each === told['source']) ?? source)
