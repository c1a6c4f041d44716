import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { acquireLock, type Lock, LockedError } from '../artifacts/lock.ts'
import { fileErrorOf, OffstreamError, RuntimeError } from '../errors.ts'
import type { ServiceEvent } from '../supervisor/service.ts'
import { DeadlineError, until, withDeadline } from '../until.ts'
import { daemonPid } from './identity.ts'
import { failed, startTimeoutMs } from './launch.ts'
import { type DaemonRequest, type DaemonResponse, fromWire } from './protocol.ts'
import { ensureOwnFolder, socketPath } from './socket.ts'

/** A healthy daemon responds in milliseconds; on a busy machine it may take longer. */
const responseTimeoutMs = 20_000

/**
 * Whether a daemon of this folder responds.
 * @throws OffstreamError DAEMON_UNRESPONSIVE if there is one that does not respond within `timeoutMs`
 */
export const daemonResponds = async (directory: string, timeoutMs = responseTimeoutMs): Promise<boolean> => {
  try {
    const response = await withDeadline(signal => send(directory, '/ping', {}, signal), {
      what: 'the daemon',
      timeoutMs,
    })
    response.resume()
    return true
  } catch (error) {
    if (error instanceof DeadlineError) throw await unresponsive(directory, timeoutMs, error)
    return false
  }
}

const unresponsive = async (
  directory: string,
  timeoutMs: number,
  cause: unknown,
): Promise<OffstreamError> => {
  const known = await daemonPid(directory)
  const who = known === null ? '' : ` (pid ${known})`
  const pid = known ?? '<pid>'
  const find = known === null ? `find its pid with \`lsof -t ${socketPath(directory)}\`; ` : ''
  return new RuntimeError(
    'DAEMON_UNRESPONSIVE',
    `The daemon${who}, which runs the services, has not responded for ${timeoutMs / 1_000} s`,
    {
      hint: `${find}resume it with \`kill -CONT ${pid}\` if it was stopped, otherwise kill it with \`kill -9 ${pid}\`: the next command takes over the running services`,
      cause,
    },
  )
}

/**
 * Makes sure that a daemon of this folder responds. If none is running, `launch` starts one and resolves when it is on its
 * way. Several callers at the same time start one daemon.
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
        if (!(await daemonResponds(directory))) throw new Error('it does not respond on its socket')
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

/** A request to the daemon, and what the caller wants to know meanwhile. */
export interface DaemonCall extends DaemonRequest {
  readonly onEvent?: (event: ServiceEvent) => void
  /** Called if the request has to wait for that of another command. */
  readonly onWaiting?: () => void
  /** Aborting cancels the request: what a `start` has started is stopped. */
  readonly signal?: AbortSignal | undefined
  /** Starts a daemon if none responds; without it there must be one. */
  readonly launch?: () => Promise<void>
}

/**
 * Sends a request to the daemon and follows it to its end.
 * @throws OffstreamError DAEMON_LOST if the daemon exits meanwhile; the error of the start or stop itself
 */
export const callDaemon = async (
  directory: string,
  what: 'start' | 'stop',
  { onEvent, onWaiting, signal, launch, ...body }: DaemonCall,
): Promise<void> => {
  try {
    const response = await respondingDaemon(directory, launch, () =>
      send(directory, `/${what}`, body, signal),
    )
    for await (const line of createInterface({ input: response })) {
      const message = JSON.parse(line) as DaemonResponse
      if (message.kind === 'event') onEvent?.(message.event)
      else if (message.kind === 'waiting') onWaiting?.()
      else if (message.kind === 'error') throw fromWire(message.error)
      else return
    }
    throw new ConnectionLostError()
  } catch (error) {
    signal?.throwIfAborted()
    // `fromWire` made the errors that came from the daemon; any other error is one of the connection.
    if (error instanceof OffstreamError || !isConnectionError(error)) throw error
    throw new RuntimeError('DAEMON_LOST', 'The daemon, which runs the services, exited during the request', {
      hint: 'run the command again: it adopts running services, and cleans up after killed ones',
      cause: error,
    })
  }
}

/** A daemon that responded to `ensureDaemon` may exit before it accepts the request; then another one is started. */
const respondingDaemon = async (
  directory: string,
  launch: (() => Promise<void>) | undefined,
  request: () => Promise<IncomingMessage>,
): Promise<IncomingMessage> => {
  if (launch === undefined) return request()
  await ensureDaemon(directory, launch)
  try {
    return await request()
  } catch (error) {
    if (!isConnectionError(error)) throw error
    await ensureDaemon(directory, launch)
    return request()
  }
}

class ConnectionLostError extends Error {
  override readonly message = 'the connection was closed before the response was complete'
}

const isConnectionError = (error: unknown): boolean =>
  error instanceof ConnectionLostError ||
  (error instanceof Error && 'code' in error && error.name !== 'AbortError')

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
  const [response] = (await once(call, 'response')) as [IncomingMessage]
  return response
}
