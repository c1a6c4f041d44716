import { describe, expect, test } from 'vitest'
import { cleanText, gradeAmong, grams, joinNames, kilocalories, novaGroup, readNumber } from './normalise.ts'
import { environmentalScoreGrades, nutriScoreGrades } from './product.ts'

test.each([
  ['  Pâte\u00a0à\n tartiner ', 'Pâte à tartiner'],
  ['Classic 7&quot; Cake &amp; Co &#233;&#xE9;', 'Classic 7" Cake & Co éé'],
  ['&amp;quot;', '&quot;'],
  ['&unheard; &#0; 100% &', '&unheard; 100% &'],
  ['zero\u200bwidth\u0007bell\ufeff', 'zerowidth bell'],
  ['e\u0301te\u0301', 'été'],
  ['👨‍👩‍👧 family', '👨‍👩‍👧 family'],
  ['\u0000 \t', null],
  [null, null],
  [undefined, null],
])('text %j reads %j', (written, expected) => {
  expect(cleanText(written)).toBe(expected)
})

test('a list of names keeps its order and loses its empty ones', () => {
  expect([joinNames([' Snacks ', '', 'Pâtes  à tartiner']), joinNames(['', ' ']), joinNames([])]).toEqual([
    'Snacks, Pâtes à tartiner',
    null,
    null,
  ])
})

test('what is no grade is null', () => {
  const written = ['a', 'E', 'a_plus', 'a-plus', 'f', 'unknown', 'not_applicable', 'not-applicable', '', null]
  expect(written.map(grade => gradeAmong(nutriScoreGrades, grade))).toEqual([
    ...['a', 'e', null, null, null],
    ...[null, null, null, null, null],
  ])
  expect(written.map(grade => gradeAmong(environmentalScoreGrades, grade))).toEqual([
    ...['a', 'e', 'a-plus', 'a-plus', 'f'],
    ...[null, null, null, null, null],
  ])
})

test('only 1 to 4 are NOVA groups', () => {
  expect(['1', ' 4 ', '0', '5', 'unknown', '', null].map(novaGroup)).toEqual([
    1,
    4,
    null,
    null,
    null,
    null,
    null,
  ])
})

describe('numbers', () => {
  test.each([
    ['1234.5', 'en', 1234.5],
    ['1,234.5', 'en', 1234.5],
    ['1,234,567', 'en', 1_234_567],
    ['0.000072', 'en', 0.000072],
    ['12,5', 'fr', 12.5],
    ['1\u202f234,5', 'fr', 1234.5],
    ['1\u00a0234', 'fr', 1234],
    ['0.000072', 'fr', 0.000072],
    ['1.234,5', 'de', 1234.5],
    ['0.000072', 'de', 0.000072],
    ['', 'en', null],
    ['1.2.3', 'en', null],
    ['?', 'fr', null],
  ])('%j in %s is %d', (written, lang, expected) => {
    expect(readNumber(written, lang)).toBe(expected)
  })

  test.each([
    ['12,5 g', 'fr', 12.5],
    ['12,5\u00a0g', 'fr', 12.5],
    ['< 0.5 g', 'en', 0.5],
    ['~ 0 g', 'en', 0],
    ['3.3 mg', 'en', 0.0033],
    ['15 µg', 'fr', 0.000015],
    ['1.2 kg', 'en', 1200],
    ['0,3 g (12 % DV)', 'fr', 0.3],
    ['?', 'en', null],
    ['-', 'en', null],
    ['22,222 %', 'fr', null],
    ['3 gallons', 'en', null],
    ['', 'en', null],
  ])('%j in %s is %d grams', (written, lang, expected) => {
    expect(grams(written, lang)).toBe(expected)
  })

  test.each([
    ['2\u202f524 kJ(617 kcal)', 'fr', 617],
    ['2,524 kJ (617.25 kcal)', 'en', 617.25],
    ['617,5 kcal', 'fr', 617.5],
    ['1,000 kJ', 'en', 239],
    ['?', 'en', null],
  ])('%j in %s is %d kilocalories', (written, lang, expected) => {
    expect(kilocalories(written, lang)).toBe(expected)
  })
})
