import {
  isRunning,
  listenerOn,
  messageOf,
  OffstreamError,
  orphanedServices,
  type Service,
  type ServiceRecord,
  ServiceRecords,
  withDeadline,
} from '@offstream/runtime'
import type { ServiceName } from '../names.ts'
import type { Config } from '../project/config.ts'
import { directoriesOf } from '../project/directories.ts'
import { readFetched } from '../scrape/produce.ts'
import { clusterOf } from '../services/kafkaCluster.ts'
import { consumedOf, failureOf, readStreamProgress, type StreamProgress } from '../services/streamProgress.ts'
import { addressOf, checkExternal, listedServices, pipelineServices, placeOf } from '../services/table.ts'
import { thriftHost, thriftOf } from '../services/thriftServer.ts'
import { query, refillHint } from '../table.ts'
import { acknowledgedMessages } from '../topic/admin.ts'
import { topicName } from '../topic/message.ts'

/** The result of `offstream status --json`. Other programs read it: an incompatible change increases `version`. */
export interface Status {
  readonly version: 1
  readonly state: 'healthy' | 'degraded' | 'stopped'
  readonly services: readonly ServiceStatus[]
  readonly flow: Flow
  readonly thrift: ThriftStatus
}

type ServiceStateName =
  | 'running'
  | 'starting'
  | 'stopping'
  | 'restarting'
  | 'stopped'
  | 'exited'
  | 'failed'
  | 'external'
  | 'unused'

/** A service in the status. */
export interface ServiceStatus {
  readonly name: ServiceName
  /**
   * State of the process. `stopped`: as requested. `exited`: it should run. `failed`: it crashed too often. `external`: it
   * runs elsewhere, and offstream only checks it. `unused`: the stack does not need it.
   */
  readonly state: ServiceStateName
  /** Result of the health check; `unknown` if nothing was checked. */
  readonly health: 'healthy' | 'unhealthy' | 'unknown'
  readonly pid: number | null
  readonly port: number | null
  readonly address: string
  readonly uptimeSeconds: number | null
  readonly restarts: number
  readonly detail: string | null
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

const responseTimeoutMs = 10_000

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
      if (place === 'external' || place === 'unused') return elsewhereState(name, place)
      const orphan = orphaned.find(service => service.name === name)
      return orphan === undefined ? stateOf(name, await records.of(name)) : orphanState(name, orphan.pid)
    }),
  )
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
        if (state === 'external') return checkElsewhere(name, config, folder)
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
      health: check === null ? 'unknown' : check.healthy ? 'healthy' : 'unhealthy',
      address: addressOf(state.name, config),
      detail: check?.detail ?? stream ?? state.detail,
    }
  })
  return {
    version: 1,
    state: overall(statuses, config),
    services: statuses,
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
 * it was submitted. The stream also counts if the table has lost its products. The dashboard is not part of the pipeline.
 */
const overall = (all: readonly ServiceStatus[], config: Config): Status['state'] => {
  const ofPipeline = pipelineServices(config)
  const services = all.filter(({ name, state }) => ofPipeline.includes(name) && state !== 'unused')
  const own = services.filter(({ state }) => state !== 'external')
  if (own.every(({ state }) => state === 'stopped' || state === 'failed')) return 'stopped'
  const required = services.filter(
    ({ name, state, health }) => name !== 'products-stream' || state !== 'stopped' || health === 'unhealthy',
  )
  const runs = ['running', 'external']
  return required.every(({ state, health }) => runs.includes(state) && health === 'healthy')
    ? 'healthy'
    : 'degraded'
}

type ServiceState = Omit<ServiceStatus, 'health' | 'address'>

const stateOf = async (name: ServiceName, record: ServiceRecord | null): Promise<ServiceState> => {
  const port = record?.port ?? null
  if (record === null)
    return { name, state: 'stopped', pid: null, port, uptimeSeconds: null, restarts: 0, detail: null }
  const { phase, pid, startedAt, restarts, detail } = record
  if (await isRunning(record)) {
    const uptimeSeconds = startedAt === null ? null : Math.floor((Date.now() - Date.parse(startedAt)) / 1_000)
    const state = phase === 'starting' || phase === 'stopping' ? phase : 'running'
    return { name, state, pid, port, uptimeSeconds, restarts, detail }
  }
  const exited = { name, pid: null, port, uptimeSeconds: null, restarts }
  const hasNoProcessYet = phase === 'starting' && pid === null
  if (phase === 'failed' || phase === 'restarting' || hasNoProcessYet)
    return { ...exited, state: phase, detail }
  return {
    ...exited,
    state: 'exited',
    detail: 'it exited while no daemon was running; `offstream up` starts it again',
  }
}

const elsewhereState = (name: ServiceName, state: 'external' | 'unused'): ServiceState => ({
  ...{ name, state, pid: null, port: null, uptimeSeconds: null, restarts: 0, detail: null },
})

const acknowledgedIn = async (config: Config, folder: string): Promise<number | null> =>
  clusterOf(config, folder)
    .then(cluster => acknowledgedMessages(cluster))
    .catch(() => null)

const orphanState = (name: ServiceName, pid: number): ServiceState => ({
  ...{ name, state: 'running', pid, port: null, uptimeSeconds: null, restarts: 0 },
  detail:
    'its state file is missing: `.offstream` was deleted while it was running, or the disk is full; `offstream down` stops it',
})

/** The result of a health check. */
interface Check {
  readonly healthy: boolean
  readonly detail: string | null
}

const healthy: Check = { healthy: true, detail: null }

/** The job's checkpoint is not in the table: after the loss of its rows the job does not go back by itself. */
const tableLost = (consumed: number): Check => ({
  healthy: false,
  detail: `the job has written ${consumed} messages to the table, but the table is empty: it was dropped or emptied; ${refillHint}`,
})

/** The fix of an external service is not a command of offstream, so the detail contains the whole error. */
const checkElsewhere = async (name: ServiceName, config: Config, folder: string): Promise<Check> => {
  try {
    await withDeadline(signal => checkExternal(name, config, folder, signal), {
      ...{ what: `${name} to respond`, timeoutMs: responseTimeoutMs },
    })
    return healthy
  } catch (error) {
    const detail =
      error instanceof OffstreamError ? `${error.message} [${error.code}]; ${error.hint}` : messageOf(error)
    return { healthy: false, detail }
  }
}

const checkService = async (service: Service, pid: number | null): Promise<Check> => {
  const { name, ready, listensOn = [] } = service
  try {
    await withDeadline(ready, { what: `${name} to respond`, timeoutMs: responseTimeoutMs })
    // Another process may have responded.
    for (const { port } of listensOn) {
      const listener = await listenerOn(port, undefined, pid)
      if (listener === null) return { healthy: false, detail: `no process listens on port ${port}` }
      if (listener.pid !== pid)
        return {
          healthy: false,
          detail: `\`${listener.name}\` (pid ${listener.pid}) listens on port ${port}`,
        }
    }
    return { healthy: true, detail: null }
  } catch (error) {
    return { healthy: false, detail: detailOf(error) }
  }
}

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

/** For a lost table also the fix: `offstream up`, the fix for most other problems, does not restore it. */
const detailOf = (error: unknown): string =>
  error instanceof OffstreamError && error.code === 'TABLE_MISSING'
    ? `${error.message}; ${error.hint}`
    : messageOf(error)

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
