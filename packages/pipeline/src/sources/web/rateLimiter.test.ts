import { expect, test } from 'vitest'
import { Pace } from './pace.ts'

test('visits are spread evenly, and a pause saves nothing up', () => {
  const pace = new Pace(30)
  expect([0, 0, 500, 4_000, 20_000, 20_001].map(pace.reserve)).toEqual([0, 2_000, 3_500, 2_000, 0, 1_999])
})

test('without a limit nobody waits', () => {
  const pace = new Pace(null)
  expect([5, 5, 6].map(pace.reserve)).toEqual([0, 0, 0])
})
