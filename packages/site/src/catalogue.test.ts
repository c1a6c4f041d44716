import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { normalisedCode, readCatalogue } from './catalogue.ts'

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

test('products are read in order, including fields that are not in the schema', async () => {
  expect(await readCatalogue(await fileOf('plain.jsonl', lines))).toEqual({ products })
})

test('a `.gz` file is unpacked', async () => {
  expect(await readCatalogue(await fileOf('packed.jsonl.gz', gzipSync(lines)))).toEqual({ products })
})

test.each([
  ['no-json', '{"code":"20000011"}\n{"code":', ':2` cannot be read: '],
  ['no-code', '\n{"product_name":"x"}', ':2` cannot be read: code: '],
  ['letters', '{"code":"x"}', ':1` cannot be read: code: must be 1 to 24 digits'],
  ['other-type', '{"code":"20000011","brands":7}', ':1` cannot be read: brands: '],
  ['empty', '\n', '` cannot be read: it contains no product'],
])('an invalid catalogue is reported with the line (%s)', async (name, content, words) => {
  const file = await fileOf(`${name}.jsonl`, content)
  await expect(readCatalogue(file)).rejects.toMatchObject({
    code: 'CATALOGUE_UNREADABLE',
    outcome: 'usage',
    message: expect.stringContaining(`\`${file}${words}`),
  })
})

test('a missing file and an invalid gzip file are reported', async () => {
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
])('%s is normalised to %s', (written, code) => {
  expect(normalisedCode(written)).toBe(code)
})
