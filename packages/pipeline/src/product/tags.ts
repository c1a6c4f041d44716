import { textOf } from './json.ts'
import { cleanText, joinNames } from './normalise.ts'

/**
 * The names of a list for the record, from `first`, or from `second` if that has none. Each is an array of tags
 * (`en:no-gluten`) or the text of contributors (`Sans gluten,Bio`), which may contain tags too.
 */
export const namesOf = (first: unknown, second: unknown): string | null =>
  joinNames(listed(first, nameOf)) ?? joinNames(listed(second, nameOf))

/** The same for countries, whose names have a capital letter in each word. */
export const countriesOf = (first: unknown, second: unknown): string | null =>
  joinNames(listed(first, countryOf)) ?? joinNames(listed(second, countryOf))

// Loops instead of maps: lists take half of the time of a record.
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
  if (text.includes(',')) for (const each of text.split(',')) addNames(names, each, name)
  else if (text !== '' && !isEmptyList(text)) names.push(name(text))
}

/** An empty list: the tag `en:none`, the tag `en:null`, which an import of Open Food Facts wrote, or their text alone. */
const isEmptyList = (text: string): boolean => {
  // Most texts end with another letter, and need no regular expression.
  const last = text.charCodeAt(text.length - 1)
  if (last > 0x20 && last < 0x80 && last !== 0x65 && last !== 0x6c && last !== 0x4c) return false
  return /^\s*(?:[a-z]{2}:)?(?:[Nn]one|null|NULL)\s*$/.test(text)
}

// The language of a tag. Some tags have more than one, by mistake.
const prefix = /^(?:\s*[a-z]{2}:\s*)+/

/** `en:no-gluten` gives `No gluten`, `fr:Pâtes à tartiner` gives `Pâtes à tartiner`; other text stays as it is. */
const nameOf = (written: string): string => {
  const text = cleanText(written) ?? ''
  // Most texts have no colon, and need no regular expression.
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
