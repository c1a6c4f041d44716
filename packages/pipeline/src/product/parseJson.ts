/**
 * Parses JSON. A barcode that is written as a number becomes text with the very digits, because JavaScript rounds numbers
 * above 2^53, and would write out `2.02E+11`, the remainder of a barcode that a spreadsheet has rounded.
 * @throws SyntaxError
 */
export const parseJson = (text: string): unknown =>
  JSON.parse(numericCode.test(text) ? text.replaceAll(numericCodes, quoted) : text)

// A quote inside a string is escaped, so only a real member matches.
const numericCode = /[{,]\s*"(?:code|_id)"\s*:\s*-?\d/
const numericCodes = /([{,]\s*"(?:code|_id)"\s*:\s*)(-?\d[\d.eE+-]*)/g

const quoted = (_: string, label: string, number: string): string =>
  // `.0`: some programs write whole numbers so.
  `${label}"${number.replace(/\.0+$/, '')}"`
