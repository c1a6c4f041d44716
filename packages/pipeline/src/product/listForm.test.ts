import { expect, test } from 'vitest'
import { productOf } from './productOf.ts'

const context = { source: 'export', observedAt: '2026-01-01T00:00:00.000Z', site: null } as const

test('lists of languages and of nutriments are read as in the API', () => {
  const text = (lang: string, written: string) => ({ lang, text: written })
  const read = (more: object) => productOf({ code: '3000000000011', ...more }, context)
  const nutriments = [
    { name: 'fat', value: 3, '100g': 17.520000457763672, unit: 'g' },
    { name: 'salt', '100g': '0.3' },
    { name: 'sugars', '100g': null, serving: 9 },
    { name: 'cocoa', '100g': 5 },
  ]
  expect(
    read({
      product_name: [text('fr', 'Pain'), text('main', 'Bread')],
      generic_name: [],
      ingredients_text: [text('en', 'flour'), text('fr', 'farine')],
      ...{ lang: 'fr', nutriments },
    }),
  ).toMatchObject({
    product: {
      ...{ product_name: 'Bread', generic_name: null, ingredients_text: 'farine' },
      ...{ fat_100g: 17.52, salt_100g: 0.3, sugars_100g: null },
    },
  })
  expect(read({ product_name: { en: 'Bread', main: 'Pain' }, nutriments })).toMatchObject({
    product: { product_name: 'Pain' },
  })
  expect(read({ product_name: JSON.stringify([text('main', 'Pain')]), brands: 'B' })).toMatchObject({
    product: { product_name: 'Pain' },
  })
  expect(read({ product_name: '[{"lang":"main","te', brands: 'B' })).toMatchObject({
    product: { product_name: null },
  })
  expect(read({ product_name: [text('de', 'Brot')] })).toMatchObject({ product: { product_name: 'Brot' } })
})
