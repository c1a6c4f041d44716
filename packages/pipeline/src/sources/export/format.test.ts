import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { fileArrivals } from './format.ts'

const jsonl = Buffer.from('\n{"code":"3017620422003"}\n{"code":"3068320123264"}\n')
const csv = Buffer.from('\ufeffcode\tproduct_name\n3017620422003\tNutella\n3068320123264\tEvian\n')

/** The barcodes of a file that comes in parts of one byte, as from a site that is overloaded. */
const codesIn = async (file: Buffer): Promise<readonly string[]> => {
  const input = {
    name: 'slow',
    chunks: async function* () {
      for (const byte of file) yield Buffer.from([byte])
    },
    parts: () => Promise.reject(new Error('it is no Parquet')),
  }
  const codes: string[] = []
  for await (const arrivals of fileArrivals(input, { source: 'export', site: 'https://example.org' }))
    codes.push(...arrivals.flatMap(each => (each?.kind === 'product' ? [each.product.code] : [])))
  return codes
}

test.each([
  ['JSON lines', jsonl],
  ['JSON lines in gzip', gzipSync(jsonl)],
  ['CSV', csv],
  ['CSV in gzip', gzipSync(csv)],
])('%s that come byte by byte are read as what they are', async (_what, file) => {
  expect(await codesIn(file)).toEqual(['3017620422003', '3068320123264'])
})

test('what ends before it says what it is is no export', async () => {
  await expect(codesIn(Buffer.from('co'))).rejects.toMatchObject({ code: 'FORMAT_UNKNOWN' })
})
