import { expect, test } from 'vitest'
import { rateOf, ratesOf, type Sample } from './history.ts'

const sample = (at: number, consumed: number | null): Sample => ({
  ...{ at, consumed, acknowledged: 0, visible: 0, lag: 0, freshnessSeconds: null },
})

test('a rate is the growth over the last ten seconds', () => {
  const samples = [sample(0, 0), sample(5_000, 100), sample(15_000, 300)]
  expect(rateOf(samples, 'consumed')).toBe(20)
  expect(rateOf(samples, 'acknowledged')).toBe(0)
  expect(ratesOf(samples, 'consumed')).toEqual([null, 20, 20])
})

test('a rate is unknown without two values, and 0 after a reset', () => {
  expect([
    rateOf([], 'consumed'),
    rateOf([sample(0, 5)], 'consumed'),
    rateOf([sample(0, null), sample(1_000, 5)], 'consumed'),
    rateOf([sample(0, 5), sample(1_000, 1)], 'consumed'),
  ]).toEqual([null, null, null, 0])
})
