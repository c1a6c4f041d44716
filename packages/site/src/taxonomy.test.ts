import { expect, test } from 'vitest'
import { additiveName, additivesCount, slug, tagName } from './taxonomy.ts'

test.each([
  ['en:teas', undefined, 'en:Teas', 'Teas'],
  ['en:teas', 'Thés', 'Thés', 'Thés'],
  ['en:yogurts', 'Yaourt', 'Yaourts', 'Yogurts'],
  ['fr:pates-a-tartiner', 'Pâtes à tartiner', 'Pâtes à tartiner', 'fr:Pâtes à tartiner'],
  ['fr:pates-a-tartiner', undefined, 'Pates a tartiner', 'fr:Pates a tartiner'],
  ['en:united-states', undefined, 'États-Unis', 'United States'],
  ['orvelune', undefined, 'Orvelune', 'Orvelune'],
])('%s, written %s, is `%s` in French and `%s` in English', (tag, written, french, english) => {
  expect([tagName(tag, 'fr', written), tagName(tag, 'en', written)]).toEqual([french, english])
})

test('additives have their number and, if known, their name, and variants count once', () => {
  expect(['en:e330', 'en:e322i', 'en:e160c'].map(tag => additiveName(tag, 'fr'))).toEqual([
    'E330 - Acide citrique',
    'E322i',
    'E160c - Extrait de paprika',
  ])
  expect(
    additivesCount(['en:e322', 'en:e322i', 'en:e500ii', 'en:e500', 'en:e160a', 'en:e160ai', 'en:e160c']),
  ).toBe(4)
})

test.each([
  ["Crème brûlée d'Œufs (n° 1)", 'creme-brulee-d-oeufs-n-1'],
  ['  100 % Ægir — ñ ', '100-aegir-n'],
  ['日本茶', '日本茶'],
  ['!!', ''],
])('%s is %s in an address', (name, id) => {
  expect(slug(name)).toBe(id)
})
