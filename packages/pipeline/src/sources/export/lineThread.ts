import { parentPort, workerData } from 'node:worker_threads'
import { type FileReaderOptions, resultsIn } from './entry.ts'
import { type LinePlace, LineReader } from './jsonl.ts'
import { packed } from './packed.ts'

/** What the thread begins with. */
export interface LineThreadData {
  readonly from: LinePlace
  readonly options: FileReaderOptions
}

/**
 * The program of the thread that reads long files of JSON lines. It gets what is told of them and how far they were
 * read, then chunk after chunk and null after the last, and answers each with what came of it.
 */
const { from, options } = workerData as LineThreadData
const lines = new LineReader(from)

parentPort?.on('message', (chunk: Uint8Array | null) => {
  const entries =
    chunk === null
      ? lines.rest()
      : lines.entries(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
  const answer = packed(resultsIn(entries, options))
  parentPort?.postMessage(answer, [answer.records.buffer])
})
