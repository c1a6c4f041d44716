import { parsed } from './envelope.ts'
import { type JsonObject, objectOf } from './json.ts'
import { numberOf } from './normalise.ts'
import { nutrients } from './nutriments.ts'

/**
 * A product in the form of the API. In the Parquet export, and in JSON and CSV that are converted from it, texts are lists
 * or maps of languages (`[{ lang: 'main', text: 'Pain' }]`), and nutriments are a list of names with 32-bit numbers.
 */
export const inApiForm = (product: JsonObject): JsonObject => {
  const { nutriments, lang, product_name, generic_name, ingredients_text } = product
  const hasTexts = isListed(product_name) || isListed(generic_name) || isListed(ingredients_text)
  if (!hasTexts && !Array.isArray(nutriments)) return product
  const texts = listedTexts.filter(name => isListed(product[name]))
  return {
    ...product,
    ...Object.fromEntries(texts.map(name => [name, mainText(product[name], lang)])),
    ...(Array.isArray(nutriments) ? { nutriments: nutrimentsIn(nutriments) } : {}),
  }
}

const listedTexts = ['product_name', 'generic_name', 'ingredients_text'] as const

/** Whether a value is a list of languages, a map of them, or the JSON of a list as text. */
const isListed = (value: unknown): boolean =>
  typeof value === 'string' ? value.startsWith('[{"') : typeof value === 'object' && value !== null

const listIn = (value: unknown): readonly unknown[] => {
  if (Array.isArray(value)) return value
  const map = objectOf(value)
  if (map !== null) return Object.entries(map).map(([lang, text]) => ({ lang, text }))
  const list = parsed(value)
  return Array.isArray(list) ? list : []
}

/** The text of the language `main`; otherwise of the product's language; otherwise the first one. */
const mainText = (value: unknown, lang: unknown): unknown => {
  const texts = listIn(value).map(objectOf)
  const textIn = (language: unknown) => texts.find(each => each?.['lang'] === language)
  return (textIn('main') ?? textIn(lang) ?? texts[0])?.['text']
}

const wantedNutrients: ReadonlySet<unknown> = new Set(nutrients)

const nutrimentsIn = (list: readonly unknown[]): JsonObject => {
  const nutriments: Record<string, unknown> = {}
  for (const each of list) {
    const nutrient = objectOf(each)
    const per100g = numberOf(nutrient?.['100g'])
    if (nutrient === null || per100g === null || !wantedNutrients.has(nutrient['name'])) continue
    nutriments[`${String(nutrient['name'])}_100g`] = shortestDecimal(per100g)
  }
  return nutriments
}

/** The shortest decimal of a 32-bit number: 17.52 instead of 17.520000457763672. Other numbers stay as they are. */
export const shortestDecimal = (float: number): number => {
  for (let digits = 6; digits < 9; digits += 1) {
    const written = Number(float.toPrecision(digits))
    if (Math.fround(written) === float) return written
  }
  return float
}
