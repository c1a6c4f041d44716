import { expect, test } from 'vitest'
import { slug } from './slug.ts'

test.each([
  ['Pâtes à tartiner', 'pates-a-tartiner'],
  ['  Œufs & bœuf  ', 'oeufs-boeuf'],
  ['Weißwürste', 'weisswurste'],
  ['Ægir', 'aegir'],
  ['日本 茶', '日本-茶'],
  ['---', ''],
])('%s is filed as %s', (name, expected) => {
  expect(slug(name)).toBe(expected)
})
