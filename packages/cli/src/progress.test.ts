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
    { kind: 'crashed', service: 'bees', how: 'was killed by SIGKILL', restartInMs: 2_000 },
    '! bees            was killed by SIGKILL; restarts in 2.0 s',
  ],
  [
    { kind: 'failed', service: 'bees', how: 'exited with status 1' },
    '✖ bees            exited with status 1; it will not be restarted',
  ],
  [
    { kind: 'recordFailed', service: 'bees', reason: 'ENOSPC: no space left on device' },
    '! bees            its state cannot be saved: ENOSPC: no space left on device',
  ],
])('an event of a service is one line: %o', (event, line) => {
  expect(plain(serviceEventText(event))).toBe(line)
})

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const counts = (more: Partial<ProduceCounts>): ProduceCounts => ({
  ...{ found: 0, fetched: 0, delivered: 0, removed: 0, skipped: 0, skippedBy: {}, partial: 0, filtered: 0 },
  ...more,
})

test.each([
  [{ delivered: 200, fetched: 200 }, 20_000, '200 products published in 20 s, 10.0 a second'],
  [{ delivered: 1, fetched: 1 }, 4_000, '1 product published in 4.0 s, 15.0 a minute'],
  [
    { delivered: 30, fetched: 33, removed: 1, skipped: 2, skippedBy: { 'not-found': 1, 'no-code': 1 } },
    3_000,
    '30 products published in 3.0 s, 10.0 a second, 1 removed, 2 skipped (1 not-found, 1 no-code), 2 fetched but not published',
  ],
  [{}, 0, '0 products published in 0 ms'],
  [{ delivered: 3, fetched: 3, partial: 2 }, 3_000, '3 products published in 3.0 s, 1.0 a second, 2 partial'],
  [
    { delivered: 5, fetched: 5, filtered: 95 },
    1_000,
    '5 products published in 1.0 s, 5.0 a second, 95 did not match `--country fr`',
  ],
  [
    { delivered: 8, fetched: 8, skipped: 1, skippedBy: { 'no-product-fields': 1 } },
    1_000,
    '! 8 products published in 1.0 s, 8.0 a second, 1 skipped (1 no-product-fields): more than 10 %',
  ],
  [
    { delivered: 3, fetched: 3, skipped: 1, skippedBy: { truncated: 1 } },
    1_000,
    '! 3 products published in 1.0 s, 3.0 a second, 1 skipped (1 truncated): the input is truncated, its last part is missing',
  ],
  [
    { delivered: 3, fetched: 3, skipped: 1, skippedBy: { 'trailing-bytes': 1 } },
    1_000,
    '3 products published in 1.0 s, 3.0 a second, 1 skipped (1 trailing-bytes)',
  ],
  [{ filtered: 100 }, 1_000, '! 0 products published in 1.0 s, 100 did not match `--country fr`'],
])('the summary of a scrape with %o is one line', (more, tookMs, summary) => {
  const progress = new ScrapeProgress(new Output('plain'), null)
  vi.advanceTimersByTime(tookMs)
  expect(progress.summary(counts(more), 'published', '`--country fr`')).toBe(summary)
})

test.each([
  ['the found products', null, false, '0 of 100 products'],
  ['the limit', 200, false, '0 of 200 products'],
  ['the remaining products of a resumed scrape', 200, true, '0 of 100 products'],
])('the progress of a scrape is relative to %s', (_, limit, resumes, line) => {
  const progress = new ScrapeProgress(new Output('plain'), limit)
  const resumed = { kind: 'resumed', done: 100, listed: 200, startedAt: new Date() } as const
  const spy = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  onTestFinished(() => spy.mockRestore())
  if (resumes) progress.report(counts({}), resumed)
  vi.advanceTimersByTime(60_000)
  progress.report(counts({ found: 100 }), null)
  expect(String(spy.mock.calls.at(-1)?.[0])).toContain(line)
})

test.each<[SourceEvent, string]>([
  [
    { kind: 'resumed', done: 312, listed: 400, startedAt: new Date('2026-03-04T05:00:00Z') },
    'Resuming the scrape that started 3 min 5 s ago: 312 of 400 products are done; `--fresh` starts over',
  ],
  [
    { kind: 'paused', ms: 30_000, reason: 'it responded with status 429', requested: true },
    '! The site requests a pause of 30 s: it responded with status 429',
  ],
  [
    { kind: 'paused', ms: 120_000, reason: 'it is down for maintenance', requested: false },
    '! Pausing for 2 min 0 s: it is down for maintenance',
  ],
  [
    { kind: 'layout', field: 'nova_group', selector: '#panel_nova img', rate: 0.025, typicalRate: 0.834 },
    '! The layout of the site may have changed: `nova_group` is on 3 % of the last pages, typically on 83 %; its selector is `#panel_nova img`',
  ],
  [
    {
      kind: 'layout',
      field: 'nutriments',
      selector: 'tbody tr',
      address: 'http://a/product/40000001',
      labels: ['Vet\u001b[2J', 'Zout'],
    },
    '! The layout of the site may have changed: no label of the nutrition table on http://a/product/40000001 is known (`Vet`, `Zout`); its selector is `tbody tr`',
  ],
  [
    { kind: 'partial', address: 'stdin:2', missing: ['nutriments', 'countries'] },
    '! stdin:2 lacks `nutriments`, `countries`: its record replaces known values by null; to skip such products, set `scrape.partial: skip`',
  ],
  [
    {
      kind: 'mapping',
      address: 'orders[0]@3',
      mapping: { code: '$.item.gtin', fat_100g: "$.facts[?@.id == 'fat'].value" },
      paths: ['$.item.gtin', "$.facts[?@.id == 'fat'].value"],
    },
    `A mapping for messages such as orders[0]@3 could be (check each path):

topic:
  mapping:
    code: $.item.gtin
    fat_100g: "$.facts[?@.id == 'fat'].value"

The message has \`$.item.gtin\`, \`$.facts[?@.id == 'fat'].value\``,
  ],
  [
    { kind: 'mapping', address: 'orders[0]@3', mapping: {}, paths: ['$.event'] },
    'No value of orders[0]@3 looks like a column of the record.\nThe message has `$.event`',
  ],
  [
    { kind: 'skipped', address: 'http://a/\u001b[2J', skippedBy: 'gone', reason: 'gone' },
    '! skipped http://a/: gone',
  ],
])('an event of a source is a line, or an object with --json: %o', (event, line) => {
  vi.setSystemTime('2026-03-04T05:03:05Z')
  for (const [mode, stream, printed] of [
    ['plain', process.stderr, line],
    ['json', process.stdout, JSON.stringify({ version: 1, ...event })],
  ] as const) {
    const write = vi.spyOn(stream, 'write').mockReturnValue(true)
    onTestFinished(() => write.mockRestore())
    new ScrapeProgress(new Output(mode), null).report(counts({}), event)
    expect(write.mock.calls.map(([text]) => plain(String(text)))).toEqual([`${printed}\n`])
  }
})

test('the result and the summary show layout changes', () => {
  const progress = new ScrapeProgress(new Output('json'), null)
  vi.spyOn(process.stdout, 'write').mockReturnValueOnce(true)
  const change = { field: 'nova_group', selector: '#panel_nova img', rate: 0, typicalRate: 0.8 }
  progress.report(counts({}), { kind: 'layout', ...change })
  expect([progress.result(), progress.summary(counts({}), 'published')]).toEqual([
    { layout: [change] },
    '0 products published in 0 ms, 1 field now rarely present',
  ])
})

test('the summary names a nutrition table with unknown labels apart from fields that are rarely filled', () => {
  const progress = new ScrapeProgress(new Output('json'), null)
  vi.spyOn(process.stdout, 'write').mockReturnValueOnce(true)
  const address = 'http://a/product/40000001'
  const table = { field: 'nutriments', selector: 'tbody tr', address, labels: ['Vet'] } as const
  progress.report(counts({}), { kind: 'layout', ...table })
  expect([progress.result(), progress.summary(counts({}), 'published')]).toEqual([
    { layout: [table] },
    '0 products published in 0 ms, a nutrition table with unknown labels',
  ])
})

test('the result shows how many products were done before', () => {
  const progress = new ScrapeProgress(new Output('json'), null)
  vi.spyOn(process.stdout, 'write').mockReturnValueOnce(true)
  expect(progress.result()).toEqual({})
  progress.report(counts({}), { kind: 'resumed', done: 312, listed: 400, startedAt: new Date() })
  expect(progress.result()).toEqual({ doneBefore: 312 })
})
