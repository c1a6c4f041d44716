import { rm } from 'node:fs/promises'
import {
  callDaemon,
  daemonResponds,
  lockDaemon,
  OffstreamError,
  orphanedServices,
  ServiceRecords,
  Supervisor,
  until,
} from '@offstream/runtime'
import { directoriesOf } from '../project/directories.ts'
import { reportingWithdrawal, type StackCall } from './call.ts'
import { forgetStack, ownPids, readServices } from './running.ts'

/**
 * Stops everything that runs for the stack, also what a killed daemon left, and services whose state folder was deleted.
 * It needs neither a daemon nor free space on the disk.
 * @returns whether anything ran
 */
export const stopStack = async (
  state: string,
  { onWithdrawn, ...call }: Omit<StackCall, 'launchDaemon'>,
): Promise<boolean> => {
  const { run } = directoriesOf(state)
  const isManaged = await daemonResponds(run)
  if (isManaged) {
    await callDaemon(run, 'stop', call).catch(reportingWithdrawal(call.signal, onWithdrawn))
    await daemonExited(run)
  }
  const services = await readServices(state)
  const wasUnmanaged = await stopUnmanaged(state, call, supervisor => supervisor.stopLeftovers(services))
  await forgetStack(state)
  await clearTemporary(state)
  return isManaged || wasUnmanaged
}

/**
 * Stops the named services; their daemon continues to supervise the others.
 * @throws OffstreamError DAEMON_LOST if no daemon responds
 */
export const stopServices = (
  state: string,
  names: readonly string[],
  call: Pick<StackCall, 'onEvent' | 'signal'> = {},
): Promise<void> => callDaemon(directoriesOf(state).run, 'stop', { ...call, names })

/** Stops services that have no daemon, while no other command can start one. @returns whether there were any */
export const stopUnmanaged = async (
  state: string,
  { onEvent = () => undefined }: Pick<StackCall, 'onEvent'>,
  stop: (supervisor: Supervisor) => Promise<boolean>,
): Promise<boolean> => {
  const { run, records } = directoriesOf(state)
  if (await daemonResponds(run)) return false
  const known = await new ServiceRecords(records).all()
  if (known.length === 0 && (await orphanedServices(records)).length === 0) return false
  // The services must be stopped even if the folder does not exist or the disk is too full for a lock.
  await using _ = await lockDaemon(run).catch(error => {
    if (error instanceof OffstreamError) throw error
    return null
  })
  return !(await daemonResponds(run)) && (await stop(new Supervisor({ directory: records, onEvent })))
}

/** Deletes the temporary files of services that have exited; does nothing while one runs. */
export const clearTemporary = async (state: string): Promise<void> => {
  if ((await ownPids(state)).size > 0) return
  await rm(directoriesOf(state).temporary, { recursive: true, force: true, maxRetries: 3 })
}

/**
 * Waits until the daemon has exited, so that the next command does not connect to it. It does not exit if another
 * command has started services meanwhile; the wait is short for that reason.
 */
const daemonExited = (run: string): Promise<void> =>
  until(
    async () => {
      if (await daemonResponds(run)) throw new Error('it still responds')
    },
    { what: 'the daemon to exit', timeoutMs: 3_000, intervalMs: 20 },
  ).catch(() => undefined)
