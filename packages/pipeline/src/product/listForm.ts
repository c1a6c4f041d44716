import { type JsonObject, objectOf } from './json.ts'
import { numberOf } from './normalise.ts'
import { nutrients } from './nutriments.ts'

/**
 * A product in the form of the API. In the Parquet export, and in JSON and CSV that are converted from it, texts are lists
 * of languages (`[{ lang: 'main', text: 'Pain' }]`), and nutriments are a list of names with 32-bit numbers.
 */
export const inApiForm = (product: JsonObject): JsonObject => {
  const { nutriments, lang, product_name, generic_name, ingredients_text } = product
  const hasTexts =
    Array.isArray(product_name) || Array.isArray(generic_name) || Array.isArray(ingredients_text)
  if (!hasTexts && !Array.isArray(nutriments)) return product
  const texts = listedTexts.filter(name => Array.isArray(product[name]))
  return {
    ...product,
    ...Object.fromEntries(texts.map(name => [name, mainText(product[name], lang)])),
    ...(Array.isArray(nutriments) ? { nutriments: nutrimentsIn(nutriments) } : {}),
  }
}

const listedTexts = ['product_name', 'generic_name', 'ingredients_text'] as const

/** The text of the language `main`; otherwise of the product's language; otherwise the first one. */
const mainText = (value: unknown, lang: unknown): unknown => {
  const texts = Array.isArray(value) ? value.map(objectOf) : []
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
