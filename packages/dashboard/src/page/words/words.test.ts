import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { preferredLanguage } from '../language.ts'
import { en } from './en.ts'
import { fr } from './fr.ts'

const placesIn = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(([place]) => place).sort()

test('every text exists in both languages, with the same placeholders', () => {
  expect(Object.keys(fr)).toEqual(Object.keys(en))
  for (const [key, text] of Object.entries(en))
    expect([key, placesIn(fr[key as keyof typeof en])]).toEqual([key, placesIn(text)])
  expect(Object.values(fr).filter(text => text.trim() === '')).toEqual([])
})

test('every text is used', () => {
  const page = join(import.meta.dirname, '..')
  const source = readdirSync(page, { recursive: true, encoding: 'utf8' })
    .filter(name => /\.tsx?$/.test(name) && !name.startsWith('words/'))
    .map(name => readFileSync(join(page, name), 'utf8'))
    .join('\n')
  // `t('hop.table')`, or its beginning in `t(`hop.${name}`)`.
  const unused = Object.keys(en).filter(key => {
    const parts = key.split('.')
    const prefixes = parts.map((_, index) => `${parts.slice(0, index).join('.')}.$`).slice(1)
    return !source.includes(`'${key}'`) && !prefixes.some(prefix => source.includes(`\`${prefix}`))
  })
  expect(unused).toEqual([])
})

test('the language is the first of the browser that the page has, unless the user has chosen one', () => {
  expect([
    preferredLanguage(['de-CH', 'fr-CH', 'en'], null),
    preferredLanguage(['en-US', 'fr'], null),
    preferredLanguage(['de'], null),
    preferredLanguage(['fr'], 'en'),
    preferredLanguage(['en'], 'nonsense'),
  ]).toEqual(['fr', 'en', 'en', 'en', 'en'])
})
