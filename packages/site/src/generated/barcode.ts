/**
 * Appends the check digit of GS1's codes: weights 3 and 1 from the right, the sum made up to a multiple of ten.
 *
 * @see GS1 General Specifications, 7.9.1
 */
export const withCheckDigit = (digits: string): string => {
  const sum = [...digits]
    .reverse()
    .reduce((total, digit, index) => total + Number(digit) * (index % 2 === 0 ? 3 : 1), 0)
  return digits + String((10 - (sum % 10)) % 10)
}

/**
 * An EAN-13 in the range 20 to 29 that GS1 leaves to each company for use within it, so it is nobody's product.
 * @param serial a whole number from 0 up to a hundred million
 */
export const restrictedEan13 = (serial: number): string =>
  withCheckDigit(`2900${String(serial).padStart(8, '0')}`)

/** An EAN-8 in the range that begins with 2, which is left to companies too. @param serial 0 up to a million */
export const restrictedEan8 = (serial: number): string =>
  withCheckDigit(`2${String(serial).padStart(6, '0')}`)
