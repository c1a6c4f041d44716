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
import { type ServiceName, serviceNames } from '../names.ts'
import type { Config } from '../project/config.ts'
import { directoriesOf } from '../project/directories.ts'
import { readFetched } from '../scrape/produce.ts'
import { brokerOf } from '../services/kafka.ts'
import { consumedOf, readStreamProgress } from '../services/streamProgress.ts'
import { addressOf } from '../services/table.ts'
import { query, refillHint } from '../table.ts'
import { acknowledgedMessages, topicName } from '../topic/topic.ts'

/** The answer of `offstream status --json`; other programs read it, so a change of meaning raises `version`. */
export interface Status {
  readonly version: 1
  readonly state: 'healthy' | 'degraded' | 'stopped'
  readonly services: readonly ServiceStatus[]
  readonly flow: Flow
  readonly thrift: ThriftStatus
}

export interface ServiceStatus {
  readonly name: ServiceName
  /** Of the process: `stopped` is the person's wish, `dead` is not. */
  readonly state: 'running' | 'starting' | 'stopping' | 'restarting' | 'stopped' | 'dead' | 'failed'
  /** Of the answer to a question in the service's own language; `unknown` where there is nobody to ask. */
  readonly health: 'healthy' | 'unhealthy' | 'unknown'
  readonly pid: number | null
  readonly port: number | null
  readonly address: string
  readonly uptimeSeconds: number | null
  readonly restarts: number
  readonly detail: string | null
}

/**
 * The way of the products, step by step; null where that step could not be asked.
 * fetched → acknowledged → consumed → rows (+ rejected) → visible.
 */
export interface Flow {
  /** Products fetched by producers of this stack, ever. */
  readonly fetched: number
  /** Messages that Kafka has acknowledged for the topic, ever. */
  readonly acknowledged: number | null
  /** Of these, the messages that the stream has worked into the table. */
  readonly consumed: number | null
  /** Products in the table, deleted ones included. */
  readonly rows: number | null
  /** Messages that could not be read as a product. */
  readonly rejected: number | null
  /** Products that `SELECT * FROM Products` shows. */
  readonly visible: number | null
  /** Messages acknowledged and not yet consumed. */
  readonly lag: number | null
  /** Age of the newest observation that is visible. */
  readonly freshnessSeconds: number | null
}

export interface ThriftStatus {
  readonly host: string
  readonly port: number
  /** From the connection to the whole answer; null where there was none. */
  readonly answerMs: number | null
}

const responseTimeoutMs = 10_000

/** What the stack is in truth: every running service is asked, side by side, each with a deadline of its own. */
export const readStatus = async (
  state: string,
  config: Config,
  services: readonly Service[],
): Promise<Status> => {
  const directories = directoriesOf(state)
  const records = new ServiceRecords(directories.records)
  const strays = await orphanedServices(directories.records)
  const states = await Promise.all(
    serviceNames.map(async name => {
      const stray = strays.find(one => one.name === name)
      return stray === undefined ? stateOf(name, await records.of(name)) : strayState(name, stray.pid)
    }),
  )
  const alive = new Set(states.filter(({ state }) => state === 'running').map(({ name }) => name))
  // Before the table is asked: what the job has told of by now is in the table by then.
  const progress = await readStreamProgress(directories.streamProgress)
  const consumed = progress && consumedOf(progress, topicName)
  const [answers, table, acknowledged, fetched] = await Promise.all([
    Promise.all(
      services.map(service => {
        const { state, pid } = states.find(({ name }) => name === service.name) ?? {
          state: 'stopped',
          pid: null,
        }
        return state === 'running' ? askService(service, pid) : null
      }),
    ),
    alive.has('thrift') ? askTable(config) : null,
    alive.has('kafka') ? acknowledgedMessages(brokerOf(config)).catch(() => null) : null,
    readFetched(directories.fetched),
  ])
  // Each message is either in a row or rejected.
  const isTableLost = consumed !== null && table?.rows === 0 && consumed > table.rejected
  const reports = states.map((state): ServiceStatus => {
    const answer =
      state.name === 'products-stream' && isTableLost
        ? tableLost(consumed)
        : (answers[services.findIndex(({ name }) => name === state.name)] ?? null)
    return {
      ...state,
      health: answer === null ? 'unknown' : answer.healthy ? 'healthy' : 'unhealthy',
      address: addressOf(state.name, config),
      detail: answer?.detail ?? state.detail,
    }
  })
  return {
    version: 1,
    state: overall(reports),
    services: reports,
    flow: {
      fetched,
      acknowledged,
      consumed,
      rows: table?.rows ?? null,
      rejected: table?.rejected ?? null,
      visible: table?.visible ?? null,
      lag: acknowledged === null || consumed === null ? null : Math.max(0, acknowledged - consumed),
      freshnessSeconds: table?.freshnessSeconds ?? null,
    },
    thrift: { host: config.host, port: config.thrift.port, answerMs: table?.answerMs ?? null },
  }
}

/**
 * Healthy: everything that was asked for answers, and that is at least what `up` starts. The stream is part of it
 * from the moment it was submitted, and also before where the table has lost what it had put there. Stopped: nothing runs and nothing is about to, be it wished or not.
 */
const overall = (services: readonly ServiceStatus[]): Status['state'] => {
  if (services.every(({ state }) => state === 'stopped' || state === 'failed')) return 'stopped'
  const wanted = services.filter(
    ({ name, state, health }) => name !== 'products-stream' || state !== 'stopped' || health === 'unhealthy',
  )
  return wanted.every(({ state, health }) => state === 'running' && health === 'healthy')
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
  const gone = { name, pid: null, port, uptimeSeconds: null, restarts }
  const isAboutToBe = phase === 'starting' && pid === null
  if (phase === 'failed' || phase === 'restarting' || isAboutToBe) return { ...gone, state: phase, detail }
  return {
    ...gone,
    state: 'dead',
    detail: 'it ended and nobody was there to restart it; `offstream up` does',
  }
}

const strayState = (name: ServiceName, pid: number): ServiceState => ({
  ...{ name, state: 'running', pid, port: null, uptimeSeconds: null, restarts: 0 },
  detail:
    'nothing is written down of it, as where `.offstream` was deleted while it ran or the disk is full; `offstream down` ends it',
})

interface Answer {
  readonly healthy: boolean
  readonly detail: string | null
}

/** The job keeps how far it has read apart from the table, and does not go back by itself. */
const tableLost = (consumed: number): Answer => ({
  healthy: false,
  detail: `it has put ${consumed} messages into the table, which is empty now: somebody has dropped or emptied it; ${refillHint}`,
})

const askService = async (service: Service, pid: number | null): Promise<Answer> => {
  const { name, ready, listensOn = [] } = service
  try {
    await withDeadline(ready, { what: `${name} to answer`, timeoutMs: responseTimeoutMs })
    // Somebody answered; only who holds the port tells whether it was ours.
    for (const { port } of listensOn) {
      const holder = await listenerOn(port)
      if (holder === null) return { healthy: false, detail: `nobody listens on port ${port}` }
      if (holder.pid !== pid)
        return { healthy: false, detail: `port ${port} is held by \`${holder.name}\` (pid ${holder.pid})` }
    }
    return { healthy: true, detail: null }
  } catch (error) {
    return { healthy: false, detail: adviceOf(error) }
  }
}

/** Of a table that is gone, also what to do: `offstream up`, which most others advise, does not bring it back. */
const adviceOf = (error: unknown): string =>
  error instanceof OffstreamError && error.code === 'TABLE_MISSING'
    ? `${error.message}; ${error.hint}`
    : messageOf(error)

const tableQuestion = `
SELECT
  (SELECT count(*) FROM lake.off.products),
  (SELECT count(*) FROM products_rejected),
  count(*),
  unix_millis(max(observed_at))
FROM Products`

const askTable = async ({
  host,
  thrift,
}: Config): Promise<{
  readonly rows: number
  readonly rejected: number
  readonly visible: number
  readonly freshnessSeconds: number | null
  readonly answerMs: number
} | null> => {
  const began = Date.now()
  try {
    const { rows } = await query({ host, port: thrift.port }, tableQuestion, { timeoutMs: responseTimeoutMs })
    const [inTable, rejected, visible, newest] = rows[0] ?? []
    return {
      rows: Number(inTable),
      rejected: Number(rejected),
      visible: Number(visible),
      freshnessSeconds:
        newest == null ? null : Math.max(0, Math.round((Date.now() - Number(newest)) / 1_000)),
      answerMs: Date.now() - began,
    }
  } catch {
    return null
  }
}
