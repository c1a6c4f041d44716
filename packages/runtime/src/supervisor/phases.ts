import type { ServicePhase, ServiceRecord } from './service.ts'

/** The phases that may follow each phase. `stopping` is final: what follows it is that the record is deleted. */
const following: Readonly<Record<ServicePhase, readonly ServicePhase[]>> = {
  starting: ['running', 'restarting', 'stopping', 'failed', 'completed'],
  running: ['restarting', 'stopping', 'failed', 'completed'],
  restarting: ['starting', 'stopping', 'failed', 'completed'],
  failed: ['starting', 'stopping'],
  completed: ['starting', 'stopping'],
  stopping: [],
}

/** Whether a service can get from one phase into another; staying in a phase is always possible. */
export const canFollow = (phase: ServicePhase, next: ServicePhase): boolean =>
  phase === next || following[phase].includes(next)

/**
 * The record after a change. A phase that cannot follow is left out and the rest is taken over: if a service answers
 * for the first time just after its stop was requested, it is `stopping` all the same, and the next daemon stops it.
 */
export const changed = (record: ServiceRecord, change: Partial<ServiceRecord>): ServiceRecord => ({
  ...record,
  ...change,
  phase: change.phase !== undefined && canFollow(record.phase, change.phase) ? change.phase : record.phase,
})
