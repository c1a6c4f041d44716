import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type FaultName, generateCatalogue, startSite } from '@offstream/site'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Product, productColumns } from '../product/product.ts'
import { type ApiQuery, apiSource } from './api.ts'
import { DeltaPosition } from './export/deltas.ts'
import { deltaSource, exportSource } from './export/export.ts'
import { taken } from './testRun.ts'

const userAgent = 'offstream-test (test@example.org)'
const retryPolicy = { retries: 1, firstPauseMs: 1, chunkTimeoutMs: 30_000, responseTimeoutMs: 60_000 }
/** For faults that make the site slow. */
const shortTimeouts = { ...retryPolicy, chunkTimeoutMs: 1_000, responseTimeoutMs: 1_500 }
const catalogue = generateCatalogue({ count: 130 })

let site: Awaited<ReturnType<typeof startSite>>
let directory: string
beforeAll(async () => {
  site = await startSite({ catalogue })
  directory = await mkdtemp(join(tmpdir(), 'offstream-sources-'))
})
afterAll(async () => {
  await site[Symbol.asyncDispose]()
  await rm(directory, { recursive: true })
})

const fromExport = (path: string) => exportSource({ file: `${site.address}${path}`, userAgent, retryPolicy })
const fromApi = (query: ApiQuery) =>
  apiSource({
    ...{ address: site.address, query, userAgent, retryPolicy },
    ...{ productsPerMinute: null, searchesPerMinute: null },
  })
const codes = catalogue.products.map(({ code }) => code)

describe('the stand-in site', () => {
  /** The records by code. */
  const read = async (source: ReturnType<typeof fromApi>) => {
    const { products, skipped, error } = await taken(source)
    expect([skipped, error]).toEqual([[], null])
    return new Map(products.map(product => [product.code, product]))
  }
  const differing = (left: ReadonlyMap<string, Product>, right: ReadonlyMap<string, Product>) => {
    const columns = productColumns.filter(column => !['observed_at', 'source'].includes(column))
    return columns.filter(column =>
      [...left].some(([code, product]) => product[column] !== right.get(code)?.[column]),
    )
  }

  test('gives the same records from every source', { timeout: 60_000 }, async () => {
    const jsonl = await read(fromExport('/data/openfoodfacts-products.jsonl.gz'))
    const ways = {
      csv: await read(fromExport('/data/en.openfoodfacts.org.products.csv.gz')),
      parquet: await read(fromExport('/data/food.parquet')),
      v2: await read(fromApi({ kind: 'codes', codes, version: 2 })),
      v3: await read(fromApi({ kind: 'codes', codes, version: 3 })),
      search: await read(fromApi({ kind: 'search', parameters: {} })),
    }
    expect(jsonl.size).toBe(130)
    const found = Object.fromEntries(
      Object.entries(ways).map(([way, records]) => [way, [records.size, differing(jsonl, records)]]),
    )
    expect(found).toEqual({
      // The official forms do not have these either.
      csv: [130, ['lang', 'rev']],
      parquet: [130, ['image_url', 'url']],
      v2: [130, []],
      v3: [130, []],
      search: [130, []],
    })
  })

  test('gives its deltas once', async () => {
    const position = new DeltaPosition(directory)
    const source = () =>
      deltaSource({ ...{ index: `${site.address}/data/delta/index.txt`, position }, userAgent, retryPolicy })
    const first = await taken(source())
    expect([first.error, first.products.length > 0]).toEqual([null, true])
    expect((await taken(source())).products).toEqual([])
    const [changed] = catalogue.products
    const newest = Math.max(...first.products.map(({ as_of }) => Date.parse(as_of))) / 1000 + 86_400
    if (changed === undefined) throw new Error('the catalogue is empty')
    site.update({ ...changed, product_name: 'Changed', last_modified_t: newest, last_updated_t: newest })
    const { products } = await taken(source())
    expect(products.map(({ code, product_name }) => [code, product_name])).toEqual([
      [changed.code, 'Changed'],
    ])
    site.update(changed)
  })

  test('reports a removed product as unknown', async () => {
    await using other = await startSite({ catalogue: generateCatalogue({ count: 3 }) })
    const [gone = '', stays = ''] = codes
    other.remove(gone)
    const { products, removals } = await taken(
      apiSource({
        ...{
          address: other.address,
          query: { kind: 'codes', codes: [gone, stays], version: 2 },
          userAgent,
          retryPolicy,
        },
        ...{ productsPerMinute: null, searchesPerMinute: null },
      }),
    )
    expect([products.map(({ code }) => code), removals.map(({ code }) => code)]).toEqual([[stays], [gone]])
  })
})

test('a redirect to the storage of the exports is followed only if the storage is known', async () => {
  await using moved = await startSite({ catalogue, storage: 'localhost' })
  const storage = [moved.address.replace('127.0.0.1', 'localhost')]
  for (const name of ['openfoodfacts-products.jsonl.gz', 'en.openfoodfacts.org.products.csv.gz']) {
    const file = `${moved.address}/data/${name}`
    const known = await taken(exportSource({ file, storage, userAgent, retryPolicy }))
    expect([known.error, known.products.length]).toEqual([null, 130])
    const unknown = await taken(exportSource({ file, userAgent, retryPolicy }))
    expect([unknown.error, unknown.products.length]).toEqual([
      expect.objectContaining({
        code: 'REDIRECTED_ELSEWHERE',
        message: expect.stringContaining(`${storage[0]}/${name}`),
      }),
      0,
    ])
  }
})

describe('each fault of a site has its outcome, and none gives a false product', () => {
  const blocked = 'SOURCE_BLOCKED'
  const skips = 'skips'
  const outcomes: Readonly<Record<FaultName, readonly [api: string | null, download: string | null]>> = {
    'too-many-requests': [blocked, blocked],
    // Once each; both wait for the requested pause, then try again.
    'retry-after': [null, null],
    unavailable: [blocked, blocked],
    'bad-gateway': [blocked, blocked],
    'server-error': [blocked, blocked],
    'stop-crawling': [blocked, 'FORMAT_UNKNOWN'],
    noindex: [blocked, 'FORMAT_UNKNOWN'],
    maintenance: [blocked, 'FORMAT_UNKNOWN'],
    login: [blocked, 'FORMAT_UNKNOWN'],
    hang: ['SITE_UNREACHABLE', 'SITE_UNREACHABLE'],
    closed: ['SITE_UNREACHABLE', 'SITE_UNREACHABLE'],
    // The download is resumed.
    'cut-off': ['SITE_UNREACHABLE', null],
    // A file has no timeout as long as data arrives, so the test aborts the run.
    drip: ['SITE_UNREACHABLE', 'partly'],
    huge: ['RESPONSE_TOO_LARGE', 'FORMAT_UNKNOWN'],
    'gzip-bomb': ['RESPONSE_TOO_LARGE', 'FORMAT_UNKNOWN'],
    'redirect-loop': [blocked, blocked],
    'redirect-private': [skips, 'REDIRECTED_ELSEWHERE'],
    'wrong-charset': [blocked, null],
    'malformed-html': [blocked, null],
    'missing-fields': [null, null],
    'other-layout': [skips, null],
  }
  const outcomeOf = ({ error, skipped, products }: Awaited<ReturnType<typeof taken>>, requested: number) => {
    if (error !== null) return (error as { code?: string }).code ?? String(error)
    return products.length === requested ? null : skipped.length === requested ? skips : 'partly'
  }

  test.each(Object.entries(outcomes))('%s', { timeout: 60_000 }, async (fault, [ofApi, ofDownload]) => {
    const policy = fault === 'hang' || fault === 'drip' ? shortTimeouts : retryPolicy
    const times = fault === 'retry-after' ? { count: 1 } : {}
    await using faulty = await startSite({
      catalogue,
      faults: [
        { path: '/api/*', fault: fault as FaultName, ...times },
        { path: '/data/*', fault: fault as FaultName, ...times },
      ],
    })
    const api = await taken(
      apiSource({
        ...{
          address: faulty.address,
          query: { kind: 'codes', codes: codes.slice(0, 2), version: 2 },
          userAgent,
          retryPolicy: policy,
        },
        ...{ productsPerMinute: null, searchesPerMinute: null },
      }),
    )
    expect([outcomeOf(api, 2), api.removals]).toEqual([ofApi, []])
    const file = `${faulty.address}/data/openfoodfacts-products.jsonl.gz`
    // A chunk arrives every 200 ms, so eight take longer than the timeout of one.
    const parts = abortAfterParts(8)
    const signal = fault === 'drip' ? parts.signal : new AbortController().signal
    const download = await taken(exportSource({ file, userAgent, retryPolicy: policy }), { signal })
    parts.unwatch()
    const names = new Map(catalogue.products.map(({ code, product_name }) => [code, product_name ?? null]))
    expect(download.products.filter(({ code, product_name }) => names.get(code) !== product_name)).toEqual([])
    expect([outcomeOf(download, 130), signal.aborted]).toEqual([ofDownload, fault === 'drip'])
  })
})

/** A signal that is aborted after so many chunks of responses. */
const abortAfterParts = (count: number) => {
  const abort = new AbortController()
  const { fetch } = globalThis
  let parts = 0
  const counting = () =>
    new TransformStream({
      transform: (part, controller) => {
        parts += 1
        if (parts === count) abort.abort()
        controller.enqueue(part)
      },
    })
  const spy = vi.spyOn(globalThis, 'fetch').mockImplementation(async (...requested) => {
    const response = await fetch(...requested)
    return new Response(response.body?.pipeThrough(counting()) ?? null, response)
  })
  return { signal: abort.signal, unwatch: () => spy.mockRestore() }
}
