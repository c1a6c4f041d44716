import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { filedCode, readCatalogue } from './catalogue.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'offstream-site-'))
})
afterAll(() => rm(directory, { recursive: true }))

const fileOf = async (name: string, content: string | Buffer): Promise<string> => {
  const path = join(directory, name)
  await writeFile(path, content)
  return path
}

const lines = '{"code":"20000011","product_name":"Thé","unheard_of":[1]}\r\n\n{"code":"2900000000001"}\n'
const products = [{ code: '20000011', product_name: 'Thé', unheard_of: [1] }, { code: '2900000000001' }]

test('products are read line by line, in their order, with fields that nobody described', async () => {
  expect(await readCatalogue(await fileOf('plain.jsonl', lines))).toEqual({ products })
})

test('a name in `.gz` is unpacked', async () => {
  expect(await readCatalogue(await fileOf('packed.jsonl.gz', gzipSync(lines)))).toEqual({ products })
})

test.each([
  ['no-json', '{"code":"20000011"}\n{"code":', ":2` can't be read: "],
  ['no-code', '\n{"product_name":"x"}', ":2` can't be read: code: "],
  ['letters', '{"code":"x"}', ":1` can't be read: code: must be 1 to 24 digits"],
  ['other-type', '{"code":"20000011","brands":7}', ":1` can't be read: brands: "],
  ['empty', '\n', "` can't be read: it holds no product"],
])('a catalogue that is wrong is told with its place (%s)', async (name, content, words) => {
  const file = await fileOf(`${name}.jsonl`, content)
  await expect(readCatalogue(file)).rejects.toMatchObject({
    code: 'CATALOGUE_UNREADABLE',
    outcome: 'usage',
    message: expect.stringContaining(`\`${file}${words}`),
  })
})

test('a file that is not there, or is no gzip, is told as such', async () => {
  const missing = join(directory, 'missing.jsonl')
  await expect(readCatalogue(missing)).rejects.toMatchObject({
    code: 'CATALOGUE_UNREADABLE',
    message: expect.stringContaining('ENOENT'),
  })
  await expect(readCatalogue(`${missing}.gz`)).rejects.toThrow('ENOENT')
  await expect(readCatalogue(await fileOf('fake.gz', lines))).rejects.toThrow('incorrect header check')
})

test.each([
  ['0003017620422003', '3017620422003'],
  ['1', '00000001'],
  ['123456789', '0000123456789'],
  ['123456789012345', '123456789012345'],
  ['0', null],
  ['1'.repeat(25), null],
])('%s is filed under %s', (written, code) => {
  expect(filedCode(written)).toBe(code)
})
