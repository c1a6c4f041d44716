import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { PipelineError } from '../../errors.ts'
import type { ReaderOptions, ReadResult } from '../reader.ts'
import { csvEntries } from './csv.ts'
import { type Entry, type FileReaderOptions, resultsIn } from './entry.ts'
import type { Input } from './input.ts'
import { jsonlFileResults, shortFileBytes } from './jsonlFile.ts'
import { parquetEntries } from './parquet.ts'

type ReadResults = readonly (ReadResult | null)[]

/**
 * The results of the products of an export, in batches, in the order of the file. The format is detected from the first
 * bytes, however small the chunks are, never from the name.
 *
 * @throws OffstreamError FORMAT_UNKNOWN, FILE_TRUNCATED, FILE_DAMAGED, and the errors of the input
 */
export async function* fileResults(input: Input, filters: ReaderOptions): AsyncGenerator<ReadResults> {
  const options = { ...filters, name: input.name }
  const file = await peeked(input.chunks(), head => !magics.some(magic => mayBecome(head, magic)))
  if (startsWith(file.head, parquetMagic)) {
    await file.close()
    yield* read(parquetEntries(input), options)
  } else {
    const text = startsWith(file.head, gzipMagic) ? gunzipped(file.chunks(), input.name) : file.chunks()
    yield* textResults(await peeked(text, showsFormat), options, input)
  }
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
const magics = [parquetMagic, gzipMagic]

const startsWith = (bytes: Buffer, start: Buffer): boolean => bytes.subarray(0, start.length).equals(start)

/** Whether the bytes are a part of `start`, and more bytes may complete it. */
const mayBecome = (bytes: Buffer, start: Buffer): boolean =>
  bytes.length < start.length && startsWith(start, bytes)

async function* textResults(
  text: Peeked,
  options: FileReaderOptions,
  input: Input,
): AsyncGenerator<ReadResults> {
  const start = startOf(text.head)
  if (start.startsWith('{'))
    return yield* jsonlFileResults(text.chunks(), options, { threadAfter: bytesWithoutThread(input) })
  const delimiter = delimiterOf(start)
  if (delimiter !== null)
    return yield* read(csvEntries(text.chunks(), { name: options.name, delimiter }), options)
  await text.close()
  if (start !== '' || !input.mayBeEmpty) throw unknownFormat(options.name, start)
}

/**
 * How many bytes are read without the thread: none of a long file; all of a live input, because the thread gets several
 * chunks before it answers.
 */
const bytesWithoutThread = ({ bytes, isLive }: Input): number => {
  if (isLive) return Number.POSITIVE_INFINITY
  return bytes !== null && bytes > shortFileBytes ? 0 : shortFileBytes
}

/** The maximum length of the first line of a CSV file. */
const maxHeaderBytes = 64 * 1024

/** Whether `head` is enough to detect the format: the first character for JSON lines, the first line for CSV. */
const showsFormat = (head: Buffer): boolean => {
  const start = startOf(head)
  return start.startsWith('{') || start.includes('\n') || head.length >= maxHeaderBytes
}

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf])

/** The start of the text, after a byte order mark and blanks. */
const startOf = (head: Buffer): string =>
  head
    .toString('latin1', startsWith(head, byteOrderMark) ? byteOrderMark.length : 0, maxHeaderBytes)
    .trimStart()

/** The delimiter of a CSV file, from its first line; null if that has no column `code`. */
const delimiterOf = (start: string): string | null => {
  const header = start.split(/\r?\n/, 1)[0] ?? ''
  const names = (delimiter: string) => header.split(delimiter).map(name => name.replace(/^"|"$/g, ''))
  return ['\t', ',', ';'].find(delimiter => names(delimiter).includes('code')) ?? null
}

/** A stream whose start was read. */
interface Peeked {
  /** The start: as much as `isEnough` required, or the whole stream. */
  readonly head: Buffer
  /** The whole stream. */
  readonly chunks: () => AsyncGenerator<Buffer>
  /** Closes the stream without reading it. */
  readonly close: () => Promise<void>
}

/** @param isEnough whether the start is long enough */
const peeked = async (
  stream: AsyncIterable<Buffer>,
  isEnough: (head: Buffer) => boolean,
): Promise<Peeked> => {
  const iterator = stream[Symbol.asyncIterator]()
  let head: Buffer = Buffer.alloc(0)
  while (!isEnough(head)) {
    const next = await iterator.next()
    if (next.done === true) break
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value])
  }
  const close = async () => void (await iterator.return?.())
  return {
    head,
    close,
    chunks: async function* () {
      try {
        yield head
        for (let next = await iterator.next(); next.done !== true; next = await iterator.next())
          yield next.value
      } finally {
        await close()
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
  // Other errors come from the input.
  if (!code.startsWith('Z_')) return cause ?? error
  return code === 'Z_BUF_ERROR'
    ? new PipelineError('FILE_TRUNCATED', `\`${name}\` is truncated: its last part is missing`, {
        hint: 'download the file again; the products before that point were read',
        cause: error,
      })
    : new PipelineError('FILE_DAMAGED', `\`${name}\` cannot be decompressed: its gzip data is damaged`, {
        hint: 'download the file again; the products before the damage were read',
        cause: error,
      })
}

const unknownFormat = (name: string, start: string) =>
  new PipelineError('FORMAT_UNKNOWN', `\`${name}\` is not an export of products: ${whatItIs(start)}`, {
    hint: isZip(start)
      ? 'unzip it first'
      : 'use an export as JSONL, CSV or Parquet; JSONL and CSV may be compressed with gzip',
  })

const whatItIs = (start: string): string => {
  if (start === '') return 'it is empty'
  if (isZip(start)) return 'it is a zip archive'
  if (start.startsWith('[')) return 'it is one JSON array, not a JSON object on each line'
  return start.startsWith('<')
    ? 'it is an HTML page'
    : 'it is neither JSON lines nor CSV with a column `code`'
}

const isZip = (start: string): boolean => start.startsWith(zipMagic.toString('latin1'))
