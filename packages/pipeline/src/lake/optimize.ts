import { randomUUID } from 'node:crypto'
import { rename, rm, writeFile } from 'node:fs/promises'
import { isRunning, pause, ServiceRecords } from '@offstream/runtime'
import { PipelineError } from '../errors.ts'
import type { Config } from '../project/config.ts'
import { directoriesOf } from '../project/directories.ts'
import { readStreamProgress } from '../services/streamProgress.ts'
import { thriftOf } from '../services/thriftServer.ts'
import { rewriteFiles } from './snapshots.ts'

const intervalMs = 200

/** Who rewrites the tables. */
export type Optimizer = 'stream' | 'thrift'

/**
 * Rewrites the files of the tables into few large ones without deleted rows. While the stream is running, it does this
 * itself between two batches: commits of two processes would conflict. Otherwise the Thrift server does it.
 * @throws OffstreamError OPTIMIZE_FAILED, THRIFT_UNREACHABLE, SQL_FAILED, TABLE_MISSING
 */
export const optimizeTables = async (
  { state, config }: { readonly state: string; readonly config: Config },
  signal?: AbortSignal,
): Promise<Optimizer> => {
  const record = await new ServiceRecords(directoriesOf(state).records).of('products-stream')
  if (record !== null && (await isRunning(record))) {
    await requestFromStream(state, () => isRunning(record), signal)
    return 'stream'
  }
  await rewriteFiles(await thriftOf(config, state), { signal })
  return 'thrift'
}

/** Requests the rewrite from the job and waits for its response. @param isAlive whether the job still runs */
const requestFromStream = async (
  state: string,
  isAlive: () => Promise<boolean>,
  signal: AbortSignal | undefined,
): Promise<void> => {
  const { optimizeRequest, streamProgress } = directoriesOf(state)
  const request = randomUUID()
  // Atomic, because the job must not read half of it.
  await writeFile(`${optimizeRequest}.new`, request)
  await rename(`${optimizeRequest}.new`, optimizeRequest)
  try {
    for (;;) {
      signal?.throwIfAborted()
      const optimized = (await readStreamProgress(streamProgress))?.optimized
      if (optimized?.request === request) {
        if (optimized.error === null) return
        throw new PipelineError('OPTIMIZE_FAILED', `The tables could not be rewritten: ${optimized.error}`)
      }
      if (!(await isAlive()))
        throw new PipelineError('OPTIMIZE_FAILED', 'The stream stopped before it had rewritten the tables')
      await pause(intervalMs, signal)
    }
  } finally {
    // A request that the job has not read yet is withdrawn.
    await rm(optimizeRequest, { force: true })
  }
}
