import { expect, test } from 'vitest'
import { selectServices } from './selectServices.ts'

const known = ['bees', 'honey', 'comb'] as const

test('services are selected once each, in their own order; all if none is named', () => {
  expect([selectServices(known, ['comb', 'bees', 'comb']), selectServices(known, [])]).toEqual([
    ['bees', 'comb'],
    known,
  ])
})

test('an unknown service is rejected, and the error lists the known ones', () => {
  expect(() => selectServices(known, ['bees', 'wasps'])).toThrow(
    expect.objectContaining({
      code: 'SERVICE_UNKNOWN',
      outcome: 'usage',
      message: 'Service `wasps` does not exist',
      hint: 'use one of `bees`, `honey`, `comb`',
    }),
  )
})
