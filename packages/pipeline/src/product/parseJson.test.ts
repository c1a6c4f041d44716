import { expect, test } from 'vitest'
import { parseJson } from './parseJson.ts'

test.each([
  ['{"code":98765432109876543}', { code: '98765432109876543' }],
  ['{"code":3.01E+12}', { code: '3.01E+12' }],
  ['{"code":4006381333931.0}', { code: '4006381333931' }],
  ['{"code" : 4012 ,"rev":7}', { code: '4012', rev: 7 }],
  ['{"_id":18014398509481985}', { _id: '18014398509481985' }],
  ['{"product":{"rev":1,"code":9007199254740993}}', { product: { rev: 1, code: '9007199254740993' } }],
  ['{"\\u0063od\\u0065":2.02E+11}', { code: '2.02E+11' }],
  ['{"c\\u006Fde":12345678901234567}', { code: '12345678901234567' }],
  ['{"\\u005fid":12345678901234567}', { _id: '12345678901234567' }],
  ['{"code":"0123","barcode":5}', { code: '0123', barcode: 5 }],
  ['{"product_name":"{\\"code\\":7}","code":null}', { product_name: '{"code":7}', code: null }],
])('%s keeps the digits of the code', (text, expected) => {
  expect(parseJson(text)).toEqual(expected)
})

test('the types of MongoDB become numbers as text, and dates in ISO 8601', () => {
  const canonical = {
    _id: { $oid: '65f' },
    code: { $numberLong: '3000000000011' },
    rev: { $numberInt: '5' },
    nutriments: { fat_100g: { $numberDouble: '1.5' }, salt_100g: { $numberDecimal: '0.30' } },
    as_of: { $date: { $numberLong: '1714000000000' } },
    times: [{ $date: '2024-04-24T23:06:40Z' }, { $date: 1_714_000_000_000 }, { $date: 'never' }],
    other: { $ref: 'a', $id: 'b' },
  }
  expect(parseJson(JSON.stringify(canonical))).toEqual({
    ...{ _id: { $oid: '65f' }, code: '3000000000011', rev: '5' },
    nutriments: { fat_100g: '1.5', salt_100g: '0.30' },
    as_of: '2024-04-24T23:06:40.000Z',
    times: ['2024-04-24T23:06:40.000Z', '2024-04-24T23:06:40.000Z', 'never'],
    other: { $ref: 'a', $id: 'b' },
  })
})
