import { expect, test } from 'vitest'
import type { Status } from './status.ts'
import { type Condition, waitFor } from './wait.ts'

const status = (rows: number | null): Status => ({
  ...{ version: 1, state: 'healthy', services: [], thrift: { host: '', port: 1, answerMs: null } },
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

/** A stack that shows each of `counts` in turn, then the last for ever. */
const shows = (...counts: (number | null)[]) => {
  let looks = 0
  return async () => status(counts[Math.min(looks++, counts.length - 1)] ?? null)
}

test('a wait ends with the first status that shows all conditions at once', async () => {
  const seen: unknown[] = []
  const options = { withinMs: 10_000, everyMs: 1, onLook: ({ flow }: Status) => seen.push(flow.rows) }
  const last = await waitFor([always, rows(2)], shows(null, 1, 3, 4), options)
  expect([seen, last]).toEqual([[null, 1, 3], status(3)])
})

test('a wait in vain says what it saw last of what did not come true', async () => {
  await expect(
    waitFor([always, rows(5), rows(6)], shows(3, 4), { withinMs: 100, everyMs: 1 }),
  ).rejects.toMatchObject({
    code: 'WAIT_TIMEOUT',
    outcome: 'timeout',
    message: '`rows>=5` and `rows>=6` did not come true within 0.1 s; last seen: rows 4, rows 4',
    hint: expect.stringContaining('`offstream status`'),
  })
})

test('a wait for what never answers ends at its time, and says that nothing was seen', async () => {
  await expect(
    waitFor([rows(1)], () => new Promise(() => undefined), { withinMs: 50 }),
  ).rejects.toMatchObject({
    code: 'WAIT_TIMEOUT',
    message: expect.stringContaining('`rows>=1` did not come true within 0.05 s; nothing was seen of it'),
  })
})

test('an aborted wait ends with the reason', async () => {
  const end = new AbortController()
  const reason = new Error('interrupted')
  const waiting = waitFor([rows(5)], shows(1), {
    ...{ withinMs: 10_000, everyMs: 10_000, signal: end.signal },
    onLook: () => end.abort(reason),
  })
  await expect(waiting).rejects.toBe(reason)
})
