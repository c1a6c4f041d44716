import { expect, test } from 'vitest'
import { namesOf } from './tags.ts'

test.each<[string, unknown, unknown, string | null]>([
  ['a tag', ['en:none'], undefined, null],
  ['text', undefined, 'en:none', null],
  ['one of several', ['en:none', 'en:milk'], undefined, 'Milk'],
  ['one of several in text', 'en:milk, fr:none', undefined, 'Milk'],
])('`en:none` as %s is not a name', (_what, first, second, names) => {
  expect(namesOf(first, second)).toBe(names)
})
