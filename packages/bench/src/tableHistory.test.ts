import { expect, test } from 'vitest'
import { batchIn, commitsIn, visibleMs } from './tableHistory.ts'

const snapshot = (atMs: number, operation: string, endOffset?: number) => ({
  'timestamp-ms': atMs,
  summary: {
    ...{ operation, 'total-records': '9', 'total-data-files': '3', 'total-delete-files': '2' },
    ...(endOffset === undefined ? {} : { 'offstream.offsets': `{"products-events":{"0":${endOffset}}}` }),
  },
})

test('commits are in order of time, with the totals of their summary', () => {
  expect(commitsIn({ snapshots: [snapshot(20, 'overwrite', 7), snapshot(10, 'append')] })).toEqual([
    { atMs: 10, operation: 'append', endOffset: null, rows: 9, dataFiles: 3, deleteFiles: 2 },
    { atMs: 20, operation: 'overwrite', endOffset: 7, rows: 9, dataFiles: 3, deleteFiles: 2 },
  ])
})

test('a table without a commit has no history', () => {
  expect(commitsIn({})).toEqual([])
})

test('messages are visible with the first commit that has their offsets, regardless of later commits by upkeep', () => {
  const snapshots = [
    snapshot(10, 'append', 100),
    snapshot(20, 'overwrite', 300),
    snapshot(30, 'overwrite', 300),
  ]
  expect([100, 200, 300].map(end => visibleMs(commitsIn({ snapshots }), end))).toEqual([10, 20, 20])
})

test('without recorded offsets, the last commit that changed rows counts', () => {
  const snapshots = [snapshot(10, 'append'), snapshot(20, 'overwrite'), snapshot(30, 'replace')]
  expect(visibleMs(commitsIn({ snapshots }), 100)).toBe(20)
})

test('a batch is read from the offset log of Spark', () => {
  const text =
    'v1\n{"batchWatermarkMs":0,"batchTimestampMs":1790000000123,"conf":{}}\n{"products-events":{"0":300}}'
  expect(batchIn(text)).toEqual([{ startedAtMs: 1_790_000_000_123, endOffset: 300 }])
})

test('a file that Spark is writing is not a batch yet', () => {
  expect(batchIn('v1')).toEqual([])
})
