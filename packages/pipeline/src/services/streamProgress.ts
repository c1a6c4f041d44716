import { readState } from '@offstream/runtime'
import { z } from 'zod'

/** What `spark-jobs/stream.py` reports about itself, at least every second. */
const StreamProgress = z.object({
  pid: z.int(),
  state: z.enum(['starting', 'running', 'stopping', 'stopped', 'failed']),
  batchId: z.int().nullable(),
  /** Topic → partition → the offset of the next message: all messages before it are in the table. */
  offsets: z.record(z.string(), z.record(z.string(), z.int())),
  inputRows: z.int(),
  rowsPerSecond: z.number().nullable(),
  triggerMs: z.int().nullable(),
  error: z.string().nullable(),
  /** Which step of the tables' upkeep fails at present and will be retried; the stream continues. */
  upkeepError: z.string().nullable(),
  startedAt: z.string(),
  updatedAt: z.string(),
})

/** The progress of the job. */
export type StreamProgress = z.infer<typeof StreamProgress>

/** The progress of the job; null if it has not reported any. */
export const readStreamProgress = (file: string): Promise<StreamProgress | null> =>
  readState(file, StreamProgress)

/** The number of messages of `topic` that were consumed: the sum of the offsets. */
export const consumedOf = ({ offsets }: StreamProgress, topic: string): number =>
  Object.values(offsets[topic] ?? {}).reduce((sum, offset) => sum + offset, 0)
