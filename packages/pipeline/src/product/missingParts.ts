import type { JsonObject } from './json.ts'
import { nutrientNames } from './nutriments.ts'

/**
 * The parts that every complete product has, in each form of Open Food Facts and in the record, but that these fields
 * lack. A field that is empty, null or undefined is not missing: its source has read it. Responses that were requested
 * with `fields=…`, results of a search and files with few columns lack parts.
 */
export const missingParts = (fields: JsonObject): readonly string[] => {
  const hasName = hasAny(fields, names) || hasNameInAnyLanguage(fields)
  const hasNutriments = hasAny(fields, nutriments)
  const hasCountries = hasAny(fields, countries)
  // Almost all products are complete, and do not need a new list.
  if (hasName && hasNutriments && hasCountries) return none
  return [
    ...(hasName ? [] : ['product_name']),
    ...(hasNutriments ? [] : ['nutriments']),
    ...(hasCountries ? [] : ['countries']),
  ]
}

const none: readonly string[] = []

const names = ['product_name'] as const
const nutriments: readonly string[] = ['nutriments', 'nutrition', ...Object.keys(nutrientNames)]
const countries = ['countries_tags', 'countries'] as const

const hasAny = (fields: JsonObject, some: readonly string[]): boolean =>
  some.some(name => Object.hasOwn(fields, name))

const hasNameInAnyLanguage = (fields: JsonObject): boolean =>
  Object.keys(fields).some(name => name.startsWith('product_name_'))
