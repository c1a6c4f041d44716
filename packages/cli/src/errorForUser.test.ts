import { DeadlineError, until } from '@offstream/runtime'
import { OffstreamError } from '@offstream/runtime/errors'
import { expect, test } from 'vitest'
import { errorForUser } from './errorForUser.ts'

test('an operation that takes too long is WAIT_TIMEOUT, not a bug in offstream', async () => {
  const attempt = async () => {
    throw new Error('lag 12')
  }
  const error = await until(attempt, { what: 'the products', timeoutMs: 5, intervalMs: 1 }).catch(
    (error: unknown) => error,
  )
  expect(error).toBeInstanceOf(DeadlineError)
  expect(errorForUser(error)).toMatchObject({
    code: 'WAIT_TIMEOUT',
    outcome: 'timeout',
    message: expect.stringMatching(/^Timed out after 0\.005 s waiting for the products/),
    cause: error,
  })
})

test('a full disk is DISK_FULL, an error for the user stays, and a bug stays a bug', () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
  expect(errorForUser(full)).toMatchObject({ code: 'DISK_FULL' })
  const known = new OffstreamError('BEES_AWAY', 'The hive is empty', { outcome: 'failed', hint: 'wait' })
  expect(errorForUser(known)).toBe(known)
  const bug = new TypeError('bees is not iterable')
  expect(errorForUser(bug)).toBe(bug)
})
