import { expect, test } from 'vitest'
import { RateLimiter } from './rateLimiter.ts'

test('requests are spread evenly, also after a pause', () => {
  const rateLimiter = new RateLimiter(30)
  expect([0, 0, 500, 4_000, 20_000, 20_001].map(rateLimiter.reserve)).toEqual([
    0, 2_000, 3_500, 2_000, 0, 1_999,
  ])
})

test('without a limit no request waits', () => {
  const rateLimiter = new RateLimiter(null)
  expect([5, 5, 6].map(rateLimiter.reserve)).toEqual([0, 0, 0])
})
