import { parentPort, workerData } from 'node:worker_threads'
import type { Wanted } from '../../product/pick.ts'
import { type FileReaderOptions, resultsIn } from './entry.ts'
import { LineReader } from './jsonl.ts'
import type { Block } from './lines.ts'
import { packed } from './packed.ts'

/** The data that the thread is started with. */
export interface LineThreadData {
  /** Passed instead of imported: the import would double the code that the thread loads. */
  readonly wanted: Wanted
  readonly options: FileReaderOptions
}

/**
 * The program of the thread that reads long files of JSON lines. It receives the blocks of one chunk after the other, and
 * answers each with their results.
 */
const { wanted, options } = workerData as LineThreadData
const lines = new LineReader(wanted)

parentPort?.on('message', (blocks: readonly Block[]) => {
  const answer = packed(resultsIn(lines.entries(blocks), options))
  parentPort?.postMessage(answer, [answer.records.buffer])
})
