import { expect, test } from 'vitest'
import { formatBytes, formatDuration, plural, printable, progressBar } from './format.ts'

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
])('%d milliseconds are formatted as %s', (milliseconds, text) => {
  expect(formatDuration(milliseconds)).toBe(text)
})

test.each([
  [0, '0 kB'],
  [1, '1 kB'],
  [6_400, '7 kB'],
  [1_000_000, '1.0 MB'],
  [457_000_000, '457 MB'],
  [1_240_000_000, '1.2 GB'],
])('%d bytes are formatted as %s', (count, text) => {
  expect(formatBytes(count)).toBe(text)
})

test('a progress bar is filled in proportion, and never beyond its width', () => {
  const filled = (text: string) => [text.length, text.replaceAll('─', '').length]
  const bars = [progressBar(0, 0), progressBar(0, 5), progressBar(1, 4), progressBar(5, 5), progressBar(9, 5)]
  expect(bars.map(filled)).toEqual([
    [24, 0],
    [24, 0],
    [24, 6],
    [24, 24],
    [24, 24],
  ])
})

test('a count of one has the singular', () => {
  expect([plural(1, 'product'), plural(0, 'product'), plural(2, 'entry', 'entries')]).toEqual([
    '1 product',
    '0 products',
    '2 entries',
  ])
})

test('printable text has no control characters', () => {
  expect(printable('\u001b[31mred\u009b0m\nnext\u0007')).toBe('red next ')
})
