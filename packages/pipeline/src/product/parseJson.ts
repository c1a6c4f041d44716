import { objectOf } from './json.ts'

/**
 * Parses JSON. A barcode that is written as a number becomes text with the very digits, because JavaScript rounds numbers
 * above 2^53, and would write out `2.02E+11`, the remainder of a barcode that a spreadsheet has rounded. The objects that
 * MongoDB writes for numbers and dates (Extended JSON) become numbers as text, and dates in ISO 8601.
 *
 * @param mayHaveCode false if no barcode in it is a number
 * @throws SyntaxError
 */
export const parseJson = (text: string, mayHaveCode = true): unknown => {
  const hasCode = mayHaveCode && mayHaveNumericCode(text)
  const value = JSON.parse(hasCode ? text.replaceAll(numericCodes, quoted) : text)
  // Most texts do not contain the sign. Searching for one sign takes a twentieth of the time of searching for two.
  return text.includes('$') && text.includes('"$') ? withoutTypes(value) : value
}

/**
 * Whether a number may follow one of the names. Most codes are text, and a search is several times faster than a regular
 * expression. It has no quote before the name: a text has hundreds of quotes, and the search stops at each of them.
 */
const mayHaveNumericCode = (text: string): boolean =>
  isBeforeNumber(text, 'code"') || isBeforeNumber(text, '_id"') || hasEscapedLetters(text)

/** JSON may write `code` as `\u0063ode`. */
const hasEscapedLetters = (text: string): boolean =>
  text.includes('\\u00') && (text.includes('\\u006') || text.includes('\\u005'))

const isBeforeNumber = (text: string, name: string): boolean => {
  for (let at = text.indexOf(name); at !== -1; at = text.indexOf(name, at)) {
    at += name.length
    while (isBlankOrColon(text.charCodeAt(at))) at += 1
    const next = text.charCodeAt(at)
    if (next === minus || (next >= zero && next <= nine)) return true
  }
  return false
}

const isBlankOrColon = (sign: number): boolean =>
  sign === 0x3a || sign === 0x20 || sign === 0x09 || sign === 0x0d || sign === 0x0a

const [minus, zero, nine] = [0x2d, 0x30, 0x39]

/** Matches a name whose characters may be escaped. */
const nameInJson = (name: string): string =>
  [...name].map(sign => `(?:${sign}|\\\\u00${sign.charCodeAt(0).toString(16)})`).join('')

// A quote inside a string is escaped, so only a real member matches.
const numericCodes = new RegExp(
  `([{,]\\s*"(?:${['code', '_id'].map(nameInJson).join('|')})"\\s*:\\s*)(-?\\d[\\d.e+-]*)`,
  'gi',
)

const quoted = (_: string, label: string, number: string): string =>
  // `.0`: some programs write whole numbers so.
  `${label}"${number.replace(/\.0+$/, '')}"`

/** @see https://www.mongodb.com/docs/manual/reference/mongodb-extended-json/ (canonical and relaxed) */
const withoutTypes = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutTypes)
  const object = objectOf(value)
  if (object === null) return value
  const entries = Object.entries(object)
  const [[name, inner] = []] = entries
  if (entries.length === 1 && name !== undefined && numberTypes.has(name)) return inner
  if (entries.length === 1 && name === '$date') return dateOf(withoutTypes(inner))
  return Object.fromEntries(entries.map(([key, each]) => [key, withoutTypes(each)]))
}

const numberTypes: ReadonlySet<string> = new Set([
  '$numberInt',
  '$numberLong',
  '$numberDouble',
  '$numberDecimal',
])

/** Text in ISO 8601, from milliseconds since 1970 or other text; any other value stays as it is. */
const dateOf = (written: unknown): unknown => {
  const isMilliseconds = typeof written === 'number' || /^-?\d+$/.test(String(written))
  const date = new Date(isMilliseconds ? Number(written) : String(written))
  return Number.isNaN(date.getTime()) ? written : date.toISOString()
}
