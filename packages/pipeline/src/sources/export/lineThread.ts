import { parentPort, workerData } from 'node:worker_threads'
import type { Wanted } from '../../product/pick.ts'
import { type FileReaderOptions, resultsIn } from './entry.ts'
import { LineReader } from './jsonl.ts'
import type { Block } from './lines.ts'
import { packed } from './packed.ts'

/** What the thread begins with. */
export interface LineThreadData {
  /** Told rather than imported: what it is made of would make the thread load as much again. */
  readonly wanted: Wanted
  readonly options: FileReaderOptions
}

/**
 * The program of the thread that reads long files of JSON lines. It gets what is wanted of them, then the blocks of one
 * chunk after the other, and answers each with what came of them.
 */
const { wanted, options } = workerData as LineThreadData
const lines = new LineReader(wanted)

parentPort?.on('message', (blocks: readonly Block[]) => {
  const answer = packed(resultsIn(lines.entries(blocks), options))
  parentPort?.postMessage(answer, [answer.records.buffer])
})
