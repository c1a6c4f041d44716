import { type OrphanedService, orphanedServices, type Service, ServiceRecords } from '@offstream/runtime'
import type { Config } from '../project/config.ts'
import { directoriesOf } from '../project/directories.ts'
import { readFetched } from '../scrape/produce.ts'
import { jobAddress } from '../services/job.ts'
import { readJobs } from '../services/jobStore.ts'
import { clusterOf } from '../services/kafkaCluster.ts'
import {
  consumedOf,
  type Executor,
  failureOf,
  readStreamProgress,
  type StreamProgress,
} from '../services/streamProgress.ts'
import { addressOf, listedServices, pipelineServices, placeOf } from '../services/table.ts'
import { thriftHost, thriftOf } from '../services/thriftServer.ts'
import { query, refillHint } from '../table.ts'
import { acknowledgedMessages } from '../topic/admin.ts'
import { topicName } from '../topic/message.ts'
import {
  type Check,
  checkJob,
  checkService,
  healthOf,
  healthy,
  probeExternal,
  responseTimeoutMs,
} from './checks.ts'
import {
  emptyTable,
  externalState,
  type JobStatus,
  orphanState,
  type ServiceStatus,
  stateOf,
} from './states.ts'

/** The result of `offstream status --json`. Other programs read it: an incompatible change increases `version`. */
export interface Status {
  readonly version: 1
  readonly state: 'healthy' | 'degraded' | 'stopped'
  readonly services: readonly ServiceStatus[]
  /** The jobs of the user. */
  readonly jobs: readonly JobStatus[]
  /** Where the tasks of the running job are executed. */
  readonly executors: readonly Executor[]
  readonly flow: Flow
  readonly thrift: ThriftStatus
}

/**
 * The number of products at each step: fetched → acknowledged → consumed → rows (+ rejected) → visible. Null: the step
 * could not be queried.
 */
export interface Flow {
  /** Products that scrapes of this stack have fetched. */
  readonly fetched: number
  /** Messages that Kafka has acknowledged for the topic. */
  readonly acknowledged: number | null
  /** Messages of these that the stream has processed. */
  readonly consumed: number | null
  /** Products in the table, including deleted ones. */
  readonly rows: number | null
  /** Messages that are not products. */
  readonly rejected: number | null
  /** Products that `SELECT * FROM Products` shows. */
  readonly visible: number | null
  /** Messages that are acknowledged and not yet consumed. */
  readonly lag: number | null
  /** Age of the newest visible product. */
  readonly freshnessSeconds: number | null
}

/** The Thrift server in the status. */
export interface ThriftStatus {
  readonly host: string
  readonly port: number
  /** Time from connecting to the complete response; null if it did not respond. */
  readonly responseMs: number | null
}

/** What the Thrift server counts; null if it does not respond. @param state the state folder of the stack */
export type CountTable = (config: Config, state: string) => Promise<TableCounts | null>

/**
 * Probes every running service in parallel, each with a timeout, and counts the products.
 * @param folder the state folder of the stack
 * @param countTable replaced by a caller that reads the status often (see `monitor.ts`)
 */
export const readStatus = async (
  folder: string,
  config: Config,
  services: readonly Service[],
  countTable: CountTable = countProducts,
): Promise<Status> => {
  const directories = directoriesOf(folder)
  const records = new ServiceRecords(directories.records)
  const orphaned = await orphanedServices(directories.records)
  const states = await Promise.all(
    listedServices(config).map(async name => {
      const place = placeOf(name, config)
      if (place === 'external' || place === 'unused') return externalState(name, place)
      const orphan = orphaned.find(service => service.name === name)
      return orphan === undefined ? stateOf(name, await records.of(name)) : orphanState(name, orphan.pid)
    }),
  )
  const jobs = jobStatuses(folder, config, services, orphaned)
  const running = new Set(
    states.filter(({ state }) => state === 'running' || state === 'external').map(({ name }) => name),
  )
  // Before the query of the table: what the job has reported by now is in the table then.
  const progress = await readStreamProgress(directories.streamProgress)
  const consumed = progress && consumedOf(progress, topicName)
  const counting = running.has('thrift') ? countTable(config, folder) : null
  const [checks, table, acknowledged, fetched] = await Promise.all([
    Promise.all(
      states.map(async ({ name, state, pid }) => {
        // The counts prove that the Thrift server responds and has the tables.
        if (state === 'external' && name === 'thrift' && (await counting) !== null) return healthy
        if (state === 'external') return probeExternal(name, config, folder)
        const service = services.find(service => service.name === name)
        return state === 'running' && service !== undefined ? checkService(service, pid) : null
      }),
    ),
    counting,
    running.has('kafka') ? acknowledgedIn(config, folder) : null,
    readFetched(directories.fetched),
  ])
  // Each message is either in a row or rejected.
  const isTableLost = consumed !== null && table?.rows === 0 && consumed > table.rejected
  const statuses = states.map((state, index): ServiceStatus => {
    const check =
      state.name === 'products-stream' && isTableLost ? tableLost(consumed) : (checks[index] ?? null)
    const stream = state.name === 'products-stream' ? streamDetail(state.state, check, progress) : null
    return {
      ...state,
      health: healthOf(check),
      address: addressOf(state.name, config),
      detail: check?.detail ?? stream ?? state.detail,
    }
  })
  const ofJobs = await jobs
  return {
    version: 1,
    state: overall(statuses, ofJobs, config),
    services: statuses,
    jobs: ofJobs,
    executors: running.has('products-stream') ? (progress?.executors ?? []) : [],
    flow: {
      fetched,
      acknowledged,
      consumed,
      rows: table?.rows ?? null,
      rejected: table?.rejected ?? null,
      visible: table?.visible ?? null,
      lag: acknowledged === null || consumed === null ? null : Math.max(0, acknowledged - consumed),
      freshnessSeconds: table?.newestAt == null ? null : secondsSince(table.newestAt),
    },
    thrift: { host: thriftHost(config), port: config.thrift.port, responseMs: table?.responseMs ?? null },
  }
}

/**
 * Stopped: no service runs or is about to. Healthy: every service of `up` is running and healthy, and so is the stream if
 * it was submitted, and every job of the user that was started and has not completed. The stream also counts if the table
 * has lost its products. The dashboard is not part of the pipeline.
 */
const overall = (
  all: readonly ServiceStatus[],
  jobs: readonly JobStatus[],
  config: Config,
): Status['state'] => {
  const ofPipeline = pipelineServices(config)
  const services = all.filter(({ name, state }) => ofPipeline.includes(name) && state !== 'unused')
  const own = [...services.filter(({ state }) => state !== 'external'), ...jobs]
  if (own.every(({ state }) => isIdle(state) || state === 'failed')) return 'stopped'
  const required = services.filter(
    ({ name, state, health }) => name !== 'products-stream' || state !== 'stopped' || health === 'unhealthy',
  )
  const started = jobs.filter(({ state }) => !isIdle(state))
  const runs: readonly JobStatus['state'][] = ['running', 'external']
  return [...required, ...started].every(({ state, health }) => runs.includes(state) && health === 'healthy')
    ? 'healthy'
    : 'degraded'
}

const isIdle = (state: JobStatus['state']): boolean => state === 'stopped' || state === 'completed'

/** The status of each job; of a running one also why its tasks do not run. */
const jobStatuses = async (
  state: string,
  config: Config,
  services: readonly Service[],
  orphaned: readonly OrphanedService[],
): Promise<readonly JobStatus[]> => {
  const records = new ServiceRecords(directoriesOf(state).records)
  return Promise.all(
    (await readJobs(state)).map(async (job): Promise<JobStatus> => {
      const { name, program, cores, memory } = job
      const record = await records.of(name)
      const orphan = orphaned.find(one => one.name === name)
      const found = orphan === undefined ? await stateOf(name, record) : orphanState(name, orphan.pid)
      const service = services.find(one => one.name === name)
      const isProbed = found.state === 'running' && service !== undefined
      const check = isProbed ? await checkJob(service, found.pid, config, job) : null
      return {
        ...found,
        state: found.state === 'stopped' && record?.phase === 'completed' ? 'completed' : found.state,
        health: healthOf(check),
        ...{ port: job.webPort, address: jobAddress(config, job), detail: check?.detail ?? found.detail },
        ...{ program, cores, memory },
      }
    }),
  )
}

const acknowledgedIn = async (config: Config, folder: string): Promise<number | null> =>
  clusterOf(config, folder)
    .then(cluster => acknowledgedMessages(cluster))
    .catch(() => null)

/** The job's checkpoint is not in the table: after the loss of its rows the job does not go back by itself. */
const tableLost = (consumed: number): Check => ({
  healthy: false,
  detail: `${emptyTable(consumed)}; ${refillHint}`,
})

/** What the job has reported: why it failed and what to do, or what does not stop it. */
const streamDetail = (
  state: ServiceStatus['state'],
  check: Check | null,
  progress: StreamProgress | null,
): string | null => {
  const failure = state === 'failed' || state === 'restarting' ? failureOf(progress) : null
  if (failure !== null) return `${failure.message} [${failure.code}]; ${failure.hint}`
  if (progress === null || !check?.healthy) return null
  const { upkeepError, acceptedLosses } = progress
  const loss = acceptedLosses.at(-1)
  const notes = [
    ...(upkeepError === null ? [] : [`${upkeepError}; the stream continues and will try this step again`]),
    ...(loss === undefined
      ? []
      : [`a loss of messages was accepted on ${loss.at.slice(0, 10)}: ${loss.reason}`]),
  ]
  return notes.length === 0 ? null : notes.join('; ')
}

const countQuery = `
SELECT
  (SELECT count(*) FROM lake.off.products),
  (SELECT count(*) FROM products_rejected),
  count(*),
  unix_millis(max(observed_at))
FROM Products`

/** The counts of the table and the view. */
export interface TableCounts {
  readonly rows: number
  readonly rejected: number
  readonly visible: number
  /** When the newest visible product was observed, milliseconds since 1970. */
  readonly newestAt: number | null
  readonly responseMs: number
}

/** Counts the table and the view; null if the Thrift server does not respond. */
export const countProducts: CountTable = async (config, state) => {
  const startedAt = Date.now()
  try {
    const { rows } = await query(await thriftOf(config, state), countQuery, {
      timeoutMs: responseTimeoutMs,
    })
    const [inTable, rejected, visible, newest] = rows[0] ?? []
    return {
      rows: Number(inTable),
      rejected: Number(rejected),
      visible: Number(visible),
      newestAt: newest == null ? null : Number(newest),
      responseMs: Date.now() - startedAt,
    }
  } catch {
    return null
  }
}

const secondsSince = (moment: number): number => Math.max(0, Math.round((Date.now() - moment) / 1_000))
