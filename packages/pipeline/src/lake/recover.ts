import { mkdir, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isRunning, ServiceRecords } from '@offstream/runtime'
import { PipelineError } from '../errors.ts'
import type { Config } from '../project/config.ts'
import { directoriesOf } from '../project/directories.ts'
import { failureOf, type Offsets, readStreamProgress } from '../services/streamProgress.ts'
import { thriftOf } from '../services/thriftServer.ts'
import { type Position, replaceCheckpoint, writtenOffsets } from './checkpoint.ts'
import { readHistory, rollBackTo, type Snapshot, setTableProperty } from './snapshots.ts'

/** The parts of a stack that these functions need. */
export interface Recoverable {
  /** The state folder of the stack. */
  readonly state: string
  readonly config: Config
}

/** The offsets at which the checkpoint must continue, and the snapshot that they come from. */
export interface RepairPlan {
  /** Null: no snapshot has offsets, and the stream reads the topic from its beginning. */
  readonly snapshot: Snapshot | null
  /** All messages before these are in the table. */
  readonly inTable: Offsets
}

/** A checkpoint that was rebuilt. No offset in `checkpoint` is after the one in `inTable`, so no message is skipped. */
export interface Repair extends RepairPlan {
  /** Where the stream continues, as read from the new checkpoint. */
  readonly checkpoint: Offsets
}

/**
 * Where the stream can continue according to the table.
 * @throws OffstreamError THRIFT_UNREACHABLE, TABLE_MISSING
 */
export const planRepair = async (
  { state, config }: Recoverable,
  signal?: AbortSignal,
): Promise<RepairPlan> => {
  const { current } = await readHistory(await thriftOf(config, state), { signal })
  return planOf(current)
}

/**
 * Rebuilds the checkpoint from the snapshots of the table, regardless of its content.
 * @throws OffstreamError STREAM_RUNNING, THRIFT_UNREACHABLE, TABLE_MISSING
 */
export const repairCheckpoint = async (stack: Recoverable, signal?: AbortSignal): Promise<Repair> => {
  await refuseRunningStream(stack.state)
  return await rewind(stack.state, await planRepair(stack, signal))
}

/** The snapshot to which the table would be rolled back, and where the stream would continue. */
export interface RollbackPlan extends RepairPlan {
  readonly target: Snapshot
  /** The newer snapshots, newest first, whose changes would be undone. */
  readonly undone: readonly Snapshot[]
}

/** @throws OffstreamError STREAM_RUNNING, SNAPSHOT_UNKNOWN, THRIFT_UNREACHABLE, TABLE_MISSING */
export const planRollback = async (
  { state, config }: Recoverable,
  snapshotId: string,
  signal?: AbortSignal,
): Promise<RollbackPlan> => {
  await refuseRunningStream(state)
  const { current } = await readHistory(await thriftOf(config, state), { signal })
  const index = current.findIndex(({ id }) => id === snapshotId)
  const target = current[index]
  if (target === undefined)
    throw new PipelineError(
      'SNAPSHOT_UNKNOWN',
      `Snapshot \`${snapshotId}\` is not in the history of the table`,
    )
  return { target, undone: current.slice(0, index), ...planOf(current.slice(index)) }
}

/**
 * Makes an older snapshot the current one and rewinds the checkpoint to it. The checkpoint comes first: if the
 * process is killed in between, the stream reads messages again that the table contains, which changes nothing.
 */
export const rollBack = async (
  { state, config }: Recoverable,
  plan: RollbackPlan,
  signal?: AbortSignal,
): Promise<Repair> => {
  await refuseRunningStream(state)
  const repair = await rewind(state, plan)
  await rollBackTo(await thriftOf(config, state), plan.target.id, { signal })
  return repair
}

/** The property of the table with the losses that the user has accepted; `spark-jobs/holdings.py` reads it. */
const acceptedLosses = 'offstream.accepted-losses'

/**
 * After a stream has failed with KAFKA_DATA_LOSS: records the loss in the table and makes the checkpoint continue with
 * the messages that exist. Does nothing after another failure.
 * @returns the reason of the loss; null if nothing was lost
 * @throws OffstreamError THRIFT_UNREACHABLE, TABLE_MISSING: then the loss is not recorded and the checkpoint not changed
 */
export const acceptDataLoss = async (
  { state, config }: Recoverable,
  signal?: AbortSignal,
): Promise<string | null> => {
  const { checkpoint, streamProgress } = directoriesOf(state)
  const progress = await readStreamProgress(streamProgress)
  const failure = failureOf(progress)
  if (progress?.details == null || failure?.code !== 'KAFKA_DATA_LOSS') return null
  const reason = progress.error ?? failure.message
  const losses = [...progress.acceptedLosses, { at: new Date().toISOString(), reason }]
  await setTableProperty(await thriftOf(config, state), acceptedLosses, JSON.stringify(losses), { signal })
  await replaceCheckpoint(checkpoint, progress.details)
  // The loss is accepted once, even if the job is never started again.
  await rm(streamProgress, { force: true })
  return reason
}

/** With `stream.checkpoint`: the job reads the topic from its beginning when it starts. */
export const beginAtStart = async ({ state, config }: Recoverable): Promise<void> => {
  if (config.stream.checkpoint !== null) await rewind(state, planOf([]))
}

const planOf = (history: readonly Snapshot[]): RepairPlan => {
  const snapshot = history.find(({ offsets }) => offsets !== null) ?? null
  return { snapshot, inTable: snapshot?.offsets ?? {} }
}

const rewind = async (state: string, plan: RepairPlan): Promise<Repair> => {
  const { checkpoint } = directoriesOf(state)
  const { snapshot, inTable } = plan
  const position: Position | null = snapshot === null ? null : { offsets: inTable, topicId: snapshot.topicId }
  await mkdir(dirname(checkpoint), { recursive: true, mode: 0o700 })
  await replaceCheckpoint(checkpoint, position)
  return { snapshot, inTable, checkpoint: await writtenOffsets(checkpoint) }
}

/** @throws OffstreamError STREAM_RUNNING */
export const refuseRunningStream = async (state: string): Promise<void> => {
  const record = await new ServiceRecords(directoriesOf(state).records).of('products-stream')
  if (record === null || record.phase === 'failed') return
  const pid = (await isRunning(record)) ? ` (pid ${record.pid})` : ''
  throw new PipelineError('STREAM_RUNNING', `The stream is ${record.phase}${pid}`)
}
