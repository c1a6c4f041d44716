import { expect, test } from 'vitest'
import { foreignFormat } from './foreign.ts'

const tar = Buffer.alloc(512)
tar.write('ustar', 257)

test.each<readonly [what: string, start: Buffer, hint: string]>([
  ['compressed with zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0]), 'zstd -dc'],
  ['compressed with xz', Buffer.from('\xfd7zXZ\0…', 'latin1'), 'xz -dc'],
  ['compressed with bzip2', Buffer.from('BZh91AY'), 'bzip2 -dc'],
  ['compressed with lz4', Buffer.from([4, 0x22, 0x4d, 0x18]), 'lz4 -dc'],
  ['a zip archive', Buffer.from('PK\x03\x04'), 'unzip -p'],
  ['a 7z archive', Buffer.from('7z\xbc\xaf\x27\x1c', 'latin1'), '7z x -so'],
  ['a tar archive', tar, 'tar -xOf'],
  [
    'a pointer of Git LFS to a file that was not downloaded',
    Buffer.from('version https://git-lfs.github.com/spec/v1\noid'),
    'git lfs pull',
  ],
  ['UTF-16 text', Buffer.from('\ufeffcode', 'utf16le'), 'iconv -f UTF-16 -t UTF-8'],
  ['UTF-16 text', Buffer.from('\ufeffcode', 'utf16le').swap16(), 'iconv -f UTF-16 -t UTF-8'],
  ['UTF-16 text', Buffer.from('code\t', 'utf16le'), 'iconv -f UTF-16'],
  ['UTF-16 text', Buffer.from('code\t', 'utf16le').swap16(), 'iconv -f UTF-16'],
  ['UTF-32 text', Buffer.from([0xff, 0xfe, 0, 0, 0x63, 0, 0, 0]), 'iconv -f UTF-32'],
  ['UTF-32 text', Buffer.from([0, 0, 0xfe, 0xff, 0, 0, 0, 0x63]), 'iconv -f UTF-32'],
  ['compressed with compress', Buffer.from([0x1f, 0x9d, 0x90]), 'gzip -dc'],
  ['compressed with lzma', Buffer.from([0x5d, 0, 0, 0x80]), 'xz --format=lzma -dc'],
  ['a workbook of Excel', Buffer.from('d0cf11e0a1b11ae100', 'hex'), 'CSV'],
  ['a workbook of Excel', Buffer.from(`PK\x03\x04${'\0'.repeat(26)}[Content_Types].xml`), 'CSV'],
  ['a SQLite database', Buffer.from('SQLite format 3\0'), 'sqlite3'],
  ['a DuckDB database', Buffer.from('12345678DUCK'), 'duckdb'],
  ['an Arrow file', Buffer.from('ARROW1'), 'Parquet'],
])('%s', (what, start, hint) => {
  expect(foreignFormat(start)).toMatchObject({ what, hint: expect.stringContaining(hint) })
})

test.each(['', '{"code":', 'code\tname', '\0\0\0\0\0\0\0\0', 'é'])('%j is not a foreign format', start => {
  expect(foreignFormat(Buffer.from(start))).toBe(null)
})
