/**
 * Appends the GS1 check digit: weights 3 and 1 from the right, total rounded up to a multiple of ten.
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
 * An EAN-13 in the range 20 to 29, which GS1 reserves for internal use, so no real product has it.
 * @param serial an integer from 0 to 99,999,999
 */
export const restrictedEan13 = (serial: number): string =>
  withCheckDigit(`2900${String(serial).padStart(8, '0')}`)

/** An EAN-8 in the range that starts with 2, reserved for internal use too. @param serial an integer from 0 to 999,999 */
export const restrictedEan8 = (serial: number): string =>
  withCheckDigit(`2${String(serial).padStart(6, '0')}`)
