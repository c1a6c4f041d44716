import fc from 'fast-check'
import { decompressSnappy, decompressZstd } from 'hyparquet-compressors'
import { expect, test } from 'vitest'
import { unpackLz4, unpackSnappy } from './codecs.ts'

const decompressors = { snappy: decompressSnappy, zstd: decompressZstd }

/** Magic, flags (blocks stand alone), largest block (64 KB), checksum of the header, which is not looked at. */
const header = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0]
const sized = (length: number) => [length & 0xff, length >> 8, 0, 0]
const frame = (...blocks: readonly (readonly number[])[]): Buffer =>
  Buffer.from([...header, ...blocks.flatMap(block => [...sized(block.length), ...block]), 0, 0, 0, 0])
const bytes = (text: string): number[] => [...Buffer.from(text)]

test('an LZ4 match may overlap what it writes', () => {
  const block = [0x35, ...bytes('abc'), 3, 0, 0x50, ...bytes('hello')]
  expect(unpackLz4(frame(block, block)).toString()).toBe('abcabcabcabchello'.repeat(2))
})

test('an LZ4 block may be uncompressed', () => {
  const stored = Buffer.from([...header, 5, 0, 0, 0x80, ...bytes('hello'), 0, 0, 0, 0])
  expect(unpackLz4(stored).toString()).toBe('hello')
})

test.each([
  ['another magic', Buffer.from([1, 2, 3, 4, 5, 6, 7, 8]), 'not an LZ4 frame'],
  ['a match before the beginning', frame([0x15, ...bytes('a'), 9, 0]), 'damaged'],
  ['a match at no distance', frame([0x15, ...bytes('a'), 0, 0]), 'damaged'],
  ['more literals than there are', frame([0xf0, 200, ...bytes('a')]), 'too long'],
  ['no end', frame([0x15]), 'too long'],
  ['a cut frame', frame(bytes('\x50hello')).subarray(0, -4), 'out of range'],
])('LZ4 with %s is rejected', (_what, packed, message) => {
  expect(() => unpackLz4(packed)).toThrow(message)
})

test('a Snappy block may come without a frame', () => {
  expect(unpackSnappy(Buffer.from([5, 0x10, ...bytes('hello')]), decompressors).toString()).toBe('hello')
})

test('a Snappy block that claims gigabytes is rejected before they are allocated', () => {
  expect(() => unpackSnappy(Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0]), decompressors)).toThrow(
    'too large after decompression',
  )
})

test('damaged data results in an error or in bytes, never in anything else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), data => {
      try {
        return unpackLz4(Buffer.from([...header, ...data])) instanceof Buffer
      } catch (error) {
        return error instanceof Error
      }
    }),
    { numRuns: 1_000 },
  )
})
