import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'rolldown'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ReadResult } from '../reader.ts'
import { resultsIn } from './entry.ts'
import { LineReader } from './jsonl.ts'
import { jsonlFileResults, lineFields } from './jsonlFile.ts'
import { BlockCutter } from './lines.ts'

let folder: string
let thread: URL

// Node 20 runs no TypeScript, and a thread is beyond the reach of vitest.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'offstream-thread-'))
  const file = join(folder, 'lineThread.mjs')
  await build({
    input: join(import.meta.dirname, 'lineThread.ts'),
    platform: 'node',
    resolve: { conditionNames: ['source', 'import', 'node', 'default'] },
    output: { file },
    logLevel: 'silent',
  })
  thread = pathToFileURL(file)
})

afterAll(() => rm(folder, { recursive: true, force: true }))

const options = { name: 'a.jsonl', source: 'export', site: null } as const

/** Everything that comes of a file, the moment left out at which each was seen. */
const all = async (chunks: Iterable<Buffer>, program?: URL): Promise<unknown[]> => {
  const results: unknown[] = []
  for await (const some of jsonlFileResults(
    later(chunks),
    options,
    program === undefined ? {} : { thread: program },
  ))
    for (const result of some) if (result !== null) results.push(shown(result))
  return results
}

const shown = (result: ReadResult): unknown => {
  if (result.kind !== 'product') return result
  const { as_of, observed_at, ...record } = JSON.parse(String(result.product.json))
  return { ...result, product: { ...result.product, json: record } }
}

/** 8 MB, in parts that end anywhere, among them lines that are none. */
const longFile = function* (): Generator<Buffer> {
  const line = (code: number) =>
    `{"padding":"${'é'.repeat(2_000)}","code":"${code}","brands":"Été, \\"A\\""}\n`
  const broken = ['\n', '{"code":"1","brands"\n', '[]\n', '{"code":tru}\n']
  const text = Array.from(
    { length: 2_010 },
    (_, index) => line(1_000 + index) + (broken[index % 1_000] ?? ''),
  ).join('')
  const bytes = Buffer.concat([
    Buffer.from(text),
    Buffer.from([0x22, 0xff, 0x22, 0x0a]),
    Buffer.from(line(1_007).trim()),
  ])
  for (let at = 0; at < bytes.length; at += 99_991) yield bytes.subarray(at, at + 99_991)
}

async function* later(chunks: Iterable<Buffer>): AsyncGenerator<Buffer> {
  yield* chunks
}

/** The same bytes, read here from the first to the last. */
const withoutThread = (): unknown[] => {
  const results: unknown[] = []
  const [cutter, lines] = [new BlockCutter(), new LineReader(lineFields)]
  for (const entries of [...Array.from(longFile(), cutter.cut), cutter.rest()].map(lines.entries))
    results.push(...resultsIn(entries, options).flatMap(result => (result === null ? [] : shown(result))))
  return results
}

test('a long file gives the same results with and without the thread', async () => {
  const results = await all(longFile(), thread)
  expect(results.length).toBeGreaterThan(2_010)
  expect(results).toEqual(withoutThread())
  expect(results[0]).toMatchObject({
    ...{ kind: 'product', address: 'a.jsonl:1' },
    product: { code: '00001000', json: { code: '00001000', brands: 'Été, "A"' } },
  })
})

test('a file that is known to be long is read by the thread from its start', async () => {
  const results: unknown[] = []
  const lines = [
    Buffer.from('\ufeff{"code":"10000001","brands":"A"}\n{"code":'),
    Buffer.from('"10000002","brands":"B"}'),
  ]
  for await (const some of jsonlFileResults(later(lines), options, { threadAfter: 0, thread }))
    results.push(...some)
  // Records as bytes come from there.
  expect(results).toMatchObject([
    { address: 'a.jsonl:1', product: { code: '10000001', json: expect.any(Buffer) } },
    { address: 'a.jsonl:2', product: { code: '10000002', json: expect.any(Buffer) } },
  ])
})

test.each<readonly [what: string, line: (product: string, long: string) => string]>([
  ['a product', product => product],
  ['a response', (product, long) => `{${long},"status":1,"product":${product}}`],
  ['a list of products', (product, long) => `{${long},"products":[${product}]}`],
  ['the payload of Kafka Connect', (product, long) => `{${long},"schema":{},"payload":${product}}`],
  [
    'a list in an envelope',
    (product, long) => `{${long},"specversion":"1.0","type":"x","data":[${product}]}`,
  ],
  ['a change of a row', (product, long) => `{${long},"op":"c","before":null,"after":${product}}`],
  ['text', (product, long) => `{${long},"op":"c","after":${JSON.stringify(product)}}`],
])('a barcode that is a number keeps its digits in a long line with %s', async (_what, line) => {
  const long = `"long":"${'x'.repeat(2_000)}"`
  const numbers = ['12345678901234567', ' 2.02E+11', '-4006381333931', '4006381333931.0', '"4006381333931"']
  const names = ['"code"', '"\\u0063ode"', '"_id"']
  const lines = names.flatMap(name =>
    numbers.map(number => line(`{${long},${name}:${number},"brands":"A"}`, long)),
  )
  const results = (await all([Buffer.from(lines.join('\n'))])) as readonly ReadResult[]
  const found = results.map(result =>
    result.kind === 'product' ? result.product.code : result.kind === 'unreadable' && result.skippedBy,
  )
  const codes = ['12345678901234567', 'invalid-code', 'invalid-code', '4006381333931', '4006381333931']
  expect(found).toEqual([...codes, ...codes, ...codes])
})

test('a line that is too long is reported with its number, also if the thread takes over inside it', async () => {
  const parts = [
    '{"code":"10000001","brands":"A"}\n{"padding":"',
    ...Array<string>(18).fill('x'.repeat(1024 * 1024)),
    '"}\n',
  ]
  expect(
    await all(
      [...parts, '{"code":"10000002","brands":"B"}'].map(part => Buffer.from(part)),
      thread,
    ),
  ).toMatchObject([
    { kind: 'product', address: 'a.jsonl:1' },
    { kind: 'unreadable', address: 'a.jsonl:2', skippedBy: 'too-long', reason: 'the line is too long' },
    { kind: 'product', address: 'a.jsonl:3', product: { code: '10000002' } },
  ])
})

test('a product is delivered as soon as its line has arrived', async () => {
  let requested = 0
  async function* slow(): AsyncGenerator<Buffer> {
    for (;;) {
      requested += 1
      yield Buffer.from('{"code":"10000001","brands":"A"}\n')
    }
  }
  const results = jsonlFileResults(slow(), options)
  expect([(await results.next()).value, requested]).toEqual([
    [expect.objectContaining({ address: 'a.jsonl:1' })],
    1,
  ])
  await results.return(undefined)
})

test('filtered lines keep their place, also in the thread', async () => {
  const wanted = { ...options, country: 'en:france' }
  const line = (country: string) =>
    `{"code":"10000001","countries_tags":["en:${country}"],"x":"${'x'.repeat(9_999)}"}\n`
  const lines = Array.from({ length: 2_000 }, (_, index) => line(index % 3 === 0 ? 'france' : 'italy'))
  const kinds: unknown[] = []
  for await (const some of jsonlFileResults(later(lines.map(each => Buffer.from(each))), wanted, { thread }))
    kinds.push(...some.map(result => result?.kind ?? null))
  expect(kinds).toEqual(lines.map((_, index) => (index % 3 === 0 ? 'product' : null)))
})

test('a file that is not read to its end is closed', async () => {
  let isClosed = false
  async function* endless(): AsyncGenerator<Buffer> {
    try {
      for (;;) yield* longFile()
    } finally {
      isClosed = true
    }
  }
  for await (const results of jsonlFileResults(endless(), options, { thread })) {
    expect(results[0]).toMatchObject({ address: 'a.jsonl:1' })
    break
  }
  expect(isClosed).toBe(true)
})

test('a file that fails throws its error after the lines before it', async () => {
  async function* broken(): AsyncGenerator<Buffer> {
    yield* longFile()
    throw new Error('the disk is gone')
  }
  let count = 0
  const read = async () => {
    for await (const results of jsonlFileResults(broken(), options, { thread })) count += results.length
  }
  await expect(read()).rejects.toThrow('the disk is gone')
  // All but the last, which has no end.
  expect(count).toBe(withoutThread().length - 1)
})

test('a thread that cannot run stops the reading', async () => {
  const missing = pathToFileURL(join(folder, 'missing.mjs'))
  await expect(all(longFile(), missing)).rejects.toThrow(/Cannot find module/)
})
