import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { identify, isAlive, type ProcessIdentity, send, waitForExit } from '../processes.ts'
import { pause, until } from '../until.ts'
import { serviceExited, serviceNotReady } from './failures.ts'
import { markOf, processesOf } from './marks.ts'
import type { Service } from './service.ts'

const killTimeoutMs = 10_000
const killIntervalMs = 25
/** The start id of a process that exited before its start time was read. No process has this id. */
const goneStartId = 'gone'

/** One process of a service. `exited` resolves to how it exited, as it follows its name: `was killed by SIGKILL`. */
export interface Run {
  readonly identity: ProcessIdentity
  readonly exited: Promise<string>
}

/** Services are started with it. Loading it takes a fifth of a command's start-up, and most commands start nothing. */
export const loadExeca = () => import('execa')

/**
 * Starts the process of a service.
 * @param directory where the records of services are; it is part of the process's mark
 * @param since the position in its log at which this start began
 * @throws OffstreamError SERVICE_EXITED if it could not be started
 */
export const spawnService = async (directory: string, service: Service, since: number): Promise<Run> => {
  const [{ file, args, env, cwd }, { execa }] = [service.command, await loadExeca()]
  await mkdir(dirname(service.logFile), { recursive: true })
  const log = createWriteStream(service.logFile, { flags: 'a' })
  await once(log, 'open')
  try {
    // Its own process group (`detached`): Ctrl-C in our terminal does not reach it, and SIGTERM reaches its children.
    // Files, not pipes: it must be able to write after we have exited.
    const child = execa(file, [...args], {
      env: { ...env, ...markOf(directory, service.name) },
      extendEnv: false,
      cwd,
      detached: true,
      cleanup: false,
      reject: false,
      stdin: 'ignore',
      stdout: log,
      stderr: log,
      buffer: false,
    })
    const exited = child.then(({ exitCode, signal, originalMessage }) =>
      signal !== undefined
        ? `was killed by ${signal}`
        : exitCode !== undefined
          ? `exited with status ${exitCode}`
          : `could not be started: ${originalMessage}`,
    )
    if (child.pid === undefined) throw await serviceExited(service, await exited, since)
    // The process may have exited already, for example because its work is done.
    const identity = (await identify(child.pid)) ?? { pid: child.pid, startId: goneStartId }
    return { identity, exited }
  } finally {
    log.destroy()
  }
}

/**
 * Waits for readiness, early exit or the timeout, whichever comes first. If it does not become ready, all its processes are stopped.
 * @returns `completed` if it exited because its work is done
 * @throws OffstreamError SERVICE_EXITED, SERVICE_NOT_READY; the reason of `signal` when that is aborted
 */
export const untilReady = async (
  directory: string,
  service: Service,
  run: Run,
  since: number,
  signal: AbortSignal,
): Promise<'ready' | 'completed'> => {
  const exit = new AbortController()
  run.exited.then(how => exit.abort(new EarlyExit(how)))
  try {
    await until(service.ready, {
      what: `${service.name} to be ready`,
      timeoutMs: service.startTimeoutMs,
      signal: AbortSignal.any([signal, exit.signal]),
    })
    return 'ready'
  } catch (error) {
    if (service.worksElsewhere && (await isAlive(run.identity)) && (await requestStop(service)))
      await waitForExit(run.identity, { timeoutMs: service.stopTimeoutMs })
    await stopGroup(directory, service.name, run.identity, 0)
    signal.throwIfAborted()
    if (error instanceof EarlyExit && (await service.isComplete?.())) return 'completed'
    throw error instanceof EarlyExit
      ? await serviceExited(service, error.message, since)
      : await serviceNotReady(service, error, since)
  }
}

/** The message is how it exited. */
class EarlyExit extends Error {}

/** The run of a service that an earlier supervisor started: its exit is noticed, its exit status is not known. */
export const watchedRun = (identity: ProcessIdentity, signal: AbortSignal): Run => ({
  identity,
  exited: waitForExit(identity, { signal }).then(() => 'exited with an unknown status'),
})

/** Requests a stop in the service's own gentle way. @returns false if it has none or the request failed */
export const requestStop = async ({ requestStop: request }: Service): Promise<boolean> => {
  if (request === undefined) return false
  try {
    await request()
    return true
  } catch {
    return false
  }
}

/**
 * Stops a process and its group: SIGTERM, then SIGKILL after `timeoutMs`, or at once if that is 0. Members that outlive
 * the leader are found by their mark, because another group may have the leader's number by then.
 * @returns whether the leader had to be killed
 */
export const stopGroup = async (
  directory: string,
  name: string,
  identity: ProcessIdentity,
  timeoutMs: number,
): Promise<boolean> => {
  let killed = false
  if (await isAlive(identity)) {
    if (timeoutMs > 0) send(-identity.pid, 'SIGTERM')
    if (timeoutMs === 0 || !(await waitForExit(identity, { timeoutMs }))) {
      killed = true
      send(-identity.pid, 'SIGKILL')
      await waitForExit(identity, { timeoutMs: killTimeoutMs })
    }
  }
  const deadline = Date.now() + killTimeoutMs
  while ((await killMarked(directory, name)) > 0 && Date.now() < deadline) await pause(killIntervalMs)
  return killed
}

/** Kills every process that has the mark of a service. @returns how many there were */
export const killMarked = async (directory: string, name: string): Promise<number> => {
  const found = await processesOf(directory, name)
  for (const { pid } of found) send(pid, 'SIGKILL')
  return found.length
}
