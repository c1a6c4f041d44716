import { expect, test } from 'vitest'
import { stagesOf } from './stages.ts'

test('the stages of a batch add up to its duration', () => {
  const durationMs = {
    ...{ addBatch: 400, commitOffsets: 20, getBatch: 1, latestOffset: 30, queryPlanning: 9, walCommit: 25 },
    triggerExecution: 500,
  }
  expect(stagesOf({ batchId: 1, at: '2026-01-31T12:00:00.000Z', rows: 5, durationMs })).toEqual({
    ...{ plan: 40, write: 400, log: 45, rest: 15 },
  })
})
