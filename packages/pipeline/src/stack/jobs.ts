import { readdir } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import { daemonResponds, isOver, isRunning, type OffstreamError, ServiceRecords } from '@offstream/runtime'
import { PipelineError } from '../errors.ts'
import { directoriesOf } from '../project/directories.ts'
import { waitingReason } from '../services/job.ts'
import { deleteJob, type Job, readJob, readJobs, saveJob } from '../services/jobStore.ts'
import type { Stack } from '../services/stack.ts'
import type { StackCall } from './call.ts'
import { isFreePort, nextJobPort } from './ports.ts'
import { startServices } from './start.ts'
import { stopServices } from './stop.ts'

/** A job as the user submits it. */
export type JobRequest = Omit<Job, 'webPort'>

/** A job that was started. */
export interface StartedJob {
  readonly job: Job
  /** Whether it has completed already. */
  readonly isComplete: boolean
  /** Why its tasks do not run yet; null if they do. */
  readonly waiting: string | null
}

/**
 * Adds a job to the stack and starts it, or replaces the one with its name. Does nothing if the same job is running.
 * @throws OffstreamError JOB_RUNNING if another job with its name is running, and what `startServices` throws
 */
export const submitJob = async (stack: Stack, request: JobRequest, call: StackCall): Promise<StartedJob> => {
  const existing = await readJob(stack.state, request.name)
  if (existing !== null && (await isActive(stack.state, request.name))) {
    const { webPort: _, ...running } = existing
    if (!isDeepStrictEqual(running, request)) throw jobRunning(request.name)
  }
  return startOnPort(stack, await plannedJob(stack, request), call)
}

/** The job as `submitJob` would start it now. */
export const plannedJob = async (stack: Stack, request: JobRequest): Promise<Job> => {
  const existing = await readJob(stack.state, request.name)
  return { ...request, webPort: await portFor(stack, existing) }
}

/**
 * Starts a job again, as it was submitted.
 * @throws OffstreamError JOB_UNKNOWN, and what `startServices` throws
 */
export const startJob = async (stack: Stack, name: string, call: StackCall): Promise<StartedJob> => {
  const job = await requireJob(stack.state, name)
  return startOnPort(stack, { ...job, webPort: await portFor(stack, job) }, call)
}

/**
 * Stops a job; its definition and its checkpoint stay.
 * @returns whether it was running
 * @throws OffstreamError JOB_UNKNOWN
 */
export const stopJob = async (
  state: string,
  name: string,
  call: Pick<StackCall, 'onEvent' | 'signal'>,
): Promise<boolean> => {
  await requireJob(state, name)
  const { run, records } = directoriesOf(state)
  const wasActive = await isActive(state, name)
  const record = await recordOf(state, name)
  // After a reboot only the record is left, and no daemon.
  const isLeft = record !== null && ((await daemonResponds(run)) || (await isRunning(record)))
  if (isLeft) await stopServices(state, [name], call)
  await new ServiceRecords(records).forget(name)
  return isLeft && wasActive
}

/**
 * Stops a job, and deletes its definition, its checkpoint and its log.
 * @returns whether it had a checkpoint
 * @throws OffstreamError JOB_UNKNOWN
 */
export const removeJob = async (
  state: string,
  name: string,
  call: Pick<StackCall, 'onEvent' | 'signal'>,
): Promise<boolean> => {
  await stopJob(state, name, call)
  const checkpoints = await readdir(directoriesOf(state).jobCheckpoints).catch((): string[] => [])
  await deleteJob(state, name)
  return checkpoints.includes(name)
}

const startOnPort = async (stack: Stack, job: Job, call: StackCall): Promise<StartedJob> => {
  await saveJob(stack.state, job)
  await startServices(stack, [job.name], call)
  const isComplete = (await recordOf(stack.state, job.name))?.phase === 'completed'
  const signal = call.signal ?? new AbortController().signal
  const waiting = isComplete ? null : await waitingReason(stack.config, job, signal).catch(() => null)
  return { job, isComplete, waiting }
}

/** The port that a job has, or had if it is still free; otherwise the next free one. */
const portFor = async ({ state, config }: Stack, existing: Job | null): Promise<number> => {
  const hasPort =
    existing !== null &&
    ((await isActive(state, existing.name)) || (await isFreePort(config, existing.webPort)))
  if (hasPort) return existing.webPort
  const others = (await readJobs(state)).filter(({ name }) => name !== existing?.name)
  return nextJobPort(
    config,
    others.map(({ webPort }) => webPort),
  )
}

const recordOf = (state: string, name: string) => new ServiceRecords(directoriesOf(state).records).of(name)

/** Whether the job runs, or the daemon will start it again. */
const isActive = async (state: string, name: string): Promise<boolean> => {
  const record = await recordOf(state, name)
  return record !== null && (!isOver(record.phase) || (await isRunning(record)))
}

const requireJob = async (state: string, name: string): Promise<Job> => {
  const job = await readJob(state, name)
  if (job !== null) return job
  const names = (await readJobs(state)).map(one => `\`${one.name}\``)
  throw new PipelineError('JOB_UNKNOWN', `Job \`${name}\` does not exist`, {
    hint:
      names.length === 0
        ? 'submit a program with `offstream submit <program>`'
        : `use one of ${names.join(', ')}`,
  })
}

const jobRunning = (name: string): OffstreamError =>
  new PipelineError('JOB_RUNNING', `Job \`${name}\` is running with another program or other options`, {
    hint: `stop it with \`offstream jobs stop ${name}\`, or choose another name with \`--name\``,
  })
