/**
 * The text of a source, made into the values of the record. Pure, and shared by all sources: two sources that saw the
 * same product must give the same record.
 */

import { decodeHTMLStrict } from 'entities'

/** No honest text of a product is as long, and a record must stay smaller than the broker's largest message. */
const longestText = 20_000

/**
 * One line of text as a person reads it: entities decoded (contributors' names hold literal `&quot;`, some of them
 * encoded twice), control and zero-width characters and halves of characters gone, any white space one blank, Unicode
 * composed, at most 20,000 characters. Cleaning a clean text changes nothing.
 * @returns null where nothing is left: an empty text says nothing.
 */
export const cleanText = (written: string | null | undefined): string | null => {
  if (written === null || written === undefined || written === '') return null
  if (written.length <= longestText && alreadyClean.test(written)) return written
  let text = written.slice(0, longestText)
  // Each step can make work for another: removing a zero-width character completes an entity, decoding one makes a
  // control character. The rounds end because every entity that goes makes the text shorter.
  for (let before = ''; before !== text; ) {
    before = text
    text = decodeEntities(text)
      .normalize('NFC')
      // Controls part words as a line break does; format characters (zero-width, direction marks) are inside words.
      .replace(/\p{Cc}+/gu, ' ')
      .replace(/[\u200B\u200E\u200F\u202A-\u202E\u2060\u2066-\u2069\uFEFF]|\p{Cs}/gu, '')
      .replace(/\s+/g, ' ')
      .trim()
      .slice(0, longestText)
  }
  return text === '' ? null : text
}

// Most texts are Latin words with single blanks between them: nothing to do, and told in one look. Letters above
// U+02FF may be combining marks, and `&` may begin an entity; the marks from U+2010 to U+2027 are dashes, quotation
// marks such as the apostrophe of `d’orange`, and dots.
const alreadyClean = /^[!-%'-~\u00A1-\u02FF\u2010-\u2027]+(?: [!-%'-~\u00A1-\u02FF\u2010-\u2027]+)*$/

/**
 * The names of a list, each cleaned, in their order, joined by `, `; null for none. A name that reads `null` or
 * `undefined` is a programmer's slip, not a name: the category `null` stands on two of five products of Open Food
 * Facts' imports.
 */
export const joinNames = (names: readonly string[]): string | null => {
  let joined = ''
  for (const written of names) {
    const name = cleanText(written)
    if (name === null || name === 'null' || name === 'undefined') continue
    if (joined.length + name.length + 2 > longestText) break
    joined = joined === '' ? name : `${joined}, ${name}`
  }
  return joined === '' ? null : joined
}

/**
 * The grade among `grades` that `written` names, whatever its case and with `_` for `-`; null for what is no grade:
 * `unknown`, `not-applicable`, nothing.
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
 * The grams that a text such as `12,5 g`, `< 0.5 g` or `~ 300 mg` tells in language `lang`. A sign before the number
 * (less than, about) is dropped, as Open Food Facts' own `_100g` values do.
 * @returns null where no mass is told (`?`, `-`, a percentage).
 */
export const grams = (written: string, lang: string): number | null => {
  const found = /((?:(?<!\S)-)?\d[\d.,\s]*)(kg|mg|µg|μg|mcg|g)(?!\p{L})/u.exec(written)
  const exponent = gramExponents[found?.[2] ?? '']
  return exponent === undefined ? null : readNumber(found?.[1] ?? '', lang, exponent)
}

const gramExponents: Readonly<Record<string, number>> = { kg: 3, g: 0, mg: -3, µg: -6, μg: -6, mcg: -6 }

/**
 * The kilocalories that a text such as `2 524 kJ (617 kcal)` tells in language `lang`. Where only kilojoules are told
 * they are converted (4.184 kJ a kilocalorie, as Open Food Facts does), to a tenth.
 */
export const kilocalories = (written: string, lang: string): number | null => {
  const kcal = /(\d[\d.,\s]*)kcal/i.exec(written)?.[1]
  if (kcal !== undefined) return readNumber(kcal, lang)
  const kilojoules = readNumber(/(\d[\d.,\s]*)kJ/i.exec(written)?.[1] ?? '', lang)
  return kilojoules === null ? null : kilocaloriesOf(kilojoules)
}

/**
 * The number written in the manner of `lang` (`1 234,5` in French, `1,234.5` in English), times ten to the power of
 * `exponent`. The power is put into the text, not multiplied: 3.3 mg must be 0.0033 g, not its neighbour.
 */
export const readNumber = (written: string, lang: string, exponent = 0): number | null => {
  const signs = numberSigns(lang)
  const dense = written.replace(/\s+/g, '')
  const grouped = dense.split(signs.group)
  // A group sign parts thousands. Elsewhere it is a decimal sign of another language: Open Food Facts prints very
  // small numbers with a point on French and German pages too.
  const isGrouped = grouped.length > 1 && grouped.slice(1).every(part => /^\d{3}(?!\d)/.test(part))
  const plain = (isGrouped ? grouped.join('') : dense).replace(signs.decimal, '.')
  return /^-?\d+(\.\d+)?$/.test(plain) ? Number(`${plain}e${exponent}`) : null
}

/**
 * The number in a value of JSON that no language is known for: a number, or text as Open Food Facts' server reads it
 * (`convert_string_to_number`): a single comma or point is decimal, repeated ones part thousands, and of two kinds the
 * last is decimal. A sign before it (less than, about) is dropped.
 * @returns null for anything else, and for what is not finite
 */
export const numberOf = (value: unknown): number | null => {
  // Adding zero makes zero of minus zero, which JSON would make anyway.
  if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : null
  if (typeof value === 'bigint') return Number(value)
  if (typeof value !== 'string') return null
  const dense = value.replace(/^[\s<>≤≥~≈]+/, '').replace(/(\d)[\s'’](?=\d)/g, '$1')
  const [, sign, digits, exponent] = /^([+-]?)(\d[\d.,]*|[.,]\d+)(e[+-]?\d+)?\s*$/i.exec(dense) ?? []
  const plain = digits === undefined ? null : withPoint(digits)
  const number = plain === null ? Number.NaN : Number(`${sign}${plain}${exponent ?? ''}`)
  return Number.isFinite(number) ? number + 0 : null
}

/** Digits with points and commas as JavaScript writes them; null where the signs make no sense. */
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
 * The grams in a value: a number is in `unit`, a text may name its own (`12,5 g`, `300 mg`).
 * @returns null where there is no number, or a unit that is no mass (`%`, `IU`)
 */
export const massOf = (value: unknown, unit = 'g'): number | null => {
  const amount = amountOf(value, unit)
  const exponent = gramExponents[amount.unit.toLowerCase()]
  if (amount.number === null || exponent === undefined) return null
  return rounded(exponent === 0 ? amount.number : amount.number * 10 ** exponent)
}

/** The kilocalories in a value: a number is in `unit` (`kcal` or `kJ`), a text may name its own. */
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

/** Without the last digits that binary arithmetic leaves behind: 7.69, not 7.6899999999999995. */
export const rounded = (value: number): number =>
  // Few numbers need it, and writing one out costs more than the question whether it has four decimals at most.
  Math.round(value * 10_000) / 10_000 === value ? value : Number(value.toPrecision(12))

/** 4.184 kJ a kilocalorie, as Open Food Facts converts, to a tenth. */
const kilocaloriesOf = (kilojoules: number): number => Math.round((kilojoules / 4.184) * 10) / 10

const numberSigns = (lang: string): { readonly decimal: string; readonly group: string } => {
  const known = signsByLanguage.get(lang)
  if (known !== undefined) return known
  const parts = new Intl.NumberFormat(lang, { useGrouping: true }).formatToParts(1_234_567.5)
  const sign = (type: 'decimal' | 'group', otherwise: string) =>
    parts.find(part => part.type === type)?.value ?? otherwise
  const signs = { decimal: sign('decimal', '.'), group: sign('group', ',') }
  signsByLanguage.set(lang, signs)
  return signs
}

// Building an Intl.NumberFormat costs more than reading all the numbers of a page with it.
const signsByLanguage = new Map<string, { readonly decimal: string; readonly group: string }>()

/** Decodes all character references of HTML. A reference to no valid character, such as `&#0;`, becomes a blank. */
const decodeEntities = (text: string): string => {
  const decoded = decodeHTMLStrict(text)
  return text.includes('\ufffd') ? decoded : decoded.replaceAll('\ufffd', ' ')
}
