import { PipelineError } from '../../errors.ts'
import type { ReaderOptions, ReadResult } from '../reader.ts'
import { fieldOf } from './columns.ts'
import { csvEntries } from './csv.ts'
import type { CsvDialect } from './csvRows.ts'
import { type Entry, type FileReaderOptions, resultsIn } from './entry.ts'
import { foreignFormat } from './foreign.ts'
import { type GzipWarning, gunzipped, gzipMagic } from './gunzip.ts'
import type { Input } from './input.ts'
import { containsJson, isJson, isJsonLines, jsonEntries } from './json.ts'
import { jsonlFileResults, shortFileBytes } from './jsonlFile.ts'
import { parquetEntries } from './parquet.ts'

type ReadResults = readonly (ReadResult | null)[]

/**
 * The results of the products of an export, in batches, in the order of the file. The format is detected from the first
 * bytes, however small the chunks are, never from the name. Of a truncated gzip file everything that is whole is read; the
 * last result is the warning.
 *
 * @throws OffstreamError FORMAT_UNKNOWN, FILE_DAMAGED, for Parquet FILE_TRUNCATED, and the errors of the input
 */
export async function* fileResults(input: Input, filters: ReaderOptions): AsyncGenerator<ReadResults> {
  const options = { ...filters, name: input.name }
  const isKnown = (head: Buffer) => !magics.some(magic => mayBecome(head, magic))
  let file = await peeked(input.chunks(), isKnown)
  if (startsWith(file.head, parquetMagic)) {
    await file.close()
    return yield* read(parquetEntries(input), options)
  }
  const warnings = new Set<GzipWarning>()
  while (startsWith(file.head, gzipMagic))
    file = await peeked(
      gunzipped(file.chunks(), input.name, warning => warnings.add(warning)),
      isKnown,
    )
  yield* textResults(await peeked(file.chunks(), showsFormat), options, input, warnings)
  for (const skippedBy of warnings)
    yield [{ kind: 'unreadable', address: input.name, skippedBy, reason: reasons[skippedBy] }]
}

const reasons: Readonly<Record<GzipWarning, string>> = {
  truncated: 'its gzip data is truncated; what is before that point was read, so get the whole file again',
  'trailing-bytes': 'bytes after the end of its gzip data were ignored',
}

async function* read(
  entries: AsyncIterable<readonly Entry[]>,
  options: FileReaderOptions,
): AsyncGenerator<ReadResults> {
  for await (const some of entries) yield resultsIn(some, options)
}

const parquetMagic = Buffer.from('PAR1')
const magics = [parquetMagic, gzipMagic]

const startsWith = (bytes: Buffer, start: Buffer): boolean => bytes.subarray(0, start.length).equals(start)

/** Whether the bytes are a part of `start`, and more bytes may complete it. */
const mayBecome = (bytes: Buffer, start: Buffer): boolean =>
  bytes.length < start.length && startsWith(start, bytes)

async function* textResults(
  text: Peeked,
  options: FileReaderOptions,
  input: Input,
  warnings: ReadonlySet<GzipWarning>,
): AsyncGenerator<ReadResults> {
  const isTruncated = () => warnings.has('truncated')
  const foreign = foreignFormat(text.head)
  const start = startOf(text.head)
  if (foreign === null && isJsonLines(start))
    return yield* jsonlFileResults(text.chunks(), options, { threadAfter: bytesWithoutThread(input) })
  const dialect = foreign === null ? dialectOf(start) : null
  if (dialect !== null && !isJson(start))
    return yield* read(csvEntries(text.chunks(), dialect, isTruncated), options)
  if (foreign === null && containsJson(start)) return yield* read(jsonEntries(text.chunks()), options)
  await text.close()
  if (start !== '' || !(input.mayBeEmpty || isTruncated())) throw unknownFormat(input, start, foreign)
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

/** Whether `head` is enough to detect the format: an array of JSON, or the first line, unless that is damaged. */
const showsFormat = (head: Buffer): boolean => {
  const start = startOf(head)
  if (start.startsWith('[') || head.length >= maxHeaderBytes) return true
  if (!start.includes('\n')) return false
  return isJson(start) || (dialectOf(start) !== null && (!hasOneColumn(start) || hasSecondLine.test(start)))
}

const hasSecondLine = /\n\s*\S[^\n]*\n/

const hasOneColumn = (start: string): boolean => /^[^\t,;\n]*[\t,;\r]*\n/.test(start)

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf])

/** The start of the text, after a byte order mark and blanks. */
const startOf = (head: Buffer): string =>
  head
    .toString('latin1', startsWith(head, byteOrderMark) ? byteOrderMark.length : 0, maxHeaderBytes)
    .trimStart()

/** How a CSV file is written, from its first line; null if that has no column `code`. */
const dialectOf = (start: string): CsvDialect | null => {
  const [header = ''] = start.split('\n', 1)
  const [first = ''] = header.split('\r', 1)
  const [second = ''] = start.slice(header.length).trimStart().split('\n', 1)
  // A damaged line of JSON can have a `code` between commas too, or be nothing but the name.
  if (hasMember(first) || (hasOneColumn(start) && hasMember(second))) return null
  if (first.split('"').length % 2 === 0) return null
  const hasCode = (delimiter: string) =>
    first.split(delimiter).some(name => fieldOf(name.replaceAll('"', '')) === 'code')
  const delimiter = (['\t', ',', ';'] as const).find(hasCode)
  if (delimiter === undefined) return null
  return { delimiter, lineEnd: first.length < header.length - 1 ? '\r' : '\n' }
}

/** Whether a line has a name and the start of its value, as JSON writes them. */
const hasMember = (line: string): boolean => /"\s*:\s*["\d{[-]/.test(line)

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

const unknownFormat = ({ name, bytes }: Input, start: string, foreign: ReturnType<typeof foreignFormat>) =>
  new PipelineError(
    'FORMAT_UNKNOWN',
    `\`${name}\` is not an export of products: it is ${foreign?.what ?? whatItIs(start)}`,
    {
      hint:
        // The commands read a file, not an address or a pipe.
        foreign?.hint.replace('<file>', bytes === null ? '<file>' : name) ??
        'use an export as JSONL, JSON, CSV or Parquet; JSON and CSV may be compressed with gzip',
    },
  )

const whatItIs = (start: string): string => {
  if (start === '') return 'empty'
  return start.startsWith('<') ? 'an HTML page' : 'neither JSON nor CSV with a column `code`'
}
