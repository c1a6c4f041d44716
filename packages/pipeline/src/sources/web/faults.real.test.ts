import { tmpdir } from 'node:os'
import { type FaultName, type FaultRule, generateCatalogue, type Site, startSite } from '@offstream/site'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { taken } from '../testRun.ts'
import { findChromium } from './chromium.ts'
import { webSource } from './web.ts'

const executablePath = await findChromium()
const catalogue = generateCatalogue({ count: 3 })
const [first = '', spoilt = '', last = ''] = catalogue.products.map(({ code }) => code)
const all = [first, spoilt, last]

describe.skipIf(executablePath === null)('one page of the site is spoilt (needs Chromium)', () => {
  let site: Site
  beforeAll(async () => {
    site = await startSite({ catalogue })
  })
  afterAll(() => site[Symbol.asyncDispose]())

  /** What a scrape comes to while a fault spoils the second of three products. */
  const outcome = async (rule: Omit<FaultRule, 'path'>) => {
    site.inject([{ path: `/produit/${spoilt}*`, ...rule }])
    const source = webSource({
      ...{ address: site.address, concurrency: 1, pagesPerMinute: null },
      patience: { firstPauseMs: 20, pauses: 2, failures: 5 },
      userAgent: 'offstream-test',
      chromium: { executablePath: executablePath ?? '' },
      ...{ storageDirectory: tmpdir(), resume: null },
    })
    const { products, skipped, events, error } = await taken(source)
    return {
      delivered: products.map(({ code }) => code).toSorted(),
      skipped: skipped.map(([address, reason]) => [/\d{8,}/.exec(address)?.[0], reason]),
      waits: events.flatMap(event => (event.kind === 'waiting' ? [event.reason] : [])),
      error: error === null ? null : Object(error).code,
    }
  }

  test.each<[FaultName, string]>([
    ['too-many-requests', 'it answered with status 429'],
    ['retry-after', 'it answered with status 429'],
    ['unavailable', 'it answered with status 503'],
    ['bad-gateway', 'it answered with status 502'],
    ['maintenance', 'it is down for maintenance'],
  ])('`%s` is waited for, and then nothing is missing', async (fault, reason) => {
    expect(await outcome({ fault, count: 1 })).toEqual({
      ...{ delivered: all.toSorted(), skipped: [], waits: [reason], error: null },
    })
  })

  test.each<[FaultName, string]>([
    ['too-many-requests', 'it answered with status 429'],
    ['bad-gateway', 'it answered with status 502'],
    ['maintenance', 'it is down for maintenance'],
  ])('`%s` that goes on ends the scrape, with nothing of it published', async (fault, reason) => {
    expect(await outcome({ fault })).toEqual({
      ...{ delivered: [first], skipped: [], waits: [reason, reason], error: 'SOURCE_BLOCKED' },
    })
  })

  test('`closed` that goes on ends the scrape as a site that has gone', async () => {
    const reason = 'net::ERR_EMPTY_RESPONSE'
    expect(await outcome({ fault: 'closed' })).toEqual({
      ...{ delivered: [first], skipped: [], waits: [reason, reason], error: 'SITE_UNREACHABLE' },
    })
  })

  test.each<FaultName>(['stop-crawling', 'noindex', 'login'])('`%s` ends the scrape at once', async fault => {
    expect(await outcome({ fault })).toEqual({
      ...{ delivered: [first], skipped: [], waits: [], error: 'SOURCE_BLOCKED' },
    })
  })

  test.each<FaultName>(['server-error', 'cut-off'])('`%s` for once is tried again', async fault => {
    expect(await outcome({ fault, count: 1 })).toEqual({
      ...{ delivered: all.toSorted(), skipped: [], waits: [], error: null },
    })
  })

  test.each<[FaultName, string]>([
    ['server-error', 'it answered with status 500'],
    ['cut-off', 'its answer broke off'],
    ['redirect-private', 'it led off the site, to `http://169.254.169.254/latest/meta-data/`'],
    ['other-layout', 'it is neither a product nor a list of products'],
  ])('`%s` that goes on costs that product alone', async (fault, reason) => {
    expect(await outcome({ fault })).toEqual({
      ...{ delivered: [first, last].toSorted(), skipped: [[spoilt, reason]], waits: [], error: null },
    })
  })
})
