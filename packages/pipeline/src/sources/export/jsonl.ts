import { on } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { JsonObject } from '../record/json.ts'
import { apiFields } from './fields.ts'
import type { Entry } from './format.ts'
import type { Wanted } from './pick.ts'
import { LineScanner, notJson, type Scanned } from './scan.ts'

/** The objects of JSON lines, those of one chunk at a time. An empty line is nothing. */
export async function* jsonlEntries(
  chunks: AsyncIterable<Buffer>,
  wanted: Wanted = apiFields,
): AsyncGenerator<readonly Entry[]> {
  for await (const scanned of scannedHere(chunks, wanted)) yield parsed(scanned)
}

/**
 * The same for a file, which may be long: stepping over what is not wanted of products of 20 KB takes as much time as
 * all that follows until Kafka has them, so a long file has a thread of its own for that.
 *
 * @param thread the program of that thread, `scanThread.ts`
 */
export async function* jsonlFileEntries(
  chunks: AsyncIterable<Buffer>,
  thread = new URL('./scanThread.js', import.meta.url),
): AsyncGenerator<readonly Entry[]> {
  const file = chunks[Symbol.asyncIterator]()
  try {
    const start = await begun(file)
    const all = joined(start)
    const scanned = start.isLong ? scannedByThread(all, apiFields, thread) : scannedHere(all, apiFields)
    for await (const each of scanned) yield parsed(each)
  } finally {
    await file.return?.()
  }
}

/** The thread takes a twentieth of a second to start, in which as much is scanned. */
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

async function* scannedHere(chunks: AsyncIterable<Buffer>, wanted: Wanted): AsyncGenerator<Scanned> {
  const scanner = new LineScanner(wanted)
  for await (const chunk of chunks) yield scanner.scan(chunk)
  yield scanner.rest()
}

/** Chunks that are with the thread: enough that it never waits, and no more than a few megabytes. */
const chunksAhead = 8

async function* scannedByThread(
  chunks: AsyncIterable<Buffer>,
  wanted: Wanted,
  program: URL,
): AsyncGenerator<Scanned> {
  const thread = new Worker(program, { workerData: wanted })
  const answers = on(thread, 'message') as AsyncIterableIterator<[Scanned]>
  const answer = async (): Promise<Scanned> => (await answers.next()).value[0]
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

const parsed = ({ bytes, lines }: Scanned): readonly Entry[] => {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let from = 0
  return lines.map(line => {
    if ('problem' in line) return line
    const { place, end } = line
    const json = text.toString('utf8', from, end)
    from = end
    try {
      return { place, value: JSON.parse(json) as JsonObject }
    } catch (error) {
      return { place, problem: notJson(error) }
    }
  })
}
