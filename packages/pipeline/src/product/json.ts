/** An object of JSON whose members are not known. */
export type JsonObject = Readonly<Record<string, unknown>>

/** `value` where it is an object with members, else null. */
export const objectOf = (value: unknown): JsonObject | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null

/** Text as JSON holds it; a number is the text that it reads as. Anything else is null. */
export const textOf = (value: unknown): string | null => {
  if (typeof value === 'string') return value
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : null
}

/** The texts of a list, which the API writes as an array and the CSV export as text between commas. */
export const textsOf = (value: unknown): readonly string[] => {
  if (typeof value === 'string') return value.split(',')
  if (!Array.isArray(value)) return []
  return value.flatMap(each => textOf(each) ?? [])
}
