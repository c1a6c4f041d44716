import { devNull } from 'node:os'
import { isWanted } from './records.ts'
import type { Service, ServiceRecord } from './service.ts'

/**
 * What to do with a service of an earlier supervisor. `watch`: it runs; manage it. `finish stop`: it runs, and its stop
 * was in progress. `restart`: it crashed while no supervisor watched. `remember`: its work is done. `clean up`: all of it
 * is removed.
 */
export type Adoption = 'watch' | 'finish stop' | 'restart' | 'remember' | 'clean up'

/** What is known about a service when it is adopted. */
export interface Candidate {
  readonly record: ServiceRecord
  /** Whether the process of the record still runs. */
  readonly running: boolean
  /** Whether the supervisor knows how to run this service. */
  readonly known: boolean
  /** When this machine was started, in milliseconds since 1970. */
  readonly bootedAt: number
}

/** Services of before the last reboot are not restarted: only the user decides what runs after a reboot. */
export const adoptionOf = ({ record, running, known, bootedAt }: Candidate): Adoption => {
  if (!known) return 'clean up'
  if (running) return record.phase === 'stopping' ? 'finish stop' : 'watch'
  if (record.phase === 'completed') return 'remember'
  const startedSinceBoot = record.startedAt !== null && Date.parse(record.startedAt) > bootedAt
  return isWanted(record) && startedSinceBoot ? 'restart' : 'clean up'
}

/** For a service of which only the name is known. */
const unknownStopTimeoutMs = 15_000

/** How to stop a service of which perhaps only the name is known. */
export const serviceNamed = (name: string, services: readonly Service[]): Service =>
  services.find(service => service.name === name) ?? {
    ...{ name, needs: [], port: null, logFile: devNull, startTimeoutMs: 0 },
    stopTimeoutMs: unknownStopTimeoutMs,
    command: { file: '', args: [], env: {}, cwd: '' },
    ready: () => Promise.reject(new Error('its readiness probe is not known')),
  }
