import { expect, test } from 'vitest'
import { countryTag } from './tags.ts'

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
