import { expect, test } from 'vitest'
import { parseJson } from './parseJson.ts'

test.each([
  ['{"code":98765432109876543}', { code: '98765432109876543' }],
  ['{"code":3.01E+12}', { code: '3.01E+12' }],
  ['{"code":4006381333931.0}', { code: '4006381333931' }],
  ['{"code" : 4012 ,"rev":7}', { code: '4012', rev: 7 }],
  ['{"_id":18014398509481985}', { _id: '18014398509481985' }],
  ['{"product":{"rev":1,"code":9007199254740993}}', { product: { rev: 1, code: '9007199254740993' } }],
  ['{"code":"0123","barcode":5}', { code: '0123', barcode: 5 }],
  ['{"product_name":"{\\"code\\":7}","code":null}', { product_name: '{"code":7}', code: null }],
])('%s keeps the digits of the code', (text, expected) => {
  expect(parseJson(text)).toEqual(expected)
})
