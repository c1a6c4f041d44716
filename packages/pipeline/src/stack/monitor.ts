import { stat } from 'node:fs/promises'
import type { Service } from '@offstream/runtime'
import type { Config } from '../project/config.ts'
import { directoriesOf } from '../project/directories.ts'
import { isLakeExternal } from '../services/lakeCatalog.ts'
import { readServices, readStack } from './running.ts'
import { type CountTable, countProducts, readStatus, type Status, type TableCounts } from './status.ts'

/** How often the table may be counted, regardless of its changes. */
export interface MonitorOptions {
  /** Replaced in tests, like the services. */
  readonly countTable?: CountTable
  readonly services?: (state: string) => Promise<readonly Service[]>
  readonly now?: () => number
}

/** The pause between two counts, as a multiple of the duration of a count, and at most. */
const restFactor = 9
const maxRestMs = 10_000
/** A healthy service is probed again after this time. Whether its process is running is checked at each read. */
const probeIntervalMs = 5_000
/** Even an unchanged table is counted again after this time, because the Thrift server may have stopped responding. */
const maxAgeMs = 30_000

/**
 * Reads the same status as `currentStatus`, often: it probes a healthy service only every five seconds, and counts the table
 * only if the table has changed since the last count, and never twice at the same time.
 */
export class StatusMonitor {
  readonly #state: string
  readonly #config: Config
  readonly #countTable: CountTable
  readonly #services: (state: string) => Promise<readonly Service[]>
  readonly #now: () => number
  #counted: { readonly version: string; readonly at: number; readonly counts: TableCounts | null } | null =
    null
  #counting: Promise<void> | null = null
  /** When each service that is healthy was probed. */
  readonly #probedAt = new Map<string, number>()

  /**
   * @param state the state folder of the stack
   * @param config used if no part of the stack runs
   */
  constructor(
    state: string,
    config: Config,
    { countTable = countProducts, services = readServices, now = Date.now }: MonitorOptions = {},
  ) {
    this.#state = state
    this.#config = config
    this.#countTable = countTable
    this.#services = services
    this.#now = now
  }

  /**
   * Changes with each commit to a table of the lake. Commits to a catalog elsewhere cannot be seen: then it changes with each
   * batch of the job, and regularly.
   */
  async tableVersion(): Promise<string> {
    const { catalog, streamBatches } = directoriesOf(this.#state)
    const { config } = (await readStack(this.#state)) ?? { config: this.#config }
    if (!isLakeExternal(config)) return versionOf([catalog, `${catalog}-wal`])
    return `${Math.floor(this.#now() / maxAgeMs)}/${await versionOf([streamBatches])}`
  }

  async read(): Promise<Status> {
    const running = await readStack(this.#state)
    const config = running?.config ?? this.#config
    const services = (await this.#services(this.#state)).map(this.#withoutQuery).map(this.#sometimesProbed)
    const status = await readStatus(this.#state, config, services, this.#counts)
    for (const { name, health } of [...status.services, ...status.jobs])
      if (health !== 'healthy') this.#probedAt.delete(name)
    return status
  }

  readonly #sometimesProbed = (service: Service): Service => {
    const now = this.#now()
    if (now - (this.#probedAt.get(service.name) ?? Number.NEGATIVE_INFINITY) < probeIntervalMs)
      return { ...service, ready: async () => undefined, listensOn: [] }
    this.#probedAt.set(service.name, now)
    return service
  }

  /** The query of the counts is the health check of the Thrift server; if it fails, the check itself gives the reason. */
  readonly #withoutQuery = (service: Service): Service =>
    service.name !== 'thrift'
      ? service
      : {
          ...service,
          ready: async signal => {
            await this.#counting
            if (this.#counted === null || this.#counted.counts === null) await service.ready(signal)
          },
        }

  readonly #counts: CountTable = async config => {
    const version = await this.tableVersion()
    const last = this.#counted
    const age = last === null ? Number.POSITIVE_INFINITY : this.#now() - last.at
    const isDue = last === null || last.counts === null || last.version !== version || age > maxAgeMs
    const isRested = age > Math.min(maxRestMs, (last?.counts?.responseMs ?? 0) * restFactor)
    if (isDue && isRested) this.#counting ??= this.#count(config, version)
    // Only the first count is awaited. Later ones are part of a later status, so that a slow query delays nothing.
    if (last === null || last.counts === null) await this.#counting
    return this.#counted?.counts ?? null
  }

  async #count(config: Config, version: string): Promise<void> {
    try {
      const counts = await this.#countTable(config, this.#state)
      this.#counted = { version, at: this.#now(), counts }
    } finally {
      this.#counting = null
    }
  }
}

/** Changes if one of the files changes. */
const versionOf = async (files: readonly string[]): Promise<string> => {
  const found = await Promise.all(files.map(file => stat(file, { bigint: true }).catch(() => null)))
  return found.map(file => (file === null ? '' : `${file.mtimeNs}.${file.size}`)).join('/')
}
