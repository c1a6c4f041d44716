import { parentPort, workerData } from 'node:worker_threads'
import type { Wanted } from './pick.ts'
import { LineScanner } from './scan.ts'

/**
 * The program of the thread that scans long files. It gets the wanted members, then chunk after chunk and null after
 * the last, and answers each with what was scanned of it.
 */
const scanner = new LineScanner(workerData as Wanted)

parentPort?.on('message', (chunk: Uint8Array | null) => {
  const scanned =
    chunk === null
      ? scanner.rest()
      : scanner.scan(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
  parentPort?.postMessage(scanned, [scanned.bytes.buffer])
})
