import { uptime } from 'node:os'
import { isDeepStrictEqual } from 'node:util'
import {
  callDaemon,
  ensureDaemon,
  isRunning,
  isWanted,
  OffstreamError,
  ServiceRecords,
} from '@offstream/runtime'
import { RuntimeError } from '@offstream/runtime/errors'
import { PipelineError } from '../errors.ts'
import { serviceNames } from '../names.ts'
import { directoriesOf } from '../project/directories.ts'
import { settingsOf } from '../project/paths.ts'
import type { Stack } from '../services/stack.ts'
import { failureOf, readStreamProgress } from '../services/streamProgress.ts'
import { isStartedWith } from '../services/table.ts'
import { reportingWithdrawal, type StackCall } from './call.ts'
import { finishReset } from './reset.ts'
import { forgetStack, ownPids, readStack, saveStack, servicesOf } from './running.ts'
import { clearTemporary, stopUnmanaged } from './stop.ts'

/** Starts the named services and waits until they are ready. Services that already run are not changed. */
export const startServices = async (
  stack: Stack,
  names: readonly string[],
  { launchDaemon, onWithdrawn, ...call }: StackCall,
): Promise<void> => {
  const { state } = stack
  const { run } = directoriesOf(state)
  await finishReset(state)
  await refuseOtherSettings(stack)
  await clearTemporary(state)
  try {
    await saveStack(stack)
    const services = await servicesOf(stack)
    await stopUnmanaged(state, call, supervisor => supervisor.stopOrphans(services))
    await callDaemon(run, 'start', { ...call, launch: launchDaemon, names, settings: stack })
  } catch (error) {
    if ((await ownPids(state)).size === 0) await forgetStack(state)
    return reportingWithdrawal(call.signal, onWithdrawn)(await withStreamFailure(state, withFreePorts(error)))
  }
}

/**
 * Makes sure that running services have a daemon: if it was killed, a new one adopts them, and restarts those that have
 * crashed since. Does nothing after a reboot: then only the user starts the stack again.
 */
export const ensureManaged = async (state: string, launchDaemon: () => Promise<void>): Promise<void> => {
  const { run, records } = directoriesOf(state)
  const bootedAt = Date.now() - uptime() * 1_000
  for (const record of (await new ServiceRecords(records).all()).filter(isWanted)) {
    const startedSinceBoot = record.startedAt !== null && Date.parse(record.startedAt) > bootedAt
    if (startedSinceBoot || (await isRunning(record))) return ensureDaemon(run, launchDaemon)
  }
}

/**
 * @param except services that are about to be restarted, so that their present settings do not matter
 * @throws OffstreamError SETTINGS_DIFFER if a service runs that was started with other values
 */
export const refuseOtherSettings = async (
  { state, config }: Stack,
  except: readonly string[] = [],
): Promise<void> => {
  const running = await readStack(state)
  if (running === null) return
  const [present, requested] = [settingsOf(running.config), settingsOf(config)]
  const records = new ServiceRecords(directoriesOf(state).records)
  const differences: string[] = []
  for (const name of serviceNames.filter(name => !except.includes(name))) {
    const record = await records.of(name)
    if (record === null || !(await isRunning(record))) continue
    for (const [path, value] of requested)
      if (isStartedWith(name, path) && !isDeepStrictEqual(present.get(path), value))
        differences.push(differenceText(name, path, present.get(path), value))
  }
  if (differences.length === 0) return
  throw new PipelineError('SETTINGS_DIFFER', differences.join('; '), {
    hint: 'stop the services with `offstream down`, then start them with the new values',
  })
}

/** A list, such as `spark.conf`, may contain secrets. */
const differenceText = (name: string, path: string, present: unknown, requested: unknown): string =>
  Array.isArray(requested)
    ? `${name} is running with other values of \`${path}\``
    : `${name} is running with \`${path}=${present}\`, not \`${requested}\``

/** Replaces SERVICE_EXITED by the failure that the stream itself has reported. */
export const withStreamFailure = async (state: string, error: unknown): Promise<unknown> => {
  const isOfStream =
    error instanceof OffstreamError &&
    error.code === 'SERVICE_EXITED' &&
    error.message.startsWith('products-stream ')
  return (isOfStream && failureOf(await readStreamProgress(directoriesOf(state).streamProgress))) || error
}

/** Adds to PORT_TAKEN that offstream can choose another port. */
const withFreePorts = (error: unknown): unknown =>
  error instanceof OffstreamError && error.code === 'PORT_TAKEN'
    ? new RuntimeError('PORT_TAKEN', error.message, {
        hint: `${error.hint}; \`offstream up --ports auto\` chooses free ones`,
        cause: error,
      })
    : error
