import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { environmentalScoreGrades, nutriScoreGrades } from '../names.ts'
import {
  cleanText,
  energyOf,
  gradeAmong,
  grams,
  joinNames,
  kilocalories,
  massOf,
  novaGroup,
  numberOf,
  readNumber,
} from './normalise.ts'

test.each([
  ['  Pâte\u00a0à\n tartiner ', 'Pâte à tartiner'],
  ['Classic 7&quot; Cake &amp; Co &#233;&#xE9;', 'Classic 7" Cake & Co éé'],
  ['&amp;quot;', '"'],
  ['Caf&eacute; &oelig;uf &ndash; 20&deg; &frac12; &#xD800;&#x110000;', 'Café œuf – 20° ½'],
  ['&qu\u200bot;\u0000', '"'],
  ['half \ud83d of one', 'half of one'],
  [`${'a'.repeat(20_001)}`, 'a'.repeat(20_000)],
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

test('a list of names keeps its order, without empty names', () => {
  expect([
    joinNames([' Snacks ', '', 'Pâtes  à tartiner']),
    joinNames(['null', 'Snacks', 'undefined']),
    joinNames(['', ' ']),
    joinNames([]),
  ]).toEqual(['Snacks, Pâtes à tartiner', 'Snacks', null, null])
})

test('anything else than a grade is null', () => {
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
    ['-1,5 g', 'fr', -1.5],
    ['5-10 g', 'en', 10],
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

describe('JSON values', () => {
  test.each([
    [12.5, 12.5],
    [-0, 0],
    ['12.5', 12.5],
    [' 12,5 ', 12.5],
    ['1,234', 1.234],
    ['1 234,5', 1234.5],
    ['1.234,5', 1234.5],
    ['1,234.5', 1234.5],
    ['1,234,567', 1_234_567],
    ["1'234.5", 1234.5],
    ['< 0.5', 0.5],
    ['~3', 3],
    ['.5', 0.5],
    ['-2', -2],
    ['1e-7', 1e-7],
    ['2.5E+3', 2500],
    ['1.2.3', null],
    ['12,34,5', null],
    ['', null],
    ['traces', null],
    ['1e999', null],
    [Number.NaN, null],
    [Number.POSITIVE_INFINITY, null],
    [true, null],
    [null, null],
    [[1], null],
  ])('%j is the number %d', (value, expected) => {
    expect(numberOf(value)).toBe(expected)
  })

  test.each([
    [12.5, 'g', 12.5],
    [3.3, 'mg', 0.0033],
    [150, 'µg', 0.00015],
    ['12,5 g', 'g', 12.5],
    ['3.3mg', 'g', 0.0033],
    ['0.5', 'g', 0.5],
    ['1e-7', 'g', 1e-7],
    [5, '%', null],
    [5, 'IU', null],
    ['5 %', 'g', null],
    ['', 'g', null],
  ])('%j in %s is %d grams', (value, unit, expected) => {
    expect(massOf(value, unit)).toBe(expected)
  })

  test.each([
    [617, 'kcal', 617],
    [1000, 'kJ', 239],
    ['2524 kJ', 'kcal', 603.3],
    ['617 kcal', 'kJ', 617],
    [3, 'g', null],
  ])('%j in %s is %d kilocalories', (value, unit, expected) => {
    expect(energyOf(value, unit)).toBe(expected)
  })
})

describe('for any input', () => {
  // A failure prints its seed and the smallest input that fails.
  const anyText = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.stringMatching(
      /^(&(amp;|quot;|#\d{1,4};|#x[0-9a-f]{1,4};)|[\u0300-\u0303\u200b\ufeff\u037e\ud800a ,;]){0,8}$/,
    ),
  )

  test('cleaning a clean text changes nothing', () => {
    fc.assert(fc.property(anyText, text => cleanText(cleanText(text)) === cleanText(text)))
  })

  test('a clean text has no control characters, no lone surrogates and no blanks at its ends', () => {
    fc.assert(
      fc.property(anyText, text => {
        const clean = cleanText(text) ?? 'x'
        return !/\p{Cc}|\p{Cs}|^\s|\s$|\s\s/u.test(clean) && clean === clean.normalize('NFC')
      }),
    )
  })

  test('a number is read from every form that it is written in', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -10_000_000, max: 10_000_000 }),
        fc.integer({ min: 0, max: 99 }),
        (whole, cents) => {
          const number = Number(`${whole}.${String(cents).padStart(2, '0')}`)
          const plain = number.toFixed(2)
          const english = number.toLocaleString('en', { minimumFractionDigits: 2 })
          const german = number.toLocaleString('de', { minimumFractionDigits: 2 })
          const french = number.toLocaleString('fr', { minimumFractionDigits: 2 })
          const forms = [number, plain, plain.replace('.', ','), english, german, french, ` ~${plain} `]
          return forms.every(form => numberOf(form) === numberOf(number))
        },
      ),
    )
  })

  test('anything else than a number is null, never NaN or infinite', () => {
    fc.assert(
      fc.property(fc.anything(), value => {
        const number = numberOf(value)
        return number === null || Number.isFinite(number)
      }),
    )
  })
})
