import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { generateCatalogue, startSite } from '@offstream/site'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { configOf } from '../project/layers.ts'
import { openSource, type SourceRequest, type SourceSurroundings } from './open.ts'
import { taken } from './testRun.ts'

const catalogue = generateCatalogue({ count: 30 })
const codes = catalogue.products.map(({ code }) => code)

let site: Awaited<ReturnType<typeof startSite>>
beforeAll(async () => {
  site = await startSite({ catalogue })
})
afterAll(() => site[Symbol.asyncDispose]())

/** A project in its own folder. */
const surroundings = async (
  settings: readonly string[] = [],
  more: Partial<SourceSurroundings> = {},
): Promise<SourceSurroundings> => {
  const directory = await mkdtemp(join(tmpdir(), 'offstream-open-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  return {
    project: { config: configOf(settings), directory, state: join(directory, '.offstream') },
    environment: {},
    input: Readable.from([]),
    remembers: true,
    ...more,
  }
}

const codesFrom = async (request: SourceRequest, around: SourceSurroundings): Promise<readonly string[]> => {
  const { products, error, skipped } = await taken(openSource(request, around))
  expect([error, skipped]).toEqual([null, []])
  return products.map(({ code }) => code)
}

test('the API of the configured site gets requests with our user agent and the configured contact', async () => {
  const around = await surroundings([`api.url=${site.address}`, 'web.contact=me@example.org'])
  const before = site.requests.length
  const query = { kind: 'codes', codes: codes.slice(0, 2), version: 3 } as const
  expect(await codesFrom({ kind: 'api', query }, around)).toEqual(codes.slice(0, 2))
  const requested = site.requests.slice(before)
  expect(requested.map(({ path, userAgent }) => [path.replace(/\/\d+\?.*/, ''), userAgent])).toEqual(
    Array(2).fill(['/api/v3/product', 'offstream/0.1.0 (me@example.org)']),
  )
  const search = { kind: 'search', parameters: {} } as const
  expect((await codesFrom({ kind: 'api', query: search, limit: 7 }, around)).length).toBe(7)
})

const soap = { code: '10000001', product_name: 'Soap', product_type: 'beauty', nutriments: {}, countries: '' }
const bread = { code: '10000002', product_name: 'Bread', nutriments: {}, countries: '' }
const name = { code: '10000003', product_name: 'Only a name' }

test.each([
  [[], ['10000002', '10000003'], ['other-product-type']],
  [['scrape.productTypes=beauty, food'], ['10000001', '10000002', '10000003'], []],
  [['scrape.partial=skip'], ['10000002'], ['other-product-type', 'partial']],
])(
  'the settings %j publish %j and skip by %j, from pipes and files alike',
  async (settings, published, skipped) => {
    const lines = [soap, bread, name].map(product => `${JSON.stringify(product)}\n`).join('')
    const around = await surroundings(settings, { input: Readable.from([Buffer.from(lines)]) })
    const file = join(around.project.directory, 'products.jsonl')
    await writeFile(file, lines)
    for (const request of [{ kind: 'stdin' }, { kind: 'export', file }] as const) {
      const { products, events } = await taken(openSource(request, around))
      expect([
        products.map(({ code }) => code),
        events.flatMap(event => (event.kind === 'skipped' ? [event.skippedBy] : [])),
      ]).toEqual([published, skipped])
    }
  },
)

test.each([
  ['code,product_name,countries\n10000001,Bread,\n', ['nutriments']],
  ['code,product_name,countries,fat_100g\n10000001,Bread,,\n', undefined],
  ['code,brands\n10000001,A\n', ['product_name', 'nutriments', 'countries']],
])('the columns of the CSV %j decide whether its products are partial: %j', async (lines, missing) => {
  const around = await surroundings([], { input: Readable.from([Buffer.from(lines)]) })
  const { events } = await taken(openSource({ kind: 'stdin' }, around))
  const partial = events.flatMap(event => (event.kind === 'partial' ? [event.missing] : []))
  expect(partial).toEqual(missing === undefined ? [] : [missing])
})

test('a product without nutriments is published, and reported as partial', async () => {
  const input = Readable.from([Buffer.from(`${JSON.stringify(bread)}\n${JSON.stringify(name)}\n`)])
  const { events } = await taken(openSource({ kind: 'stdin' }, await surroundings([], { input })))
  expect(events.filter(({ kind }) => kind === 'partial')).toEqual([
    { kind: 'partial', address: 'stdin:2', missing: ['nutriments', 'countries'] },
  ])
})

test('the export is the configured one, relative to the folder of the project, or the requested one', async () => {
  const around = await surroundings(['export.file=data/mine.jsonl'])
  const { directory } = around.project
  await expect(taken(openSource({ kind: 'export' }, around))).resolves.toMatchObject({
    error: { code: 'FILE_MISSING', message: expect.stringContaining(join(directory, 'data/mine.jsonl')) },
  })
  await writeFile(
    join(directory, 'mine.jsonl'),
    '{"code":"10000001","brands":"A"}\n{"code":"10000002","brands":"B"}\n',
  )
  const mine = await surroundings([`export.file=${join(directory, 'mine.jsonl')}`])
  expect(await codesFrom({ kind: 'export', limit: 1 }, mine)).toEqual(['10000001'])
  const file = `${site.address}/data/openfoodfacts-products.jsonl.gz`
  expect(await codesFrom({ kind: 'export', file }, mine)).toHaveLength(30)
})

test('deltas are read once, and a dry run reads them without saving the position', async () => {
  const around = await surroundings([`export.deltas=${site.address}/data/delta/index.txt`])
  const deltas = { kind: 'export', deltas: true } as const
  const dry = await codesFrom(deltas, { ...around, remembers: false })
  expect(dry.length).toBeGreaterThan(0)
  expect(await readdir(around.project.directory)).toEqual([])
  expect(await codesFrom(deltas, around)).toEqual(dry)
  expect(await codesFrom(deltas, around)).toEqual([])
})

test('standard input is read to its end', async () => {
  const input = Readable.from([
    Buffer.from('{"code":"10000001","brands":"A"}\n{"code":"10000002","brands":"B"}\n'),
  ])
  expect(await codesFrom({ kind: 'stdin' }, await surroundings([], { input }))).toEqual([
    '10000001',
    '10000002',
  ])
})

test.each<readonly [settings: readonly string[], request: SourceRequest, code: string]>([
  [[], { kind: 'web', address: 'openfoodfacts.org' }, 'ADDRESS_INVALID'],
  [[], { kind: 'web', address: 'https://example.org', lang: 'fr' }, 'ADDRESS_INVALID'],
  [[], { kind: 'export', file: 'http:///' }, 'ADDRESS_INVALID'],
  [[], { kind: 'export', deltas: 'https://a b/' }, 'ADDRESS_INVALID'],
  [['export.file=https://['], { kind: 'export' }, 'ADDRESS_INVALID'],
  [[], { kind: 'topic', topic: 'theirs' }, 'OPTION_MISSING'],
  [['topic.brokers=one:9092'], { kind: 'topic' }, 'OPTION_MISSING'],
  [
    ['topic.sasl.mechanism=plain', 'topic.sasl.username=me', 'topic.sasl.passwordVariable=SECRET'],
    { kind: 'topic', brokers: ['one:9092'], topic: 'theirs' },
    'SECRET_MISSING',
  ],
])('with %j, %j is rejected before anything is opened: %s', async (settings, request, code) => {
  const around = await surroundings(settings)
  expect(() => openSource(request, around)).toThrow(expect.objectContaining({ code }))
})

test.each([
  ['127.0.0.1:9092', 'products-events'],
  ['localhost:9092, other.example.org:9092', 'products-events'],
])('our own topic at %s is not read into itself', async (brokers, topic) => {
  const around = await surroundings([`topic.brokers=${brokers}`, `topic.topic=${topic}`])
  const { error } = await taken(openSource({ kind: 'topic', untilEnd: true }, around))
  expect(error).toMatchObject({ code: 'MIRROR_LOOP' })
})

describe('an export of Open Food Facts', () => {
  const bucket = 'https://openfoodfacts-ds.s3.eu-west-3.amazonaws.com'
  const lines = gzipSync('{"code":"10000001","brands":"A"}\n{"code":"10000002","brands":"B"}\n')

  /** Answers instead of the real site, which no test disturbs. @returns the requested addresses */
  const answering = (answers: Readonly<Record<string, string | Buffer>>): readonly string[] => {
    const requested: string[] = []
    vi.stubGlobal('fetch', async (address: string) => {
      requested.push(address)
      const answer = answers[address]
      if (typeof answer === 'string')
        return new Response(null, { status: 302, headers: { location: answer } })
      return answer === undefined ? new Response(null, { status: 404 }) : new Response(new Uint8Array(answer))
    })
    onTestFinished(() => void vi.unstubAllGlobals())
    return requested
  }

  test('is read from the bucket that the configured address redirects to', async () => {
    const address = 'https://static.openfoodfacts.org/data/openfoodfacts-products.jsonl.gz'
    const requested = answering({
      [address]: `${bucket}/openfoodfacts-products.jsonl.gz`,
      [`${bucket}/openfoodfacts-products.jsonl.gz`]: lines,
    })
    const codesOfIt = await codesFrom({ kind: 'export' }, await surroundings())
    expect([codesOfIt, requested]).toEqual([
      ['10000001', '10000002'],
      [address, `${bucket}/openfoodfacts-products.jsonl.gz`],
    ])
  })

  test('is read with an http address too, which redirects to https and then to the bucket', async () => {
    const file = 'http://static.openfoodfacts.org/data/a.jsonl.gz'
    answering({
      [file]: 'https://static.openfoodfacts.org/data/a.jsonl.gz',
      'https://static.openfoodfacts.org/data/a.jsonl.gz': `${bucket}/a.jsonl.gz`,
      [`${bucket}/a.jsonl.gz`]: lines,
    })
    expect(await codesFrom({ kind: 'export', file }, await surroundings())).toHaveLength(2)
  })

  test('its deltas are read from the bucket too, if they move there', async () => {
    const index = 'https://static.openfoodfacts.org/data/delta/index.txt'
    const name = 'openfoodfacts_products_1000000000_1000086400.json.gz'
    answering({
      [index]: `${bucket}/delta/index.txt`,
      [`${bucket}/delta/index.txt`]: Buffer.from(name),
      [`https://static.openfoodfacts.org/data/delta/${name}`]: `${bucket}/delta/${name}`,
      [`${bucket}/delta/${name}`]: lines,
    })
    expect(await codesFrom({ kind: 'export', deltas: true }, await surroundings())).toHaveLength(2)
  })

  test.each([
    'https://another-bucket.s3.eu-west-3.amazonaws.com/a.jsonl.gz',
    'http://openfoodfacts-ds.s3.eu-west-3.amazonaws.com/a.jsonl.gz',
    'https://openfoodfacts-ds.s3.eu-west-3.amazonaws.com:8443/a.jsonl.gz',
    'https://openfoodfacts-ds.s3.eu-west-3.amazonaws.com.example.org/a.jsonl.gz',
    'http://169.254.169.254/latest/meta-data/',
    'http://127.0.0.1/a.jsonl.gz',
  ])('is not read at %s, whether the site or the bucket redirects there', async elsewhere => {
    const file = 'https://static.openfoodfacts.org/data/a.jsonl.gz'
    const around = await surroundings()
    const requested = answering({ [file]: `${bucket}/a.jsonl.gz`, [`${bucket}/a.jsonl.gz`]: elsewhere })
    const refusal = { error: { code: 'REDIRECTED_ELSEWHERE', message: expect.stringContaining(elsewhere) } }
    expect(await taken(openSource({ kind: 'export', file }, around))).toMatchObject(refusal)
    expect(requested).toEqual([file, `${bucket}/a.jsonl.gz`])
    answering({ [file]: elsewhere })
    expect(await taken(openSource({ kind: 'export', file }, around))).toMatchObject(refusal)
  })

  test('another site may not redirect there', async () => {
    const file = 'https://example.org/a.jsonl.gz'
    answering({ [file]: `${bucket}/a.jsonl.gz`, [`${bucket}/a.jsonl.gz`]: lines })
    expect(await taken(openSource({ kind: 'export', file }, await surroundings()))).toMatchObject({
      error: { code: 'REDIRECTED_ELSEWHERE' },
    })
  })
})
