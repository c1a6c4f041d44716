import { expect, test } from 'vitest'
import { saslOf } from './topic.ts'

const settings = { mechanism: 'plain', username: 'mirror', passwordVariable: 'MIRROR_PASSWORD' } as const

test('the password comes from the configured variable only', () => {
  expect(saslOf(settings, { MIRROR_PASSWORD: 'open-sesame' })).toEqual({
    mechanism: 'plain',
    username: 'mirror',
    password: 'open-sesame',
  })
})

test.each([[{}], [{ MIRROR_PASSWORD: '' }]])(
  'without a password the error names the variable',
  environment => {
    expect(() => saslOf(settings, environment)).toThrowError(
      expect.objectContaining({
        code: 'SECRET_MISSING',
        outcome: 'config',
        message: expect.stringContaining('`MIRROR_PASSWORD`'),
      }),
    )
  },
)
