import { expect, test } from 'vitest'
import { latenciesOf, percentile, slopeOf } from './latencies.ts'

test('a marker is visible when it or a later marker is seen first', () => {
  const sent = [0, 10, 20, 30].map(event => ({ event, sentAt: event / 10 }))
  const seen = [
    { event: 0, seenAt: 0.5 },
    { event: 20, seenAt: 2.5 },
  ]
  expect(latenciesOf(sent, seen)).toEqual({ seconds: [0.5, 1.5, 0.5], invisible: 1 })
})

test('a result that is older than the previous one makes nothing visible', () => {
  const sent = [{ event: 10, sentAt: 1 }]
  const seen = [
    { event: 5, seenAt: 3 },
    { event: 10, seenAt: 2 },
  ]
  expect(latenciesOf(sent, seen)).toEqual({ seconds: [1], invisible: 0 })
})

test('a result with other markers is an error', () => {
  expect(() => latenciesOf([{ event: 1, sentAt: 5 }], [{ event: 9, seenAt: 4 }])).toThrow(
    'event 1 was seen before it was sent',
  )
})

test('without a result every marker is invisible', () => {
  expect(latenciesOf([{ event: 0, sentAt: 0 }], [])).toEqual({ seconds: [], invisible: 1 })
})

test('percentiles are by nearest rank, so each is one of the values', () => {
  const values = [5, 1, 4, 2, 3, 10, 9, 8, 7, 6]
  expect([0, 0.5, 0.95, 0.99, 1].map(share => percentile(values, share))).toEqual([1, 5, 10, 10, 10])
})

test('the percentile of a hundred values is the value of that rank', () => {
  const values = Array.from({ length: 100 }, (_, index) => index + 1)
  expect([0.5, 0.95, 0.99].map(share => percentile(values, share))).toEqual([50, 95, 99])
})

test('the percentile of an empty list is NaN', () => {
  expect(percentile([], 0.5)).toBeNaN()
})

test('the slope is that of the line, and 0 for a constant', () => {
  const line = [0, 1, 2, 3].map(x => [x, 2 * x + 1] as const)
  const constant = [0, 1, 2, 3].map(x => [x, 7] as const)
  expect([slopeOf(line), slopeOf(constant)]).toEqual([2, 0])
})
