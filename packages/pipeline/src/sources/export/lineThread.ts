import { parentPort, workerData } from 'node:worker_threads'
import { type FileReaderOptions, resultsIn } from './entry.ts'
import { type LinePlace, LineReader } from './jsonl.ts'
import { packed } from './packed.ts'
import type { Wanted } from './pick.ts'

/** What the thread begins with. */
export interface LineThreadData {
  /** Told rather than imported: what it is made of would make the thread load as much again. */
  readonly wanted: Wanted
  readonly from: LinePlace
  readonly options: FileReaderOptions
}

/**
 * The program of the thread that reads long files of JSON lines. It gets what is wanted of them and how far they were
 * read, then chunk after chunk and null after the last, and answers each with what came of it.
 */
const { wanted, from, options } = workerData as LineThreadData
const lines = new LineReader(wanted, from)

parentPort?.on('message', (chunk: Uint8Array | null) => {
  const entries =
    chunk === null
      ? lines.rest()
      : lines.entries(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
  const answer = packed(resultsIn(entries, options))
  parentPort?.postMessage(answer, [answer.records.buffer])
})
