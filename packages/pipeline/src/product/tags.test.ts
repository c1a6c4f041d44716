import { expect, test } from 'vitest'
import { namesOf } from './tags.ts'

test.each<[string, unknown, unknown, string | null]>([
  ['the tag `en:none`', ['en:none'], undefined, null],
  ['`en:none` in text', undefined, 'en:none', null],
  ['`en:none` together with a name', ['en:none', 'en:milk'], undefined, 'Milk'],
  ['`fr:none` together with a name', 'en:milk, fr:none', undefined, 'Milk'],
  ['the text `None`', ['None'], 'none', null],
  ['`en:null`, which an import wrote', ['en:null'], 'null', null],
  ['`en:null` together with a name', undefined, 'en:null,en:milk', 'Milk'],
])('an empty list written as %s has no names', (_what, first, second, names) => {
  expect(namesOf(first, second)).toBe(names)
})
