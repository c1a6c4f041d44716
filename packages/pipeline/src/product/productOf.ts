import { environmentalScoreGrades, normaliseCode, nutriScoreGrades, productSources } from '../names.ts'
import { imageUrl } from './image.ts'
import { type JsonObject, objectOf, textOf, textsOf } from './json.ts'
import { inApiForm } from './listForm.ts'
import { cleanText, gradeAmong, novaGroup, numberOf } from './normalise.ts'
import { nutrientNames, nutrimentsOf } from './nutriments.ts'
import type { Product } from './product.ts'
import { flagged, type Unflagged } from './quality.ts'
import type { Skip, SkipReason } from './skip.ts'
import { countriesOf, namesOf } from './tags.ts'

/** Which inputs are published: settings of `scrape`. Plain data, because it is sent to threads. */
export interface PublishRules {
  /** Other products are skipped, because they have their own sites. A product without a type is food. */
  readonly productTypes: readonly string[]
  /** What to do with products whose input lacks whole parts (`missingParts`). */
  readonly partial: 'publish' | 'skip'
}

const defaultRules: PublishRules = { productTypes: ['food'], partial: 'publish' }

/** What the source adds to a product. */
export interface RecordContext {
  readonly source: Product['source']
  /** When the source read the product: ISO 8601, UTC, with milliseconds. */
  readonly observedAt: string
  /** The site whose page of the product is `/product/<code>`; null if it is unknown. */
  readonly site: string | null
  /** By default all food. */
  readonly rules?: PublishRules | undefined
}

/** What one JSON value contains. */
export type Reading =
  | { readonly kind: 'product'; readonly product: Product }
  /** The product is obsolete: its record must be deleted. */
  | { readonly kind: 'gone'; readonly code: string; readonly as_of: string }
  | ({ readonly kind: 'unreadable' } & Skip)

/**
 * The record of a product. `raw` has the form of the API of Open Food Facts (the JSONL export has the same), or the form
 * of the record itself. All differences between sources are resolved here: codes, entities, numbers as text, units, old
 * and new names, tags. Implausible values are kept and flagged (`qualityFlags`).
 *
 * A product must have a barcode, written as text or as an exact number, at least one other field of a product
 * (`hasProductFields`), and one of the requested product types.
 *
 * A record is returned unchanged, with its own times and source, so that records can be copied.
 */
export const productOf = (raw: unknown, context: RecordContext): Reading => {
  const object = objectOf(raw)
  if (object === null) return unreadable('not-an-object', 'it is not a JSON object')
  const fields = inApiForm(object)
  const written = writtenCode(fields)
  if (written === undefined) return unreadable('no-code', 'it has no `code`')
  const code = codeOf(written)
  if (code === null)
    return unreadable('invalid-code', `its code \`${String(written).slice(0, 40)}\` is not a barcode`)
  const types = typesOf(fields['product_type'])
  const { productTypes } = context.rules ?? defaultRules
  if (!types.some(type => productTypes.includes(type)))
    return unreadable('other-product-type', otherType(types.join(), productTypes))
  if (isOn(fields['obsolete']))
    return { kind: 'gone', code, as_of: asOf(fields, observedAt(fields, context)) }
  const product = record(fields, code, context)
  return hasProductFields(product)
    ? { kind: 'product', product: flagged(product) }
    : unreadable('no-product-fields', 'it has a code, but no product fields')
}

const food: readonly string[] = ['food']

/** As a text, a list or tags (`en:food`), in any case. */
const typesOf = (value: unknown): readonly string[] => {
  if (value === undefined || value === 'food') return food
  const types = textsOf(value).flatMap(
    each =>
      cleanText(each)
        ?.toLowerCase()
        .replace(/^[a-z]{2}:/, '') ?? [],
  )
  return types.length === 0 ? food : types
}

const otherType = (type: string, wanted: readonly string[]): string =>
  `its product type is \`${type.slice(0, 40)}\`, not \`${wanted.join('` or `')}\``

const unreadable = (skippedBy: SkipReason, reason: string): Reading => ({
  kind: 'unreadable',
  skippedBy,
  reason,
})

/** Whether a record has a field that only products have. Everything has an address, a language or a moment. */
export const hasProductFields = (product: Unflagged): boolean =>
  productFields.some(name => product[name] !== null) ||
  // An order has a quantity too, but without a unit.
  (product.quantity !== null && /\p{L}/u.test(product.quantity))

const productFields = [
  ...([
    'product_name',
    'brands',
    'categories',
    'ingredients_text',
    'nutriscore_grade',
    'nova_group',
  ] as const),
  ...(Object.keys(nutrientNames) as (keyof typeof nutrientNames)[]),
  ...(['generic_name', 'labels', 'allergens', 'additives', 'additives_n', 'countries'] as const),
  ...(['environmental_score_grade', 'image_url'] as const),
] as const

const record = (fields: JsonObject, code: string, context: RecordContext): Unflagged => {
  const lang = langOf(fields)
  const observed = observedAt(fields, context)
  const nutriments = nutrimentsOf(fields)
  const ingredients = text(fields['ingredients_text'])
  return {
    code,
    product_name: textIn(fields, 'product_name', lang),
    generic_name: textIn(fields, 'generic_name', lang),
    quantity: text(fields['quantity']),
    brands: namesOf(fields['brands'], fields['brands_tags']),
    categories: namesOf(fields['categories'], fields['categories_tags']),
    labels: namesOf(fields['labels'], fields['labels_tags']),
    // Contributors write the same country in different ways (`US`, `Stany Zjednoczone`), but the tag is the same.
    countries: countriesOf(fields['countries_tags'], fields['countries']),
    ingredients_text: ingredients,
    allergens: namesOf(fields['allergens_tags'], fields['allergens']),
    additives: namesOf(fields['additives_tags'], fields['additives']),
    additives_n: countOf(fields['additives_n']) ?? additivesCount(fields['additives_tags'], ingredients),
    nutriscore_grade: gradeAmong(
      nutriScoreGrades,
      textOf(fields['nutriscore_grade'] ?? fields['nutrition_grade_fr']),
    ),
    nova_group: novaGroup(textOf(fields['nova_group'] ?? fields['nova_groups'])),
    environmental_score_grade: gradeAmong(
      environmentalScoreGrades,
      textOf(fields['environmental_score_grade'] ?? fields['ecoscore_grade']),
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
      webAddress(fields['image_url']) ??
      webAddress(fields['image_front_url']) ??
      imageUrl(fields['images'], code, lang),
    url: webAddress(fields['url']) ?? (context.site === null ? null : `${context.site}/product/${code}`),
    lang,
    last_modified_t: secondsOf(fields['last_modified_t']),
    rev: countOf(fields['rev']),
    as_of: asOf(fields, observed),
    observed_at: observed,
    source: sourceOf(fields, context),
  }
}

/** What programs write for a value that is missing, when they turn it into text. */
const missing: ReadonlySet<string> = new Set(['NULL', 'null', 'None', 'undefined', '\\N', '<NA>'])
const maxMissingLength = 'undefined'.length

const text = (value: unknown): string | null => {
  const clean = cleanText(textOf(value))
  // The hash of a long text takes longer than all else here.
  return clean !== null && clean.length <= maxMissingLength && missing.has(clean) ? null : clean
}

/** A text in the main language of the product. A few products have it only in a field with a language suffix. */
const textIn = (fields: JsonObject, name: string, lang: string | null): string | null =>
  text(fields[name]) ?? text(fields[`${name}_${lang}`]) ?? textInAnyLanguage(fields, name)

const textInAnyLanguage = (fields: JsonObject, name: string): string | null => {
  for (const key in fields) {
    if (key.length !== name.length + 3 || !key.startsWith(`${name}_`)) continue
    const found = text(fields[key])
    if (found !== null) return found
  }
  return null
}

export const isTextOrNumber = (value: unknown): value is string | number | bigint =>
  typeof value === 'bigint' || textOf(value) !== null

/** The barcode of an object, as written. */
export const writtenCode = (fields: JsonObject): string | number | bigint | undefined =>
  [fields['code'], fields['_id']].find(isTextOrNumber)

/**
 * The barcode in a value: text of digits, blanks and dashes, or a whole number below 2^53. A larger number is not exact,
 * because JavaScript has rounded it; a bigint is.
 */
export const codeOf = (written: string | number | bigint): string | null => {
  if (typeof written === 'number' && !Number.isSafeInteger(written)) return null
  const text = String(written)
  // A minus before it makes it a number.
  return /^\s*\d[\d\s-]*$/.test(text) ? normaliseCode(text) : null
}

const langOf = (fields: JsonObject): string | null =>
  /^[a-z]{2}/.exec((textOf(fields['lang'] ?? fields['lc']) ?? '').trim().toLowerCase())?.[0] ?? null

const webAddress = (value: unknown): string | null => {
  const address = text(value)
  return address !== null && /^https?:\/\/[^\s/]/.test(address) ? address : null
}

const countOf = (value: unknown): number | null => {
  const number = numberOf(value)
  return number !== null && Number.isSafeInteger(number) && number >= 0 ? number : null
}

/**
 * The number of additives in the tags. As in Open Food Facts, E322i and its parent E322 count as one; unlike there, also
 * if the ingredients name both. An empty list means none if the ingredients are known; otherwise the number is unknown.
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

/** The end of 9999-12-31: ISO 8601 has four digits for the year. */
const lastSecond = 253_402_300_799

/**
 * Seconds since 1970 from a number of seconds or smaller units, a date in ISO 8601 or a `Date`; null for anything else.
 * Zero is what programs write for an unknown time.
 */
const secondsOf = (value: unknown): number | null => {
  if (value instanceof Date) return milliseconds(value.getTime())
  const number = numberOf(value)
  if (number !== null) return withinYears(number / unitOf(number))
  return typeof value === 'string' && /^\d{4}-\d\d-\d\d/.test(value) ? milliseconds(Date.parse(value)) : null
}

const milliseconds = (ms: number): number | null => (Number.isNaN(ms) ? null : withinYears(ms / 1000))

/** In the year 5138. A larger number is one of smaller units. */
const mostSeconds = 100_000_000_000

/** How many of the unit are a second. */
const unitOf = (number: number): number => {
  if (number > mostSeconds * 1_000_000) return 1_000_000_000
  if (number > mostSeconds * 1000) return 1_000_000
  return number > mostSeconds ? 1000 : 1
}

// A record with more seconds would have another time when it is read again.
const withinYears = (seconds: number): number | null =>
  seconds >= 1 && seconds <= mostSeconds ? Math.floor(seconds) : null

const observedAt = (fields: JsonObject, context: RecordContext): string => {
  const observed = isoMoment(fields['observed_at'])
  // The clock of the machine that wrote the record may have been wrong.
  return observed === null || observed > context.observedAt ? context.observedAt : observed
}

/** The moment that a product describes; null if its source does not know it. */
export const momentOf = (fields: JsonObject): string | null =>
  isoMoment(fields['as_of']) ?? modifiedAt(fields)

const asOf = (fields: JsonObject, observed: string): string => {
  const truth = momentOf(fields)
  // A record from the future would win against all later ones.
  return truth === null || truth > observed ? observed : truth
}

/** When Open Food Facts last changed the product. `last_updated_t` includes changes by its programs, such as a new grade. */
const modifiedAt = (fields: JsonObject): string | null => {
  const seconds = Math.max(
    secondsOf(fields['last_updated_t']) ?? -1,
    secondsOf(fields['last_modified_t']) ?? -1,
  )
  return seconds < 0 ? null : new Date(seconds * 1000).toISOString()
}

/** A moment in the format of the record; null if it is not ISO 8601, or not between 1970 and 9999. */
const isoMoment = (value: unknown): string | null => {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\dT/.test(value)) return null
  const ms = Date.parse(value)
  return ms > 0 && ms / 1000 <= lastSecond ? new Date(ms).toISOString() : null
}

/** A copied record keeps its original source. */
const sourceOf = (fields: JsonObject, { source }: RecordContext): Product['source'] =>
  isoMoment(fields['observed_at']) === null
    ? source
    : (productSources.find(each => each === fields['source']) ?? source)
