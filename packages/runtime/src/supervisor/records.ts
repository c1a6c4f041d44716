import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isAlive } from '../processes.ts'
import { replaceFile } from '../replaceFile.ts'
import type { ServiceRecord } from './service.ts'

/**
 * What was last known of each service, one JSON file each. Whoever reads learns the same, whether the process that
 * supervises lives or not; nothing here is believed without a look at the process itself (`isRunning`).
 */
export class ServiceRecords {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  /**
   * All services that were ever started here and not forgotten. A file that is no record counts as absent; a folder
   * that can't be read (another user's) is an error: what it holds is not known.
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
    try {
      return JSON.parse(await readFile(this.#file(name), 'utf8')) as ServiceRecord
    } catch {
      return null
    }
  }

  async keep(record: ServiceRecord): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 })
    await replaceFile(this.#file(record.name), `${JSON.stringify(record, null, 2)}\n`)
  }

  async forget(name: string): Promise<void> {
    await rm(this.#file(name), { force: true })
  }

  #file(name: string): string {
    return join(this.#directory, `${name}.json`)
  }
}

/** Whether the service is to go on: it was not given up, and nobody has begun to end it. */
export const isWanted = ({ phase }: ServiceRecord): boolean => phase !== 'failed' && phase !== 'stopping'

/** Whether the very process that the record speaks of lives; a stranger with its pid does not count. */
export const isRunning = async (record: ServiceRecord): Promise<boolean> =>
  record.pid !== null && record.began !== null && isAlive({ pid: record.pid, began: record.began })
