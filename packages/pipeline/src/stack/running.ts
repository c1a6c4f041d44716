import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  daemonResponds,
  isRunning,
  orphanedServices,
  readState,
  type Service,
  ServiceRecords,
  writeState,
} from '@offstream/runtime'
import { PipelineError } from '../errors.ts'
import type { ServiceName } from '../names.ts'
import type { Config } from '../project/config.ts'
import { directoriesOf } from '../project/directories.ts'
import { writesArchive } from '../services/java.ts'
import { readJobs } from '../services/jobStore.ts'
import { forgetKafkaSecrets, saveKafkaSecret } from '../services/kafkaCluster.ts'
import { forgetLakeSecrets, saveLakeSecrets } from '../services/lakeCatalog.ts'
import { Stack } from '../services/stack.ts'
import { checkExternal, placeOf, services } from '../services/table.ts'
import { forgetThriftSecrets, saveThriftSecrets } from '../services/thriftServer.ts'

const stackFile = (state: string): string => join(directoriesOf(state).run, 'stack.json')

/**
 * Writes what the stack is started with, for its daemon and for later commands.
 * @throws OffstreamError SECRET_MISSING, FILE_MISSING, CERTIFICATE_REJECTED
 */
export const saveStack = async (stack: Stack): Promise<void> => {
  await saveKafkaSecret(stack.config, stack.state)
  await saveThriftSecrets(stack.config, stack.state)
  await saveLakeSecrets(stack.config, stack.state)
  await writeState(stackFile(stack.state), stack)
}

/** Deletes what `saveStack` wrote. */
export const forgetStack = async (state: string): Promise<void> => {
  await rm(stackFile(state), { force: true })
  await forgetKafkaSecrets(state)
  await forgetThriftSecrets(state)
  await rm(directoriesOf(state).sparkConf, { force: true })
  await forgetLakeSecrets(state)
}

/**
 * What the stack was last started with, whether it still runs or not: for the daemon, which adopts its services.
 * @param state the state folder of the stack
 */
export const readSavedStack = async (state: string): Promise<Stack | null> => {
  const stack = await readState(stackFile(state), Stack)
  // The folder of the project may have been moved since.
  return stack && { ...stack, state }
}

/**
 * What the running stack was started with; null if no part of it runs. After a reboot the file of the earlier stack is
 * still there, but the user's edits and a newer offstream have precedence.
 * @param state the state folder of the stack
 */
export const readStack = async (state: string): Promise<Stack | null> => {
  const saved = await readSavedStack(state)
  return saved !== null && (await isStackRunning(state)) ? saved : null
}

/** Whether a service of the stack or its daemon runs. */
const isStackRunning = async (state: string): Promise<boolean> =>
  (await ownPids(state)).size > 0 || (await daemonResponds(directoriesOf(state).run))

/** For `loadProject`: the configuration of the running stack. */
export const runningConfig = async (state: string): Promise<Config | null> =>
  (await readStack(state))?.config ?? null

/** The services that a daemon builds from a request, or from what `saveStack` wrote. */
export const servicesOf = async (settings: unknown): Promise<readonly Service[]> => {
  if (settings === null) return []
  const stack = Stack.parse(settings)
  return services(stack, await readJobs(stack.state))
}

/** The services of the running stack, to be probed; none if no part of it runs. @param state the state folder */
export const readServices = async (state: string): Promise<readonly Service[]> =>
  servicesOf(await readStack(state))

/** The pids of the running services of the stack. @param state the state folder */
export const ownPids = async (state: string): Promise<ReadonlySet<number>> => {
  const { records } = directoriesOf(state)
  const known = await new ServiceRecords(records).all()
  const running = await Promise.all(
    known.map(async record => ((await isRunning(record)) ? record.pid : null)),
  )
  const orphaned = (await orphanedServices(records)).map(({ pid }) => pid)
  return new Set([...running.filter(pid => pid !== null), ...orphaned])
}

/** Whether a running service of the stack will write its start-up archive when it stops, which takes some seconds. */
export const writesArchives = async (state: string): Promise<boolean> => {
  const records = new ServiceRecords(directoriesOf(state).records)
  for (const { name, command } of await readServices(state)) {
    if (!writesArchive(command)) continue
    const record = await records.of(name)
    if (record !== null && (await isRunning(record))) return true
  }
  return false
}

/**
 * Does nothing if the named services run, or respond elsewhere.
 * @throws OffstreamError NOT_RUNNING, and the errors of `checkExternal`
 */
export const requireRunning = async (
  { state, config }: Pick<Stack, 'state' | 'config'>,
  names: readonly ServiceName[],
  signal: AbortSignal,
): Promise<void> => {
  for (const name of names)
    if (placeOf(name, config) === 'external') await checkExternal(name, config, state, signal)
  const records = new ServiceRecords(directoriesOf(state).records)
  for (const name of names.filter(name => placeOf(name, config) === 'here')) {
    const record = await records.of(name)
    if (record !== null && (await isRunning(record))) continue
    throw new PipelineError('NOT_RUNNING', `${name} is not running`, {
      hint: 'start the services with `offstream up`, then try again',
    })
  }
}
