import { access, mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Service, withDeadline } from '@offstream/runtime'
import type { PipelineError } from '../errors.ts'
import { shippedPath } from '../project/assets.ts'
import type { Config } from '../project/config.ts'
import { directoriesOf } from '../project/directories.ts'
import { localPath } from './hadoopConf.ts'
import { type Job, jobCheckpoint, jobLogFile } from './jobStore.ts'
import { diagnose } from './knownProblems.ts'
import { prepareProgram, programAddresses, programConf } from './programs.ts'
import { isSparkExternal, masterOf, ownWorkers, requestsExecutors, workerName } from './sparkCluster.ts'
import { conf, sparkSubmit } from './sparkCommand.ts'
import { type MasterState, masterState } from './sparkDaemons.ts'
import type { Stack } from './stack.ts'
import { failureOf, readStreamProgress, requireProgress } from './streamProgress.ts'

/** The address of the Spark UI of a job. */
export const jobAddress = ({ host }: Config, { webPort }: Pick<Job, 'webPort'>): string =>
  `http://${host}:${webPort}`

/** The files by which a job and its supervisor communicate. Only `spark-jobs/offstream_jobs` uses the last two. */
interface JobFiles {
  /** Exists when the program has completed. */
  readonly done: string
  /** Its state and its offsets. */
  readonly progress: string
  /** A request to stop between two batches. */
  readonly stop: string
}

const filesOf = (state: string, { name }: Job): JobFiles => {
  const { run } = directoriesOf(state)
  return {
    done: join(run, `job-${name}.done`),
    progress: join(run, `job-${name}.progress.json`),
    stop: join(run, `job-${name}.progress.stop`),
  }
}

/**
 * The service of a job of the user; it is ready when its Spark session exists and, if it uses `offstream_jobs`, its first
 * batch has finished. `spark-jobs/job.py` runs the program and records that it has completed: a daemon that adopted the
 * job does not know its exit status.
 */
export const jobService = (stack: Stack, job: Job): Service => {
  const { config, state } = stack
  const { temporary } = directoriesOf(state)
  const files = filesOf(state, job)
  return {
    name: job.name,
    command: jobCommand(stack, job, files),
    needs: ['kafka', 'kafka-2', 'kafka-3', 'spark-master', ...ownWorkers(config).map(workerName)],
    restartsWith: ['spark-master'],
    needsOnlyAtStart: ['kafka', 'kafka-2', 'kafka-3', ...ownWorkers(config).map(workerName)],
    port: job.webPort,
    listensOn: [
      { host: config.host, port: job.webPort, choose: `\`offstream jobs start ${job.name}\` chooses one` },
    ],
    logFile: jobLogFile(state, job.name),
    prepare: async () => {
      for (const file of Object.values(files)) await rm(file, { force: true })
      await mkdir(temporary, { recursive: true, mode: 0o700 })
      await prepareProgram(stack)
    },
    ready: async signal => {
      await applicationOf(config, job, signal)
      const progress = await readStreamProgress(files.progress)
      if (progress !== null) requireProgress(progress)
    },
    isComplete: () => exists(files.done),
    permanentFailure: async () => {
      if (job.once) return (await exists(files.done)) ? null : failedOnce(job)
      const failure = failureOf(await readStreamProgress(files.progress))
      return failure === null ? null : failedUntilFixed(job, failure)
    },
    // Without the package nothing reads the file, and the job is stopped by a signal.
    requestStop: async () => {
      await access(files.progress)
      await writeFile(files.stop, '')
    },
    diagnose,
    startTimeoutMs: 300_000,
    stopTimeoutMs: 20_000,
  }
}

const jobCommand = (stack: Stack, job: Job, files: JobFiles): Service['command'] => {
  const { archives } = stack
  const own = {
    // Modules next to the program can be imported in its tasks too.
    'spark.executorEnv.PYTHONPATH': dirname(job.program),
    ...(job.pyFiles.length === 0 ? {} : { 'spark.submit.pyFiles': job.pyFiles.join(',') }),
  }
  // With another port, Spark's default, the job would be probed at the Spark UI of another program.
  const webUi = { 'spark.ui.port': String(job.webPort), 'spark.port.maxRetries': '0' }
  // Its class path is that of the product job, so it can read that archive. It does not write one.
  const hasArchive = archives?.made.includes('products-stream') ?? false
  const command = sparkSubmit({ ...stack, archives: hasArchive ? archives : null }, 'products-stream', [
    ...['--name', job.name, '--master', masterOf(stack.config)],
    ...conf(programConf(stack, { ...job, conf: { ...own, ...job.conf, ...webUi } })),
    ...[shippedPath('spark-jobs', 'job.py'), files.done, job.program, ...job.args],
  ])
  return {
    ...command,
    env: {
      ...command.env,
      ...programAddresses(stack),
      OFFSTREAM_CHECKPOINT: localPath(stack.config, jobCheckpoint(stack.state, job.name)),
      OFFSTREAM_PROGRESS: files.progress,
      // The package `offstream_jobs`.
      PYTHONPATH: shippedPath('spark-jobs'),
    },
    cwd: job.directory,
  }
}

const failedOnce = ({ name }: Job) => ({
  cause: 'it did not complete, and was submitted with `--once`',
  hint: `read \`offstream logs ${name}\`, then start it again with \`offstream jobs start ${name}\``,
})

/** The failures of `StreamError`: another start would fail in the same way. */
const failedUntilFixed = ({ name }: Job, { code, message, hint }: PipelineError) => ({
  cause: message,
  hint:
    code === 'KAFKA_DATA_LOSS' || code === 'CHECKPOINT_DAMAGED'
      ? `read the topic again from its beginning: \`offstream jobs remove ${name}\`, then submit it again; rows that the table has stay as they are`
      : hint,
})

/** Why a job has no executor yet, and what to do; null if it has one. */
export const waitingReason = async (
  config: Config,
  job: Job,
  signal: AbortSignal,
): Promise<string | null> => {
  const id = await applicationOf(config, job, signal)
  // The resource manager of YARN, and the pods of Kubernetes, show what a program waits for.
  if (requestsExecutors(config)) return null
  const { workers, activeapps } = await withDeadline(aborted => masterState(config, aborted), {
    ...{ what: 'a response of the master', timeoutMs: probeTimeoutMs, signal },
  })
  if (activeapps.find(application => application.id === id)?.cores !== 0) return null
  const users = activeapps.filter(one => one.cores > 0).map(one => `${one.name} has ${one.cores}`)
  return [
    `it waits for an executor: it requests ${job.memory} of memory and up to ${coresText(job.cores)}`,
    `${freeText(workers)}${users.length === 0 ? '' : ` (${users.join(', ')})`}`,
    isSparkExternal(config)
      ? 'stop another program of the cluster; set `stream.executors`, or the job of the products takes all cores'
      : 'stop another job, or raise `spark.worker.jobCores` or `spark.worker.memory`',
  ].join('; ')
}

/** How many workers a message lists. */
const maxWorkers = 3

/** What each worker has free: an executor needs its memory and its cores on one of them. */
const freeText = (all: MasterState['workers']): string => {
  const workers = all.filter(({ state }) => state === 'ALIVE')
  const free = workers
    .toSorted((one, other) => other.memoryfree - one.memoryfree)
    .map(({ coresfree, memoryfree }) => `${memoryfree} MB and ${coresText(coresfree)}`)
    .slice(0, maxWorkers)
    .join(', ')
  if (workers.length === 0) return 'no worker is running'
  if (workers.length === 1) return `the worker has ${free} free`
  return workers.length <= maxWorkers
    ? `the workers have ${free} free`
    : `of ${workers.length} workers, the ${maxWorkers} with the most free memory have ${free} free`
}

const coresText = (count: number): string => `${count} ${count === 1 ? 'core' : 'cores'}`

/**
 * A Spark UI that is starting may accept a request and never respond to it. Node.js 20 may delete an `AbortSignal.timeout`
 * to which only `AbortSignal.any` refers before it aborts; `withDeadline` keeps a reference.
 */
const probeTimeoutMs = 5_000

/** The id of the application whose driver serves the Spark UI of the job. */
const applicationOf = async (config: Config, job: Job, signal: AbortSignal): Promise<string> => {
  const request = async (inTime: AbortSignal): Promise<readonly { readonly id: string }[]> => {
    const response = await fetch(`${jobAddress(config, job)}/api/v1/applications`, { signal: inTime })
    if (!response.ok) throw new Error(`its Spark UI returned status ${response.status}`)
    return (await response.json()) as readonly { readonly id: string }[]
  }
  const wait = { what: 'a response of its Spark UI', timeoutMs: probeTimeoutMs, signal }
  const [application] = await withDeadline(request, wait)
  if (application === undefined) throw new Error('it has no Spark session')
  return application.id
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  )
