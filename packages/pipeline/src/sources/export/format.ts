import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { PipelineError } from '../../errors.ts'
import type { ReaderOptions, ReadResult } from '../reader.ts'
import { csvEntries } from './csv.ts'
import { type Entry, type FileReaderOptions, resultsIn } from './entry.ts'
import type { Input } from './input.ts'
import { bytesOfAShortFile, jsonlFileResults } from './jsonlFile.ts'
import { parquetEntries } from './parquet.ts'

type ReadResults = readonly (ReadResult | null)[]

/**
 * What comes of the products of an export, some at a time, in the order of the file. What it is is seen from its first
 * bytes, in however small parts they come, and never believed from its name.
 *
 * @throws OffstreamError FORMAT_UNKNOWN, FILE_TRUNCATED, FILE_DAMAGED, and what the input throws
 */
export async function* fileResults(input: Input, wanted: ReaderOptions): AsyncGenerator<ReadResults> {
  const options = { ...wanted, name: input.name }
  const file = await peeked(input.chunks(), head => !magics.some(magic => mayBecome(head, magic)))
  if (startsWith(file.head, parquetMagic)) {
    await file.leave()
    yield* read(parquetEntries(input), options)
  } else {
    const text = startsWith(file.head, gzipMagic) ? gunzipped(file.chunks(), input.name) : file.chunks()
    yield* textResults(await peeked(text, tellsFormat), options, input)
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

const startsWith = (bytes: Buffer, beginning: Buffer): boolean =>
  bytes.subarray(0, beginning.length).equals(beginning)

/** Whether the bytes are a part of that beginning, and may be all of it when more have come. */
const mayBecome = (bytes: Buffer, beginning: Buffer): boolean =>
  bytes.length < beginning.length && startsWith(beginning, bytes)

async function* textResults(
  text: Peeked,
  options: FileReaderOptions,
  input: Input,
): AsyncGenerator<ReadResults> {
  const start = startOf(text.head)
  if (start.startsWith('{'))
    return yield* jsonlFileResults(text.chunks(), options, { threadAfter: shortOf(input) })
  const delimiter = delimiterOf(start)
  if (delimiter !== null)
    return yield* read(csvEntries(text.chunks(), { name: options.name, delimiter }), options)
  await text.leave()
  if (start !== '' || !input.mayBeEmpty) throw unknownFormat(options.name, start)
}

/**
 * How many bytes are read without a thread: none of a long file, whose reading takes memory; all that comes live, since a
 * thread is given some chunks before it answers.
 */
const shortOf = ({ bytes, isLive }: Input): number => {
  if (isLive) return Number.POSITIVE_INFINITY
  return bytes !== null && bytes > bytesOfAShortFile ? 0 : bytesOfAShortFile
}

/** No honest first line of a CSV is as long. */
const longestHeader = 64 * 1024

/** Whether a beginning tells what the text is: JSON lines by their first character, CSV by its first line. */
const tellsFormat = (head: Buffer): boolean => {
  const start = startOf(head)
  return start.startsWith('{') || start.includes('\n') || head.length >= longestHeader
}

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf])

/** The first text, after a byte order mark and blanks. */
const startOf = (head: Buffer): string =>
  head
    .toString('latin1', startsWith(head, byteOrderMark) ? byteOrderMark.length : 0, longestHeader)
    .trimStart()

/** What parts the columns of a CSV, from its first line; null where that names no column `code`. */
const delimiterOf = (start: string): string | null => {
  const header = start.split(/\r?\n/, 1)[0] ?? ''
  const names = (delimiter: string) => header.split(delimiter).map(name => name.replace(/^"|"$/g, ''))
  return ['\t', ',', ';'].find(delimiter => names(delimiter).includes('code')) ?? null
}

/** A stream whose beginning has been looked at. */
interface Peeked {
  /** As much of its beginning as was asked for, or all of it. */
  readonly head: Buffer
  /** The whole stream. */
  readonly chunks: () => AsyncGenerator<Buffer>
  /** Closes the stream unread. */
  readonly leave: () => Promise<void>
}

/** @param isEnough whether so much of the beginning tells what it is looked at for */
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
  const leave = async () => void (await iterator.return?.())
  return {
    head,
    leave,
    chunks: async function* () {
      try {
        yield head
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
    ? new PipelineError('FILE_TRUNCATED', `\`${name}\` ends in the middle: its last part is missing`, {
        hint: 'get the file again; what stood before the cut was taken',
        cause: error,
      })
    : new PipelineError('FILE_DAMAGED', `\`${name}\` can't be unpacked: its gzip data is damaged`, {
        hint: 'get the file again; what stood before the damage was taken',
        cause: error,
      })
}

const unknownFormat = (name: string, start: string) =>
  new PipelineError('FORMAT_UNKNOWN', `\`${name}\` is no export of products: ${whatItIs(start)}`, {
    hint: isZip(start)
      ? 'unzip it first'
      : 'give an export as JSONL, CSV or Parquet; JSONL and CSV may be packed with gzip',
  })

const whatItIs = (start: string): string => {
  if (start === '') return 'it is empty'
  if (isZip(start)) return 'it is a zip archive'
  if (start.startsWith('[')) return 'it is one JSON array, not a JSON object on each line'
  return start.startsWith('<') ? 'it is a page' : 'it is neither JSON lines nor CSV with a column `code`'
}

const isZip = (start: string): boolean => start.startsWith(zipMagic.toString('latin1'))
