/**
 * Converts the texts of a source into the values of the record. All sources use these functions, because two sources
 * that show the same product must give the same record.
 */

import { decodeHTMLStrict } from 'entities'

/** Real texts are shorter, and a record must stay below the maximum message size of the broker. */
const maxTextLength = 20_000

/**
 * A text as one clean line: HTML entities decoded (names of contributors contain `&quot;`, some encoded twice); control
 * and zero-width characters and lone surrogates removed; each run of white space replaced by one blank; Unicode
 * composed (NFC); at most 20,000 characters. Cleaning a clean text changes nothing.
 * @returns null if nothing is left
 */
export const cleanText = (written: string | null | undefined): string | null => {
  if (written === null || written === undefined || written === '') return null
  if (written.length <= maxTextLength && alreadyClean.test(written)) return written
  let text = written.slice(0, maxTextLength)
  // One step can create input for another: removing a zero-width character may complete an entity, and decoding an
  // entity may give a control character. The loop ends because each decoded entity makes the text shorter.
  for (let before = ''; before !== text; ) {
    before = text
    text = decodeEntities(text)
      .normalize('NFC')
      // Control characters separate words, as a line break does; format characters (zero-width) are inside words.
      .replace(/\p{Cc}+/gu, ' ')
      .replace(/[\u200B\u200E\u200F\u202A-\u202E\u2060\u2066-\u2069\uFEFF]|\p{Cs}/gu, '')
      .replace(/\s+/g, ' ')
      .trim()
      .slice(0, maxTextLength)
  }
  return text === '' ? null : text
}

// Most texts are Latin words with single blanks between them, which one test recognises. Characters above U+02FF may be
// combining marks, and `&` may start an entity; U+2010 to U+2027 are dashes, quotation marks such as the apostrophe of
// `d’orange`, and dots.
const alreadyClean = /^[!-%'-~\u00A1-\u02FF\u2010-\u2027]+(?: [!-%'-~\u00A1-\u02FF\u2010-\u2027]+)*$/

/**
 * The names of a list, cleaned and joined by `, ` in the given order; null without names. The names `null` and
 * `undefined` are left out: they come from programming errors (two of five imported products of Open Food Facts have
 * the category `null`).
 */
export const joinNames = (names: readonly string[]): string | null => {
  let joined = ''
  for (const written of names) {
    const name = cleanText(written)
    if (name === null || name === 'null' || name === 'undefined') continue
    if (joined.length + name.length + 2 > maxTextLength) break
    joined = joined === '' ? name : `${joined}, ${name}`
  }
  return joined === '' ? null : joined
}

/**
 * The one of `grades` that `written` names, in any case and with `_` or `-`; null for anything else, such as `unknown`
 * or `not-applicable`.
 */
export const gradeAmong = <Grade extends string>(
  grades: readonly Grade[],
  written: string | null | undefined,
): Grade | null => {
  const name = written?.trim().toLowerCase().replaceAll('_', '-')
  return grades.find(grade => grade === name) ?? null
}

/** The NOVA group that `written` names, 1 to 4; null for anything else. */
export const novaGroup = (written: string | null | undefined): 1 | 2 | 3 | 4 | null =>
  ([1, 2, 3, 4] as const).find(group => String(group) === written?.trim()) ?? null

/**
 * The grams in a text such as `12,5 g`, `< 0.5 g` or `~ 300 mg`, in digits of any script, with the number format of the
 * language `lang`. A sign before the number (less than, about) is ignored, as in the `_100g` values of Open Food Facts.
 * @returns null if the text contains no mass (`?`, `-`, a percentage)
 */
export const grams = (written: string, lang: string): number | null => {
  const found = massInText.exec(asciiDigits(written))
  const exponent = gramExponents[found?.[2] ?? '']
  return exponent === undefined ? null : readNumber(found?.[1] ?? '', lang, exponent)
}

const massInText = /((?:(?<!\S)-)?\d[\d.,٫٬'’\s]*)(kg|mg|µg|μg|mcg|g|кг|мг|мкг|г)(?!\p{L})/u

const gramExponents: Readonly<Record<string, number>> = {
  ...{ kg: 3, g: 0, mg: -3, µg: -6, μg: -6, mcg: -6 },
  ...{ кг: 3, г: 0, мг: -3, мкг: -6 },
}

/**
 * The kilocalories in a text such as `2 524 kJ (617 kcal)`, in digits of any script, with the number format of the
 * language `lang`. If it contains only kilojoules, they are converted (4.184 kJ a kilocalorie, as in Open Food Facts) and
 * rounded to a tenth.
 */
export const kilocalories = (written: string, lang: string): number | null => {
  const text = asciiDigits(written)
  const kcal = /(\d[\d.,٫٬'’\s]*)(?:kcal|ккал)/iu.exec(text)?.[1]
  if (kcal !== undefined) return readNumber(kcal, lang)
  const kilojoules = readNumber(/(\d[\d.,٫٬'’\s]*)(?:kJ|кДж)/iu.exec(text)?.[1] ?? '', lang)
  return kilojoules === null ? null : kilocaloriesOf(kilojoules)
}

/**
 * A text with the digits 0 to 9 instead of those of other scripts (Arabic-Indic, Devanagari, full width …), the minus of
 * ASCII, and without format characters such as the marks of writing direction. Superscripts are not digits.
 */
export const asciiDigits = (written: string): string =>
  written
    .replace(/\p{Cf}/gu, '')
    .replace(/[\uFF01-\uFF5E\u3371-\u33DF]/g, sign => sign.normalize('NFKC'))
    .replace(/\p{Nd}/gu, digit => {
      const code = digit.codePointAt(0) ?? 0
      const zero = zeros.find(each => code >= each && code < each + 10)
      return zero === undefined ? digit : String(code - zero)
    })
    .replaceAll('\u2212', '-')
    .replaceAll('،', ',')

/** The digit zero of each script that a language of Open Food Facts writes numbers in; one to nine follow it. */
const zeros: readonly number[] = [
  ...[0x30, 0x660, 0x6f0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66],
  ...[0xe50, 0xed0, 0xf20, 0x1040, 0x17e0],
]

/**
 * The number in the format of the language `lang` (`1 234,5` in French, `1,234.5` in English), times ten to the power
 * of `exponent`. The exponent is added to the text, because a multiplication would not give exactly 0.0033 g for
 * 3.3 mg. A number in the format of another language is read if its signs leave no doubt (`24,75` in English).
 */
export const readNumber = (written: string, lang: string, exponent = 0): number | null => {
  const dense = written.replace(/\s+|(?<=\d)['’](?=\d)/g, '')
  const plain = inFormatOf(lang, dense)
  return plain === null ? null : Number(`${plain}e${exponent}`)
}

const inFormatOf = (lang: string, dense: string): string | null => {
  // These signs of Arabic scripts have one meaning in all languages.
  if (/[٫٬]/.test(dense)) return plainNumber(dense.replaceAll('٬', '').replace('٫', '.'))
  const { group, decimal } = numberSigns(lang)
  const grouped = dense.split(group)
  // A group sign separates thousands. In any other place it is a decimal sign: Open Food Facts prints very small
  // numbers with a point on French and German pages too.
  const isGrouped =
    grouped.length > 1 &&
    /^-?[1-9]\d{0,2}$/.test(grouped[0] ?? '') &&
    grouped.slice(1).every(part => /^\d{3}(?!\d)/.test(part))
  const [, sign = '', digits = ''] = /^(-?)(.*)$/.exec(dense) ?? []
  const other = withPoint(digits)
  return (
    plainNumber((isGrouped ? grouped.join('') : dense).replace(decimal, '.')) ??
    (other === null ? null : plainNumber(sign + other))
  )
}

const plainNumber = (text: string): string | null => (/^-?\d+(\.\d+)?$/.test(text) ? text : null)

/**
 * The number in a JSON value of unknown language: a number, or text, which is read as the server of Open Food Facts
 * does (`convert_string_to_number`). A single comma or point is the decimal sign; repeated ones separate thousands; if
 * both occur, the last is the decimal sign. A sign before the number (less than, about) is ignored.
 * @returns null for anything else, and if it is not finite
 */
export const numberOf = (value: unknown): number | null => {
  // Adding zero turns minus zero into zero, as JSON does.
  if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : null
  if (typeof value === 'bigint') return Number(value)
  if (typeof value !== 'string') return null
  const dense = value.replace(/^[\s<>≤≥~≈]+/, '').replace(/(\d)[\s'’](?=\d)/g, '$1')
  const [, sign, digits, exponent] = /^([+-]?)(\d[\d.,]*|[.,]\d+)(e[+-]?\d+)?\s*$/i.exec(dense) ?? []
  const plain = digits === undefined ? null : withPoint(digits)
  const number = plain === null ? Number.NaN : Number(`${sign}${plain}${exponent ?? ''}`)
  return Number.isFinite(number) ? number + 0 : null
}

/** Digits with points and commas in the format of JavaScript; null if the signs are not a valid number. */
const withPoint = (digits: string): string | null => {
  const last = /[.,](?=[^.,]*$)/.exec(digits)?.[0]
  if (last === undefined) return digits
  const other = last === '.' ? ',' : '.'
  const parts = digits.split(last)
  const whole = parts[0] ?? ''
  if (parts.length > 2) return areThousands(parts) ? parts.join('') : null
  const groups = whole.split(other)
  return groups.length === 1 || areThousands(groups) ? `${groups.join('')}.${parts[1]}` : null
}

const areThousands = (groups: readonly string[]): boolean =>
  groups.every((group, index) => (index === 0 ? /^\d{1,3}$/ : /^\d{3}$/).test(group))

/**
 * The grams in a value. A number is in `unit`; a text may have its own unit (`12,5 g`, `300 mg`).
 * @returns null without a number, and for a unit that is not a mass (`%`, `IU`)
 */
export const massOf = (value: unknown, unit = 'g'): number | null => {
  const amount = amountOf(value, unit)
  const exponent = gramExponents[amount.unit.toLowerCase()]
  if (amount.number === null || exponent === undefined) return null
  return rounded(exponent === 0 ? amount.number : amount.number * 10 ** exponent)
}

/** The kilocalories in a value. A number is in `unit` (`kcal` or `kJ`); a text may have its own unit. */
export const energyOf = (value: unknown, unit = 'kcal'): number | null => {
  const amount = amountOf(value, unit)
  if (amount.number === null) return null
  const named = amount.unit.toLowerCase()
  if (named === 'kcal') return rounded(amount.number)
  return named === 'kj' ? kilocaloriesOf(amount.number) : null
}

const amountOf = (
  value: unknown,
  unit: string,
): { readonly number: number | null; readonly unit: string } => {
  const [, number, named] = typeof value === 'string' ? (/^(.*\d)\s*([^\d\s.,]+)\s*$/u.exec(value) ?? []) : []
  return number === undefined || named === undefined
    ? { number: numberOf(value), unit }
    : { number: numberOf(number), unit: named }
}

/** Removes the rounding error of binary arithmetic: 7.69 instead of 7.6899999999999995. */
export const rounded = (value: number): number =>
  // Few numbers need it. Formatting one is slower than testing whether it has at most four decimals.
  Math.round(value * 10_000) / 10_000 === value ? value : Number(value.toPrecision(12))

/** 4.184 kJ a kilocalorie, as in Open Food Facts, rounded to a tenth. */
const kilocaloriesOf = (kilojoules: number): number => Math.round((kilojoules / 4.184) * 10) / 10

const numberSigns = (lang: string): { readonly decimal: string; readonly group: string } => {
  const known = signsByLanguage.get(lang)
  if (known !== undefined) return known
  const parts = new Intl.NumberFormat([lang, 'en'], { useGrouping: true }).formatToParts(1_234_567.5)
  const sign = (type: 'decimal' | 'group', otherwise: string) =>
    parts.find(part => part.type === type)?.value ?? otherwise
  const signs = { decimal: sign('decimal', '.'), group: sign('group', ',') }
  signsByLanguage.set(lang, signs)
  return signs
}

// Creating an Intl.NumberFormat takes longer than reading all numbers of a page with it.
const signsByLanguage = new Map<string, { readonly decimal: string; readonly group: string }>()

/** Decodes all character references of HTML. An invalid reference, such as `&#0;`, becomes a blank. */
const decodeEntities = (text: string): string => {
  const decoded = decodeHTMLStrict(text)
  return text.includes('\ufffd') ? decoded : decoded.replaceAll('\ufffd', ' ')
}
