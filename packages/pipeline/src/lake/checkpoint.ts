import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Offsets } from '../services/streamProgress.ts'

/** Where a stream continues. */
export interface Position {
  readonly offsets: Offsets
  /** The topic of the offsets. If it is null, the job does not check it. */
  readonly topicId: string | null
}

/**
 * Replaces the checkpoint in a folder with one that continues at `position`, or that reads the topic from its beginning if
 * `position` is null. The previous checkpoint stays in `<folder>.replaced`. If the process is killed, there may be no
 * checkpoint: then the job reads the topic from its beginning, which changes nothing. With `stream.checkpoint` the job moves
 * the folder, also an empty one, to that place when it starts.
 *
 * It is a new query that has completed one batch. Spark accepts that without the files of the batches before.
 * `spark-jobs/checkpoint.py` describes the files.
 */
export const replaceCheckpoint = async (folder: string, position: Position | null): Promise<void> => {
  const [fresh, replaced] = [`${folder}.new`, `${folder}.replaced`]
  await rm(fresh, { recursive: true, force: true })
  await mkdir(fresh, { recursive: true, mode: 0o700 })
  if (position !== null) {
    for (const log of ['offsets', 'commits']) await mkdir(join(fresh, log), { recursive: true })
    await writeFile(join(fresh, 'metadata'), JSON.stringify({ id: randomUUID() }))
    await writeFile(
      join(fresh, 'offsets', '0'),
      `v1\n${JSON.stringify({ batchWatermarkMs: 0, batchTimestampMs: 0, conf: {} })}\n${JSON.stringify(position.offsets)}`,
    )
    await writeFile(join(fresh, 'commits', '0'), `v1\n${JSON.stringify({ nextBatchWatermarkMs: 0 })}`)
    const owner = { version: 1, topicId: position.topicId, tableId: null }
    await writeFile(join(fresh, 'offstream.json'), `${JSON.stringify(owner)}\n`)
  }
  await rm(replaced, { recursive: true, force: true })
  await rename(folder, replaced).catch(ifMissing)
  await rename(fresh, folder)
}

/** The offsets of a checkpoint that `replaceCheckpoint` wrote; empty if it wrote none. */
export const writtenOffsets = async (folder: string): Promise<Offsets> => {
  const text = await readFile(join(folder, 'offsets', '0'), 'utf8').catch(ifMissing)
  return text === null ? {} : JSON.parse(text.split('\n')[2] ?? '{}')
}

const ifMissing = (error: NodeJS.ErrnoException): null => {
  if (error.code !== 'ENOENT') throw error
  return null
}
