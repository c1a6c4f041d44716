import { expect, test } from 'vitest'
import { bar, bytes, counted, duration } from './words.ts'

test.each([
  [0, '0 ms'],
  [850, '850 ms'],
  [999.7, '1.0 s'],
  [1_000, '1.0 s'],
  [9_960, '10 s'],
  [42_400, '42 s'],
  [59_700, '1 min 0 s'],
  [60_000, '1 min 0 s'],
  [185_000, '3 min 5 s'],
  [7_800_000, '2 h 10 min'],
  [86_400_000, '1 d 0 h'],
  [273_600_000, '3 d 4 h'],
])('%d milliseconds are %s', (milliseconds, words) => {
  expect(duration(milliseconds)).toBe(words)
})

test.each([
  [0, '0 kB'],
  [1, '1 kB'],
  [6_400, '7 kB'],
  [1_000_000, '1.0 MB'],
  [457_000_000, '457 MB'],
  [1_240_000_000, '1.2 GB'],
])('%d bytes are %s', (count, words) => {
  expect(bytes(count)).toBe(words)
})

test('a bar is as full as the work is done, and never more than full', () => {
  const fullness = (text: string) => [text.length, text.replaceAll('─', '').length]
  expect([bar(0, 0), bar(0, 5), bar(1, 4), bar(5, 5), bar(9, 5)].map(fullness)).toEqual([
    [24, 0],
    [24, 0],
    [24, 6],
    [24, 24],
    [24, 24],
  ])
})

test('one is not two', () => {
  expect([counted(1, 'product'), counted(0, 'product'), counted(2, 'entry', 'entries')]).toEqual([
    '1 product',
    '0 products',
    '2 entries',
  ])
})
