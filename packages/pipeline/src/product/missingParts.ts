import { type JsonObject, objectOf } from './json.ts'
import { nutrientNames, nutrients } from './nutriments.ts'

/**
 * The parts that every complete product has, in each form of Open Food Facts and in the record, and that these fields
 * lack. A field that is null or empty is there: its source has looked at it. Answers that were requested with `fields=…`,
 * results of a search and files with few columns lack parts.
 */
export const missingParts = (fields: JsonObject): readonly string[] => {
  const hasName = fields['product_name'] !== undefined || hasNameInAnyLanguage(fields)
  const hasNutriments = fields['nutrition'] !== undefined || hasOldNutriments(fields)
  const hasCountries = fields['countries'] !== undefined || fields['countries_tags'] !== undefined
  // Almost all products are complete, and need no list.
  if (hasName && hasNutriments && hasCountries) return none
  return [
    ...(hasName ? [] : ['product_name']),
    ...(hasNutriments ? [] : ['nutriments']),
    ...(hasCountries ? [] : ['countries']),
  ]
}

const none: readonly string[] = []

const hasNameInAnyLanguage = (fields: JsonObject): boolean =>
  Object.keys(fields).some(name => name.startsWith('product_name_'))

const hasOldNutriments = (fields: JsonObject): boolean => {
  const nutriments = objectOf(fields['nutriments'])
  // A row of CSV is its own `nutriments`, so that only its columns count.
  const isRow = nutriments !== null && nutriments['code'] !== undefined
  return (fields['nutriments'] !== undefined && !isRow) || columns.some(name => fields[name] !== undefined)
}

const columns: readonly string[] = [...Object.keys(nutrientNames), ...nutrients.map(name => `${name}_100g`)]
