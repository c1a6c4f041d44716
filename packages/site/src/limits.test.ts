import { expect, test } from 'vitest'
import { RequestCounter } from './limits.ts'

test('a request stops counting after a minute, independently of other clients', () => {
  const counter = new RequestCounter({ productReads: 2, searches: 1, facetPages: 0 })
  const allowed = [
    counter.allows('a', 'productReads', 0),
    counter.allows('a', 'productReads', 30_000),
    counter.allows('a', 'productReads', 59_999),
    counter.allows('b', 'productReads', 59_999),
    counter.allows('a', 'searches', 59_999),
    counter.allows('a', 'productReads', 60_000),
    counter.allows('a', 'productReads', 60_001),
    counter.allows('a', 'facetPages', 0),
  ]
  expect(allowed).toEqual([true, true, false, true, true, true, false, false])
})
