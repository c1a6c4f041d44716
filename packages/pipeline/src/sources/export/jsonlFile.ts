import { on } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { ReadResult } from '../reader.ts'
import { apiFields } from '../record/fields.ts'
import { type FileReaderOptions, resultsIn } from './entry.ts'
import { LineReader } from './jsonl.ts'
import type { LineThreadData } from './lineThread.ts'
import { type Packed, unpacked } from './packed.ts'
import type { Wanted } from './pick.ts'

type ReadResults = readonly (ReadResult | null)[]

/** A line is a product, or an answer of the API that holds one or some. */
export const lineFields: Wanted = { ...apiFields, product: apiFields, products: true }

/** The thread takes a twentieth of a second to start, in which about as much is read without it. */
export const bytesOfAShortFile = 4 * 1024 * 1024

/**
 * What comes of the lines of a file, as soon as they have come. From there to the record takes more time than from the
 * record to Kafka, so a file that proves to be long is read by a thread of its own.
 *
 * @param threadAfter bytes that are read before it, without it
 * @param thread the program of that thread, `lineThread.ts`
 */
export async function* jsonlFileResults(
  chunks: AsyncIterable<Buffer>,
  options: FileReaderOptions,
  { threadAfter = bytesOfAShortFile, thread = new URL('./lineThread.js', import.meta.url) } = {},
): AsyncGenerator<ReadResults> {
  const file = chunks[Symbol.asyncIterator]()
  const lines = new LineReader(lineFields)
  try {
    for (let bytes = 0; bytes < threadAfter; ) {
      const next = await file.next()
      if (next.done === true) return yield resultsIn(lines.rest(), options)
      bytes += next.value.length
      yield resultsIn(lines.entries(next.value), options)
    }
    yield* readByThread(file, thread, { wanted: lineFields, from: lines.place(), options })
  } finally {
    await file.return?.()
  }
}

/** Chunks that are with the thread: enough that it never waits, and no more than a few megabytes. */
const chunksAhead = 3

async function* readByThread(
  file: AsyncIterator<Buffer>,
  program: URL,
  workerData: LineThreadData,
): AsyncGenerator<ReadResults> {
  const thread = new Worker(program, { workerData })
  const answers = on(thread, 'message') as AsyncIterableIterator<[Packed]>
  const answer = async (): Promise<ReadResults> => unpacked((await answers.next()).value[0])
  let trouble: { readonly error: unknown } | null = null
  const untilTrouble = async function* () {
    try {
      for (let next = await file.next(); next.done !== true; next = await file.next()) yield next.value
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
