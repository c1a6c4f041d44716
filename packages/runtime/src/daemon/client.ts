import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { acquireLock, type Lock, LockedError } from '../artifacts/lock.ts'
import { fileErrorOf, OffstreamError, RuntimeError } from '../errors.ts'
import type { ServiceEvent } from '../supervisor/service.ts'
import { DeadlineError, until, withDeadline } from '../until.ts'
import { failed, startTimeoutMs } from './launch.ts'
import { type DaemonRequest, type DaemonResponse, fromWire } from './protocol.ts'
import { ensureOwnFolder, socketPath } from './socket.ts'

/** On a machine that has too much to do a daemon may be late; one that is well answers in milliseconds. */
const responseTimeoutMs = 20_000

/**
 * Whether a daemon of this folder answers.
 * @param timeoutMs how long it may take, in milliseconds
 * @throws OffstreamError DAEMON_UNRESPONSIVE where there is one that says nothing in that time
 */
export const daemonResponds = async (directory: string, timeoutMs = responseTimeoutMs): Promise<boolean> => {
  try {
    const answer = await withDeadline(signal => send(directory, '/ping', {}, signal), {
      what: 'the daemon',
      timeoutMs,
    })
    answer.resume()
    return true
  } catch (error) {
    if (error instanceof DeadlineError) throw silent(timeoutMs, error)
    return false
  }
}

const silent = (timeoutMs: number, cause: unknown): OffstreamError =>
  new RuntimeError(
    'DAEMON_UNRESPONSIVE',
    `The daemon, which runs the services, has not answered for ${timeoutMs / 1_000} s`,
    {
      hint: 'find its pid with `ps ax | grep daemon`; wake it with `kill -CONT` if it was stopped, else end it with `kill -9`: the next command takes over what runs',
      cause,
    },
  )

/**
 * Makes sure that a daemon of this folder answers; `launch` starts one where none does, and resolves once that is on
 * its way. Two callers at once start one daemon between them.
 *
 * @throws OffstreamError DAEMON_FAILED, and what `launch` throws
 */
export const ensureDaemon = async (directory: string, launch: () => Promise<void>): Promise<void> => {
  if (await daemonResponds(directory)) return
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await using _ = await lockDaemon(directory)
  try {
    if (await daemonResponds(directory)) return
    await launch()
    await until(
      async () => {
        if (!(await daemonResponds(directory))) throw new Error('no answer on its socket')
      },
      { what: 'the daemon', timeoutMs: startTimeoutMs, intervalMs: 50 },
    )
  } catch (error) {
    throw fileErrorOf(error) ?? failed(error)
  }
}

/**
 * Takes the lock that a command holds while it starts a daemon of this folder; the folder must exist.
 * @throws OffstreamError STACK_BUSY if another command does not release it; file system errors as they are
 */
export const lockDaemon = (directory: string): Promise<Lock> =>
  acquireLock(join(directory, 'daemon.lock'), { timeoutMs: startTimeoutMs }).catch(error => {
    throw error instanceof LockedError ? busy(error) : error
  })

const busy = (cause: LockedError): OffstreamError =>
  new RuntimeError('STACK_BUSY', `Another command is changing this stack: pid ${cause.holder.pid}`, {
    hint: 'wait until it has finished, then try again',
    cause,
  })

export interface DaemonCall extends DaemonRequest {
  readonly onEvent?: (event: ServiceEvent) => void
  /** Called when another command is being carried out, and this one has to wait for it. */
  readonly onWaiting?: () => void
  /** Aborting takes the request back: what a `start` had begun is ended. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Asks the daemon to start or stop services and follows it to the end.
 * @throws OffstreamError DAEMON_LOST where the daemon dies meanwhile, and what the start or stop came to
 */
export const callDaemon = async (
  directory: string,
  what: 'start' | 'stop',
  { onEvent, onWaiting, signal, ...body }: DaemonCall,
): Promise<void> => {
  try {
    const answer = await send(directory, `/${what}`, body, signal)
    for await (const line of createInterface({ input: answer })) {
      const told = JSON.parse(line) as DaemonResponse
      if (told.kind === 'event') onEvent?.(told.event)
      else if (told.kind === 'waiting') onWaiting?.()
      else if (told.kind === 'error') throw fromWire(told.error)
      else return
    }
    throw new Error('the connection ended before the answer')
  } catch (error) {
    signal?.throwIfAborted()
    // Errors that came over the wire have been made by `fromWire`; what else goes wrong is the connection.
    if (error instanceof OffstreamError || !isConnectionError(error)) throw error
    throw new RuntimeError('DAEMON_LOST', 'The daemon, which runs the services, went away in the middle', {
      hint: 'call the command again: what still runs is adopted, what is dead is cleared away',
      cause: error,
    })
  }
}

const isConnectionError = (error: unknown): boolean =>
  error instanceof Error && ('code' in error || error.message.includes('ended before the answer'))

const send = async (
  directory: string,
  path: string,
  body: DaemonRequest,
  signal: AbortSignal | undefined,
): Promise<IncomingMessage> => {
  const socket = socketPath(directory)
  if (dirname(socket) !== directory) await ensureOwnFolder(dirname(socket))
  const call = request({
    socketPath: socket,
    path,
    method: 'POST',
    agent: false,
    ...(signal === undefined ? {} : { signal }),
  })
  call.end(JSON.stringify(body))
  const [answer] = (await once(call, 'response')) as [IncomingMessage]
  return answer
}
