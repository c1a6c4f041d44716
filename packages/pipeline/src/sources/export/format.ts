import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { OffstreamError } from '@offstream/runtime'
import type { ReaderOptions, ReadResult } from '../reader.ts'
import { csvEntries } from './csv.ts'
import { type Entry, type FileReaderOptions, resultsIn } from './entry.ts'
import type { Input } from './input.ts'
import { jsonlFileResults } from './jsonlFile.ts'
import { parquetEntries } from './parquet.ts'

type ReadResults = readonly (ReadResult | null)[]

/**
 * What comes of the products of an export, some at a time, in the order of the file. What it is is seen from its first
 * bytes, never believed from its name; only of an empty file the name decides whether that is right.
 *
 * @throws OffstreamError FORMAT_UNKNOWN, FILE_TRUNCATED, FILE_DAMAGED, and what the input throws
 */
export async function* fileResults(input: Input, wanted: ReaderOptions): AsyncGenerator<ReadResults> {
  const options = { ...wanted, name: input.name }
  const file = await peeked(input.chunks())
  if (startsWith(file.head, parquetMagic)) {
    await file.leave()
    yield* read(parquetEntries(input), options)
  } else if (startsWith(file.head, gzipMagic)) {
    yield* textResults(await peeked(gunzipped(file.chunks(), input.name)), options)
  } else yield* textResults(file, options)
}

async function* read(
  entries: AsyncIterable<readonly Entry[]>,
  options: FileReaderOptions,
): AsyncGenerator<ReadResults> {
  for await (const some of entries) yield resultsIn(some, options)
}

const parquetMagic = Buffer.from('PAR1')
const gzipMagic = Buffer.from([0x1f, 0x8b])
const zipMagic = Buffer.from('PK\x03\x04')
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf])

const startsWith = (bytes: Buffer, beginning: Buffer): boolean =>
  bytes.subarray(0, beginning.length).equals(beginning)

async function* textResults(text: Peeked, options: FileReaderOptions): AsyncGenerator<ReadResults> {
  const start = startsWith(text.head, byteOrderMark) ? text.head.subarray(byteOrderMark.length) : text.head
  if (/^\s*\{/.test(start.toString('latin1', 0, 1024)))
    return yield* jsonlFileResults(text.chunks(start), options)
  const delimiter = delimiterOf(start)
  if (delimiter !== null) return yield* read(csvEntries(text.chunks(start), delimiter), options)
  await text.leave()
  const isEmpty = start.length === 0
  const { name } = options
  if (!isEmpty || !/\.(jsonl?|ndjson|csv|tsv)(\.gz)?$/i.test(name)) throw unknownFormat(name, start)
}

/** What parts the columns of a CSV, from its first line; null where that names no column `code`. */
const delimiterOf = (start: Buffer): string | null => {
  const header = start.toString('latin1', 0, 64 * 1024).split(/\r?\n/, 1)[0] ?? ''
  const names = (delimiter: string) => header.split(delimiter).map(name => name.replace(/^"|"$/g, ''))
  return (
    ['\t', ',', ';'].find(delimiter => names(delimiter).length > 1 && names(delimiter).includes('code')) ??
    null
  )
}

/** A stream whose beginning has been looked at. */
interface Peeked {
  /** The first bytes; empty where there are none. */
  readonly head: Buffer
  /** The whole stream, with another beginning where one is given. */
  readonly chunks: (head?: Buffer) => AsyncGenerator<Buffer>
  /** Closes the stream unread. */
  readonly leave: () => Promise<void>
}

const peeked = async (stream: AsyncIterable<Buffer>): Promise<Peeked> => {
  const iterator = stream[Symbol.asyncIterator]()
  const first = await iterator.next()
  const head = first.done === true ? Buffer.alloc(0) : first.value
  const leave = async () => void (await iterator.return?.())
  return {
    head,
    leave,
    chunks: async function* (start = head) {
      try {
        yield start
        for (let next = await iterator.next(); next.done !== true; next = await iterator.next())
          yield next.value
      } finally {
        await leave()
      }
    },
  }
}

async function* gunzipped(chunks: AsyncIterable<Buffer>, name: string): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: 256 * 1024 })
  let cause: unknown
  const fed = pipeline(chunks, gunzip, { end: true }).catch((error: unknown) => {
    cause = error
  })
  try {
    for await (const chunk of gunzip) yield chunk as Buffer
  } catch (error) {
    await fed
    throw damaged(name, error, cause)
  } finally {
    gunzip.destroy()
    await fed
  }
}

const damaged = (name: string, error: unknown, cause: unknown): unknown => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  // What the file could not give is told by the input itself.
  if (!code.startsWith('Z_')) return cause ?? error
  return code === 'Z_BUF_ERROR'
    ? new OffstreamError('FILE_TRUNCATED', `\`${name}\` ends in the middle: its last part is missing`, {
        outcome: 'failed',
        hint: 'get the file again; what stood before the cut was taken',
        cause: error,
      })
    : new OffstreamError('FILE_DAMAGED', `\`${name}\` can't be unpacked: its gzip data is damaged`, {
        outcome: 'failed',
        hint: 'get the file again; what stood before the damage was taken',
        cause: error,
      })
}

const unknownFormat = (name: string, start: Buffer) =>
  new OffstreamError('FORMAT_UNKNOWN', `\`${name}\` is no export of products: ${whatItIs(start)}`, {
    outcome: 'usage',
    hint: startsWith(start, zipMagic)
      ? 'unzip it first'
      : 'give an export as JSONL, CSV or Parquet; JSONL and CSV may be packed with gzip',
  })

const whatItIs = (start: Buffer): string => {
  if (start.length === 0) return 'it is empty'
  if (startsWith(start, zipMagic)) return 'it is a zip archive'
  if (/^\s*\[/.test(start.toString('latin1', 0, 64)))
    return 'it is one JSON array, not a JSON object on each line'
  return /^\s*</.test(start.toString('latin1', 0, 64))
    ? 'it is a page'
    : 'it is neither JSON lines nor CSV with a column `code`'
}
