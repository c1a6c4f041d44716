import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { gunzipped } from './gunzip.ts'

async function* inParts(content: Buffer, bytes: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < content.length; at += bytes) yield content.subarray(at, at + bytes)
}

const read = async (content: Buffer, partBytes: number) => {
  let [text, warning, error] = ['', null as unknown, null as unknown]
  try {
    const onWarning = (given: unknown) => {
      warning = given
    }
    for await (const chunk of gunzipped(inParts(content, partBytes), 'a.gz', onWarning))
      text += chunk.toString('latin1')
  } catch (thrown) {
    error = thrown
  }
  return { text, warning, error }
}

// Does not compress well, so that the file is longer than the buffers of the stream.
const long = Array.from({ length: 4_000 }, (_, index) =>
  createHash('sha512').update(`${index}`).digest('hex'),
).join('')
const parts = [1, 7, 1_000, 1_000_000]

test.each(parts)('members, names and zeros at the end are read, in parts of %i bytes', async bytes => {
  const named = gzipSync('b')
  named[3] = 0b11110
  const header = Buffer.concat([named.subarray(0, 10), Buffer.from('\x02\0xyname\0comment\0cc', 'latin1')])
  const content = Buffer.concat([
    gzipSync('a'),
    header,
    named.subarray(10),
    gzipSync(''),
    gzipSync('c'),
    Buffer.alloc(9),
  ])
  expect(await read(content, bytes)).toEqual({ text: 'abc', warning: null, error: null })
})

test.each(parts)('bytes after the end are ignored and reported, in parts of %i bytes', async bytes => {
  for (const text of ['a', bytes < 1_000 ? 'b' : long])
    expect(await read(Buffer.concat([gzipSync(text), Buffer.from('garbage')]), bytes)).toEqual({
      ...{ text, warning: 'trailing-bytes', error: null },
    })
})

test('everything before the end of a truncated file is read', async () => {
  const content = gzipSync('abcdefgh', { level: 0 })
  for (let length = 2; length < content.length; length += 1) {
    expect(await read(content.subarray(0, length), 5)).toEqual({
      // Ten bytes are the header of the file, five the header of the block, and the checksum follows the text.
      text: 'abcdefgh'.slice(0, Math.max(0, length - 15)),
      ...{ warning: 'truncated', error: null },
    })
  }
  const cut = await read(gzipSync(long, { level: 0 }).subarray(0, 300_000), 65_536)
  expect([cut.text.length > 299_900, long.startsWith(cut.text)]).toEqual([true, true])
})

test('a wrong checksum is reported after the data', async () => {
  const content = gzipSync('abc')
  content[content.length - 5] = (content.at(-5) ?? 0) ^ 0xff
  expect(await read(content, 10)).toMatchObject({ text: 'abc', error: { code: 'FILE_DAMAGED' } })
})

test('an error of the input is reported after the data before it', async () => {
  const failing = async function* () {
    yield gzipSync('abc', { level: 0 }).subarray(0, 17)
    throw new Error('gone')
  }
  let text = ''
  const reading = async () => {
    for await (const chunk of gunzipped(failing(), 'a.gz', () => undefined)) text += chunk.toString()
  }
  await expect(reading()).rejects.toThrow('gone')
  expect(text).toBe('ab')
})
