/** Formats that are not supported, each with its name for the user and a command that converts it. */
interface ForeignFormat {
  readonly what: string
  readonly hint: string
}

interface Signature extends ForeignFormat {
  readonly at?: number
  readonly bytes: string
}

const packed = (what: string, command: string, bytes: string): Signature => ({
  what,
  bytes,
  hint: `decompress it: \`${command} <file> | offstream scrape --source stdin\``,
})

const utf16: ForeignFormat = {
  what: 'UTF-16 text',
  hint: 'convert it to UTF-8: `iconv -f UTF-16 -t UTF-8 <file> | offstream scrape --source stdin`',
}

const utf32: ForeignFormat = {
  what: 'UTF-32 text',
  hint: 'convert it to UTF-8: `iconv -f UTF-32 -t UTF-8 <file> | offstream scrape --source stdin`',
}

const workbook: ForeignFormat = { what: 'a workbook of Excel', hint: 'save its sheet as CSV in UTF-8' }

/** The first bytes as a string of characters up to 255. */
const signatures: readonly Signature[] = [
  packed('compressed with zstd', 'zstd -dc', '\x28\xb5\x2f\xfd'),
  packed('compressed with xz', 'xz -dc', '\xfd7zXZ\0'),
  packed('compressed with bzip2', 'bzip2 -dc', 'BZh'),
  packed('compressed with lz4', 'lz4 -dc', '\x04\x22\x4d\x18'),
  packed('compressed with compress', 'gzip -dc', '\x1f\x9d'),
  packed('compressed with lzma', 'xz --format=lzma -dc', '\x5d\0\0'),
  { ...workbook, bytes: '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1' },
  { ...workbook, at: 30, bytes: '[Content_Types].xml' },
  packed('a zip archive', 'unzip -p', 'PK\x03\x04'),
  packed('an empty zip archive', 'unzip -p', 'PK\x05\x06'),
  packed('a 7z archive', '7z x -so', '7z\xbc\xaf\x27\x1c'),
  { ...packed('a tar archive', 'tar -xOf', 'ustar'), at: 257 },
  {
    what: 'a pointer of Git LFS to a file that was not downloaded',
    bytes: 'version https://git-lfs.github.com/spec/',
    hint: 'download the file: `git lfs pull --include <file>`',
  },
  { ...utf32, bytes: '\xff\xfe\0\0' },
  { ...utf32, bytes: '\0\0\xfe\xff' },
  { ...utf16, bytes: '\xff\xfe' },
  { ...utf16, bytes: '\xfe\xff' },
  {
    what: 'a SQLite database',
    bytes: 'SQLite format 3\0',
    hint: 'write its table as CSV: `sqlite3 -header -csv <file> "SELECT * FROM <table>" | offstream scrape --source stdin`',
  },
  {
    what: 'a DuckDB database',
    at: 8,
    bytes: 'DUCK',
    hint: 'write its table as JSON lines: `duckdb <file> "COPY <table> TO \'products.jsonl\'"`',
  },
  {
    what: 'an Arrow file',
    bytes: 'ARROW1',
    hint: 'write it as Parquet, JSONL or CSV',
  },
]

/** The known format whose signature is in the first bytes of a file; otherwise null. */
export const foreignFormat = (head: Buffer): ForeignFormat | null => {
  const start = head.toString('latin1', 0, 512)
  const found = signatures.find(({ at = 0, bytes }) => start.startsWith(bytes, at))
  if (found !== undefined) return found
  return isUtf16(head) ? utf16 : null
}

/** Without a byte order mark: every other byte of Latin text is zero. */
const isUtf16 = (head: Buffer): boolean =>
  head.length >= 8 &&
  [0, 1].some(zeros => head.subarray(0, 8).every((byte, index) => (byte === 0) === (index % 2 === zeros)))
