import { isRunning, type ServiceRecord } from '@offstream/runtime'
import type { ServiceName } from '../names.ts'

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

/** A job of the user in the status. `completed`: its program has exited with status 0. */
export interface JobStatus extends Omit<ServiceStatus, 'name' | 'state'> {
  readonly name: string
  readonly state: ServiceStatus['state'] | 'completed'
  /** Path of its program. */
  readonly program: string
  readonly cores: number
  readonly memory: string
}

/** The state of the process of a service or a job. */
export type ServiceState<Name extends string = string> = Omit<
  ServiceStatus,
  'name' | 'health' | 'address'
> & {
  readonly name: Name
}

/** The state by the record. @param record null: it was never started, or was stopped */
export const stateOf = async <Name extends string>(
  name: Name,
  record: ServiceRecord | null,
): Promise<ServiceState<Name>> => {
  const port = record?.port ?? null
  if (record === null || record.phase === 'completed')
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

/** What is wrong if the job has written messages and the table has no rows. */
export const emptyTable = (consumed: number): string =>
  `the job has written ${consumed} messages, but the table is empty: it was dropped or emptied`

/** The state of a service that does not run here. */
export const externalState = (
  name: ServiceName,
  state: 'external' | 'unused',
): ServiceState<ServiceName> => ({
  ...{ name, state, pid: null, port: null, uptimeSeconds: null, restarts: 0, detail: null },
})

/** The state of a service whose process runs without a record. */
export const orphanState = <Name extends string>(name: Name, pid: number): ServiceState<Name> => ({
  ...{ name, state: 'running', pid, port: null, uptimeSeconds: null, restarts: 0 },
  detail:
    'its state file is missing: `.offstream` was deleted while it was running, or the disk is full; `offstream down` stops it',
})
