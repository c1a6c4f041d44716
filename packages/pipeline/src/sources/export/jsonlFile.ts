import { on } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { ReadResult } from '../reader.ts'
import { type FileReaderOptions, resultsIn } from './entry.ts'
import { apiFields } from './fields.ts'
import { jsonlEntries } from './jsonl.ts'
import type { LineThreadData } from './lineThread.ts'
import { type Packed, unpacked } from './packed.ts'

type ReadResults = readonly (ReadResult | null)[]

/**
 * What comes of the lines of a file, which may be long: from there to the record takes more time than from the record
 * to Kafka, so a long file has a thread of its own for it.
 *
 * @param thread the program of that thread, `lineThread.ts`
 */
export async function* jsonlFileResults(
  chunks: AsyncIterable<Buffer>,
  options: FileReaderOptions,
  thread = new URL('./lineThread.js', import.meta.url),
): AsyncGenerator<ReadResults> {
  const file = chunks[Symbol.asyncIterator]()
  try {
    const start = await begun(file)
    const all = joined(start)
    yield* start.isLong ? readByThread(all, options, thread) : readHere(all, options)
  } finally {
    await file.return?.()
  }
}

/** The thread takes a twentieth of a second to start, in which as much is read. */
const bytesOfALongFile = 16 * 1024 * 1024

interface Begun {
  readonly beginning: Buffer[]
  readonly rest: Pick<AsyncIterator<Buffer>, 'next'>
  readonly isLong: boolean
}

/** Reads the beginning of a file. What goes wrong with it comes after what stood before. */
const begun = async (file: AsyncIterator<Buffer>): Promise<Begun> => {
  const beginning: Buffer[] = []
  let bytes = 0
  try {
    while (bytes < bytesOfALongFile) {
      const next = await file.next()
      if (next.done === true) return { beginning, rest: file, isLong: false }
      beginning.push(next.value)
      bytes += next.value.length
    }
  } catch (error) {
    return { beginning, rest: { next: () => Promise.reject(error) }, isLong: false }
  }
  return { beginning, rest: file, isLong: true }
}

async function* joined({ beginning, rest }: Begun): AsyncGenerator<Buffer> {
  // Let go one by one: a long file is read for an hour.
  for (let chunk = beginning.shift(); chunk !== undefined; chunk = beginning.shift()) yield chunk
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
}

async function* readHere(
  chunks: AsyncIterable<Buffer>,
  options: FileReaderOptions,
): AsyncGenerator<ReadResults> {
  for await (const entries of jsonlEntries(chunks, apiFields)) yield resultsIn(entries, options)
}

/** Chunks that are with the thread: enough that it never waits, and no more than a few megabytes. */
const chunksAhead = 3

async function* readByThread(
  chunks: AsyncIterable<Buffer>,
  options: FileReaderOptions,
  program: URL,
): AsyncGenerator<ReadResults> {
  const thread = new Worker(program, { workerData: { wanted: apiFields, options } satisfies LineThreadData })
  const answers = on(thread, 'message') as AsyncIterableIterator<[Packed]>
  const answer = async (): Promise<ReadResults> => unpacked((await answers.next()).value[0])
  let trouble: { readonly error: unknown } | null = null
  const untilTrouble = async function* () {
    try {
      yield* chunks
    } catch (error) {
      trouble = { error }
    }
  }
  let ahead = 0
  try {
    for await (const chunk of untilTrouble()) {
      const bytes = ownMemory(chunk)
      thread.postMessage(bytes, [bytes.buffer])
      ahead += 1
      if (ahead < chunksAhead) continue
      yield await answer()
      ahead -= 1
    }
    if (trouble === null) {
      thread.postMessage(null)
      ahead += 1
    }
    // Also what stood before the trouble is a product.
    for (; ahead > 0; ahead -= 1) yield await answer()
  } finally {
    await thread.terminate()
  }
  if (trouble !== null) throw (trouble as { readonly error: unknown }).error
}

/** The bytes to give away: a part of a stream may share its memory with the next one, and is copied then. */
const ownMemory = (chunk: Buffer): Uint8Array<ArrayBuffer> =>
  chunk.buffer instanceof ArrayBuffer && chunk.length === chunk.buffer.byteLength
    ? new Uint8Array(chunk.buffer)
    : new Uint8Array(chunk)
