import { expect, test } from 'vitest'
import { RequestCounter } from './limits.ts'

test('a client may ask again a minute after its request, whatever others do', () => {
  const counter = new RequestCounter({ productReads: 2, searches: 1, facetPages: 0 })
  const asked = [
    counter.allows('a', 'productReads', 0),
    counter.allows('a', 'productReads', 30_000),
    counter.allows('a', 'productReads', 59_999),
    counter.allows('b', 'productReads', 59_999),
    counter.allows('a', 'searches', 59_999),
    counter.allows('a', 'productReads', 60_000),
    counter.allows('a', 'productReads', 60_001),
    counter.allows('a', 'facetPages', 0),
  ]
  expect(asked).toEqual([true, true, false, true, true, true, false, false])
})
