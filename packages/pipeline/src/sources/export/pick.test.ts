import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Picker } from './pick.ts'

/** Long enough that the line is not simply parsed whole. */
const long = 'x'.repeat(7_000)

const wanted = { code: true, nested: { inner: true, deep: { leaf: true } }, 'front_*': true } as const

const pick = (text: string) => JSON.parse(new Picker(wanted).pick(Buffer.from(text)).toString())

test('wanted members are read, others are stepped over', () => {
  const line = {
    _long: long,
    code: '30176',
    tricky: ['}', { a: '\\"]' }, 1e3, null],
    nested: { other: { code: 1 }, inner: [1, { x: 'é' }], deep: { leaf: false, leaves: 2 } },
    front_fr: { rev: 4 },
    fronts: 1,
  }
  expect(pick(JSON.stringify(line))).toEqual({
    code: '30176',
    nested: { inner: [1, { x: 'é' }], deep: { leaf: false } },
    front_fr: { rev: 4 },
  })
})

test('members come in the order in which they are wanted, whatever the order of the line', () => {
  const line = `{"nested":{"deep":{"leaf":1},"inner":2},"_long":"${long}","code":3}`
  expect(JSON.stringify(pick(line))).toBe('{"code":3,"nested":{"inner":2,"deep":{"leaf":1}}}')
})

test('of two members with one name the later counts', () => {
  const line = `{"code":1,"nested":{"inner":2},"_long":"${long}","code":3,"nested":{"deep":{}}}`
  expect(pick(line)).toEqual({ code: 3, nested: { deep: {} } })
})

test('a wanted object that is something else is read as what it is', () => {
  expect(pick(JSON.stringify({ _long: long, nested: [1, 2], code: null }))).toEqual({
    nested: [1, 2],
    code: null,
  })
})

test.each([
  ['', 'it is no JSON object'],
  ['[]', 'it is no JSON object'],
  ['7', 'it is no JSON object'],
  [`[${JSON.stringify(long)}]`, 'it is no JSON object'],
  [`{"a":"${long}`, 'it ends in the middle of a text'],
  [`{"a":["${long}"`, 'it ends in the middle of an object'],
  [`{"a":"${long}"`, /there is no comma at byte \d+/],
  [`{"a":"${long}",}`, /there is no name at byte \d+/],
  [`{"a":"${long}" "b":1}`, /there is no comma at byte \d+/],
  [`{"a":"${long}","b" 1}`, /there is no colon at byte \d+/],
  [`{"a":"${long}","b":}`, /there is no value at byte \d+/],
  [`{"a":"${long}"}{}`, 'something follows the object'],
])('a broken line is refused: %.20s', (line, message) => {
  expect(() => pick(line)).toThrow(message)
})

// A failure prints its seed and the smallest input that fails.
const anyObject = fc.dictionary(
  fc.oneof(fc.constantFrom('code', 'nested', 'front_fr', 'front', '__proto__'), fc.string()),
  fc.oneof(fc.jsonValue(), fc.dictionary(fc.constantFrom('inner', 'deep', 'x'), fc.jsonValue())),
)
const withLong = (object: object) => JSON.stringify({ ...object, _long: long })

test('what is picked is what JSON.parse gives for it', () => {
  fc.assert(
    fc.property(anyObject, fc.constantFrom('', ' ', '\t'), (object, blank) => {
      const line = JSON.stringify(JSON.parse(withLong(object)), null, blank)
      const parsed = JSON.parse(line)
      const picked = pick(line)
      for (const name of ['code', 'front_fr'] as const) expect(picked[name]).toEqual(parsed[name])
      const nested = parsed.nested
      const isObject = typeof nested === 'object' && nested !== null && !Array.isArray(nested)
      if (isObject) expect((picked['nested'] as { inner?: unknown }).inner).toEqual(nested.inner)
      else expect(picked['nested']).toEqual(nested)
    }),
    { numRuns: 1_000 },
  )
})

test('a line that is cut anywhere is refused', () => {
  fc.assert(
    fc.property(anyObject, fc.nat(), (object, at) => {
      const line = withLong(object)
      expect(() => pick(line.slice(0, at % line.length))).toThrow()
    }),
  )
})
