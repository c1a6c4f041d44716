import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  callDaemon,
  daemonResponds,
  ensureDaemon,
  isRunning,
  isWanted,
  lockDaemon,
  OffstreamError,
  orphanedServices,
  replaceFile,
  type Service,
  type ServiceEvent,
  ServiceRecords,
  Supervisor,
  until,
} from '@offstream/runtime'
import { RuntimeError } from '@offstream/runtime/errors'
import { PipelineError } from '../errors.ts'
import { type ServiceName, serviceNames } from '../names.ts'
import { Config } from '../project/config.ts'
import { directoriesOf } from '../project/directories.ts'
import { settingsOf } from '../project/paths.ts'
import type { Runtimes } from '../runtimes/distributions.ts'
import { isStartedWith, services } from '../services/services.ts'
import { finishReset } from './reset.ts'

/** What a stack runs with: written when it is started, read by every later command and by its daemon. */
export interface StackSettings {
  /** Folder of the project: its own `config/`, `charts/` and `spark-jobs/` are used where it has them. */
  readonly project: string
  /** The state folder, which tells one stack from another. */
  readonly state: string
  readonly config: Config
  readonly runtimes: Runtimes
  /** Folder of the archives that make Java's programs start sooner; null without. */
  readonly archives: string | null
}

const settingsFile = (state: string): string => join(directoriesOf(state).run, 'settings.json')

/** The settings that the stack was started with; null where it was not, or was ended. */
export const readStackSettings = async (state: string): Promise<StackSettings | null> => {
  const text = await readFile(settingsFile(state), 'utf8').catch(() => null)
  if (text === null) return null
  const { project, config, runtimes, archives } = JSON.parse(text) as StackSettings
  const parsed = Config.safeParse(config)
  return parsed.success ? { project, state, config: parsed.data, runtimes, archives } : null
}

/** For `loadProject`: the configuration that the stack runs with. */
export const runningConfig = async (state: string): Promise<Config | null> =>
  (await readStackSettings(state))?.config ?? null

export const saveStackSettings = async (settings: StackSettings): Promise<void> => {
  const file = settingsFile(settings.state)
  await mkdir(directoriesOf(settings.state).run, { recursive: true, mode: 0o700 })
  await replaceFile(file, JSON.stringify(settings, null, 2), { mode: 0o600 })
}

const servicesFrom = ({ archives, ...stack }: StackSettings): readonly Service[] =>
  services({ ...stack, archives: archives === null ? null : { folder: archives, making: false } })

/** What a daemon builds its services from: the settings that a request carries. */
export const servicesOf = async (settings: unknown): Promise<readonly Service[]> => {
  if (settings === null) return []
  const stack = settings as StackSettings
  return servicesFrom({ ...stack, config: Config.parse(stack.config) })
}

/**
 * The services of the stack as it was started, to be asked how they are; none where it was not started.
 * @param state the state folder of the stack
 */
export const readServices = async (state: string): Promise<readonly Service[]> => {
  const settings = await readStackSettings(state)
  return settings === null ? [] : servicesFrom(settings)
}

/**
 * Makes sure that services that were started and not ended have a daemon: one that was killed is replaced, and starts
 * again what fell meanwhile. Does nothing where nothing was started.
 */
export const ensureManaged = async (state: string, launchDaemon: () => Promise<void>): Promise<void> => {
  const { run, records } = directoriesOf(state)
  const wanted = (await new ServiceRecords(records).all()).some(isWanted)
  if (wanted) await ensureDaemon(run, launchDaemon)
}

export interface StackCall {
  /** Starts a daemon process for the stack; resolves once it is on its way. */
  readonly launchDaemon: () => Promise<void>
  readonly onEvent?: (event: ServiceEvent) => void
  /** Called when another command is being carried out, and this one has to wait for it. */
  readonly onWaiting?: () => void
  /** Called when `signal` is aborted: the daemon goes on, ending what was begun, and nobody waits for it any more. */
  readonly onWithdrawn?: () => void
  readonly signal?: AbortSignal | undefined
}

/**
 * @param anew services that are about to be started anew: what they run with does not matter
 * @throws OffstreamError SETTINGS_DIFFER where a service runs that was started with other values than these
 */
export const refuseOtherSettings = async (
  { state, config }: StackSettings,
  anew: readonly ServiceName[] = [],
): Promise<void> => {
  const before = await readStackSettings(state)
  if (before === null) return
  const [earlier, wanted] = [settingsOf(before.config), settingsOf(config)]
  const records = new ServiceRecords(directoriesOf(state).records)
  const differing: string[] = []
  for (const name of serviceNames.filter(name => !anew.includes(name))) {
    const record = await records.of(name)
    if (record === null || !(await isRunning(record))) continue
    for (const [path, value] of wanted)
      if (isStartedWith(name, path) && earlier.get(path) !== value)
        differing.push(`${name} runs with \`${path}=${earlier.get(path)}\`, not \`${value}\``)
  }
  if (differing.length === 0) return
  throw new PipelineError('SETTINGS_DIFFER', differing.join('; '), {
    hint: 'end the services with `offstream down`, then start them with the other values',
  })
}

/** Makes the named services run and waits until they are ready; what runs already is left as it is. */
export const startServices = async (
  settings: StackSettings,
  names: readonly ServiceName[],
  { launchDaemon, onWithdrawn, ...call }: StackCall,
): Promise<void> => {
  const { run } = directoriesOf(settings.state)
  await finishReset(settings.state)
  await refuseOtherSettings(settings)
  await saveStackSettings(settings)
  await clearTemporary(settings.state)
  try {
    await stopUnmanaged(settings.state, call, supervisor => supervisor.stopOrphans(servicesFrom(settings)))
    await ensureDaemon(run, launchDaemon)
    await callDaemon(run, 'start', { ...call, names, settings })
  } catch (error) {
    // Where nothing came of it, what is corrected in the file must count the next time.
    if ((await ownPids(settings.state)).size === 0) await rm(settingsFile(settings.state), { force: true })
    return reportingWithdrawal(call.signal, onWithdrawn)(withFreePorts(error))
  }
}

/** For what a daemon was asked: throws its error on, and first tells of an abort, after which nobody waits any more. */
export const reportingWithdrawal =
  (signal: AbortSignal | undefined, onWithdrawn: StackCall['onWithdrawn']) =>
  (error: unknown): never => {
    if (signal?.aborted) onWithdrawn?.()
    throw error
  }

/** Of a port that is taken, also that offstream can choose another by itself. */
const withFreePorts = (error: unknown): unknown =>
  error instanceof OffstreamError && error.code === 'PORT_TAKEN'
    ? new RuntimeError('PORT_TAKEN', error.message, {
        hint: `${error.hint}; \`offstream up --ports auto\` chooses free ones`,
        cause: error,
      })
    : error

/**
 * Ends everything that runs for the stack, also what a killed daemon left, and what runs though its state folder was
 * deleted. It needs neither a daemon nor room on the disk.
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
  const wasLeft = await stopUnmanaged(state, call, supervisor => supervisor.stopLeftovers(services))
  await rm(settingsFile(state), { force: true })
  await clearTemporary(state)
  return isManaged || wasLeft
}

/** Ends what no daemon keeps, if anything, while no other command can start one. */
const stopUnmanaged = async (
  state: string,
  { onEvent = () => undefined }: Pick<StackCall, 'onEvent'>,
  end: (supervisor: Supervisor) => Promise<boolean>,
): Promise<boolean> => {
  const { run, records } = directoriesOf(state)
  if (await daemonResponds(run)) return false
  const known = await new ServiceRecords(records).all()
  if (known.length === 0 && (await orphanedServices(records)).length === 0) return false
  // A folder that is gone, and a disk that takes no lock, must not keep anything from its end.
  const unlock = await lockDaemon(run).catch(error => {
    if (error instanceof OffstreamError) throw error
    return async () => undefined
  })
  try {
    return !(await daemonResponds(run)) && (await end(new Supervisor({ directory: records, onEvent })))
  } finally {
    await unlock()
  }
}

/** Deletes what services that are gone have left in their temporary folder; of those that run it is theirs. */
const clearTemporary = async (state: string): Promise<void> => {
  if ((await ownPids(state)).size > 0) return
  await rm(directoriesOf(state).temporary, { recursive: true, force: true, maxRetries: 3 })
}

/**
 * Waits until the daemon, which has nothing left to keep, has closed its door: whoever starts services next must not
 * ask one that is going. Where another command has come to it meanwhile it stays, and there is nothing to wait for.
 */
const daemonExited = (run: string): Promise<void> =>
  until(
    async () => {
      if (await daemonResponds(run)) throw new Error('it still answers')
    },
    { what: 'the daemon to end', timeoutMs: 3_000, intervalMs: 20 },
  ).catch(() => undefined)

/**
 * Refuses where one of the named services does not run.
 * @throws OffstreamError NOT_RUNNING
 */
export const requireRunning = async (state: string, names: readonly ServiceName[]): Promise<void> => {
  const records = new ServiceRecords(directoriesOf(state).records)
  for (const name of names) {
    const record = await records.of(name)
    if (record !== null && (await isRunning(record))) continue
    throw new PipelineError('NOT_RUNNING', `${name} is not running`, {
      hint: 'start the services with `offstream up`, then try again',
    })
  }
}

/** The pids of the services of this stack that run. */
export const ownPids = async (state: string): Promise<ReadonlySet<number>> => {
  const { records } = directoriesOf(state)
  const known = await new ServiceRecords(records).all()
  const running = await Promise.all(
    known.map(async record => ((await isRunning(record)) ? record.pid : null)),
  )
  const strays = (await orphanedServices(records)).map(({ pid }) => pid)
  return new Set([...running.filter(pid => pid !== null), ...strays])
}
