import { stat } from 'node:fs/promises'
import type { Service } from '@offstream/runtime'
import type { Config } from '../project/config.ts'
import { directoriesOf } from '../project/directories.ts'
import { readServices, readStack } from './running.ts'
import { type CountTable, countProducts, readStatus, type Status, type TableCounts } from './status.ts'

/** How often the table may be counted, regardless of its changes. */
export interface MonitorOptions {
  /** Replaced in tests. */
  readonly countTable?: CountTable
  readonly now?: () => number
}

/** The pause between two counts, as a multiple of the duration of a count. */
const restFactor = 3
/** Even an unchanged table is counted again after this time, because the Thrift server may have stopped responding. */
const maxAgeMs = 30_000

/**
 * Reads the same status as `currentStatus`, often: it counts the table only if the table has changed since the last
 * count, and never twice at the same time.
 */
export class StatusMonitor {
  readonly #state: string
  readonly #config: Config
  readonly #countTable: CountTable
  readonly #now: () => number
  #counted: { readonly version: string; readonly at: number; readonly counts: TableCounts | null } | null =
    null
  #counting: Promise<void> | null = null

  /**
   * @param state the state folder of the stack
   * @param config used if no part of the stack runs
   */
  constructor(
    state: string,
    config: Config,
    { countTable = countProducts, now = Date.now }: MonitorOptions = {},
  ) {
    this.#state = state
    this.#config = config
    this.#countTable = countTable
    this.#now = now
  }

  /** Changes with each commit to a table of the lake. */
  async tableVersion(): Promise<string> {
    const { catalog } = directoriesOf(this.#state)
    const files = await Promise.all(
      [catalog, `${catalog}-wal`].map(file => stat(file, { bigint: true }).catch(() => null)),
    )
    return files.map(file => (file === null ? '' : `${file.mtimeNs}.${file.size}`)).join('/')
  }

  async read(): Promise<Status> {
    const running = await readStack(this.#state)
    const config = running?.config ?? this.#config
    const services = await readServices(this.#state)
    return readStatus(this.#state, config, services.map(this.#withoutQuery), this.#counts)
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
    const isRested = age > (last?.counts?.responseMs ?? 0) * restFactor
    if (isDue && isRested) this.#counting ??= this.#count(config, version)
    // Only the first count is awaited. Later ones are part of a later status, so that a slow query delays nothing.
    if (last === null || last.counts === null) await this.#counting
    return this.#counted?.counts ?? null
  }

  async #count(config: Config, version: string): Promise<void> {
    try {
      const counts = await this.#countTable(config)
      this.#counted = { version, at: this.#now(), counts }
    } finally {
      this.#counting = null
    }
  }
}
