import { computed, effect, signal } from '@preact/signals'
import { en, type Word } from './words/en.ts'
import { fr } from './words/fr.ts'

/** A language of the page. */
export type Language = 'en' | 'fr'

const texts: Readonly<Record<Language, Readonly<Record<Word, string>>>> = { en, fr }

/** Where the user's choice is remembered. */
const storageKey = 'language'

/** The first of the browser's languages that the page has. */
export const preferredLanguage = (languages: readonly string[], chosen: string | null): Language => {
  if (chosen === 'en' || chosen === 'fr') return chosen
  const known = languages.map(language => language.slice(0, 2)).find(code => code === 'en' || code === 'fr')
  return known === 'fr' ? 'fr' : 'en'
}

/** The language of the page. */
export const language = signal<Language>('en')

/** Takes the language of the browser, and remembers the user's choice. */
export const followLanguage = (): void => {
  language.value = preferredLanguage(navigator.languages, localStorage.getItem(storageKey))
  effect(() => {
    document.documentElement.lang = language.value
  })
}

/** Changes to the other language. */
export const switchLanguage = (): void => {
  language.value = language.value === 'en' ? 'fr' : 'en'
  localStorage.setItem(storageKey, language.value)
}

/** A text in the language of the page. */
export const t = (word: Word, values: Readonly<Record<string, string | number>> = {}): string =>
  texts[language.value][word].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''))

/** Formats of the language: whole numbers, one decimal, times. */
export const formats = computed(() => {
  const locale = language.value === 'fr' ? 'fr-FR' : 'en-GB'
  return {
    whole: new Intl.NumberFormat(locale, { maximumFractionDigits: 0 }),
    decimal: new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }),
    compact: new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 }),
    minute: new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' }),
    day: new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' }),
    time: new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', second: '2-digit' }),
    moment: new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'medium' }),
  }
})
