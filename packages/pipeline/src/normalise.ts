/**
 * The text of a source, made into the values of the record. Pure, and shared by all sources: two sources that saw the
 * same product must give the same record.
 */

const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
}

/**
 * One line of text as a person reads it: entities decoded once (contributors' names hold literal `&quot;`), control
 * and zero-width characters gone, any white space one blank, Unicode composed.
 * @returns null where nothing is left: an empty text says nothing.
 */
export const cleanText = (written: string | null | undefined): string | null => {
  const text = decodeEntities(written ?? '')
    .normalize('NFC')
    // Controls part words as a line break does; format characters (zero-width, direction marks) are inside words.
    .replace(/\p{Cc}+/gu, ' ')
    .replace(/[\u200B\u200E\u200F\u202A-\u202E\u2060\u2066-\u2069\uFEFF]/g, '')
    .replace(/\s+/g, ' ')
    .trim()
  return text === '' ? null : text
}

/** The names of a list, each cleaned, in their order, joined by `, `; null for none. */
export const joinNames = (names: readonly string[]): string | null => {
  const clean = names.map(cleanText).filter(name => name !== null)
  return clean.length === 0 ? null : clean.join(', ')
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
  const found = /(\d[\d.,\s]*)(kg|mg|µg|μg|mcg|g)(?!\p{L})/u.exec(written)
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
  return kilojoules === null ? null : Math.round((kilojoules / 4.184) * 10) / 10
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

const decodeEntities = (text: string): string =>
  text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|(\w{2,6}));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return entities[String(name).toLowerCase()] ?? whole
    const codePoint = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
    return codePoint > 0 && codePoint <= 0x10ffff ? String.fromCodePoint(codePoint) : ' '
  })
