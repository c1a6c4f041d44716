import { messageOf } from '../errors.ts'
import { ServiceRecords } from './records.ts'
import type { ServiceEvent, ServiceRecord } from './service.ts'

/**
 * Writes the records of a supervisor. A record that cannot be written (a full disk) is reported once until it can; that
 * neither stops a service nor prevents its stop.
 */
export class RecordWriter {
  readonly #records: ServiceRecords
  readonly #onEvent: (event: ServiceEvent) => void
  /** Names of services whose failed record was reported. */
  readonly #reported = new Set<string>()
  #closed = false

  constructor(directory: string, onEvent: (event: ServiceEvent) => void) {
    this.#records = new ServiceRecords(directory)
    this.#onEvent = onEvent
  }

  /** Writes a record; never rejects. */
  async keep(record: ServiceRecord): Promise<void> {
    await this.#attempt(record.name, () => this.#records.keep(record))
  }

  /** Deletes a record; never rejects. */
  async forget(name: string): Promise<void> {
    await this.#attempt(name, () => this.#records.forget(name))
  }

  /** From now on nothing is written or deleted. */
  close(): void {
    this.#closed = true
  }

  async #attempt(service: string, write: () => Promise<void>): Promise<void> {
    if (this.#closed) return
    try {
      await write()
      this.#reported.delete(service)
    } catch (error) {
      if (this.#reported.has(service)) return
      this.#reported.add(service)
      this.#onEvent({ kind: 'recordFailed', service, reason: messageOf(error) })
    }
  }
}
