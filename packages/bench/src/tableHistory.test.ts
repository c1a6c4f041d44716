import { expect, test } from 'vitest'
import { batchIn, commitsIn, lastChangeMs } from './tableHistory.ts'

const snapshot = (atMs: number, operation: string) => ({
  'timestamp-ms': atMs,
  summary: { operation, 'total-records': '9', 'total-data-files': '3', 'total-delete-files': '2' },
})

test('commits are in order of time, with the totals of their summary', () => {
  expect(commitsIn({ snapshots: [snapshot(20, 'overwrite'), snapshot(10, 'append')] })).toEqual([
    { atMs: 10, operation: 'append', rows: 9, dataFiles: 3, deleteFiles: 2 },
    { atMs: 20, operation: 'overwrite', rows: 9, dataFiles: 3, deleteFiles: 2 },
  ])
})

test('a table without a commit has no history', () => {
  expect(commitsIn({})).toEqual([])
})

test('a rewrite of files is not a change', () => {
  expect(lastChangeMs(commitsIn({ snapshots: [snapshot(10, 'overwrite'), snapshot(20, 'replace')] }))).toBe(
    10,
  )
})

test('a batch is read from the offset log of Spark', () => {
  const text =
    'v1\n{"batchWatermarkMs":0,"batchTimestampMs":1790000000123,"conf":{}}\n{"products-events":{"0":300}}'
  expect(batchIn(text)).toEqual([{ startedAtMs: 1_790_000_000_123, endOffset: 300 }])
})

test('a file that Spark is writing is not a batch yet', () => {
  expect(batchIn('v1')).toEqual([])
})
