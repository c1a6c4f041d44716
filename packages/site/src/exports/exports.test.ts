import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { asyncBufferFromUrl, parquetMetadata, parquetReadObjects } from 'hyparquet'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CatalogueProduct } from '../catalogue.ts'
import { generateCatalogue } from '../generate.ts'
import { type Site, startSite } from '../site.ts'
import { get } from '../testClient.ts'

const shared = join(import.meta.dirname, '../../../../../shared/off')

const day = 86_400
/** Products that changed at noon and an hour later. */
const at = (days: number): number => (20_000 + days) * day + day / 2
const tea: CatalogueProduct = {
  code: '2100000000005',
  product_name: 'Thé "noir"\tfort',
  brands: 'Orvelune, Océlise',
  categories: 'Thés',
  categories_tags: ['en:teas'],
  countries_tags: ['en:france', 'en:spain'],
  allergens_tags: ['en:milk'],
  additives_tags: ['en:e330'],
  nutriscore_grade: 'b',
  nutriscore_score: -1,
  nova_group: 3,
  nutriments: { fat_100g: 17.52, fat_unit: 'g', fat_serving: 2, 'energy-kcal_100g': 117, note: 'x' },
  lang: 'fr',
  rev: 4,
  created_t: 1_519_297_017,
  last_modified_t: at(1),
  last_updated_t: at(14) + 3600,
}
const coffee: CatalogueProduct = { code: '2100000000012', last_modified_t: at(14), obsolete: false }
const old: CatalogueProduct = { code: '2100000000029', last_modified_t: at(0) }
const fresh: CatalogueProduct = { code: '2100000000036', last_modified_t: at(1) }
const gone: CatalogueProduct = { code: '2100000000043', obsolete: true, last_modified_t: at(14) }
const products = [tea, coffee, old, fresh, gone]

let site: Site
beforeAll(async () => {
  site = await startSite({ catalogue: { products } })
})
afterAll(() => site[Symbol.asyncDispose]())

const unpacked = async (path: string): Promise<string> =>
  gunzipSync((await get(site, path)).bytes).toString('utf8')
const jsonl = '/data/openfoodfacts-products.jsonl.gz'
const csv = '/data/en.openfoodfacts.org.products.csv.gz'

test('JSON Lines contain every product that is not obsolete, with all fields', async () => {
  const lines = (await unpacked(jsonl)).trimEnd().split('\n')
  const expected = [tea, coffee, old, fresh].map(each => ({ _id: each.code, ...each }))
  expect(lines.map(line => JSON.parse(line))).toEqual(expected)
})

describe('the CSV', () => {
  test('is separated by tabs and quotes only fields with quotes', async () => {
    const [head = '', first = ''] = (await unpacked(csv)).split('\n')
    const names = head.split('\t')
    const cells = Object.fromEntries(first.split('\t').map((cell, index) => [names[index], cell]))
    expect(first.split('\t')).toHaveLength(names.length)
    expect(cells).toMatchObject({
      code: '2100000000005',
      product_name: '"Thé ""noir"" fort"',
      created_t: '1519297017',
      created_datetime: '2018-02-22T10:56:57Z',
      brands: 'Orvelune, Océlise',
      brands_tags: 'xx:orvelune,xx:ocelise',
      categories_en: 'Thés',
      countries: 'France,Espagne',
      countries_tags: 'en:france,en:spain',
      countries_en: 'France,Spain',
      allergens: 'en:milk',
      additives_n: '1',
      nova_group: '3',
      'energy-kcal_100g': '117',
      fat_100g: '17.52',
      salt_100g: '',
    })
  })

  test.skipIf(!existsSync(shared))(
    `has columns of the official one, in its order (needs ${shared})`,
    async () => {
      const official = readFileSync(join(shared, 'export.csv'), 'utf8').split('\n', 1)[0]?.split('\t') ?? []
      const generated = (await unpacked(csv)).split('\n', 1)[0]?.split('\t') ?? []
      expect(generated).toEqual(official.filter(name => generated.includes(name)))
    },
  )
})

describe('the Parquet', () => {
  test('nests languages and nutriments, and can be read in ranges over HTTP', async () => {
    const file = await asyncBufferFromUrl({ url: `${site.address}/data/food.parquet` })
    const rows = await parquetReadObjects({ file })
    const main = { lang: 'main', text: 'Thé "noir"\tfort' }
    expect(rows.map(({ code }) => code)).toEqual(products.map(({ code }) => code))
    expect(rows.map(({ obsolete }) => obsolete)).toEqual([false, false, false, false, true])
    expect(rows[0]).toMatchObject({
      product_name: [main, { ...main, lang: 'fr' }],
      brands_tags: ['xx:orvelune', 'xx:ocelise'],
      countries_tags: ['en:france', 'en:spain'],
      last_updated_t: BigInt(at(14) + 3600),
      nova_group: 3,
      nutriscore_score: -1,
      rev: 4,
      nutriments: [
        { name: 'fat', value: Math.fround(17.52), '100g': Math.fround(17.52), serving: 2, unit: 'g' },
        { name: 'energy-kcal', value: 117, '100g': 117 },
      ],
    })
  })

  test.skipIf(!existsSync(shared))(
    `has columns of the official one, of the same types (needs ${shared})`,
    async () => {
      const shapeOf = (bytes: Buffer) => {
        const { buffer, byteOffset, byteLength } = bytes
        const { schema } = parquetMetadata(new Uint8Array(buffer, byteOffset, byteLength).slice().buffer)
        return new Map(
          columnsOf(
            schema.slice(1).map(({ name, type, converted_type, num_children }) => ({
              name,
              type,
              converted_type,
              num_children,
            })),
          ),
        )
      }
      const generated = shapeOf((await get(site, '/data/food.parquet')).bytes)
      const official = shapeOf(readFileSync(join(shared, 'export.parquet')))
      for (const [name, shape] of generated) {
        if (name !== 'nutriments') expect([name, shape]).toEqual([name, official.get(name)])
      }
      // The official list has four more numbers, for the prepared product.
      expect(generated.get('nutriments')?.map(({ name }) => name)).toEqual(
        official
          .get('nutriments')
          ?.map(({ name }) => name)
          .filter(name => !name.startsWith('prepared_')),
      )
    },
  )
})

interface Element {
  readonly name: string
  readonly num_children?: number | undefined
}

/** The columns of a flat schema, each with its nested columns. */
const columnsOf = <T extends Element>(schema: readonly T[]): readonly (readonly [string, readonly T[]])[] => {
  const columns: (readonly [string, readonly T[]])[] = []
  const sizeAt = (index: number): number => {
    let size = 1
    for (let child = 0; child < (schema[index]?.num_children ?? 0); child += 1) size += sizeAt(index + size)
    return size
  }
  for (let index = 0; index < schema.length; index += sizeAt(index))
    columns.push([schema[index]?.name ?? '', schema.slice(index, index + sizeAt(index))])
  return columns
}

describe('deltas', () => {
  const newest = `openfoodfacts_products_${at(14)}_${at(14) + 3600}.json.gz`

  test('of 14 days are listed by first and last change, the newest first', async () => {
    expect(await get(site, '/data/delta/index.txt')).toMatchObject({
      type: 'text/plain; charset=utf-8',
      body: `${newest}\nopenfoodfacts_products_${at(1)}_${at(1)}.json.gz\n`,
    })
  })

  test('contain the changes of one day in order', async () => {
    const lines = (await unpacked(`/data/delta/${newest}`)).trimEnd().split('\n')
    expect(lines.map(line => JSON.parse(line).code)).toEqual([coffee.code, tea.code])
    expect((await get(site, '/data/delta/openfoodfacts_products_1_2.json.gz')).status).toBe(404)
  })

  test('show a change immediately', async () => {
    await using changing = await startSite({ catalogue: { products } })
    await get(changing, '/data/delta/index.txt')
    changing.update({ ...fresh, last_modified_t: at(15) })
    const { body } = await get(changing, '/data/delta/index.txt')
    expect(body).toBe(`openfoodfacts_products_${at(15)}_${at(15)}.json.gz\n${newest}\n`)
  })
})

describe('downloads', () => {
  test('of an unchanged file have the same bytes and the same ETag', async () => {
    const [one, other] = [await get(site, jsonl), await get(site, jsonl)]
    expect(one.bytes.equals(other.bytes)).toBe(true)
    expect([one.headers.etag, one.headers['last-modified']]).toEqual([
      other.headers.etag,
      new Date((at(14) + 3600) * 1000).toUTCString(),
    ])
    expect(await get(site, jsonl, { method: 'HEAD' })).toMatchObject({
      status: 200,
      body: '',
      headers: { 'content-length': String(one.bytes.length) },
    })
  })

  test('resume after an interruption, unless the file has changed', async () => {
    const { bytes, headers } = await get(site, jsonl)
    const size = bytes.length
    const part = (range: string, version = headers.etag ?? '') =>
      get(site, jsonl, { headers: { range, 'if-range': version } })
    const rest = await part('bytes=100-')
    expect([rest.status, rest.headers['content-range']]).toEqual([206, `bytes 100-${size - 1}/${size}`])
    expect(Buffer.concat([bytes.subarray(0, 100), rest.bytes]).equals(bytes)).toBe(true)
    expect((await part('bytes=0-9')).bytes.equals(bytes.subarray(0, 10))).toBe(true)
    expect((await part('bytes=-5')).bytes.equals(bytes.subarray(-5))).toBe(true)
    expect((await part('bytes=100-', '"other"')).status).toBe(200)
    expect((await part(`bytes=${size}-`)).headers['content-range']).toBe(`bytes */${size}`)
    const whole = await Promise.all(
      ['bytes=9-3', 'bytes=-', 'bytes=0-1,4-5', 'lines=1-2'].map(range => part(range)),
    )
    expect(whole.map(({ status }) => status)).toEqual([200, 200, 200, 200])
  })
})

test('a site with storage redirects large exports there and serves the small ones', async () => {
  await using moved = await startSite({ catalogue: { products }, storage: 'localhost' })
  const { port } = new URL(moved.address)
  const inStorage = { host: `localhost:${port}` }
  for (const path of [jsonl, csv]) {
    const name = path.replace('/data/', '/')
    expect(await get(moved, path)).toMatchObject({ status: 302, location: `http://localhost:${port}${name}` })
    expect((await get(moved, name)).status).toBe(404)
    expect((await get(moved, name, inStorage)).bytes.equals((await get(site, path)).bytes)).toBe(true)
  }
  expect((await get(moved, '/data/delta/index.txt')).status).toBe(200)
})

test('every export accepts a generated catalogue', async () => {
  const catalogue = generateCatalogue()
  await using invented = await startSite({ catalogue })
  const lines = gunzipSync((await get(invented, jsonl)).bytes)
    .toString('utf8')
    .trimEnd()
    .split('\n')
  const rows = gunzipSync((await get(invented, csv)).bytes)
    .toString('utf8')
    .trimEnd()
    .split('\n')
  const file = await asyncBufferFromUrl({ url: `${invented.address}/data/food.parquet` })
  expect(lines.map(line => JSON.parse(line))).toEqual(
    catalogue.products.map(each => ({ _id: each.code, ...each })),
  )
  expect(rows.slice(1).map(row => row.split('\t', 1)[0])).toEqual(catalogue.products.map(({ code }) => code))
  expect((await parquetReadObjects({ file })).map(({ code }) => code)).toEqual(
    catalogue.products.map(({ code }) => code),
  )
}, 60_000)
