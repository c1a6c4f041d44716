import {
  callDaemon,
  ensureDaemon,
  type OffstreamError,
  type Service,
  ServiceRecords,
} from '@offstream/runtime'
import { PipelineError } from '../errors.ts'
import { directoriesOf } from '../project/directories.ts'
import { readJobs } from '../services/jobStore.ts'
import type { Stack } from '../services/stack.ts'
import { namesWith } from '../services/table.ts'
import { reportingWithdrawal, type StackCall } from './call.ts'
import { requestedServices } from './reset.ts'
import { readServices, saveStack } from './running.ts'
import { refuseOtherSettings, startServices, withStreamFailure } from './start.ts'

/**
 * The services and jobs that a restart of `names` stops and starts: those, and the ones that restart with them (the port of
 * a Spark master may change).
 *
 * @param state the state folder of the stack
 * @param names empty: every one that was started, and neither stopped nor completed
 * @throws OffstreamError NOT_RUNNING if none was started, or one of `names` was not
 */
export const restartedWith = async (state: string, names: readonly string[]): Promise<readonly string[]> => {
  // Also a service that crashed too often: the user wants to start it again.
  const records = await new ServiceRecords(directoriesOf(state).records).all()
  const restartable = records.filter(({ name, phase }) => phase !== 'completed' || names.includes(name))
  const started = namesWith(await readJobs(state)).filter(name =>
    restartable.some(record => record.name === name),
  )
  const notStarted = names.find(name => !started.includes(name))
  if (notStarted !== undefined) throw notRunning(`${notStarted} is not running`)
  if (started.length === 0) throw notRunning('Nothing is running')
  const restarted = names.length === 0 ? started : withDependents(await readServices(state), names)
  return started.filter(name => restarted.includes(name))
}

const withDependents = (all: readonly Service[], names: readonly string[]): readonly string[] => {
  const dependents = all
    .filter(({ name }) => !names.includes(name))
    .filter(({ restartsWith = [] }) => restartsWith.some(other => names.includes(other)))
  return dependents.length === 0
    ? names
    : withDependents(all, [...names, ...dependents.map(({ name }) => name)])
}

/**
 * Stops the named services, dependents first, and starts them again in the order of their needs.
 * @throws OffstreamError SETTINGS_DIFFER, before a service is stopped, if another one runs with other values; and what
 *   `startServices` throws
 */
export const restartServices = async (
  stack: Stack,
  names: readonly string[],
  call: StackCall,
): Promise<void> => {
  const requested = await requestedServices(stack.state)
  const running = names.filter(name => requested.includes(name))
  if (running.length === 0) return startServices(stack, names, call)

  await refuseOtherSettings(stack, names)
  const { run } = directoriesOf(stack.state)
  const { launchDaemon, onWaiting, onWithdrawn, ...rest } = call
  await ensureDaemon(run, launchDaemon)
  let onFirstEvent: () => void = () => undefined
  const firstEvent = new Promise<void>(resolve => {
    onFirstEvent = resolve
  })
  const stopped = callDaemon(run, 'stop', {
    ...rest,
    ...(onWaiting === undefined ? {} : { onWaiting }),
    onEvent: event => {
      onFirstEvent()
      call.onEvent?.(event)
    },
    names: running,
  })
  await Promise.race([firstEvent, stopped])
  await saveStack(stack)
  // The daemon must have the request to start before it has stopped the services: a daemon that has nothing to do exits.
  await Promise.all([stopped, callDaemon(run, 'start', { ...rest, names, settings: stack })]).catch(
    async error => reportingWithdrawal(call.signal, onWithdrawn)(await withStreamFailure(stack.state, error)),
  )
}

const notRunning = (message: string): OffstreamError =>
  new PipelineError('NOT_RUNNING', message, {
    hint: 'start the services with `offstream up`, and the job with `offstream submit`',
  })
