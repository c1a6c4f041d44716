import { isUtf8 } from 'node:buffer'
import type { SchemaElement } from 'hyparquet'
import { objectOf } from '../../product/json.ts'
import { shortestDecimal } from '../../product/listForm.ts'
import type { Skip } from '../../product/skip.ts'

/** Replaces a text that is not valid UTF-8. No field of a product is a symbol. */
const invalidText = Symbol('invalid text')

/** The texts of a file. */
export class Texts {
  private foundInvalid = false

  readonly decode = (bytes: Uint8Array | undefined): unknown => {
    if (bytes === undefined) return undefined
    if (isUtf8(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
    this.foundInvalid = true
    return invalidText
  }

  /** Whether a row has a text that is not valid UTF-8. */
  readonly hasInvalid = (values: readonly unknown[]): boolean =>
    this.foundInvalid && values.some(containsInvalid)
}

const containsInvalid = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return value === invalidText
  return !ArrayBuffer.isView(value) && Object.values(value).some(containsInvalid)
}

/** A value of Parquet in the form that the field has in the API, or in its list form. */
export const apiValue = (field: string, value: unknown): unknown => {
  if (typeof value !== 'object') return typeof value === 'number' ? numberIn(field, value) : value
  if (value instanceof Date) return moments.has(field) ? isoText(value) : value
  if (value instanceof Uint8Array) return isUtf8(value) ? Buffer.from(value).toString('utf8') : invalidText
  const object = objectOf(value)
  if (object === null) return value
  if (texts.has(field)) return Object.entries(object).map(([lang, text]) => ({ lang, text }))
  return field === 'nutriments' ? nutrimentsIn(object) : value
}

const moments: ReadonlySet<string> = new Set(['as_of', 'observed_at'])
const texts: ReadonlySet<string> = new Set(['product_name', 'generic_name', 'ingredients_text'])

const isoText = (date: Date): string | null => (Number.isNaN(date.getTime()) ? null : date.toISOString())

/** Nutrients are often numbers of 32 bits. */
const numberIn = (field: string, value: number): number =>
  field.endsWith('_100g') ? shortestDecimal(value) : value

/** A map from names to the members of a nutrient, or from `fat_100g` to a number. */
const nutrimentsIn = (nutriments: Readonly<Record<string, unknown>>): unknown => {
  const entries = Object.entries(nutriments)
  if (entries.some(([, nutrient]) => objectOf(nutrient) !== null && !(nutrient instanceof Date)))
    return entries.map(([name, nutrient]) => ({ name, ...objectOf(nutrient) }))
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === 'number' ? numberIn(name, value) : value]),
  )
}

/**
 * Checks the codes of a column. A floating-point number is a barcode only if it cannot be the rounded form of another one:
 * spreadsheets keep six digits (`3.01762E+12`), 32 bits keep seven.
 */
export const codeProblem = (column: SchemaElement | undefined): ((code: unknown) => Skip | null) => {
  const isExact = exactNumbers(column)
  return code =>
    typeof code !== 'number' || isExact(code)
      ? null
      : { skippedBy: 'invalid-code', reason: `its code \`${code}\` may be a rounded number` }
}

const exactNumbers = (column: SchemaElement | undefined): ((code: number) => boolean) => {
  switch (column?.type) {
    case 'INT32':
    case 'INT64':
      // A decimal number was multiplied, which is exact only for fewer digits than a number has.
      return code => (column.scale ?? 0) === 0 || code < 1e14
    case 'DOUBLE':
      return code => code < 1e9 || significantDigits(code) > 6
    case 'FLOAT':
      return code => code <= 2 ** 24
    default:
      return code => column?.converted_type === 'DECIMAL' && code < 1e14
  }
}

const significantDigits = (number: number): number =>
  number.toExponential().replace(/e.*$/, '').replace(/\D/g, '').length
