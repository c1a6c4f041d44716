import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { CatalogueProduct, normalisedCode, readCatalogue } from './catalogue.ts'
import { generateCatalogue } from './generate.ts'
import { withCheckDigit } from './generated/barcode.ts'
import { nutriScore } from './generated/nutriScore.ts'

const realCatalogue = join(import.meta.dirname, '../../../../shared/off/products.jsonl')

const { products } = generateCatalogue()

test('a seed always gives the same catalogue, and another seed another catalogue', () => {
  const text = JSON.stringify(products)
  expect(JSON.stringify(generateCatalogue({ count: 1_000, seed: 1 }).products)).toBe(text)
  expect(JSON.stringify(generateCatalogue({ seed: 2 }).products)).not.toBe(text)
  expect(generateCatalogue({ count: 3 }).products).toEqual(products.slice(0, 3))
})

test('1,000 products are valid and survive JSON', () => {
  expect(products).toHaveLength(1_000)
  expect(products.map(each => CatalogueProduct.parse(JSON.parse(JSON.stringify(each))))).toEqual(products)
})

test('barcodes are reserved, normalised, unique, and have a correct check digit', () => {
  const codes = products.map(({ code }) => code)
  expect(new Set(codes).size).toBe(codes.length)
  expect(codes.filter(code => !/^2\d{7}$|^2\d{12}$/.test(code))).toEqual([])
  expect(codes.filter(code => code !== withCheckDigit(code.slice(0, -1)))).toEqual([])
  expect(codes.filter(code => code !== normalisedCode(code))).toEqual([])
  expect(new Set(codes.map(({ length }) => length))).toEqual(new Set([8, 13]))
})

test('nutriments are plausible and consistent', () => {
  const impossible = products.filter(({ nutriments }) => {
    if (nutriments == null || Object.keys(nutriments).length === 0) return false
    const value = (name: string) => Number(nutriments[`${name}_100g`] ?? 0)
    const [fat, carbohydrates, proteins] = [value('fat'), value('carbohydrates'), value('proteins')]
    const kcal = fat * 9 + carbohydrates * 4 + proteins * 4
    return (
      fat + carbohydrates + proteins > 100.11 ||
      value('saturated-fat') > fat ||
      value('sugars') > carbohydrates ||
      // Fibre counts for energy even if its field is missing.
      value('energy-kcal') < kcal - 1 ||
      value('energy-kcal') > kcal + 40
    )
  })
  expect(impossible).toEqual([])
})

test('every grade and group occurs, and so do missing fields', () => {
  const values = (key: string) => new Set(products.map(each => each[key]))
  expect(values('nutriscore_grade')).toEqual(new Set(['a', 'b', 'c', 'd', 'e', 'unknown']))
  expect(values('nova_group')).toEqual(new Set([1, 2, 3, 4, null]))
  expect(values('environmental_score_grade')).toEqual(
    new Set(['a-plus', 'a', 'b', 'c', 'd', 'e', 'f', 'unknown']),
  )
  for (const key of ['product_name', 'brands', 'quantity', 'ingredients_text', 'image_url', 'generic_name']) {
    const missing = products.filter(each => each[key] === null).length
    expect([key, missing > 0, missing < 800]).toEqual([key, true, true])
  }
})

test('the check digit is that of GS1', () => {
  // The example of GS1's General Specifications, and an EAN-8.
  expect([withCheckDigit('629104150021'), withCheckDigit('7351353')]).toEqual(['6291041500213', '73513537'])
})

describe('the Nutri-Score', () => {
  const nothing = {
    energyKj: 0,
    fat: 0,
    saturatedFat: 0,
    sugars: 0,
    fiber: 0,
    proteins: 0,
    salt: 0,
    fruits: 0,
  }

  test.each([
    ['water', { ...nothing, kind: 'water' }, { score: 0, grade: 'a' }],
    ['a cola', { ...nothing, kind: 'beverage', energyKj: 180, sugars: 10.6 }, { score: 12, grade: 'e' }],
    [
      'a cola with sweeteners',
      { ...nothing, kind: 'beverage', energyKj: 1, sweetened: true },
      { score: 4, grade: 'c' },
    ],
    [
      'olive oil',
      { ...nothing, kind: 'fat', energyKj: 3700, fat: 100, saturatedFat: 14 },
      { score: 5, grade: 'c' },
    ],
    [
      'a hard cheese',
      { ...nothing, kind: 'cheese', energyKj: 1700, fat: 33, saturatedFat: 21, proteins: 27, salt: 0.9 },
      { score: 12, grade: 'd' },
    ],
    [
      'lentils',
      { ...nothing, kind: 'food', energyKj: 1400, fiber: 12, proteins: 24, fruits: 100 },
      { score: -13, grade: 'a' },
    ],
  ] as const)('of %s', (_name, input, score) => {
    expect(nutriScore({ sweetened: false, ...input })).toEqual(score)
  })

  test.skipIf(!existsSync(realCatalogue))(
    `agrees with the real site's on nearly all real products (needs ${realCatalogue})`,
    async () => {
      const real = (await readCatalogue(realCatalogue)).products.filter(
        each => typeof each['nutriscore_score'] === 'number',
      )
      const different = real.filter(({ nutriments, categories_tags, nutriscore_score }) => {
        const value = (name: string) => Number(nutriments?.[`${name}_100g`] ?? 0)
        const isOf = (...tags: readonly string[]) => tags.some(tag => categories_tags?.includes(tag))
        const kind = isOf('en:waters')
          ? 'water'
          : isOf('en:beverages')
            ? 'beverage'
            : isOf('en:cheeses')
              ? 'cheese'
              : 'food'
        const computed = nutriScore({
          kind: isOf('en:fats', 'en:nuts', 'en:seeds') ? 'fat' : kind,
          energyKj: value('energy'),
          fat: value('fat'),
          saturatedFat: value('saturated-fat'),
          sugars: value('sugars'),
          fiber: value('fiber'),
          proteins: value('proteins'),
          salt: value('salt'),
          fruits: value('fruits-vegetables-legumes-estimate-from-ingredients'),
          sweetened: false,
        })
        return computed.score !== nutriscore_score
      })
      // The others differ because the site estimates values from ingredients and finds kinds by its taxonomy.
      expect([real.length, different.length]).toEqual([725, 23])
    },
  )
})
