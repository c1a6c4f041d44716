import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { CircuitBreaker, type PauseNews } from './circuitBreaker.ts'
import { Refused, VisitError } from './visitError.ts'

const address = 'https://fr.example.org/'
const never = new AbortController().signal

beforeEach(() => {
  vi.useFakeTimers()
  // Half of what chance may take away.
  vi.spyOn(Math, 'random').mockReturnValue(0.5)
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** A site that gives these answers, in their order: an error is thrown, anything else is good. */
const siteWith = (answers: readonly unknown[], firstPauseMs = 1_000) => {
  const pauses: PauseNews[] = []
  const asked: number[] = []
  const began = Date.now()
  const breaker = new CircuitBreaker({ firstPauseMs, pauses: 3, failures: 3 }, news => pauses.push(news))
  const left = [...answers]
  const visit = async () => {
    asked.push(Date.now() - began)
    const answer = left.shift()
    if (answer instanceof Error) throw answer
    return answer
  }
  const run = (signal: AbortSignal = never) => breaker.run(address, visit, signal)
  return { pauses, asked, run }
}

const refusal = (seconds = 0, forGood = false) =>
  new Refused('it answered with status 429', { retryAfterMs: seconds * 1_000, forGood })
const failure = () => new VisitError('failed', 'it answered with status 500')
const gone = () => new VisitError('unreachable', 'net::ERR_CONNECTION_REFUSED')

/** What a visit comes to once all the time that it wants has passed. */
const settled = async <T>(work: Promise<T>): Promise<unknown> => {
  const result = work.catch(error => error)
  await vi.runAllTimersAsync()
  return result
}

test('a refused visit is tried again after a pause that doubles, by chance a quarter less here', async () => {
  const { pauses, asked, run } = siteWith([refusal(), refusal(), 'page'])
  expect(await settled(run())).toBe('page')
  expect([asked, pauses]).toEqual([
    [0, 750, 2_250],
    [750, 1_500].map(ms => ({ ms, reason: 'it answered with status 429', asked: false })),
  ])
})

test('the time that the site names is kept, and counts from each answer anew', async () => {
  const { pauses, asked, run } = siteWith([refusal(30), refusal(5), 'page'])
  expect(await settled(run())).toBe('page')
  expect([asked, pauses.map(({ ms, asked }) => [ms, asked])]).toEqual([
    [0, 30_000, 35_000],
    [
      [30_000, true],
      [5_000, true],
    ],
  ])
})

test.each([
  ['asks for more than an hour', [refusal(3_601)], 'it asks to wait 61 minutes'],
  ['tells us to stop', [refusal(0, true)], 'it answered with status 429'],
  [
    'refuses again after every pause',
    Array.from({ length: 4 }, () => refusal()),
    'it answered with status 429',
  ],
])('a site that %s is left alone', async (_what, answers, reason) => {
  const { asked, run } = siteWith(answers)
  expect(await settled(run())).toMatchObject({
    code: 'SOURCE_BLOCKED',
    outcome: 'blocked',
    message: `The site refused to show \`${address}\`: ${reason}`,
    hint: expect.stringContaining('--source export'),
  })
  expect(asked.length).toBe(answers.length)
})

test('a good answer makes the next pause a short one again', async () => {
  const { pauses, run } = siteWith([refusal(), refusal(), 'page', refusal(), 'page'])
  expect([await settled(run()), await settled(run())]).toEqual(['page', 'page'])
  expect(pauses.map(({ ms }) => ms)).toEqual([750, 1_500, 750])
})

test('while it is open nobody asks, then one tries, and only its good answer lets the others in', async () => {
  const { asked, run } = siteWith([refusal(), refusal(), 'a', 'b', 'c'])
  const first = run()
  await vi.advanceTimersByTimeAsync(0)
  const all = Promise.all([first, run(), run()])
  expect(await settled(all)).toEqual(expect.arrayContaining(['a', 'b', 'c']))
  expect(asked).toEqual([0, 750, 2_250, 2_250, 2_250])
})

test('what was under way when it opened is no second refusal, but its longer wait is kept', async () => {
  const { pauses, asked, run } = siteWith([refusal(), refusal(9), 'a', 'b'])
  expect(await settled(Promise.all([run(), run()]))).toEqual(expect.arrayContaining(['a', 'b']))
  expect([asked, pauses.length]).toEqual([[0, 0, 9_000, 9_000], 1])
})

test('a failure is its page’s, unless there are several in a row', async () => {
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
  expect(pauses).toEqual([{ ms: 750, reason: 'it answered with status 500', asked: false }])
})

test('a site that only fails is left as one that gives no page', async () => {
  const { run } = siteWith(Array.from({ length: 20 }, failure))
  const came: unknown[] = []
  while (!came.some(error => !(error instanceof VisitError))) came.push(await settled(run()))
  expect(came.at(-1)).toMatchObject({
    code: 'SITE_UNREACHABLE',
    message: 'No page from `fr.example.org`: it answered with status 500',
  })
  // Three in a row, then one after each pause.
  expect(came.length).toBe(6)
})

test('a site that goes away is waited for; one that never was there is not', async () => {
  const away = siteWith(['page', gone(), gone(), 'page'])
  expect([await settled(away.run()), await settled(away.run())]).toEqual(['page', 'page'])
  const absent = siteWith([gone()])
  expect(await settled(absent.run())).toMatchObject({ kind: 'unreachable' })
  expect([away.pauses.length, absent.pauses.length]).toEqual([2, 0])
})

test('who waits leaves when the crawl is over', async () => {
  const over = new AbortController()
  const { asked, run } = siteWith([refusal(), 'page'])
  const waiting = run(over.signal).catch(error => error)
  await vi.advanceTimersByTimeAsync(100)
  over.abort()
  expect([await waiting, asked]).toEqual([over.signal.reason, [0]])
})
