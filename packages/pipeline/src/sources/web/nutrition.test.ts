import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type LabelledNutrient, nutrientLabels } from './nutrientLabels.ts'
import { type Nutriments, nutrimentsOf, unreadLabels } from './nutrition.ts'

const unknown = {
  energy_kcal_100g: null,
  fat_100g: null,
  saturated_fat_100g: null,
  carbohydrates_100g: null,
  sugars_100g: null,
  fiber_100g: null,
  proteins_100g: null,
  salt_100g: null,
}

test('a French table is read by its labels, in the column for 100 g as sold', () => {
  const table = {
    head: ['Tableau nutritionnel', 'Tel que venduepar portion (100 g)', 'Tel que vendupour 100 g / 100 ml'],
    rows: [
      ['\n  Énergie\n', '1 kJ(1 kcal)', '2\u202f524 kJ(617,5 kcal)'],
      ['Matières grasses', '1 g', '48 g'],
      ['Acides gras saturés', '1 g', '< 0,5 g'],
      ['Acides gras monoinsaturés', '1 g', '9 g'],
      ['Glucides (sans fibres)', '1 g', '1\u202f036,25 g'],
      ['Sucres', '1 g', '~ 32 g'],
      ['Fibres alimentaires', '1 g', '?'],
      ['Protéines', '1 g', '-'],
      ['Sel', '1 g', '10 mg'],
    ],
  }
  expect(nutrimentsOf(table, 'fr')).toEqual({
    energy_kcal_100g: 617.5,
    fat_100g: 48,
    saturated_fat_100g: 0.5,
    carbohydrates_100g: 1036.25,
    sugars_100g: 32,
    fiber_100g: null,
    proteins_100g: null,
    salt_100g: 0.01,
  })
})

test('an English table is read by its labels, and a missing row is unknown', () => {
  const table = {
    head: ['Nutrition facts', 'As soldfor 100 g / 100 ml', 'Compared to: Snacks'],
    rows: [
      ['Energy', '1,000 kJ(239 kcal)', '+5%'],
      ['Fat', '1,250.5 g', '+5%'],
      ['Carbohydrates', '3 g', '+5%'],
      ['Fiber', '0.000072 g', '+5%'],
      ['Salt', '0.3 g (12 % DV)', '+5%'],
    ],
  }
  expect(nutrimentsOf(table, 'en')).toEqual({
    ...unknown,
    energy_kcal_100g: 239,
    fat_100g: 1250.5,
    carbohydrates_100g: 3,
    fiber_100g: 0.000072,
    salt_100g: 0.3,
  })
})

test.each([
  ['a serving', ['Nutrition facts', 'As soldper serving (100 g)']],
  ['the prepared product', ['Nutrition facts', 'Preparedfor 100 g / 100 ml']],
  ['nothing', []],
])('a table with values only %s gives no values for 100 g as sold', (_what, head) => {
  expect(nutrimentsOf({ head, rows: [['Fat', '3 g']] }, 'en')).toEqual(unknown)
})

const columnOf: Readonly<Record<LabelledNutrient, keyof Nutriments>> = {
  energyKcal: 'energy_kcal_100g',
  energy: 'energy_kcal_100g',
  energyKj: 'energy_kcal_100g',
  fat: 'fat_100g',
  saturatedFat: 'saturated_fat_100g',
  carbohydrates: 'carbohydrates_100g',
  sugars: 'sugars_100g',
  fiber: 'fiber_100g',
  proteins: 'proteins_100g',
  salt: 'salt_100g',
  sodium: 'salt_100g',
}
const sold = ['Nutrition facts', 'As soldfor 100 g / 100 ml']
const allLabels = (Object.keys(columnOf) as LabelledNutrient[]).flatMap(nutrient =>
  nutrientLabels[nutrient].map(label => [nutrient, label] as const),
)

/** The values of a table that are not null. */
const known = (rows: readonly (readonly string[])[], lang = 'en', head: readonly string[] = sold) =>
  Object.fromEntries(Object.entries(nutrimentsOf({ head, rows }, lang)).filter(([, value]) => value !== null))

test('each label of Open Food Facts is recognised in any case, with a colon, and as presentation forms', () => {
  expect(allLabels.length).toBeGreaterThan(900)
  const forms = (label: string) => [
    label,
    label.toUpperCase(),
    label.toLowerCase(),
    `\n  ${label} :\n`,
    label.normalize('NFD'),
  ]
  const wrong = allLabels.filter(([nutrient, label]) =>
    forms(label).some(form => known([[form, '4 g 8 kcal']])[columnOf[nutrient]] === undefined),
  )
  expect(wrong).toEqual([])
})

test.each([
  ['of which sugars', { sugars_100g: 3 }],
  ['- dont Acides gras saturés', { saturated_fat_100g: 3 }],
  ['davon Zucker', { sugars_100g: 3 }],
  ['of which fat', {}],
  ['Kohlenhydrate (ohne Ballaststoffe)', { carbohydrates_100g: 3 }],
  ['Carbohydrates (total)', {}],
  ['EIWEISS：', { proteins_100g: 3 }],
  ['ＰＲＯＴＥＩＮＳ', { proteins_100g: 3 }],
  ['Monounsaturated fat', {}],
  ['Added sugars', {}],
  ['Salt-free', {}],
])('the row `%s` gives %j', (label, values) => {
  expect(known([[label, '3 g']])).toEqual(values)
})

test.each([
  ['24,75 g', 'de', 24.75],
  ['24.75 g', 'de', 24.75],
  ['0.107 g', 'de', 0.107],
  ['0.107 g', 'es', 0.107],
  ['24,75 g', 'en', 24.75],
  ['24.75 g', 'fr', 24.75],
  ['٢٤٫٧٥ g', 'ar', 24.75],
  ['۲۴٫۷۵ g', 'fa', 24.75],
  ['\u200f٢٤،٧٥\u200f\u00a0g', 'ar', 24.75],
  ['२४.७५ g', 'hi', 24.75],
  ['２４．７５ｇ', 'ja', 24.75],
  ['24,75 г', 'ru', 24.75],
  ['< 0,5 g', 'de', 0.5],
  ['~ 0.5 g', 'en', 0.5],
  ['≈ 0.5 g', 'en', 0.5],
  ['＜０.５ g', 'ja', 0.5],
  ['\u22120.5 g', 'en', -0.5],
  ['250 mg', 'en', 0.25],
  ['250 µg', 'en', 0.00025],
  ['250 \u03bcg', 'en', 0.00025],
  ['250㎎', 'ja', 0.25],
  ['½ g', 'en', undefined],
  ['traces', 'en', undefined],
  ['Spuren', 'de', undefined],
  ['?', 'en', undefined],
  ['-', 'en', undefined],
  ['3 %', 'en', undefined],
])('the fat `%s` in %s is %d', (cell, lang, grams) => {
  expect(known([['Fat', cell]], lang)['fat_100g']).toBe(grams)
})

test.each([
  ['kilojoules only', [['Energy', '2104 kJ']], { energy_kcal_100g: 502.9 }],
  ['Cyrillic units', [['Энергетическая ценность', '2104 кДж (502 ккал)']], { energy_kcal_100g: 502 }],
  [
    'a row for each unit of energy',
    [
      ['Energie (kJ)', '2104 kJ'],
      ['Energie (kcal)', '502 kcal'],
    ],
    { energy_kcal_100g: 502 },
  ],
  ['sodium only', [['Sodium', '400 mg']], { salt_100g: 1 }],
  [
    'sodium and unknown salt',
    [
      ['Salt', '?'],
      ['Sodium', '0.7 g'],
    ],
    { salt_100g: 1.75 },
  ],
  [
    'sodium and salt',
    [
      ['Sodium', '400 mg'],
      ['Salt', '1.1 g'],
    ],
    { salt_100g: 1.1 },
  ],
])('%s gives the values that the API gives', (_what, rows, values) => {
  expect(known(rows)).toEqual(values)
})

test.each([
  [
    'as sold before prepared',
    ['', 'So wie verkauftfür 100 g / 100 ml', 'Gebrauchsfertigfür 100 g / 100 ml'],
    1,
  ],
  ['prepared before as sold', ['', 'Preparadopor 100 g / 100 ml', 'Como se vendepor 100 g / 100 ml'], 2],
  ['unknown words', ['', 'Aufor 100 g / 100 ml', 'Buafor 100 g / 100 ml'], 1],
  ['Cyrillic units', ['', 'на порцию (100 г)', 'При продажена 100 г / 100 мл'], 2],
  ['Arabic digits', ['', 'كما تباعلكل ١٠٠ غ / ١٠٠ مل'], 1],
  ['full width', ['', '販売１００ｇ／１００ｍｌあたり'], 1],
  ['a serving of 100 g / 100 ml', ['', 'per serving (100 g / 100 ml)', 'for 100g/100ml'], 2],
  ['another amount', ['', 'for 1100 g / 100 ml'], null],
  ['a comparison', ['', 'Compared to: 100% juices, 100% fruit'], null],
  ['prepared only, Polish', ['', 'Przygotowanyna 100 g / 100 ml'], null],
  ['prepared only, Japanese', ['', '調整済100g / 100mlあたり'], null],
  ['prepared only, Arabic', ['', 'معد مسبقاًلكل 100 غ / 100 مل'], null],
  ['a serving only', ['', 'pro Portion (100 g)'], null],
])('headings with %s: the values are those of column %j', (_what, head, column) => {
  expect(known([['Fat', '1 g', '2 g']], 'en', head)).toEqual(column === null ? {} : { fat_100g: column })
})

// The words of the site in ten languages, and translations of "prepared" in others.
test.each([
  ...[
    'Prepared',
    'Préparé',
    'Preparado',
    'Preparato',
    'Gebrauchsfertig',
    'Bereid',
    'Przygotowany',
    'Приготовленный',
  ],
  ...['معد مسبقاً', '調整済', 'Preparat', 'Pregătit', 'Tillagad', 'Tilberedt', 'Valmistettu', 'Valmistatud'],
  ...['Připravený', 'Pripravený', 'Pripremljeno', 'Elkészített', 'Hazırlanmış', 'Приготовлений', 'Приготвен'],
  ...[
    'Припремљено',
    'Παρασκευασμένο',
    'Paruoštas',
    'Sagatavots',
    'Tilbúið',
    'Đã chuẩn bị',
    'Disiapkan',
    'เตรียมแล้ว',
  ],
  ...['מוכן', 'آماده شده', 'तैयार', 'প্রস্তুত', 'Պատրաստված', 'მომზადებული', '已准备', '沖泡後', '준비된'],
])('a table with values only for the product as `%s` has no values as sold', word => {
  const table = { head: ['', `${word}for 100 g / 100 ml`], rows: [['Fat', '3 g']] }
  expect(nutrimentsOf(table, 'xx')).toEqual(unknown)
})

test.each([
  'As sold',
  'Tel que vendu',
  'Como se vende',
  'Som såld',
  'Myyntihetkellä',
  'Prodávané',
  'Satıldığı gibi',
])('a table for the product `%s` has values as sold', words => {
  const table = { head: ['', `${words}for 100 g / 100 ml`], rows: [['Fat', '3 g']] }
  expect(nutrimentsOf(table, 'xx')).toEqual({ ...unknown, fat_100g: 3 })
})

test.each([
  [
    'unknown labels with amounts',
    [
      ['Rasvaa', '3 g'],
      ['Suolaa', '?'],
    ],
    ['Rasvaa'],
  ],
  [
    'one known label',
    [
      ['Rasvaa', '3 g'],
      ['Suola', '?'],
    ],
    [],
  ],
  [
    'no amounts',
    [
      ['Rasvaa', '?'],
      ['Fruits and vegetables', '12 %'],
    ],
    [],
  ],
  ['no rows', [], []],
])('a table with %s has the unread labels %j', (_what, rows, labels) => {
  expect(unreadLabels({ head: sold, rows }, 'fi')).toEqual(labels)
})

// A failure prints its seed and the smallest input that fails.
test('a number that the browser formats in any language is read as it is', () => {
  const languages = [
    'ar-EG',
    'bn',
    'de',
    'en',
    'es',
    'fa',
    'fr',
    'hi',
    'ja',
    'mr',
    'my',
    'pl',
    'pt',
    'ru',
    'sv',
  ]
  fc.assert(
    fc.property(
      fc.constantFrom(...languages),
      fc.constantFrom(...allLabels),
      fc.integer({ min: 0, max: 99_999 }),
      fc.constantFrom('', '< ', '~', '≈ '),
      (lang, [nutrient, label], thousandths, sign) => {
        const value = thousandths / 1_000
        const text = new Intl.NumberFormat(lang, { maximumFractionDigits: 3 }).format(value)
        const cell = columnOf[nutrient] === 'energy_kcal_100g' ? `${sign}${text} kcal` : `${sign}${text} g`
        const expected = nutrient === 'sodium' ? Number((value * 2.5).toPrecision(12)) : value
        expect(known([[label, cell]], lang.slice(0, 2))).toEqual({ [columnOf[nutrient]]: expected })
      },
    ),
    { numRuns: 500 },
  )
})

test('any cell and any label give a finite value or null', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.constantFrom('Fat', 'Zout', 'Energie'), fc.string({ unit: 'binary' })),
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.stringMatching(/^[-<~]?[\d٠-٩.,٫٬ ]{0,12} ?(g|mg|kJ|kcal)?$/),
      ),
      fc.constantFrom('ar', 'de', 'en', 'xx'),
      (label, cell, lang) => {
        const values = Object.values(nutrimentsOf({ head: sold, rows: [[label, cell]] }, lang))
        expect(values.filter(value => value !== null && !Number.isFinite(value))).toEqual([])
      },
    ),
  )
})
