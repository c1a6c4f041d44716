import { expect, test } from 'vitest'
import { afterCrash, defaultRestartPolicy } from './restarts.ts'

/** What follows each of several crashes at these times, in seconds. */
const decisions = (...seconds: readonly number[]) => {
  let crashes: readonly number[] = []
  return seconds.map(second => {
    const decision = afterCrash(crashes, second * 1_000, defaultRestartPolicy)
    crashes = decision.crashes
    return decision.kind === 'restart' ? decision.inMs : decision.reason
  })
}

test('each restart waits twice as long as the one before, and the sixth crash is the last', () => {
  expect(decisions(0, 1, 2, 3, 4, 5)).toEqual([
    ...[500, 1_000, 2_000, 4_000, 8_000],
    'crashed 6 times within 10 minutes and will not be restarted',
  ])
})

test('crashes more than ten minutes ago do not count', () => {
  expect(decisions(0, 601, 1_202)).toEqual([500, 500, 500])
  expect(decisions(0, 100, 200, 300, 400, 601)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 8_000])
})

test('without a list of pauses a service is restarted at once', () => {
  expect(afterCrash([], 0, { ...defaultRestartPolicy, backoffMs: [] })).toMatchObject({ inMs: 0 })
})
