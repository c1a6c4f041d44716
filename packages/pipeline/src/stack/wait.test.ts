import { expect, test } from 'vitest'
import type { Status } from './status.ts'
import { type Condition, waitFor } from './wait.ts'

const status = (rows: number | null): Status => ({
  ...{
    version: 1,
    state: 'healthy',
    services: [],
    ...{ jobs: [], executors: [] },
    thrift: { host: '', port: 1, responseMs: null },
  },
  flow: {
    ...{ fetched: 0, acknowledged: 0, consumed: 0, rows, rejected: 0, visible: rows, lag: 0 },
    freshnessSeconds: null,
  },
})

const rows = (least: number): Condition => ({
  text: `rows>=${least}`,
  holds: ({ flow }) => (flow.rows ?? -1) >= least,
  seen: ({ flow }) => `rows ${flow.rows}`,
})
const always: Condition = { text: 'healthy', holds: () => true, seen: () => 'healthy' }

/** A stack that shows each of `counts` once, then always the last. */
const shows = (...counts: (number | null)[]) => {
  let looks = 0
  return async () => status(counts[Math.min(looks++, counts.length - 1)] ?? null)
}

test('a wait returns the first status in which all conditions hold', async () => {
  const seen: unknown[] = []
  const options = { timeoutMs: 10_000, intervalMs: 1, onStatus: ({ flow }: Status) => seen.push(flow.rows) }
  const last = await waitFor([always, rows(2)], shows(null, 1, 3, 4), options)
  expect([seen, last]).toEqual([[null, 1, 3], status(3)])
})

test('a wait that times out reports the last state of each condition that does not hold', async () => {
  await expect(
    waitFor([always, rows(5), rows(6)], shows(3, 4), { timeoutMs: 100, intervalMs: 1 }),
  ).rejects.toMatchObject({
    code: 'WAIT_TIMEOUT',
    outcome: 'timeout',
    message: '`rows>=5` and `rows>=6` not met within 0.1 s; last seen: rows 4, rows 4',
    hint: expect.stringContaining('`offstream status`'),
  })
})

test('a wait for a stack that does not respond reports so, and ignores a late response', async () => {
  const seen: unknown[] = []
  let answer: (status: Status) => void = () => undefined
  const look = () =>
    new Promise<Status>(resolve => {
      answer = resolve
    })
  const options = { timeoutMs: 50, onStatus: ({ flow }: Status) => seen.push(flow.rows) }
  await expect(waitFor([rows(1)], look, options)).rejects.toMatchObject({
    code: 'WAIT_TIMEOUT',
    message: '`rows>=1` not met within 0.05 s; the stack did not respond in that time',
  })
  answer(status(1))
  await new Promise(resolve => setImmediate(resolve))
  expect(seen).toEqual([])
})

test('a wait for a status that cannot be read says why', async () => {
  const look = () => Promise.reject(new Error('no such folder'))
  await expect(waitFor([rows(1)], look, { timeoutMs: 50, intervalMs: 1 })).rejects.toMatchObject({
    message: expect.stringMatching(/ the stack did not respond in that time: no such folder$/),
  })
})

test('an aborted wait throws the reason', async () => {
  const end = new AbortController()
  const reason = new Error('interrupted')
  const waiting = waitFor([rows(5)], shows(1), {
    ...{ timeoutMs: 10_000, intervalMs: 10_000, signal: end.signal },
    onStatus: () => end.abort(reason),
  })
  await expect(waiting).rejects.toBe(reason)
})
