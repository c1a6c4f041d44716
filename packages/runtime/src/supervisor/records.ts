import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { readState, writeState } from '../artifacts/stateFile.ts'
import { isAlive } from '../processes.ts'
import type { Service, ServicePhase, ServiceRecord } from './service.ts'

const Record = z.object({
  name: z.string(),
  phase: z.enum(['starting', 'running', 'stopping', 'restarting', 'failed', 'completed']),
  pid: z.int().nullable(),
  startId: z.string().nullable(),
  port: z.int().nullable(),
  logFile: z.string(),
  startedAt: z.string().nullable(),
  restarts: z.int(),
  detail: z.string().nullable(),
})

/**
 * The last known state of each service, one state file each, so that commands read the same whether a daemon runs or
 * not. A record alone proves nothing: check the process itself with `isRunning`.
 */
export class ServiceRecords {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  /**
   * All services that were started here and not stopped since. A damaged record counts as absent.
   * @throws if the folder cannot be read (it is another user's): then nothing is known about the services
   */
  async all(): Promise<ServiceRecord[]> {
    const files = await readdir(this.#directory).catch(error => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return []
      throw error
    })
    const names = files.filter(file => file.endsWith('.json')).map(file => file.slice(0, -'.json'.length))
    const records = await Promise.all(names.map(name => this.of(name)))
    return records.filter(record => record !== null)
  }

  async of(name: string): Promise<ServiceRecord | null> {
    return readState(this.#file(name), Record)
  }

  async keep(record: ServiceRecord): Promise<void> {
    await writeState(this.#file(record.name), record)
  }

  async forget(name: string): Promise<void> {
    await rm(this.#file(name), { force: true })
  }

  #file(name: string): string {
    return join(this.#directory, `${name}.json`)
  }
}

/** Whether the service is to keep running: it has neither failed nor completed, and it is not being stopped. */
export const isWanted = ({ phase }: ServiceRecord): boolean => !isOver(phase) && phase !== 'stopping'

/** Whether nothing of the service runs, and only the user starts it again. */
export const isOver = (phase: ServicePhase): boolean => phase === 'failed' || phase === 'completed'

/** Whether the process in the record still runs; another process with its pid does not count. */
export const isRunning = async (record: ServiceRecord): Promise<boolean> =>
  record.pid !== null && record.startId !== null && isAlive({ pid: record.pid, startId: record.startId })

/** The record of a service before its first start. */
export const newRecord = ({ name, port, logFile }: Service): ServiceRecord => ({
  ...{ name, port, logFile, phase: 'starting', pid: null, startId: null },
  ...{ startedAt: null, restarts: 0, detail: null },
})
