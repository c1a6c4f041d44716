/** A JSON object with unknown members. */
export type JsonObject = Readonly<Record<string, unknown>>

/** `value` if it is a JSON object; otherwise null. */
export const objectOf = (value: unknown): JsonObject | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null

/** The text of a JSON string or number; null for any other value. */
export const textOf = (value: unknown): string | null => {
  if (typeof value === 'string') return value
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : null
}

/** The texts of a list: an array in the API, comma-separated text in the CSV export. */
export const textsOf = (value: unknown): readonly string[] => {
  if (typeof value === 'string') return value.split(',')
  if (!Array.isArray(value)) return []
  return value.flatMap(each => textOf(each) ?? [])
}
