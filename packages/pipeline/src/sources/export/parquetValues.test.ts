import type { SchemaElement } from 'hyparquet'
import { expect, test } from 'vitest'
import { apiValue, codeProblem, Texts } from './parquetValues.ts'

const column = (more: Partial<SchemaElement>): SchemaElement => ({ name: 'code', ...more })

test.each<
  readonly [what: string, column: SchemaElement, exact: readonly unknown[], rounded: readonly unknown[]]
>([
  ['text and 64 bits', column({ type: 'INT64' }), ['3000000000011', 3_000_000_000_011n, undefined], []],
  ['32 bits', column({ type: 'INT32' }), [20_000_011, 20_000_000], []],
  ['decimals', column({ type: 'INT64', scale: 2 }), [3_000_000_000_011], [3_000_000_000_000_011]],
  [
    'wide decimals',
    column({ type: 'FIXED_LEN_BYTE_ARRAY', converted_type: 'DECIMAL' }),
    [3_000_000_000_011],
    [1e20],
  ],
  ['doubles', column({ type: 'DOUBLE' }), [3_000_000_000_011, 20_000_000], [2.02e11, 3.01762e12, 1e21]],
  ['floats', column({ type: 'FLOAT' }), [16_777_216], [3_000_000_053_248, 20_000_012]],
  ['halves', column({ type: 'FIXED_LEN_BYTE_ARRAY' }), [], [60_000]],
])('a code of %s is read only if it cannot be rounded', (_what, element, exact, rounded) => {
  const problemOf = codeProblem(element)
  expect(exact.map(problemOf)).toEqual(exact.map(() => null))
  expect(rounded.map(problemOf)).toEqual(
    rounded.map(code => ({
      skippedBy: 'invalid-code',
      reason: `its code \`${code}\` may be a rounded number`,
    })),
  )
})

test.each<readonly [field: string, value: unknown, expected: unknown]>([
  ['fat_100g', Math.fround(17.52), 17.52],
  ['last_modified_t', new Date(1_714_000_000_000), new Date(1_714_000_000_000)],
  ['as_of', new Date(1_714_000_000_000), '2024-04-24T23:06:40.000Z'],
  ['as_of', new Date(Number.NaN), null],
  ['code', Buffer.from('3000000000011'), '3000000000011'],
  [
    'product_name',
    { main: 'Pain', fr: 'Pain' },
    [
      { lang: 'main', text: 'Pain' },
      { lang: 'fr', text: 'Pain' },
    ],
  ],
  ['nutriments', { fat_100g: Math.fround(17.52), salt_100g: null }, { fat_100g: 17.52, salt_100g: null }],
  ['nutriments', { fat: { '100g': 1.5 } }, [{ name: 'fat', '100g': 1.5 }]],
  ['countries_tags', ['en:france'], ['en:france']],
])('%s %j', (field, value, expected) => {
  expect(apiValue(field, value)).toEqual(expected)
})

test('a row with a text that is not valid UTF-8 is recognised, even inside lists', () => {
  const texts = new Texts()
  const [good, bad] = [texts.decode(Buffer.from('Crème')), texts.decode(Buffer.from([0x43, 0xe8]))]
  expect(good).toBe('Crème')
  expect([[good, [{ text: good }]], [good, [{ text: bad }]], [bad]].map(texts.hasInvalid)).toEqual([
    false,
    true,
    true,
  ])
})
