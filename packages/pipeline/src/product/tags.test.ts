import { expect, test } from 'vitest'
import { countryTag, namesOf } from './tags.ts'

test.each([
  ['fr', 'en:france'],
  ['GB', 'en:united-kingdom'],
  ['cz', 'en:czech-republic'],
  ['France', 'en:france'],
  ['en:france', 'en:france'],
  ['united states', 'en:united-states'],
  ['Côte d’Ivoire', 'en:cote-d-ivoire'],
  ['ci', 'en:cote-d-ivoire'],
])('%s is filed under %s', (written, tag) => {
  expect(countryTag(written)).toBe(tag)
})

test.each<[string, unknown, unknown, string | null]>([
  ['a tag', ['en:none'], undefined, null],
  ['text', undefined, 'en:none', null],
  ['one of several', ['en:none', 'en:milk'], undefined, 'Milk'],
  ['one of several in text', 'en:milk, fr:none', undefined, 'Milk'],
])('`en:none` as %s is not a name', (_what, first, second, names) => {
  expect(namesOf(first, second)).toBe(names)
})
