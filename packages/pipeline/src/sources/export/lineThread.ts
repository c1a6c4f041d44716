import { parentPort, workerData } from 'node:worker_threads'
import { type FileReaderOptions, resultsIn } from './entry.ts'
import { LineReader } from './jsonl.ts'
import { packed } from './packed.ts'
import type { Wanted } from './pick.ts'

/** What the thread begins with. */
export interface LineThreadData {
  readonly wanted: Wanted
  readonly options: FileReaderOptions
}

/**
 * The program of the thread that reads long files of JSON lines. It gets what is wanted of them, then chunk after chunk
 * and null after the last, and answers each with what came of it.
 */
const { wanted, options } = workerData as LineThreadData
const lines = new LineReader(wanted)

parentPort?.on('message', (chunk: Uint8Array | null) => {
  const entries =
    chunk === null
      ? lines.rest()
      : lines.entries(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
  const answer = packed(resultsIn(entries, options))
  parentPort?.postMessage(answer, [answer.records.buffer])
})
