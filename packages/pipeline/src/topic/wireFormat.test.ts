import { expect, test } from 'vitest'
import { readJson } from './wireFormat.ts'

const json = Buffer.from('{"a":1}')
const bytes = (...parts: readonly (Buffer | readonly number[])[]) =>
  Buffer.concat(parts.map(part => Buffer.from(part)))

test.each([
  ['plain JSON', json, { json: { a: 1 } }],
  ['a byte order mark', bytes([0xef, 0xbb, 0xbf], json), { json: { a: 1 } }],
  ['a number', Buffer.from('17'), { json: 17 }],
  ['the registry of Confluent', bytes([0, 0, 0, 0, 42], json), { json: { a: 1 } }],
  ['an id whose bytes are not UTF-8', bytes([0, 0, 0, 0xc3, 0xa9], json), { json: { a: 1 } }],
  ['an id that looks like JSON', bytes([0, 0x7b, 0x7b, 0x7b, 0x7b], json), { json: { a: 1 } }],
  ['a text after the header', bytes([0, 0, 0, 0, 1], Buffer.from('"8001"')), { json: '8001' }],
  ['the registry of Apicurio 2', bytes([0, 0, 0, 0, 0, 0, 0, 0, 7], json), { json: { a: 1 } }],
  ['the registry of AWS Glue', bytes([3, 0], Buffer.alloc(16, 9), json), { json: { a: 1 } }],
])('%s', (_what, value, expected) => {
  expect(readJson(value)).toEqual(expected)
})

test.each([
  ['Avro', bytes([0, 0, 0, 0, 42, 0x1a], Buffer.from('8001120000014')), 'binary-message', '(schema 42)'],
  ['Protobuf', bytes([0, 0, 0, 0, 42, 0, 0x0a, 3], Buffer.from('abc')), 'binary-message', 'Protobuf'],
  ['Avro with an array', bytes([0, 0, 0, 0, 42], Buffer.from('{x')), 'binary-message', '(schema 42)'],
  ['AWS Glue, compressed', bytes([3, 5], Buffer.alloc(30, 1)), 'binary-message', 'AWS Glue'],
  ['a zero only', Buffer.from([0]), 'binary-message', 'a schema registry,'],
  ['bytes', Buffer.from([0x7b, 0xff, 0x7d]), 'invalid-utf8', 'it is not valid UTF-8'],
  ['text', Buffer.from('no JSON'), 'invalid-json', 'it is not valid JSON: '],
  ['nothing', Buffer.alloc(0), 'invalid-json', 'it is not valid JSON: '],
])('%s is skipped', (_what, value, skippedBy, reason) => {
  expect(readJson(value)).toEqual({ skippedBy, reason: expect.stringContaining(reason) })
})
