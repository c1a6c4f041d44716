import { textOf } from './json.ts'
import { cleanText, joinNames } from './normalise.ts'
import { slug } from './slug.ts'

/**
 * The names of a list as the record has them, from the first of two values that has any: tags (`en:no-gluten`), or the
 * text that contributors wrote (`Sans gluten,Bio`), in which tags stand too.
 */
export const namesOf = (first: unknown, second: unknown): string | null =>
  joinNames(listed(first, nameOf)) ?? joinNames(listed(second, nameOf))

/** The names of countries, whose tags are names with a capital in each word. */
export const countriesOf = (first: unknown, second: unknown): string | null =>
  joinNames(listed(first, countryOf)) ?? joinNames(listed(second, countryOf))

// Loops instead of maps here: lists are half the work of a record.
const listed = (value: unknown, name: (written: string) => string): string[] => {
  const names: string[] = []
  if (typeof value === 'string') addNames(names, value, name)
  else if (Array.isArray(value)) {
    for (const each of value) {
      const text = textOf(each)
      if (text !== null) addNames(names, text, name)
    }
  }
  return names
}

const addNames = (names: string[], text: string, name: (written: string) => string): void => {
  if (text.includes(',')) for (const each of text.split(',')) names.push(name(each))
  else if (text !== '') names.push(name(text))
}

/**
 * The tag that Open Food Facts files a country under, from a tag (`en:france`), a name in English (`France`) or a
 * code of two letters (`fr`).
 * @see ISO 3166-1 for the codes
 */
export const countryTag = (written: string): string => {
  const name = written.trim()
  const english = /^[a-z]{2}$/i.test(name) ? englishName(name.toUpperCase()) : name.replace(/^[a-z]{2}:/i, '')
  const id = slug(english)
  return `en:${otherSlugs[id] ?? id}`
}

// A language and a name; more than one language is a slip that is seen.
const prefix = /^(?:\s*[a-z]{2}:\s*)+/

/** `en:no-gluten` reads `No gluten`, `fr:Pâtes à tartiner` reads `Pâtes à tartiner`; other text is left as it is. */
const nameOf = (written: string): string => {
  const text = cleanText(written) ?? ''
  // A look at one character spares most texts the expression.
  if (!text.includes(':') || !prefix.test(text)) return text
  const name = text.replace(prefix, '')
  if (/[\s\p{Lu}]/u.test(name)) return name
  const words = name.replace(/-+/g, ' ').trim()
  return words.charAt(0).toUpperCase() + words.slice(1)
}

const countryOf = (written: string): string => {
  const name = nameOf(written)
  return prefix.test(written) && name.includes(' ') ? capitalised(name) : name
}

const smallWords: ReadonlySet<string> = new Set(['and', 'of', 'the'])

const capitalised = (name: string): string =>
  name
    .split(' ')
    .map(word => (smallWords.has(word) ? word : word.charAt(0).toUpperCase() + word.slice(1)))
    .join(' ')

const englishName = (code: string): string =>
  new Intl.DisplayNames('en', { type: 'region', fallback: 'code' }).of(code) ?? code

/** Where Unicode's English name and Open Food Facts' tag part ways. */
const otherSlugs: Readonly<Record<string, string>> = {
  czechia: 'czech-republic',
  turkiye: 'turkey',
  'hong-kong-sar-china': 'hong-kong',
  'macao-sar-china': 'macau',
  'myanmar-burma': 'myanmar',
  'congo-kinshasa': 'democratic-republic-of-the-congo',
  'congo-brazzaville': 'republic-of-the-congo',
}
