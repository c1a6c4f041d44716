import { stripVTControlCharacters } from 'node:util'
import type { ProduceCounts, SourceEvent } from '@offstream/pipeline'
import type { ServiceEvent } from '@offstream/runtime'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { Output } from './output.ts'
import { ScrapeProgress } from './scrapeProgress.ts'
import { serviceEventText } from './serviceProgress.ts'

const plain = (text: string | null) => (text === null ? null : stripVTControlCharacters(text))

test.each<[ServiceEvent, string | null]>([
  [{ kind: 'starting', service: 'bees' }, null],
  [
    { kind: 'ready', service: 'bees', pid: 7, port: 80, tookMs: 1_200, alreadyRunning: false },
    '✔ bees            ready on port 80 after 1.2 s',
  ],
  [
    { kind: 'ready', service: 'bees', pid: 7, port: null, tookMs: 3, alreadyRunning: true },
    '✔ bees            already running, pid 7',
  ],
  [{ kind: 'stopping', service: 'bees' }, null],
  [
    { kind: 'stopped', service: 'bees', tookMs: 500, killed: true },
    '✔ bees            stopped after 500 ms, killed',
  ],
  [
    { kind: 'fell', service: 'bees', how: 'ended by SIGKILL', restartInMs: 2_000 },
    '! bees            ended by SIGKILL; restarts in 2.0 s',
  ],
  [
    { kind: 'gaveUp', service: 'bees', how: 'ended with status 1' },
    '✖ bees            ended with status 1; it is not restarted any more',
  ],
  [
    { kind: 'unrecorded', service: 'bees', reason: 'ENOSPC: no space left on device' },
    '! bees            its state cannot be saved: ENOSPC: no space left on device',
  ],
])('an event of a service is one line: %o', (event, line) => {
  expect(plain(serviceEventText(event))).toBe(line)
})

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const counts = (more: Partial<ProduceCounts>): ProduceCounts => ({
  ...{ found: 0, fetched: 0, delivered: 0, removed: 0, skipped: 0, unwanted: 0 },
  ...more,
})

test.each([
  [{ delivered: 200, fetched: 200 }, 20_000, '200 products published in 20 s, 10.0 a second'],
  [{ delivered: 1, fetched: 1 }, 4_000, '1 product published in 4.0 s, 15.0 a minute'],
  [
    { delivered: 3, fetched: 6, removed: 1, skipped: 2 },
    3_000,
    '3 products published in 3.0 s, 1.0 a second, 1 removed, 2 skipped, 2 fetched but not published',
  ],
  [{}, 0, '0 products published in 0 ms'],
  [
    { delivered: 5, fetched: 5, unwanted: 95 },
    1_000,
    '5 products published in 1.0 s, 5.0 a second, 95 did not match `--country fr`',
  ],
  [{ unwanted: 100 }, 1_000, '! 0 products published in 1.0 s, 100 did not match `--country fr`'],
])('a run that came to %o is summed up in a line', (more, tookMs, summary) => {
  const lines = new ScrapeProgress(new Output('plain'), null)
  vi.advanceTimersByTime(tookMs)
  expect(lines.summary(counts(more), 'published', '`--country fr`')).toBe(summary)
})

test.each([
  ['what is found', null, false, '0 of 100 products'],
  ['what is wanted of it', 200, false, '0 of 200 products'],
  ['what is left to a run that goes on', 200, true, '0 of 100 products'],
])('how far a run is is told of %s', (_, limit, goesOn, line) => {
  const lines = new ScrapeProgress(new Output('plain'), limit)
  const resumed = { kind: 'resumed', done: 100, listed: 200, startedAt: new Date() } as const
  const spy = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  onTestFinished(() => spy.mockRestore())
  if (goesOn) lines.progress(counts({}), resumed)
  vi.advanceTimersByTime(60_000)
  lines.progress(counts({ found: 100 }), null)
  expect(String(spy.mock.calls.at(-1)?.[0])).toContain(line)
})

test.each<[SourceEvent, string]>([
  [
    { kind: 'resumed', done: 312, listed: 400, startedAt: new Date('2026-03-04T05:00:00Z') },
    'Going on where it was: 312 of 400 products done before, begun 3 min 5 s ago; `--fresh` starts over',
  ],
  [
    { kind: 'waiting', ms: 30_000, reason: 'it answered with status 429', asked: true },
    '! The site asks to wait 30 s: it answered with status 429',
  ],
  [
    { kind: 'waiting', ms: 120_000, reason: 'it is down for maintenance', asked: false },
    '! Waiting 2 min 0 s: it is down for maintenance',
  ],
  [
    { kind: 'layout', field: 'nova_group', selector: '#panel_nova img', rate: 0.025, usual: 0.834 },
    '! The site may look otherwise now: `nova_group` is on 3 % of its last pages, usually on 83 %; it is read by `#panel_nova img`',
  ],
  [{ kind: 'skipped', address: 'http://a/\u001b[2J', reason: 'gone' }, '! skipped http://a/: gone'],
])('what a source tells is a line for a person and an object for a program: %o', (event, line) => {
  vi.setSystemTime('2026-03-04T05:03:05Z')
  for (const [mode, stream, told] of [
    ['plain', process.stderr, line],
    ['json', process.stdout, JSON.stringify({ version: 1, ...event })],
  ] as const) {
    const write = vi.spyOn(stream, 'write').mockReturnValue(true)
    onTestFinished(() => write.mockRestore())
    new ScrapeProgress(new Output(mode), null).progress(counts({}), event)
    expect(write.mock.calls.map(([text]) => plain(String(text)))).toEqual([`${told}\n`])
  }
})

test('the result and the summary say which fields may have moved', () => {
  const lines = new ScrapeProgress(new Output('json'), null)
  vi.spyOn(process.stdout, 'write').mockReturnValueOnce(true)
  const alarm = { field: 'nova_group', selector: '#panel_nova img', rate: 0, usual: 0.8 }
  lines.progress(counts({}), { kind: 'layout', ...alarm })
  expect([lines.result(), lines.summary(counts({}), 'published')]).toEqual([
    { layout: [alarm] },
    '0 products published in 0 ms, 1 field hardly filled any more',
  ])
})

test('the result says how much was done before', () => {
  const lines = new ScrapeProgress(new Output('json'), null)
  vi.spyOn(process.stdout, 'write').mockReturnValueOnce(true)
  expect(lines.result()).toEqual({})
  lines.progress(counts({}), { kind: 'resumed', done: 312, listed: 400, startedAt: new Date() })
  expect(lines.result()).toEqual({ doneBefore: 312 })
})
