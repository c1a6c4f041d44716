import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Picker, type Wanted } from './pick.ts'

/** Long enough that the line is not simply parsed whole. */
const long = 'x'.repeat(7_000)

const wanted: Wanted = { code: true, nested: { inner: true, deep: { leaf: true } }, 'front_*': true }

const pick = (text: string) => JSON.parse(new Picker(wanted).pick(Buffer.from(text)).toString())

test('only wanted members are read', () => {
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

test('members are always in the same order, whatever the order in the line', () => {
  const line = `{"nested":{"deep":{"leaf":1},"inner":2},"_long":"${long}","code":3}`
  expect(JSON.stringify(pick(line))).toBe('{"code":3,"nested":{"inner":2,"deep":{"leaf":1}}}')
})

test('of two members with the same name the later one counts', () => {
  const line = `{"code":1,"nested":{"inner":2},"_long":"${long}","code":3,"nested":{"deep":{}}}`
  expect(pick(line)).toEqual({ code: 3, nested: { deep: {} } })
})

test('a value of another type than expected is kept', () => {
  expect(pick(JSON.stringify({ _long: long, nested: [1, 2], code: null }))).toEqual({
    nested: [1, 2],
    code: null,
  })
})

test.each([
  ['', 'it is not a JSON object'],
  ['[]', 'it is not a JSON object'],
  ['7', 'it is not a JSON object'],
  [`[${JSON.stringify(long)}]`, 'it is not a JSON object'],
  [`{"a":"${long}`, 'it ends inside a string'],
  [`{"a":["${long}"`, 'it ends inside an object or array'],
  [`{"a":"${long}"`, /a comma is missing at byte \d+/],
  [`{"a":"${long}",}`, /a name is missing at byte \d+/],
  [`{"a":"${long}" "b":1}`, /a comma is missing at byte \d+/],
  [`{"a":"${long}","b" 1}`, /a colon is missing at byte \d+/],
  [`{"a":"${long}","b":}`, /a value is missing at byte \d+/],
  [`{"a":"${long}"}{}`, 'there is more text after the object'],
])('a broken line is refused: %.20s', (line, message) => {
  expect(() => pick(line)).toThrow(message)
})

test('an escaped name is recognised, whether it is short or very long', () => {
  const line = String.raw`{"_long":"${long}","c\u006fde":1,"n\u0065sted":{"\u0069nner":2},"fr\u006Fnt_fr":3,"x\"code":4}`
  expect(pick(line)).toEqual({ code: 1, nested: { inner: 2 }, front_fr: 3 })
  expect(pick(`{"code${'e'.repeat(65_536)}":1}`)).toEqual({})
  expect(() => pick(String.raw`{"_long":"${long}","c\xode":1}`)).toThrow(SyntaxError)
})

/** The wanted members of a value, by what `Picker` promises. */
const only = (value: unknown, members: Wanted): unknown => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const chosen = Object.entries(value).flatMap(([name, inner]) => {
    const key = Object.keys(members).find(each =>
      each.endsWith('*') ? name.startsWith(each.slice(0, -1)) : each === name,
    )
    const member = key === undefined ? undefined : members[key]
    if (member === undefined) return []
    return [[name, member === true ? inner : only(inner, member)] as const]
  })
  return Object.fromEntries(chosen)
}

/** Texts as JSON may write them: each character as it is, or escaped. */
const written = (text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(text, fc.infiniteStream(fc.nat(3))).map(([characters, hows]) => {
    const escaped = characters.split('').map(character => {
      const hex = character.charCodeAt(0).toString(16).padStart(4, '0')
      const how: unknown = hows.next().value
      return how === 0 ? `\\u${hex}` : how === 1 ? `\\u${hex.toUpperCase()}` : null
    })
    // Quotes, control characters and lone surrogates are always escaped.
    const parts = characters
      .split('')
      .map((character, at) => escaped[at] ?? JSON.stringify(character).slice(1, -1))
    return `"${parts.join('')}"`
  })

const blank = fc.constantFrom('', '', '', ' ', '\t', '\r', '  \t')
const anyText = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('{', '}', '[', ']', '"', '\\', ',', ':'),
)
const names = written(
  fc.oneof(
    fc.constantFrom(
      'code',
      'nested',
      'inner',
      'deep',
      'leaf',
      'front_fr',
      'front_',
      'front',
      'cod',
      '__proto__',
    ),
    anyText,
  ),
)
/** Objects of JSON as texts: duplicate names, the same names at every depth, escapes and blanks anywhere. */
const { object: anyJson } = fc.letrec<{ value: string; array: string; object: string }>(tie => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('0', '-1.5e+3', 'true', 'false', 'null'),
    written(anyText),
    tie('array'),
    tie('object'),
  ),
  array: fc
    .tuple(blank, fc.array(fc.tuple(tie('value'), blank), { maxLength: 4 }))
    .map(([first, all]) => `[${first}${all.map(parts => parts.join('')).join(',')}]`),
  object: fc
    .tuple(
      blank,
      fc.array(fc.tuple(blank, names, blank, fc.constant(':'), blank, tie('value'), blank), { maxLength: 6 }),
    )
    .map(([first, all]) => `{${first}${all.map(parts => parts.join('')).join(',')}}`),
}))

// A failure prints its seed and the smallest input that fails.
test('for any JSON, the wanted members are those of JSON.parse', () => {
  fc.assert(
    fc.property(anyJson, blank, (json, space) => {
      const line = `${space}{"_long":"${long}"${/^\{\s*\}$/.test(json) ? '}' : `,${json.slice(1)}`}${space}`
      expect(pick(line)).toEqual(only(JSON.parse(line), wanted))
    }),
    { numRuns: 2_000 },
  )
})

test('a line that is truncated anywhere is rejected', () => {
  fc.assert(
    fc.property(anyJson, fc.nat(), (json, at) => {
      const line = `{"_long":"${long}","rest":${json}}`
      expect(() => pick(line.slice(0, at % line.length))).toThrow()
    }),
  )
})
