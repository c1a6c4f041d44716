import { expect, test } from 'vitest'
import { usedMegabytesIn } from './growth.ts'

test('the total of a histogram of objects is in megabytes', () => {
  const histogram = [
    ' num     #instances         #bytes  class name (module)',
    '-------------------------------------------------------',
    '   1:        100000       48000000  [J (java.base@17.0.15)',
    'Total        120000       52500000',
    '',
  ].join('\n')
  expect(usedMegabytesIn(histogram)).toBe(52.5)
})

test('a text without a total has no figure', () => {
  expect(usedMegabytesIn('')).toBeNaN()
})
