import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parquetMetadata, type SchemaElement } from 'hyparquet'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { taken } from '../testRun.ts'
import { type Answer, serve } from '../web/testSite.ts'
import { exportSource } from './export.ts'

const userAgent = 'offstream-test'
/** Making the files takes longer than reading them. */
const timeout = 60_000

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'offstream-parquet-'))
})
afterAll(() => rm(directory, { recursive: true }))

const text = (name: string): SchemaElement => ({
  ...{ name, type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
})
const float = (name: string): SchemaElement => ({ name, type: 'FLOAT', repetition_type: 'OPTIONAL' })
const list = (name: string, ...members: readonly SchemaElement[]): SchemaElement[] => [
  { name, repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST' },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', repetition_type: 'OPTIONAL', num_children: members.length },
  ...members,
]

const hash = (value: string): string => createHash('sha512').update(value).digest('hex')

/** A file of the official export's form, with the columns that matter here and one that does not. */
const fileOf = (count: number, rowGroupSize: number, pages: object = {}): Buffer => {
  const rows = Array.from({ length: count }, (_, index) => index)
  const column = (name: string, value: (index: number) => unknown) => ({
    name,
    data: rows.map(value),
    ...pages,
  })
  return Buffer.from(
    parquetWriteBuffer({
      rowGroupSize,
      // Several pages for each column of 9,000 rows.
      pageSize: 50_000,
      schema: [
        { name: 'root', num_children: 8 },
        ...[text('code'), text('lang'), text('unheard')],
        { name: 'last_modified_t', type: 'INT64', repetition_type: 'OPTIONAL' },
        { name: 'obsolete', type: 'BOOLEAN', repetition_type: 'OPTIONAL' },
        ...list('product_name', text('lang'), text('text')),
        ...list('nutriments', text('name'), float('100g'), float('prepared_100g')),
        ...list('images', text('key'), { name: 'rev', type: 'INT32', repetition_type: 'OPTIONAL' }),
      ],
      columnData: [
        column('code', index => String(10_000_000 + index)),
        column('lang', () => 'fr'),
        // As large as the columns that are left unread in the official file.
        column('unheard', index => [1, 2, 3, 4].map(salt => hash(`${salt} ${index}`)).join('')),
        column('last_modified_t', index => BigInt(1_774_461_913 + index)),
        column('obsolete', index => index === 1),
        column('product_name', index => [
          { lang: 'en', text: `Name ${index}` },
          { lang: index % 2 === 0 ? 'main' : 'fr', text: `Nom ${index}` },
        ]),
        column('nutriments', () => [
          { name: 'fat', '100g': 17.52, prepared_100g: 3 },
          { name: 'salt', '100g': null, prepared_100g: 1 },
          { name: 'cocoa', '100g': 5, prepared_100g: null },
        ]),
        column('images', index => [{ key: 'front_fr', rev: index }]),
      ],
    }),
  )
}

const written = async (content: Buffer): Promise<string> => {
  const file = join(directory, 'food.parquet')
  await writeFile(file, content)
  return file
}

test.each<readonly [what: string, count: number, rowGroupSize: number, pages: object]>([
  ['several row groups', 2_500, 1_000, {}],
  ['a large row group', 9_000, 9_000, {}],
  ['a large row group without an index of its pages', 9_000, 9_000, { offsetIndex: false }],
])('a file with %s is read to its end', { timeout }, async (_what, count, rowGroupSize, pages) => {
  const file = await written(fileOf(count, rowGroupSize, pages))
  const { products, removals, skipped, error } = await taken(exportSource({ file, userAgent }))
  expect([products.length, removals.map(({ code }) => code), skipped, error]).toEqual([
    count - 1,
    ['10000001'],
    [],
    null,
  ])
  expect(products.map(({ code }) => code)).toEqual(
    Array.from({ length: count }, (_, index) => String(10_000_000 + index)).filter(
      code => code !== '10000001',
    ),
  )
  expect(products.at(2)).toMatchObject({
    ...{ code: '10000003', product_name: 'Nom 3', lang: 'fr', last_modified_t: 1_774_461_916 },
    // 32 bits hold 17.520000457763672.
    ...{ fat_100g: 17.52, salt_100g: null },
    image_url: 'https://images.openfoodfacts.org/images/products/000/001/000/0003/front_fr.3.400.jpg',
  })
})

test('a damaged row group stops the run with its row number, after the rows before it', {
  timeout,
}, async () => {
  const content = fileOf(3_000, 1_000)
  const codes = parquetMetadata(content).row_groups[1]?.columns[0]?.meta_data
  const at = Number(codes?.dictionary_page_offset ?? codes?.data_page_offset)
  content.fill(0xff, at, at + 100)
  const { products, error } = await taken(exportSource({ file: await written(content), userAgent }))
  expect(error).toMatchObject({ code: 'FILE_DAMAGED', message: expect.stringContaining('row 1001') })
  expect(products.length).toBe(999)
})

test.each<readonly [what: string, length: number, bytes: readonly number[]]>([
  // A header is a struct (`5c`) of six numbers, each with its type (`15`), and the end.
  ['no numbers', 14, [0x5c, 0x00]],
  ['a billion values', 14, [0x5c, 0x15, 0x80, 0xa8, 0xd6, 0xb9, 0x07, 0x15, 0, 0x15, 4, 0x15, 0, 0x15, 4]],
])('a page whose header has %s does not stop the process', async (_what, length, header) => {
  const columnData = [
    { name: 'code', data: ['10000001', '10000002'], type: 'STRING' as const },
    { name: 'brands', data: ['A', 'B'], type: 'STRING' as const },
  ]
  const content = Buffer.from(parquetWriteBuffer({ codec: 'UNCOMPRESSED', columnData }))
  const at = content.indexOf(0x5c)
  const damaged = Buffer.concat([content.subarray(0, at), Buffer.from(header), content.subarray(at + length)])
  const { products, error } = await taken(exportSource({ file: await written(damaged), userAgent }))
  expect([products, error]).toEqual([[], expect.objectContaining({ code: 'FILE_DAMAGED' })])
})

test('a row group with fewer values than rows is damaged', async () => {
  const content = fileOf(9_000, 9_000)
  const text = content.toString('latin1')
  // The number of rows of the only row group, before the footer's last members.
  const rows = Buffer.from([0x16, 0xd0, 0x8c, 0x01])
  const at = text.lastIndexOf(rows.toString('latin1'))
  const damaged = Buffer.concat([
    content.subarray(0, at),
    Buffer.from([0x16, 0xd0, 0x8c, 0x81, 0x80, 0x80, 0x80, 0x01]),
    content.subarray(at + rows.length, -8),
    content.subarray(-8),
  ])
  damaged.writeUInt32LE(damaged.readUInt32LE(damaged.length - 8) + 4, damaged.length - 8)
  const { products, error } = await taken(exportSource({ file: await written(damaged), userAgent }))
  expect([products, error]).toEqual([[], expect.objectContaining({ code: 'FILE_DAMAGED' })])
})

test('a file without codes is not an export', async () => {
  const content = parquetWriteBuffer({ columnData: [{ name: 'barcode', data: ['1'], type: 'STRING' }] })
  const { error } = await taken(exportSource({ file: await written(Buffer.from(content)), userAgent }))
  expect(error).toMatchObject({ code: 'FORMAT_UNKNOWN', message: expect.stringContaining('`code`') })
})

test('only the needed columns of a file on a site are downloaded', { timeout }, async () => {
  const content = fileOf(8_000, 1_000)
  let sent = 0
  const ranges: Answer = (request, response) => {
    const [, from, to] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? []
    if (from === undefined || to === undefined) {
      // The reader looks at the first bytes of the file to see what it is.
      response.writeHead(200).write(content.subarray(0, 16), () => undefined)
      return
    }
    const part = content.subarray(Number(from), Number(to) + 1)
    sent += part.length
    response
      .writeHead(206, {
        'content-range': `bytes ${from}-${to}/${content.length}`,
        'content-length': part.length,
      })
      .end(part)
  }
  await using site = await serve(() => ({ '/food.parquet': ranges }))
  const { products, error } = await taken(exportSource({ file: `${site.origin}/food.parquet`, userAgent }))
  expect([products.length, error]).toEqual([7_999, null])
  expect(sent).toBeLessThan(content.length / 2)
})

test('a site without range requests is RANGES_UNSUPPORTED', async () => {
  const content = fileOf(10, 10)
  await using site = await serve(() => ({ '/food.parquet': (_request, response) => response.end(content) }))
  const { error } = await taken(exportSource({ file: `${site.origin}/food.parquet`, userAgent }))
  expect(error).toMatchObject({ code: 'RANGES_UNSUPPORTED', hint: expect.stringContaining('download') })
})

test('columns of other types are read', async () => {
  const content = parquetWriteBuffer({
    columnData: [
      { name: ' Code', data: [3_000_000_000_011n, 34_000_470_693n, 12_345_678_901_234_567n], type: 'INT64' },
      { name: 'product_name', data: ['A', 'B', "[{'lang': main, 'text': C}]"], type: 'STRING' },
      { name: 'fat_100g', data: [17.52, null, 3], type: 'FLOAT' },
      { name: 'last_modified_t', data: [new Date(1_714_000_000_000), null, null], type: 'TIMESTAMP' },
    ],
  })
  const { products } = await taken(exportSource({ file: await written(Buffer.from(content)), userAgent }))
  expect(products.map(each => [each.code, each.product_name, each.fat_100g, each.last_modified_t])).toEqual([
    ['3000000000011', 'A', 17.52, 1_714_000_000],
    ['0034000470693', 'B', null, null],
    ['12345678901234567', 'C', 3, null],
  ])
})

test('a code of a floating-point column is skipped if it may be rounded', async () => {
  const content = parquetWriteBuffer({
    columnData: [
      { name: 'code', data: [3_000_000_000_011, 2.02e11], type: 'DOUBLE' },
      { name: 'brands', data: ['A', 'B'], type: 'STRING' },
    ],
  })
  const { products, skipped } = await taken(
    exportSource({ file: await written(Buffer.from(content)), userAgent }),
  )
  expect([products.map(({ code }) => code), skipped.map(([, reason]) => reason)]).toEqual([
    ['3000000000011'],
    ['its code `202000000000` may be a rounded number'],
  ])
})
