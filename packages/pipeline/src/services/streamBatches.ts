import { readState } from '@offstream/runtime'
import { z } from 'zod'

const StreamBatches = z.object({
  batches: z.array(
    z.object({
      batchId: z.int(),
      /** ISO 8601; when its trigger started. */
      at: z.string(),
      rows: z.int(),
      /** The duration of each phase by Spark's names; `triggerExecution` is the total. */
      durationMs: z.record(z.string(), z.number()),
    }),
  ),
})

/** A batch of the job. */
export type StreamBatch = z.infer<typeof StreamBatches>['batches'][number]

/** The last batches that `spark-jobs/progress.py` has written, at most 100, the oldest first. */
export const readStreamBatches = async (file: string): Promise<readonly StreamBatch[]> =>
  (await readState(file, StreamBatches))?.batches ?? []
