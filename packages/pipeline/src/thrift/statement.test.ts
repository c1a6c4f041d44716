import { expect, test } from 'vitest'
import { nextFetchSize } from './statement.ts'

test.each([
  ['small rows: grow step by step', 200, 20_000, 1_600],
  ['rows of a kilobyte: two megabytes', 2_000, 2_000_000, 2_097],
  ['rows of ten megabytes: one at a time', 200, 2_000_000_000, 1],
])('the next request after %s', (_, rowCount, byteLength, expected) => {
  expect(nextFetchSize(rowCount, byteLength)).toBe(expected)
})
