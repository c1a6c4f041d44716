import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { OffstreamError } from '@offstream/runtime'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SourceEvent } from '../source.ts'
import { stdinSource } from '../stdin.ts'
import { taken } from '../testRun.ts'
import { type Answer, serve } from '../web/testSite.ts'
import { DeltaPosition } from './deltas.ts'
import { deltaSource, exportSource } from './export.ts'

const userAgent = 'offstream-test (test@example.org)'
const retryPolicy = { retries: 4, firstPauseMs: 1, chunkTimeoutMs: 30_000, responseTimeoutMs: 60_000 }

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'offstream-export-'))
})
afterAll(() => rm(directory, { recursive: true }))

let files = 0
const written = async (name: string, content: string | Buffer): Promise<string> => {
  files += 1
  const file = join(directory, `${files}-${name}`)
  await writeFile(file, content)
  return file
}

interface Line {
  readonly code?: string
  readonly [name: string]: unknown
}
const jsonl = (lines: readonly Line[]): string => lines.map(line => `${JSON.stringify(line)}\n`).join('')

const numbered = (count: number): readonly Line[] =>
  Array.from({ length: count }, (_, index) => ({
    code: String(10_000_001 + index),
    product_name: `P${index}`,
  }))

const inParts = function* (content: Buffer, bytes: number): Generator<Buffer> {
  for (let at = 0; at < content.length; at += bytes) yield content.subarray(at, at + bytes)
}

const codesOf = async (file: string, options = {}): Promise<readonly string[]> => {
  const { products, error } = await taken(exportSource({ file, userAgent, ...options }))
  if (error !== null) throw error
  return products.map(({ code }) => code)
}

const three = numbered(3)
const threeCodes = ['10000001', '10000002', '10000003']
const csv = (delimiter: string): string =>
  [
    ['code', 'product_name', 'unheard', 'fat_100g', 'saturated-fat_100g', 'countries_tags'],
    ['10000001', '"Say ""cheese"""', 'x', '30.9', '1', '"en:france,en:germany"'],
    ['10000002', 'Plain', 'x', '', '', 'en:france'],
    ['10000003', '"Two\nlines"', 'x', '1', '', 'en:italy'],
  ]
    .map(row => `${row.join(delimiter)}\n`)
    .join('')

describe('the format is detected from the content', () => {
  test.each<readonly [what: string, name: string, content: string | Buffer]>([
    ['JSON lines', 'a.jsonl', jsonl(three)],
    ['JSON lines in gzip', 'a.jsonl.gz', gzipSync(jsonl(three))],
    [
      'gzip in two members',
      'a.gz',
      Buffer.concat([gzipSync(jsonl(three.slice(0, 1))), gzipSync(jsonl(three.slice(1)))]),
    ],
    ['JSON lines that are called something else', 'a.csv', jsonl(three)],
    ['JSON lines after a byte order mark and an empty line', 'a', `\ufeff\n${jsonl(three)}`],
    [
      'JSON lines with CRLF and without a last line end',
      'a',
      jsonl(three).replaceAll('\n', '\r\n').trimEnd(),
    ],
    ['a JSON array', 'a.json', JSON.stringify(three)],
    ['a pretty-printed JSON array', 'a.json', JSON.stringify(three, null, 2)],
    ['pretty-printed JSON', 'a', three.map(each => JSON.stringify(each, null, '\t')).join('\n')],
    ['JSON lines with commas between them', 'a', three.map(each => `${JSON.stringify(each)},\n`).join('')],
    ['a pretty-printed response', 'a', JSON.stringify({ count: 3, products: three }, null, 1)],
    ['JSON lines that are compressed twice', 'a', gzipSync(gzipSync(jsonl(three)))],
    ['CSV with tabs', 'a.csv', csv('\t')],
    ['CSV with tabs in gzip', 'a', gzipSync(csv('\t'))],
    ['CSV with commas', 'a.txt', csv(',')],
    ['CSV after a byte order mark', 'a.csv', `\ufeff${csv('\t')}`],
    ['CSV after an empty line', 'a.csv', `\n${csv('\t')}`],
    [
      'CSV with quotes, on Windows',
      'a.csv',
      `"code","brands"\r\n${threeCodes.map(code => `"${code}","A"`).join('\r\n')}`,
    ],
    [
      'JSON lines of several files with byte order marks',
      'a',
      jsonl(three.slice(0, 1)) +
        three
          .slice(1)
          .map(line => `\ufeff${jsonl([line])}`)
          .join(''),
    ],
  ])('%s', async (_what, name, content) => {
    expect(await codesOf(await written(name, content))).toEqual(threeCodes)
    // However small the parts are in which it comes over the network or a pipe.
    for (const bytes of [1, 3]) {
      const input = Readable.from(inParts(Buffer.from(content), bytes))
      const { products, skipped, error } = await taken(stdinSource({ input }))
      expect([products.map(({ code }) => code), skipped, error]).toEqual([threeCodes, [], null])
    }
  })

  test('records and responses of the API', async () => {
    const answers = [
      { code: '10000001', status: 1, product: { product_name: 'A', _filler: 'x'.repeat(2_000) } },
      {
        count: 2,
        products: [
          { code: '10000002', brands: 'B' },
          { code: '10000003', brands: 'C' },
        ],
        _filler: 'x'.repeat(2_000),
      },
    ]
    expect(await codesOf(await written('a.jsonl', jsonl(answers)))).toEqual(threeCodes)
  })

  test('a file whose start arrives byte by byte over HTTP', async () => {
    const body = Buffer.from(csv('\t'))
    await using site = await serve(() => ({
      '/a.csv': (_request, response) => {
        response.writeHead(200, { 'content-length': String(body.length) })
        const send = (at: number): void => {
          if (at === 8) response.end(body.subarray(at))
          else response.write(body.subarray(at, at + 1), () => setImmediate(send, at + 1))
        }
        send(0)
      },
    }))
    expect(await codesOf(`${site.origin}/a.csv`)).toEqual(threeCodes)
  })

  test('an empty file with the name of an export has no products', async () => {
    expect(await codesOf(await written('a.jsonl.gz', gzipSync('')))).toEqual([])
  })

  test.each<readonly [what: string, name: string, content: string | Buffer, reason: string, hint: string]>([
    ['nothing', 'a.bin', '', 'it is empty', 'use an export'],
    ['a zip archive', 'a.zip', 'PK\x03\x04…', 'it is a zip archive', 'unzip -p'],
    ['the beginning of a Parquet file', 'a', 'PA', 'it is neither JSON nor CSV', 'use an export'],
    ['a page', 'a.html', '<!doctype html>', 'it is an HTML page', 'use an export'],
    ['another CSV', 'a.csv', 'name\tage\n', 'neither JSON nor CSV with a column `code`', 'use an export'],
  ])('%s is not an export', async (_what, name, content, reason, hint) => {
    const { error } = await taken(exportSource({ file: await written(name, content), userAgent }))
    expect(error).toMatchObject({
      code: 'FORMAT_UNKNOWN',
      message: expect.stringContaining(reason),
      hint: expect.stringContaining(hint),
    })
  })
})

test('a CSV column is read like the API field of the same name', async () => {
  const { products } = await taken(exportSource({ file: await written('a.csv', csv('\t')), userAgent }))
  expect(
    products.map(({ product_name, fat_100g, saturated_fat_100g, countries }) => [
      ...[product_name, fat_100g, saturated_fat_100g, countries],
    ]),
  ).toEqual([
    ['Say "cheese"', 30.9, 1, 'France, Germany'],
    ['Plain', null, null, 'France'],
    ['Two lines', 1, null, 'Italy'],
  ])
})

test('names of CSV columns may contain spaces and be in any case', async () => {
  const file = await written('a.csv', 'Code, product_name ,"FAT_100g"\n10000001, A ,12.5\n')
  const { products } = await taken(exportSource({ file, userAgent }))
  expect(products).toMatchObject([{ code: '10000001', product_name: 'A', fat_100g: 12.5 }])
})

test('lists that a program has written as text of CSV are read, or the row is skipped', async () => {
  const rows = [
    ['code', 'product_name', 'countries_tags', 'nutriments'],
    ['10000001', "[{'lang': main, 'text': Pain}]", '[en:france, en:italy]', "[{'name': fat, '100g': 1.5}]"],
    ['10000002', "[{'lang': main, 'text': Pa", '', ''],
    ['10000003', '[Bio] Pain', '[]', '[]'],
  ]
  const file = await written(
    'a.csv',
    rows.map(row => `${row.map(field => `"${field}"`).join(',')}\n`).join(''),
  )
  const { products, skipped } = await taken(exportSource({ file, userAgent }))
  expect(products.map(each => [each.code, each.product_name, each.countries, each.fat_100g])).toEqual([
    ['10000001', 'Pain', 'France, Italy', 1.5],
    ['10000003', '[Bio] Pain', null, null],
  ])
  expect(skipped).toEqual([[`${file}:3`, 'its `product_name` is a list in an unknown format']])
})

test('bytes after the end of gzip are ignored and reported', async () => {
  const file = await written(
    'a.gz',
    Buffer.concat([gzipSync(jsonl(numbered(20_000))), Buffer.from('</html>')]),
  )
  const { products, events, error } = await taken(exportSource({ file, userAgent }))
  expect([products.length, error]).toEqual([20_000, null])
  expect(events.filter(({ kind }) => kind === 'skipped')).toEqual([
    {
      ...{ kind: 'skipped', address: file, skippedBy: 'trailing-bytes' },
      reason: 'bytes after the end of its gzip data were ignored',
    },
  ])
})

test('a byte order mark before a quoted header does not hide the codes', async () => {
  const file = await written('a.csv', '\ufeff"code","product_name"\n"10000001","A"\n')
  expect(await codesOf(file)).toEqual(['10000001'])
})

test.each([',"code,"code":"10000009","brands":"A"}', '\t\n  "code\t\n  "code": "10000009"\n}'])(
  'a damaged start of JSON that looks like the header of a CSV file is skipped alone: %j',
  async start => {
    const file = await written('a.jsonl', `${start}\n${jsonl(three)}`)
    expect(await codesOf(file)).toEqual(threeCodes)
  },
)

test('a map of languages in a CSV file is not a name', async () => {
  const file = await written(
    'a.csv',
    `code,product_name,brands\n10000001,"{'main': Pain}",A\n10000002,{main=Pain},A\n`,
  )
  const { products, skipped } = await taken(exportSource({ file, userAgent }))
  expect(products.map(each => [each.code, each.product_name])).toEqual([['10000001', 'Pain']])
  expect(skipped).toEqual([[`${file}:3`, 'its `product_name` is a list in an unknown format']])
})

test('an invalid line is skipped with its number, and reading continues', async () => {
  const file = await written(
    'a.jsonl',
    `${jsonl(three.slice(0, 1))}{"code": "1\n\n[]\n{"a":1}\n${jsonl(three.slice(1))}`,
  )
  const { products, skipped, error } = await taken(exportSource({ file, userAgent }))
  expect([products.length, error]).toEqual([3, null])
  expect(skipped).toEqual([
    [`${file}:2`, expect.stringContaining('it is not valid JSON: ')],
    [`${file}:4`, 'it is not valid JSON: it is not a JSON object'],
    [`${file}:5`, 'it has no `code`'],
  ])
})

test('a line in another encoding is skipped', async () => {
  const latin1 = Buffer.from('{"code":"10000001","product_name":"P\u00e2te"}\n', 'latin1')
  const file = await written('a.jsonl', Buffer.concat([latin1, Buffer.from(jsonl(three))]))
  const { products, skipped } = await taken(exportSource({ file, userAgent }))
  expect([products.length, skipped]).toEqual([3, [[`${file}:1`, 'it is not valid UTF-8']]])
})

test.each<readonly [what: string, rest: string, more: number]>([
  ['is soon over', '', 0],
  ['before many lines', `${'x'.repeat(99)}\n`.repeat(5_000), 0],
  ['is closed too late', `${'x'.repeat(99)}\n`.repeat(5_000) + '"\n10000004\tD\n'.repeat(2_000), 2_000],
])('a CSV with a quote that is never closed (%s) loses no row', async (_what, rest, more) => {
  const file = await written('a.csv', `code\tproduct_name\n10000001\tA\n10000002\tB\n10000003\t"C\n${rest}`)
  const { products, skipped, error } = await taken(exportSource({ file, userAgent }))
  expect(products.slice(0, 3).map(({ code, product_name }) => [code, product_name])).toEqual([
    ...[
      ['10000001', 'A'],
      ['10000002', 'B'],
      ['10000003', '"C'],
    ],
  ])
  expect([products.length, error]).toEqual([3 + more, null])
  expect(new Set(skipped.map(([, reason]) => reason))).toEqual(
    new Set(rest === '' ? [] : ['it has 1 field, but the header has 2']),
  )
})

test('a truncated CSV gives the complete rows before the cut', async () => {
  const rows = Array.from(
    { length: 3_000 },
    (_, index) => `${10_000_001 + index}\tA${index} ${Math.random()}!\n`,
  )
  const whole = gzipSync(`code\tproduct_name\n${rows.join('')}`)
  const file = await written('a.csv.gz', whole.subarray(0, whole.length / 2))
  const { products, skipped, error } = await taken(exportSource({ file, userAgent }))
  expect([skipped, error]).toEqual([[[file, expect.stringContaining('truncated')]], null])
  expect(products.length).toBeGreaterThan(1_000)
  expect(products.filter(({ product_name }) => !product_name?.endsWith('!'))).toEqual([])
})

/** The reasons for skipped inputs, in order. */
const reasonsIn = (events: readonly SourceEvent[]) =>
  events.flatMap(event => (event.kind === 'skipped' ? [event.skippedBy] : []))

test('a truncated gzip file gives the products before the cut and a warning', async () => {
  const whole = gzipSync(jsonl(numbered(5_000)))
  const file = await written('a.jsonl.gz', whole.subarray(0, whole.length / 2))
  const { products, events, error } = await taken(exportSource({ file, userAgent }))
  expect(products.length).toBeGreaterThan(1_000)
  expect(products.map(({ code }) => code)).toEqual(
    numbered(5_000)
      .map(({ code }) => code)
      .slice(0, products.length),
  )
  // The line at the cut is not complete.
  expect([reasonsIn(events), error]).toEqual([['invalid-json', 'truncated'], null])
})

test.each([
  ['one line without an end', JSON.stringify(three[0]), 8],
  ['a document on several lines', JSON.stringify(three[0], null, 2), 4],
  ['lines', jsonl(three.slice(0, 1)), 1],
])('a gzip file of %s, of which only the checksum is cut off, is read whole', async (_what, text, cut) => {
  const file = await written('a.json.gz', gzipSync(text).subarray(0, -cut))
  const { products, events, error } = await taken(exportSource({ file, userAgent }))
  expect([products.length, reasonsIn(events), error]).toEqual([1, ['truncated'], null])
})

test('a file in gzip twice that is truncated gives one warning', async () => {
  const whole = gzipSync(gzipSync(jsonl(numbered(5_000)), { level: 0 }))
  const file = await written('a.jsonl.gz', whole.subarray(0, whole.length / 2))
  const { products, events, error } = await taken(exportSource({ file, userAgent }))
  expect([products.length > 1_000, reasonsIn(events), error]).toEqual([
    ...[true, ['invalid-json', 'truncated'], null],
  ])
})

test('a gzip file that is cut in its header gives a warning', async () => {
  const file = await written('a', gzipSync(jsonl(three)).subarray(0, 5))
  const { products, events, error } = await taken(exportSource({ file, userAgent }))
  expect([products, reasonsIn(events), error]).toEqual([[], ['truncated'], null])
})

test('a damaged gzip file is FILE_DAMAGED', async () => {
  const whole = gzipSync(jsonl(three))
  whole[whole.length - 5] = (whole.at(-5) ?? 0) ^ 0xff
  const { error } = await taken(exportSource({ file: await written('a.gz', whole), userAgent }))
  expect(error).toMatchObject({ code: 'FILE_DAMAGED' })
})

test.each([
  ['parquet', 'PAR1 and then nothing', 'FILE_TRUNCATED'],
  ['parquet', `PAR1${'\0'.repeat(100)}\xff\xff\xff\x7fPAR1`, 'FILE_TRUNCATED'],
])('a truncated or damaged %s file is rejected', async (name, content, code) => {
  const { error } = await taken(
    exportSource({ file: await written(name, Buffer.from(content, 'latin1')), userAgent }),
  )
  expect(error).toMatchObject({ code })
})

test.each([['/nowhere/export.jsonl'], [tmpdir()]])('%s is FILE_MISSING', async file => {
  const { error } = await taken(exportSource({ file, userAgent }))
  expect(error).toMatchObject({ code: 'FILE_MISSING', message: expect.stringContaining(file) })
})

test('CSV of barcodes alone has no products', async () => {
  const file = await written('a.csv', `code\n${threeCodes.join('\n')}\n`)
  const { products, skipped } = await taken(exportSource({ file, userAgent }))
  const reason = 'it has a code, but no product fields'
  expect([products, skipped]).toEqual([[], [2, 3, 4].map(line => [`${file}:${line}`, reason])])
})

test.each([
  ['the name `code`, with a line each', '"code"\n', undefined],
  ['the name `code` and a tab, with a line each', '"code"\t\n', undefined],
  ['the name `code`, with several lines each', '"code"\n\n  ', 2],
  ['an empty object, with several lines each', '{}\n  ', 2],
])('JSON of which the first line is only %s, is read', async (_what, before, indent) => {
  const [first = '', ...others] = threeCodes.map(code =>
    JSON.stringify({ code, product_name: 'A' }, null, indent),
  )
  const text = [before, first.slice(1).trimStart(), '\n', others.join('\n'), '\n'].join('')
  const { products } = await taken(exportSource({ file: await written('a.json', text), userAgent }))
  expect(products.map(({ code }) => code)).toEqual(threeCodes.slice(1))
})

test('what is not a product of food is skipped, and each reason has a name', async () => {
  const lines = [
    { code: '10000001', product_name: 'A' },
    { code: '10000001', status: 0, status_verbose: 'product not found' },
    { code: '10000001', result: { id: 'product_not_found' }, status: 'failure', errors: [{}] },
    { code: '10000001', result: { id: 'invalid_code' }, status: 'failure', errors: [{}] },
    { code: '10000002', product_type: 'beauty', product_name: 'Soap' },
    { event: 'order-created', code: '10000003', quantity: 2 },
    { product_name: 'B' },
  ]
  const numbers = '{"code":4.01E+12,"product_name":"C"}\n{"code":98765432109876543,"product_name":"D"}\n'
  for (const filler of ['', 'x'.repeat(2_000)]) {
    const long = lines.map(line => ({ ...line, _filler: filler }))
    const file = await written('a.jsonl', `${jsonl(long)}${numbers}`)
    const { products, events } = await taken(exportSource({ file, userAgent }))
    const names = events.flatMap(event => (event.kind === 'skipped' ? [event.skippedBy] : []))
    expect([products.map(({ code }) => code), names]).toEqual([
      ['10000001', '98765432109876543'],
      [
        ...['not-found', 'not-found', 'no-product-in-response', 'other-product-type'],
        ...['no-product-fields', 'no-code', 'invalid-code'],
      ],
    ])
  }
})

describe('filters and limit', () => {
  const lines = [
    { code: '10000001', countries_tags: ['en:france', 'en:germany'], last_modified_t: 1_700_000_000 },
    { code: '10000002', brands: 'B', countries_tags: ['en:italy'], last_updated_t: 1_750_000_000 },
    { code: '10000003', countries_tags: ['en:france'], last_modified_t: 1_750_000_000 },
    { code: '10000004', brands: 'D' },
  ]

  test.each([
    [{ country: 'fr' }, ['10000001', '10000003']],
    [{ country: 'Italy' }, ['10000002']],
    [{ since: new Date(1_750_000_000_000) }, ['10000002', '10000003', '10000004']],
    [{ country: 'en:france', since: new Date(1_750_000_000_000) }, ['10000003']],
    [{ limit: 2 }, ['10000001', '10000002']],
    [{ country: 'fr', limit: 1 }, ['10000001']],
  ])('%j', async (options, codes) => {
    expect(await codesOf(await written('a.jsonl', jsonl(lines)), options)).toEqual(codes)
  })

  test.each(['France', 'FR', 'Frankreich', 'フランス', 'es:francia'])(
    'the countries of a product match %s in any language',
    async country => {
      const sold = [
        { code: '10000001', countries_tags: ['en:france'] },
        { code: '10000002', brands: 'B', countries_tags: ['fr:Allemagne'] },
        { code: '10000003', countries_tags: ['de:frankreich'] },
        { code: '10000004', brands: 'D', countries: 'Belgien, Francia' },
        { code: '10000005', brands: 'E', countries: 'Franconia' },
      ]
      const file = await written('a.jsonl', jsonl(sold))
      expect(await codesOf(file, { country })).toEqual(['10000001', '10000003', '10000004'])
    },
  )

  test.each(['France', 'fr', 'en:france'])('records of a dry run are sold in %s', async country => {
    const exported = await taken(exportSource({ file: await written('a.jsonl', jsonl(lines)), userAgent }))
    const records = await written('records.jsonl', jsonl(exported.products))
    expect(await codesOf(records, { country })).toEqual(['10000001', '10000003'])
  })

  test('filtered products are counted, up to the limit', async () => {
    const file = await written('a.jsonl', jsonl(lines))
    const filtered = async (options: object) => {
      const { events } = await taken(exportSource({ file, userAgent, ...options }))
      return events.reduce((sum, event) => sum + (event.kind === 'filtered' ? event.count : 0), 0)
    }
    const each = [{ country: 'fr' }, { country: 'jp' }, { country: 'fr', limit: 1 }, {}].map(filtered)
    expect(await Promise.all(each)).toEqual([2, 4, 0, 0])
  })
})

test('an obsolete product is deleted, or skipped in a run without deletes', async () => {
  const file = await written(
    'a.jsonl',
    jsonl([{ code: '10000001', obsolete: 'on', last_updated_t: 1_750_000_000 }]),
  )
  const { removals } = await taken(exportSource({ file, userAgent }))
  expect(removals).toEqual([{ code: '10000001', as_of: '2025-06-15T15:06:40.000Z', source: 'export' }])
  const { skipped } = await taken(exportSource({ file, userAgent }), { remove: undefined })
  expect(skipped).toEqual([[`${file}:1`, 'the product no longer exists']])
})

test('skipped lines do not count towards the limit, and products after the limit are not found', async () => {
  const obsolete = numbered(3).map(line => ({ ...line, obsolete: 'on' }))
  const file = await written('a.jsonl', jsonl([...obsolete, ...numbered(7)]))
  const source = exportSource({ file, userAgent, limit: 3 })
  const { products, skipped, events } = await taken(source, { remove: undefined })
  expect([products.map(({ code }) => code), skipped.length]).toEqual([threeCodes, 3])
  expect(events.reduce((sum, event) => sum + (event.kind === 'found' ? event.count : 0), 0)).toBe(6)
})

test('at most 4,000 products are in flight, and no more are read', async () => {
  const file = await written('a.jsonl', jsonl(numbered(20_000)))
  let [underWay, most, delivered] = [0, 0, 0]
  // As the publisher does: 1,000 are acknowledged together.
  const waiting: (() => void)[] = []
  const acknowledge = () => {
    for (const resolve of waiting.splice(0, 1_000)) resolve()
    if (waiting.length > 0) setImmediate(acknowledge)
  }
  const { error } = await taken(exportSource({ file, userAgent }), {
    deliver: async () => {
      underWay += 1
      most = Math.max(most, underWay)
      if (waiting.length === 0) setImmediate(acknowledge)
      await new Promise<void>(resolve => waiting.push(resolve))
      underWay -= 1
      delivered += 1
    },
  })
  expect([error, delivered, most]).toEqual([null, 20_000, 4_000])
})

test('a failed delivery stops the run with its error, after those in flight', async () => {
  const file = await written('a.jsonl', jsonl(numbered(10_000)))
  let requested = 0
  const { error } = await taken(exportSource({ file, userAgent }), {
    deliver: async () => {
      requested += 1
      if (requested === 5) throw new Error('Kafka is gone')
    },
  })
  expect([error, requested < 5_000]).toEqual([new Error('Kafka is gone'), true])
})

test('an aborted run succeeds with the products delivered so far', async () => {
  const file = await written('a.jsonl', jsonl(numbered(10_000)))
  const stop = new AbortController()
  let delivered = 0
  const { error } = await taken(exportSource({ file, userAgent }), {
    signal: stop.signal,
    deliver: async () => {
      delivered += 1
      if (delivered === 3) stop.abort()
    },
  })
  expect([error, delivered]).toEqual([null, 3])
})

test('an error of an aborted run is thrown unless the abort caused it', async () => {
  const file = await written('a.jsonl', jsonl(three))
  const stop = new AbortController()
  const lost = new OffstreamError('KAFKA_UNREACHABLE', 'Kafka is gone', {
    outcome: 'unreachable',
    hint: 'wait',
  })
  const { error } = await taken(exportSource({ file, userAgent }), {
    signal: stop.signal,
    deliver: async () => {
      stop.abort()
      throw lost
    },
  })
  expect(error).toBe(lost)
})

describe('over HTTP', () => {
  test('an aborted Parquet file is not reported as damaged', async () => {
    const stop = new AbortController()
    await using site = await serve(() => ({
      '/a.parquet': (request, response) => {
        if (request.headers.range === undefined) return response.end('PAR1')
        if (request.headers.range !== 'bytes=0-0') return stop.abort()
        response.writeHead(206, { 'content-range': 'bytes 0-0/100000' }).end('P')
      },
    }))
    const source = exportSource({ file: `${site.origin}/a.parquet`, userAgent, retryPolicy })
    expect((await taken(source, { signal: stop.signal })).error).toBe(null)
  })

  const body = gzipSync(jsonl(numbered(20_000)))
  const get = (origin: string, path: string) =>
    taken(exportSource({ file: `${origin}${path}`, userAgent, retryPolicy }))

  /** Sends the file in pieces, and cuts the connection once after each of `cutsAt` bytes. */
  const cutting = (cutsAt: readonly number[], headers: Readonly<Record<string, string>>): Answer => {
    const cuts = [...cutsAt]
    return (request, response) => {
      const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
      const until = cuts.shift() ?? body.length
      const status = request.headers.range === undefined ? 200 : 206
      response.writeHead(status, { 'content-length': String(body.length - from), ...headers })
      response.write(body.subarray(from, until), () =>
        until === body.length ? response.end() : response.destroy(),
      )
    }
  }

  test('an interrupted download is resumed', async () => {
    await using site = await serve(() => ({ '/a.gz': cutting([10_000, 20_000], { etag: '"1"' }) }))
    const { products, error } = await get(site.origin, '/a.gz')
    expect([products.length, error, site.requested]).toEqual([20_000, null, ['/a.gz', '/a.gz', '/a.gz']])
    expect([...site.userAgents]).toEqual([userAgent])
  })

  test('a download is not resumed if the file may have changed', async () => {
    await using site = await serve(() => ({ '/a.gz': cutting([10_000], {}) }))
    const { error } = await get(site.origin, '/a.gz')
    expect(error).toMatchObject({ code: 'CONNECTION_LOST', outcome: 'unreachable' })
  })

  test('a file that does not exist is FILE_MISSING', async () => {
    await using site = await serve(() => ({}))
    const { error } = await get(site.origin, '/a.gz')
    expect([error, site.requested]).toEqual([expect.objectContaining({ code: 'FILE_MISSING' }), ['/a.gz']])
  })

  test('a redirect within the site is followed, one to another site is rejected', async () => {
    await using site = await serve(origin => ({
      '/in': { status: 302, headers: { location: '/a.jsonl' } },
      '/out': { status: 302, headers: { location: 'http://192.168.0.1/a.jsonl' } },
      '/port': { status: 302, headers: { location: `${origin.replace(/\d+$/, '1')}/a.jsonl` } },
      '/loop': { status: 302, headers: { location: '/loop' } },
      '/a.jsonl': jsonl(three),
    }))
    const [inside, outside, port, loop] = [
      await get(site.origin, '/in'),
      await get(site.origin, '/out'),
      await get(site.origin, '/port'),
      await get(site.origin, '/loop'),
    ]
    expect([inside.products.length, inside.error]).toEqual([3, null])
    expect(outside.error).toMatchObject({ code: 'REDIRECTED_ELSEWHERE', outcome: 'refused' })
    expect(port.error).toMatchObject({ code: 'REDIRECTED_ELSEWHERE' })
    expect(loop.error).toMatchObject({
      code: 'SOURCE_BLOCKED',
      message: expect.stringContaining('redirects more than 5'),
    })
  })

  test('a site that does not respond is SITE_UNREACHABLE', async () => {
    const site = await serve(() => ({}))
    await site[Symbol.asyncDispose]()
    const { error } = await get(site.origin, '/a.gz')
    expect(error).toMatchObject({
      code: 'SITE_UNREACHABLE',
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })
})

describe('deltas', () => {
  const deltaFile = (from: number, until: number) => `openfoodfacts_products_${from}_${until}.json.gz`
  const [first, second, third] = [
    deltaFile(1_000_000_000, 1_000_086_400),
    deltaFile(1_000_086_400, 1_000_172_800),
    deltaFile(1_000_172_800, 1_000_259_200),
  ]
  const answers = (listed: readonly string[], codes: Readonly<Record<string, readonly string[]>>) => ({
    // The newest comes first, as on the real site.
    '/data/delta/index.txt': `${listed.join('\n')}\n`,
    ...Object.fromEntries(
      Object.entries(codes).map(([name, each]) => [
        `/data/delta/${name}`,
        ((_request, response) =>
          response.end(gzipSync(jsonl(each.map(code => ({ code, brands: 'A' })))))) as Answer,
      ]),
    ),
  })
  const scratch = async () => new DeltaPosition(await mkdtemp(join(directory, 'position-')))
  const source = (origin: string, position: DeltaPosition, limit?: number) =>
    deltaSource({ index: `${origin}/data/delta/index.txt`, position, userAgent, retryPolicy, limit })
  const codes = ({ products }: Awaited<ReturnType<typeof taken>>) => products.map(({ code }) => code)

  test('are read once, the oldest first, also if new ones are added', async () => {
    const position = await scratch()
    const listed = [second, first]
    const files = { [first]: ['10000001'], [second]: ['10000002', '10000001'], [third]: ['10000003'] }
    await using site = await serve(() => ({
      ...answers(listed, files),
      '/data/delta/index.txt': (_request, response) => response.end(listed.join('\n')),
    }))
    expect(codes(await taken(source(site.origin, position)))).toEqual(['10000001', '10000002', '10000001'])
    listed.unshift(third)
    expect(codes(await taken(source(site.origin, position)))).toEqual(['10000003'])
    expect(codes(await taken(source(site.origin, position)))).toEqual([])
  })

  test('the position moves only when all of a delta is acknowledged', async () => {
    const position = await scratch()
    await using site = await serve(() =>
      answers([second, first], { [first]: ['10000001'], [second]: ['10000002'] }),
    )
    const lost = new Error('Kafka is gone')
    const { error } = await taken(source(site.origin, position), {
      deliver: async ({ code }) => {
        if (code === '10000002') throw lost
      },
    })
    expect(error).toBe(lost)
    expect(codes(await taken(source(site.origin, position, 0)))).toEqual([])
    expect(codes(await taken(source(site.origin, position)))).toEqual(['10000002'])
  })

  test('the delta in which the limit was reached is read again', async () => {
    const position = await scratch()
    await using site = await serve(() => answers([first], { [first]: ['10000001', '10000002'] }))
    expect(codes(await taken(source(site.origin, position, 1)))).toEqual(['10000001'])
    expect(codes(await taken(source(site.origin, position)))).toEqual(['10000001', '10000002'])
  })

  test('a truncated delta gives its products, is the last that is read, and is read again', async () => {
    const position = await scratch()
    const cut: { bytes: number | undefined } = { bytes: -1 }
    const whole = gzipSync(jsonl([{ code: '10000002', brands: 'A' }]))
    await using site = await serve(() => ({
      ...answers([third, second, first], { [first]: ['10000001'], [third]: ['10000003'] }),
      [`/data/delta/${second}`]: (_request, response) => response.end(whole.subarray(0, cut.bytes)),
    }))
    const before = await taken(source(site.origin, position))
    expect([codes(before), reasonsIn(before.events), before.error]).toEqual([
      ...[['10000001', '10000002'], ['truncated'], null],
    ])
    cut.bytes = undefined
    expect(codes(await taken(source(site.origin, position)))).toEqual(['10000002', '10000003'])
  })

  test('changes that are no longer listed are reported', async () => {
    const position = await scratch()
    await using site = await serve(() => answers([third], { [third]: ['10000003'] }))
    await position.write(`${site.origin}/data/delta/index.txt`, 1_000_000_000)
    const { skipped, products } = await taken(source(site.origin, position))
    expect(products.length).toBe(1)
    expect(skipped).toEqual([
      [
        `${site.origin}/data/delta/index.txt`,
        'changes between 2001-09-09T01:46:40.000Z and 2001-09-11T01:46:40.000Z are no longer listed: read the full export once',
      ],
    ])
  })

  test('each index has its own position file', async () => {
    const folder = await mkdtemp(join(directory, 'position-'))
    const position = new DeltaPosition(folder)
    await position.write('https://one.example/index.txt', 1)
    await position.write('https://two.example/index.txt', 2)
    expect(
      await Promise.all(
        ['one', 'two', 'three'].map(name => position.read(`https://${name}.example/index.txt`)),
      ),
    ).toEqual([1, 2, null])
    expect((await readdir(folder)).length).toBe(2)
    const [name = ''] = await readdir(folder)
    expect(JSON.parse(await readFile(join(folder, name), 'utf8'))).toMatchObject({ version: 1 })
  })

  test.each([
    ['<html>'],
    ['../../../etc/passwd'],
    ['http://elsewhere.example/openfoodfacts_products_1000000000_1000086400.json.gz'],
    ['products.jsonl.gz'],
  ])('an index with `%s` is rejected', async line => {
    await using site = await serve(() => answers([line], {}))
    const { error } = await taken(source(site.origin, await scratch()))
    expect(error).toMatchObject({ code: 'INDEX_INVALID', message: expect.stringContaining(line) })
  })
})
