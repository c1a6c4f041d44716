import { expect, test } from 'vitest'
import { chosenServices } from './chosen.ts'

const known = ['bees', 'honey', 'comb'] as const

test('services are chosen once each, in their own order; none named means all', () => {
  expect([chosenServices(known, ['comb', 'bees', 'comb']), chosenServices(known, [])]).toEqual([
    ['bees', 'comb'],
    known,
  ])
})

test('a service that is not there is refused with those that are', () => {
  expect(() => chosenServices(known, ['bees', 'wasps'])).toThrow(
    expect.objectContaining({
      code: 'SERVICE_UNKNOWN',
      outcome: 'usage',
      message: 'There is no service `wasps`',
      hint: 'there are `bees`, `honey`, `comb`',
    }),
  )
})
