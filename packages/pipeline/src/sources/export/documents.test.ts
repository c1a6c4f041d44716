import { expect, test } from 'vitest'
import { DocumentCutter } from './documents.ts'

type Read = readonly [line: number, value: unknown]

const read = (text: string, partBytes = Number.POSITIVE_INFINITY): Read[] => {
  const cutter = new DocumentCutter()
  const bytes = Buffer.from(text)
  const part = Math.min(partBytes, bytes.length)
  const found: Read[] = []
  for (let at = 0; at <= bytes.length; at += part)
    for (const each of cutter.take(bytes.subarray(at, at + part), at + part > bytes.length))
      found.push([each.place, 'skippedBy' in each ? each.reason : JSON.parse(each.bytes.toString())])
  return found
}

const pretty = (value: unknown): string => JSON.stringify(value, null, 2)
const [one, two, three] = [1, 2, 3].map(code => ({ code, name: `{"[\\é`, inner: { list: [{ a: [] }, {}] } }))
const error = (reason: string): unknown => `it is not valid JSON: ${reason}`

test.each<readonly [what: string, text: string, values: readonly unknown[]]>([
  ['pretty-printed objects', [one, two].map(pretty).join('\n'), [one, two]],
  ['objects on one line', JSON.stringify(one) + JSON.stringify(two), [one, two]],
  ['an array', JSON.stringify([one, two]), [one, two]],
  ['a pretty-printed array', pretty([one, two]), [one, two]],
  ['lines with commas', `[\n${[one, two].map(each => JSON.stringify(each)).join(',\n')}\n]\n`, [one, two]],
  ['a sequence', [one, two].map(each => `\x1e${pretty(each)}\n`).join(''), [one, two]],
  ['the products of a response', pretty({ count: 2, products: [one, two], skip: 0 }), [one, two]],
  ['responses without products', pretty({ a: 1, products: { b: 2 } }), [{ a: 1, products: { b: 2 } }]],
  ['no objects', ' \n [ ] ', []],
])('%s', (_what, text, values) => {
  for (const bytes of [Number.POSITIVE_INFINITY, 1, 5])
    expect(read(text, bytes).map(([, value]) => value)).toEqual(values)
})

test.each<readonly [what: string, text: string, values: readonly Read[]]>([
  [
    'an object that ends in a string',
    `[\n{"a": "1\n,${JSON.stringify(two)}]`,
    [
      [2, error('a string ends with its line')],
      [3, two],
    ],
  ],
  [
    'an object without its end',
    `${pretty(one).slice(0, -2)}\n${pretty(two)}\n${pretty(three)}`,
    [
      [1, error('a comma is missing')],
      [12, two],
      [24, three],
    ],
  ],
  [
    'an item without its end',
    pretty([one, two, three]).replace('  },\n  {', '  ,\n  {'),
    [
      [2, error('a name is missing')],
      [14, two],
      [26, three],
    ],
  ],
  [
    'a line that ends after a colon',
    `[{"a":\n${JSON.stringify(two)}\n${JSON.stringify(three)}]`,
    [
      [1, error('a comma is missing')],
      [2, two],
      [3, three],
    ],
  ],
  [
    'other values',
    `[1, "a", ${JSON.stringify(two)}]`,
    [
      [1, error('it is not a JSON object')],
      [1, two],
    ],
  ],
  [
    'a wrong bracket',
    `[{"a": [1}, ${JSON.stringify(two)}]`,
    [
      [1, error('a bracket is missing')],
      [1, two],
    ],
  ],
  [
    'too many levels',
    `${'{"a":'.repeat(100)}\n${JSON.stringify(two)}`,
    [
      [1, error('it has too many levels')],
      [1, error('it ends inside an object')],
      [2, two],
    ],
  ],
])('%s does not affect other objects', (_what, text, values) => {
  expect(read(text)).toEqual(values)
})

test('an item without its end does not affect the next one if a bracket is before it', () => {
  const item = '  {\n    "code": 2'
  for (const before of ['', '[ ', '[   '])
    for (const bytes of [Number.POSITIVE_INFINITY, 1, 5])
      expect(
        read(pretty([one, two, three]).replace(item, `${before}{\n    "code": [${item.slice(1)}`), bytes),
      ).toEqual([
        [2, one],
        [14, error('it ends inside an object')],
        [27, three],
      ])
})

test('an object that ends after a backslash does not affect the next one', () => {
  for (const bytes of [Number.POSITIVE_INFINITY, 1, 5])
    expect(read(['{\n  "a": "\\', pretty(two)].join('\n'), bytes)).toEqual([
      [1, error('a string ends with its line')],
      [3, two],
    ])
})

test('an item that has lost its start, and ends where a value is missing, does not affect the next one', () => {
  const damaged = '"\n  "code": 1,\n  "inner": {\n    "a":'
  for (const bytes of [Number.POSITIVE_INFINITY, 1, 5])
    expect(read([damaged, pretty(two), pretty(three)].join('\n'), bytes).map(([, value]) => value)).toEqual([
      error('it is not a JSON object'),
      error('a comma is missing'),
      two,
      three,
    ])
})

test('a file that ends early is reported', () => {
  const text = pretty([one, two])
  expect(read(text.slice(0, -2))).toEqual([
    ...[
      [2, one],
      [14, two],
    ],
    [25, error('its array is not closed, so it may be truncated')],
  ])
  expect(read(text.slice(0, -9))).toEqual([
    [2, one],
    [14, error('it ends inside an object')],
  ])
})

test('an object that is too long is skipped', () => {
  const text = `[{"a":"${'x'.repeat(17_000_000)}"},\n${JSON.stringify(two)}]`
  const values = read(text, 1_000_000)
  expect([values[0], values.at(-1)]).toEqual([
    [1, 'the JSON object is too long'],
    [2, two],
  ])
})
