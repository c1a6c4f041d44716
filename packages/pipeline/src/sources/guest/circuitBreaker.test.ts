import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { CircuitBreaker, type Pause } from './circuitBreaker.ts'
import { Refused, VisitError } from './visitError.ts'

const address = 'https://fr.example.org/'
const never = new AbortController().signal

beforeEach(() => {
  vi.useFakeTimers()
  // Half of the random part.
  vi.spyOn(Math, 'random').mockReturnValue(0.5)
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** A site with these answers, in order: an error is thrown, any other value is a good answer. */
const siteWith = (answers: readonly unknown[], firstPauseMs = 1_000) => {
  const pauses: Pause[] = []
  const visits: number[] = []
  const startedMs = Date.now()
  const breaker = new CircuitBreaker({ firstPauseMs, maxPauses: 3, maxFailures: 3 }, pause =>
    pauses.push(pause),
  )
  const left = [...answers]
  const visit = async () => {
    visits.push(Date.now() - startedMs)
    const answer = left.shift()
    if (answer instanceof Error) throw answer
    return answer
  }
  const run = (signal: AbortSignal = never) => breaker.run(address, visit, signal)
  return { pauses, visits, run }
}

const refusal = (seconds = 0, isFinal = false) =>
  new Refused('it responded with status 429', { retryAfterMs: seconds * 1_000, isFinal })
const failure = () => new VisitError('failed', 'it responded with status 500')
const gone = () => new VisitError('unreachable', 'net::ERR_CONNECTION_REFUSED')

/** The result or error of `work` after all its pauses. */
const settled = async <T>(work: Promise<T>): Promise<unknown> => {
  const result = work.catch(error => error)
  await vi.runAllTimersAsync()
  return result
}

test('a refused visit is repeated after a pause that doubles, less a random part', async () => {
  const { pauses, visits, run } = siteWith([refusal(), refusal(), 'page'])
  expect(await settled(run())).toBe('page')
  expect([visits, pauses]).toEqual([
    [0, 750, 2_250],
    [750, 1_500].map(ms => ({ ms, reason: 'it responded with status 429', requested: false })),
  ])
})

test('the pause that the site requests is kept, and starts again with each response', async () => {
  const { pauses, visits, run } = siteWith([refusal(30), refusal(5), 'page'])
  expect(await settled(run())).toBe('page')
  expect([visits, pauses.map(({ ms, requested }) => [ms, requested])]).toEqual([
    [0, 30_000, 35_000],
    [
      [30_000, true],
      [5_000, true],
    ],
  ])
})

test.each([
  ['requests a pause of more than an hour', [refusal(3_601)], 'it requests a pause of 61 minutes'],
  ['asks crawlers to stop', [refusal(0, true)], 'it responded with status 429'],
  [
    'refuses again after every pause',
    Array.from({ length: 4 }, () => refusal()),
    'it responded with status 429',
  ],
])('a site that %s stops the crawl', async (_what, answers, reason) => {
  const { visits, run } = siteWith(answers)
  expect(await settled(run())).toMatchObject({
    code: 'SOURCE_BLOCKED',
    outcome: 'blocked',
    message: `The site refused \`${address}\`: ${reason}`,
    hint: expect.stringContaining('--source export'),
  })
  expect(visits.length).toBe(answers.length)
})

test('after a good response the next pause is a short one again', async () => {
  const { pauses, run } = siteWith([refusal(), refusal(), 'page', refusal(), 'page'])
  expect([await settled(run()), await settled(run())]).toEqual(['page', 'page'])
  expect(pauses.map(({ ms }) => ms)).toEqual([750, 1_500, 750])
})

test('while it is open no visit starts; then one tries, and its good response lets the others in', async () => {
  const { visits, run } = siteWith([refusal(), refusal(), 'a', 'b', 'c'])
  const first = run()
  await vi.advanceTimersByTimeAsync(0)
  const all = Promise.all([first, run(), run()])
  expect(await settled(all)).toEqual(expect.arrayContaining(['a', 'b', 'c']))
  expect(visits).toEqual([0, 750, 2_250, 2_250, 2_250])
})

test('a visit that was in progress when it opened does not open it again, but may extend the pause', async () => {
  const { pauses, visits, run } = siteWith([refusal(), refusal(9), 'a', 'b'])
  expect(await settled(Promise.all([run(), run()]))).toEqual(expect.arrayContaining(['a', 'b']))
  expect([visits, pauses.length]).toEqual([[0, 0, 9_000, 9_000], 1])
})

test('a failure concerns its page only, unless there are several in a row', async () => {
  const { pauses, run } = siteWith([failure(), failure(), 'page', failure(), failure(), failure(), 'page'])
  const came = []
  for (let visit = 0; visit < 7; visit += 1) came.push(await settled(run()))
  expect(came.map(answer => (answer instanceof VisitError ? 'failed' : answer))).toEqual([
    'failed',
    'failed',
    'page',
    'failed',
    'failed',
    'failed',
    'page',
  ])
  expect(pauses).toEqual([{ ms: 750, reason: 'it responded with status 500', requested: false }])
})

test('a site whose visits all fail is unreachable', async () => {
  const { run } = siteWith(Array.from({ length: 20 }, failure))
  const came: unknown[] = []
  while (!came.some(error => !(error instanceof VisitError))) came.push(await settled(run()))
  expect(came.at(-1)).toMatchObject({
    code: 'SITE_UNREACHABLE',
    message: 'Could not load a page from `fr.example.org`: it responded with status 500',
  })
  // Three in a row, then one after each pause.
  expect(came.length).toBe(6)
})

test('the crawl waits for a site that has become unreachable, but not for one that never responded', async () => {
  const away = siteWith(['page', gone(), gone(), 'page'])
  expect([await settled(away.run()), await settled(away.run())]).toEqual(['page', 'page'])
  const absent = siteWith([gone()])
  expect(await settled(absent.run())).toMatchObject({ kind: 'unreachable' })
  expect([away.pauses.length, absent.pauses.length]).toEqual([2, 0])
})

test('an abort ends the waiting', async () => {
  const over = new AbortController()
  const { visits, run } = siteWith([refusal(), 'page'])
  const waiting = run(over.signal).catch(error => error)
  await vi.advanceTimersByTimeAsync(100)
  over.abort()
  expect([await waiting, visits]).toEqual([over.signal.reason, [0]])
})
