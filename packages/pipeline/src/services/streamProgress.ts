import { readState } from '@offstream/runtime'
import { z } from 'zod'
import { PipelineError } from '../errors.ts'

/** The failures of the job that only the user can fix; `StreamError` in `spark-jobs` has their codes. */
const FailureCode = z.enum([
  ...['KAFKA_DATA_LOSS', 'CHECKPOINT_DAMAGED', 'TABLE_IN_USE', 'TABLE_TAKEN', 'TABLE_NEWER'],
  ...['AUTHENTICATION_FAILED', 'ACCESS_DENIED', 'CERTIFICATE_REJECTED', 'TOKEN_FAILED'],
] as const)

/** Topic → partition → an offset. */
const Offsets = z.record(z.string(), z.record(z.string(), z.int()))
/** Topic → partition → the offset of the next message. */
export type Offsets = z.infer<typeof Offsets>

/** A process that runs tasks of the job. `worker`: the web page of the Spark worker or the node manager that started it. */
const Executor = z.object({
  id: z.string(),
  host: z.string(),
  cores: z.int(),
  worker: z.string().nullable(),
})
/** A process that runs tasks of the job. */
export type Executor = z.infer<typeof Executor>

/** What `spark-jobs/stream.py` reports about itself, at least every second. */
const StreamProgress = z.object({
  pid: z.int(),
  state: z.enum(['starting', 'running', 'stopping', 'stopped', 'failed']),
  batchId: z.int().nullable(),
  /** Topic → partition → the offset of the next message: all messages before it are in the table. */
  offsets: Offsets,
  inputRows: z.int(),
  rowsPerSecond: z.number().nullable(),
  triggerMs: z.int().nullable(),
  error: z.string().nullable(),
  /** The code of a failure that repeats until the user acts. */
  code: FailureCode.nullable(),
  /** For a loss of messages: the current topic, and the offsets at which the job can continue. */
  details: z.object({ topicId: z.string(), offsets: Offsets }).nullable(),
  /** The losses that the user has accepted, oldest first. */
  acceptedLosses: z.array(z.object({ at: z.string(), reason: z.string() })),
  /** Which step of the tables' upkeep fails at present and will be retried; the stream continues. */
  upkeepError: z.string().nullable(),
  /** The last request of `offstream table optimize` that is done. */
  optimized: z.object({ request: z.string(), error: z.string().nullable() }).nullable(),
  executors: z.array(Executor),
  startedAt: z.string(),
  updatedAt: z.string(),
})

/** The progress of the job. */
export type StreamProgress = z.infer<typeof StreamProgress>

/** The progress of the job; null if it has not reported any. */
export const readStreamProgress = (file: string): Promise<StreamProgress | null> =>
  readState(file, StreamProgress)

/** Jobs report their progress every second, later on an overloaded machine. */
const progressTimeoutMs = 20_000

/** Throws unless the first batch of a job has finished and the job still reports its progress. */
export const requireProgress = (progress: StreamProgress | null): void => {
  if (progress?.state !== 'running')
    throw new Error(progress?.error ?? `it is ${progress?.state ?? 'starting'}`)
  const ageMs = Date.now() - Date.parse(progress.updatedAt)
  if (ageMs > progressTimeoutMs)
    throw new Error(`it has not reported progress for ${Math.round(ageMs / 1_000)} s`)
}

/** The failure of the job that only the user can fix; null if it has not failed, or another start may help. */
export const failureOf = (progress: StreamProgress | null): PipelineError | null => {
  if (progress?.state !== 'failed' || progress.code === null) return null
  const message = progress.error ?? 'it failed'
  return new PipelineError(progress.code, message.charAt(0).toUpperCase() + message.slice(1))
}

/** The number of messages of `topic` that were consumed: the sum of the offsets. */
export const consumedOf = ({ offsets }: StreamProgress, topic: string): number =>
  Object.values(offsets[topic] ?? {}).reduce((sum, offset) => sum + offset, 0)
