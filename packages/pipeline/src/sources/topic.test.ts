import { expect, test } from 'vitest'
import { saslOf } from './topic.ts'

const settings = { mechanism: 'plain', username: 'mirror', passwordVariable: 'MIRROR_PASSWORD' } as const

test('a password is taken from the variable that is named, and nowhere else', () => {
  expect(saslOf(settings, { MIRROR_PASSWORD: 'open-sesame' })).toEqual({
    mechanism: 'plain',
    username: 'mirror',
    password: 'open-sesame',
  })
})

test.each([[{}], [{ MIRROR_PASSWORD: '' }]])('without one the variable is named', environment => {
  expect(() => saslOf(settings, environment)).toThrowError(
    expect.objectContaining({
      code: 'SECRET_MISSING',
      outcome: 'config',
      message: expect.stringContaining('`MIRROR_PASSWORD`'),
    }),
  )
})
