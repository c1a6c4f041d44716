import { createReadStream } from 'node:fs'
import { tmpdir } from 'node:os'
import { PassThrough, Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { productOf } from '../product/productOf.ts'
import { stdinSource } from './stdin.ts'
import { taken } from './testRun.ts'

const inputOf = (lines: readonly unknown[]): Readable =>
  Readable.from(lines.map(line => Buffer.from(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`)))

const record = (() => {
  const reading = productOf(
    { code: '10000001', product_name: 'A', last_modified_t: 1_774_461_913 },
    { source: 'web', observedAt: '2026-04-01T12:00:00.000Z', site: 'https://world.openfoodfacts.org' },
  )
  if (reading.kind !== 'product') throw new Error(reading.kind)
  return reading.product
})()

test('records, products and responses of the API are read; records stay unchanged', async () => {
  const { products, skipped, error } = await taken(
    stdinSource({
      input: inputOf([
        record,
        { code: '10000002', product_name: 'B' },
        { code: '10000003', product: { product_name: 'C' }, status: 1 },
        {
          code: '10000004',
          status: 'success',
          result: { id: 'product_found' },
          product: { code: '10000004', brands: 'D' },
        },
        { count: 2, products: [{ code: '10000005', brands: 'E' }, { code: 'x' }] },
        'not JSON',
        '',
        { status: 0, status_verbose: 'product not found' },
      ]),
    }),
  )
  expect(error).toBe(null)
  expect(products[0]).toEqual(record)
  expect(products.map(({ code, product_name, source, url }) => [code, product_name, source, url])).toEqual([
    ['10000001', 'A', 'web', 'https://world.openfoodfacts.org/product/10000001'],
    ['10000002', 'B', 'stdin', null],
    ['10000003', 'C', 'stdin', null],
    ['10000004', null, 'stdin', null],
    ['10000005', null, 'stdin', null],
  ])
  expect(skipped).toEqual([
    ['stdin:5', 'its code `x` is not a barcode'],
    ['stdin:6', expect.stringContaining('it is not valid JSON: ')],
    ['stdin:8', 'it is an API response: the product was not found'],
  ])
})

test('envelopes are opened in lines and in documents, however long, and their deletes are taken', async () => {
  const padding = { images: 'x'.repeat(3_000) }
  const row = (code: string | null) => ({
    ...padding,
    code,
    product_name: 'A',
    nutriments: {},
    countries: '',
  })
  const events = [
    { schema: { type: 'struct' }, payload: row('10000001') },
    { ...padding, before: null, after: row('10000002'), op: 'c', ts_ms: 1_767_323_045_678 },
    { ...padding, before: row('10000003'), after: null, op: 'd', ts_ms: 1_767_323_045_678 },
    {
      partition: 0,
      offset: 1,
      key: '10000004',
      headers: {},
      timestamp: '2026-01-02T03:04:05.678Z',
      value: row(null),
    },
    {
      partition: 0,
      offset: 2,
      key: '10000005',
      headers: {},
      timestamp: '2026-01-02T03:04:05.678Z',
      value: null,
    },
  ]
  const moment = '2026-01-02T03:04:05.678Z'
  const inputs = [inputOf(events), inputOf([JSON.stringify(events, null, 2)])]
  for (const input of inputs) {
    const { products, removals, skipped, error } = await taken(stdinSource({ input }))
    expect([error, skipped]).toEqual([null, []])
    expect(products.map(({ code }) => code)).toEqual(['10000001', '10000002', '10000004'])
    expect(products.slice(1).map(({ as_of }) => as_of)).toEqual([moment, moment])
    expect(removals).toEqual(['10000003', '10000005'].map(code => ({ code, as_of: moment, source: 'stdin' })))
  }
})

test('a product is delivered when its line arrives, not at the end of the input', async () => {
  const input = new PassThrough()
  const stop = new AbortController()
  input.write('{"code":"10000001","brands":"A"}\n{"code":"100')
  const { error } = await taken(stdinSource({ input }), {
    signal: stop.signal,
    deliver: async () => stop.abort(),
  })
  expect([error, input.destroyed]).toEqual([null, true])
})

test('the same holds after many megabytes', async () => {
  const input = new PassThrough()
  const stop = new AbortController()
  const line = (code: number) => `{"code":"${code}","brands":"A","_filler":"${'x'.repeat(99_999)}"}\n`
  let sent = 10_000_001
  input.write(line(sent))
  const { error } = await taken(stdinSource({ input }), {
    signal: stop.signal,
    // Who sends waits for each.
    deliver: async () => {
      sent += 1
      if (sent > 10_000_100) stop.abort()
      else input.write(line(sent))
    },
  })
  expect(error).toBe(null)
})

test('an abort does not wait for a silent input', async () => {
  const input = new PassThrough()
  const stop = new AbortController()
  const run = taken(stdinSource({ input }), { signal: stop.signal })
  setImmediate(() => stop.abort())
  expect((await run).error).toBe(null)
})

test('the limit stops the reading while the input is still open', async () => {
  const input = new PassThrough()
  input.write(
    '{"code":"10000001","brands":"A"}\n{"code":"10000002","brands":"B"}\n{"code":"10000003","brands":"C"}\n',
  )
  const { products, error } = await taken(stdinSource({ input, limit: 2 }))
  expect([products.map(({ code }) => code), error]).toEqual([['10000001', '10000002'], null])
})

test('an empty input has no products', async () => {
  for (const text of ['', '\n\n', '\ufeff'])
    expect(await taken(stdinSource({ input: Readable.from([Buffer.from(text)]) }))).toMatchObject({
      products: [],
      error: null,
    })
})

test.each([
  ['PAR1 and more', 'which cannot be read from a pipe', '--file'],
  ['BZh9…', 'it is compressed with bzip2', 'bzip2 -dc <file> | offstream scrape --source stdin'],
  ['hello\n', 'neither JSON nor CSV', 'JSONL'],
])('%s on a pipe is rejected with a reason', async (text, message, hint) => {
  expect((await taken(stdinSource({ input: inputOf([text]) }))).error).toMatchObject({
    ...{ code: 'FORMAT_UNKNOWN', outcome: 'usage' },
    message: expect.stringContaining(message),
    hint: expect.stringContaining(hint),
  })
})

test('an input that cannot be read is FILE_MISSING', async () => {
  const input = createReadStream(tmpdir())
  expect((await taken(stdinSource({ input }))).error).toMatchObject({
    ...{ code: 'FILE_MISSING', message: expect.stringContaining('`stdin` cannot be read: EISDIR') },
  })
})

test('truncated gzip gives the products before the cut', async () => {
  const lines = Array.from({ length: 5_000 }, (_, index) => `{"code":"${10_000_001 + index}","brands":"A"}\n`)
  const whole = gzipSync(lines.join(''))
  const input = Readable.from([whole.subarray(0, whole.length / 2)])
  const { products, skipped, error } = await taken(stdinSource({ input }))
  expect([products.length > 1_000, skipped.at(-1), error]).toEqual([
    ...[true, ['stdin', expect.stringContaining('truncated')], null],
  ])
})
