import {
  callDaemon,
  ensureDaemon,
  type OffstreamError,
  type Service,
  type ServiceEvent,
  ServiceRecords,
} from '@offstream/runtime'
import { PipelineError } from '../errors.ts'
import { type ServiceName, serviceNames } from '../names.ts'
import { directoriesOf } from '../project/directories.ts'
import { wantedServices } from './reset.ts'
import {
  readServices,
  refuseOtherSettings,
  reportingWithdrawal,
  type StackCall,
  type StackSettings,
  saveStackSettings,
  startServices,
} from './stack.ts'

/**
 * The services that a restart of `names` ends and starts again: those, and what can't outlive them (a Spark master
 * that was started again knows nothing of the jobs of the one before).
 *
 * @param state the state folder of the stack
 * @param names empty for everything that was started and not ended
 * @throws OffstreamError NOT_RUNNING where there is nothing, or one of `names` was not started
 */
export const restartedWith = async (
  state: string,
  names: readonly ServiceName[],
): Promise<readonly ServiceName[]> => {
  // One that was given up counts: to start it again is what the person wants.
  const records = await new ServiceRecords(directoriesOf(state).records).all()
  const started = serviceNames.filter(name => records.some(record => record.name === name))
  const stranger = names.find(name => !started.includes(name))
  if (stranger !== undefined) throw notRunning(`${stranger} is not running`)
  if (started.length === 0) throw notRunning('Nothing is running')
  const chosen = names.length === 0 ? started : withThoseThatFall(await readServices(state), names)
  return started.filter(name => chosen.includes(name))
}

const withThoseThatFall = (all: readonly Service[], names: readonly string[]): readonly string[] => {
  const falling = all
    .filter(({ name }) => !names.includes(name))
    .filter(({ restartsWith = [] }) => restartsWith.some(other => names.includes(other)))
  return falling.length === 0 ? names : withThoseThatFall(all, [...names, ...falling.map(({ name }) => name)])
}

/**
 * Ends the named services, dependents first, and starts them again in the order of their needs.
 * @throws OffstreamError SETTINGS_DIFFER, before anything is ended, where another service runs with other values; and
 *   as a start does: what was started again by then is ended
 */
export const restartServices = async (
  settings: StackSettings,
  names: readonly ServiceName[],
  call: StackCall,
): Promise<void> => {
  const wanted = await wantedServices(settings.state)
  const running = names.filter(name => wanted.includes(name))
  if (running.length === 0) return startServices(settings, names, call)

  await refuseOtherSettings(settings, names)
  const { run } = directoriesOf(settings.state)
  const { launchDaemon, onWaiting, onWithdrawn, ...rest } = call
  await ensureDaemon(run, launchDaemon)
  let begun: () => void = () => undefined
  const ending = new Promise<void>(resolve => {
    begun = resolve
  })
  const onEvent = (event: ServiceEvent): void => {
    begun()
    call.onEvent?.(event)
  }
  const waiting = onWaiting === undefined ? {} : { onWaiting }
  const stopped = callDaemon(run, 'stop', { ...rest, ...waiting, onEvent, names: running })
  await Promise.race([ending, stopped])
  await saveStackSettings(settings)
  // The start takes its place in the daemon's line while the stop is carried out: a daemon that has nothing to keep
  // and nothing to do would end, and with it an `up --foreground`.
  await Promise.all([stopped, callDaemon(run, 'start', { ...rest, names, settings })]).catch(
    reportingWithdrawal(call.signal, onWithdrawn),
  )
}

const notRunning = (what: string): OffstreamError =>
  new PipelineError('NOT_RUNNING', what, {
    hint: 'start the services with `offstream up`, and the job with `offstream submit`',
  })
