import { objectOf, textOf } from '../product/json.ts'
import type { Product } from '../product/product.ts'
import { codeOf } from '../product/productOf.ts'
import { expanded, type TopicMapping } from './topicMapping.ts'

/** A mapping that could fit a message, and the paths of all its values, so that the user can correct it. */
export interface SuggestedMapping {
  readonly mapping: TopicMapping
  /** At most `maxPaths`. */
  readonly paths: readonly string[]
}

/**
 * Compares the names in a message with the common names of each column. A value must fit its column: a code must be a
 * barcode, a nutriment a number. Lists of nutrients (`[{"id": "fat", "value": 3}]`) give paths with a filter.
 */
export const suggestedMapping = (message: unknown): SuggestedMapping => {
  const leaves = leavesOf(expanded(message), '$', 0)
  const mapping: Partial<Record<keyof Product, string>> = {}
  for (const [column, names, suits] of columns) {
    const fitting = leaves.filter(leaf => names.includes(leaf.name) && suits(leaf.value))
    // The earlier name fits better, for example `productname` than `name`.
    const [best] = fitting.sort((one, other) => names.indexOf(one.name) - names.indexOf(other.name))
    if (best !== undefined) mapping[column] = best.path
  }
  return { mapping, paths: leaves.slice(0, maxPaths).map(({ path }) => path) }
}

const maxPaths = 20
const maxDepth = 8
const maxLeaves = 500

/** A value that is not an object, with its name: lower-case letters and digits only. */
interface Leaf {
  readonly path: string
  readonly name: string
  readonly value: unknown
}

const leavesOf = (value: unknown, path: string, depth: number, name = ''): readonly Leaf[] => {
  if (depth > maxDepth) return []
  if (Array.isArray(value)) return leavesOfList(value, path, depth, name)
  const object = objectOf(value)
  if (object === null) return [{ path, name, value }]
  // It describes the row that is in `payload`.
  const isDescribed = Object.hasOwn(object, 'schema') && Object.hasOwn(object, 'payload')
  return Object.entries(object)
    .filter(([each]) => !(isDescribed && each === 'schema'))
    .flatMap(([each, inner]) => leavesOf(inner, `${path}${step(each)}`, depth + 1, plain(each)))
    .slice(0, maxLeaves)
}

const leavesOfList = (
  list: readonly unknown[],
  path: string,
  depth: number,
  name: string,
): readonly Leaf[] => {
  const named = list.flatMap(each => namedAmount(each) ?? [])
  if (named.length > 0)
    return named.map(({ id, key, amount, value }) => ({
      ...{ path: `${path}[?@${step(key)} == ${quoted(id)}]${step(amount)}`, name: plain(id), value },
    }))
  const [first] = list
  if (objectOf(first) === null) return list.length === 0 ? [] : [{ path: `${path}[*]`, name, value: first }]
  return leavesOf(first, `${path}[0]`, depth + 1, name)
}

/** An element such as `{"id": "fat", "value": 3}`. */
const namedAmount = (element: unknown) => {
  const object = objectOf(element)
  if (object === null) return null
  const key = ['id', 'name', 'nutrient', 'code', 'type', 'key', 'label'].find(
    each => typeof object[each] === 'string',
  )
  const amount = Object.keys(object).find(each => each !== key && isAmount(object[each]))
  if (key === undefined || amount === undefined) return null
  return { key, amount, id: String(object[key]), value: object[amount] }
}

const isAmount = (value: unknown): boolean =>
  typeof value === 'number' ||
  (typeof value === 'string' && /^\s*[<~]?\s*\d+([.,]\d+)?\s*[a-zµ]{0,4}\s*$/i.test(value))
const isText = (value: unknown): boolean => typeof value === 'string' && /\p{L}/u.test(value)
const isCode = (value: unknown): boolean => {
  const text = textOf(value)
  return (
    text !== null &&
    (typeof value === 'number' || text.length >= 6) &&
    codeOf(value as string | number) !== null
  )
}
const isMoment = (value: unknown): boolean =>
  (typeof value === 'number' && value > 100_000_000) ||
  (typeof value === 'string' && /^\d{4}-\d\d-\d\d|^\d{9,}$/.test(value))
const isAddress = (value: unknown): boolean => typeof value === 'string' && /^https?:/.test(value)
const isShort = (value: unknown): boolean => (textOf(value) ?? '').length <= 3

/** The names of a nutriment, with and without the amount that it refers to. */
const nutriment = (...names: readonly string[]): readonly string[] => [
  ...names.map(name => `${name}100g`),
  ...names.map(name => `${name}per100g`),
  ...names.map(name => `${name}value`),
  ...names,
]

const columns: readonly (readonly [keyof Product, readonly string[], (value: unknown) => boolean])[] = [
  ['code', ['code', 'barcode', 'gtin', 'gtin13', 'gtin14', 'ean', 'ean13', 'eancode', 'upc', 'id'], isCode],
  [
    'product_name',
    ['productname', 'productnameen', 'name', 'title', 'product', 'label', 'designation'],
    isText,
  ],
  ['generic_name', ['genericname', 'commonname'], isText],
  ['quantity', ['quantity', 'netcontent', 'netweight', 'size', 'packagesize'], isText],
  ['brands', ['brands', 'brand', 'brandname', 'manufacturer', 'maker', 'producer'], isText],
  ['categories', ['categories', 'category', 'categoryname'], isText],
  ['labels', ['labels', 'certifications'], isText],
  ['countries', ['countries', 'country', 'countriesen'], isText],
  ['ingredients_text', ['ingredientstext', 'ingredients', 'ingredientlist'], isText],
  ['allergens', ['allergens', 'allergen'], isText],
  ['additives', ['additives'], isText],
  ['nutriscore_grade', ['nutriscoregrade', 'nutriscore'], isShort],
  ['nova_group', ['novagroup', 'nova'], isShort],
  ['energy_kcal_100g', nutriment('energykcal', 'kcal', 'calories'), isAmount],
  ['fat_100g', nutriment('fat', 'totalfat', 'fats'), isAmount],
  ['saturated_fat_100g', nutriment('saturatedfat', 'saturates', 'saturated', 'satfat'), isAmount],
  ['carbohydrates_100g', nutriment('carbohydrates', 'carbohydrate', 'carbs'), isAmount],
  ['sugars_100g', nutriment('sugars', 'sugar'), isAmount],
  ['fiber_100g', nutriment('fiber', 'fibre', 'dietaryfiber', 'fibers'), isAmount],
  ['proteins_100g', nutriment('proteins', 'protein'), isAmount],
  ['salt_100g', nutriment('salt'), isAmount],
  ['image_url', ['imageurl', 'imagefronturl', 'image', 'picture', 'photo'], isAddress],
  ['url', ['url', 'link', 'producturl'], isAddress],
  ['lang', ['lang', 'language', 'lc'], isShort],
  [
    'last_modified_t',
    ['lastmodifiedt', 'lastmodified', 'modifiedat', 'updatedat', 'lastupdated', 'updated'],
    isMoment,
  ],
]

const plain = (name: string): string => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')

const step = (name: string): string => (/^[A-Za-z_]\w*$/.test(name) ? `.${name}` : `[${quoted(name)}]`)

const quoted = (name: string): string =>
  `'${JSON.stringify(name).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
