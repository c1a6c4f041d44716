import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import { createInterface } from 'node:readline'
import lockfile from 'proper-lockfile'
import { OffstreamError } from '../errors.ts'
import type { ServiceEvent } from '../supervisor/service.ts'
import { until } from '../until.ts'
import { fromWire, type KeeperAnswer, type KeeperRequest } from './protocol.ts'
import { socketPath } from './socket.ts'

const startWithinMs = 15_000

/** Whether a keeper of this folder answers. */
export const keeperAnswers = async (directory: string): Promise<boolean> =>
  send(directory, '/ping', {}, undefined).then(
    answer => {
      answer.resume()
      return true
    },
    () => false,
  )

/**
 * Makes sure that a keeper of this folder answers; `launch` starts one where none does. Two callers at once start
 * one keeper between them.
 */
export const ensureKeeper = async (directory: string, launch: () => Promise<void>): Promise<void> => {
  if (await keeperAnswers(directory)) return
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const release = await lockfile.lock(directory, {
    lockfilePath: `${directory}/keeper.lock`,
    retries: { retries: 100, minTimeout: 100, maxTimeout: 300 },
  })
  try {
    if (await keeperAnswers(directory)) return
    await launch()
    await until(
      async () => {
        if (!(await keeperAnswers(directory))) throw new Error('no answer on its socket')
      },
      { what: 'the keeper', withinMs: startWithinMs, everyMs: 50 },
    )
  } finally {
    await release()
  }
}

export interface KeeperCall extends KeeperRequest {
  readonly onEvent?: (event: ServiceEvent) => void
  /** Called when another command is being carried out, and this one has to wait for it. */
  readonly onWaiting?: () => void
  /** Aborting takes the request back: what a `start` had begun is ended. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Asks the keeper to start or stop services and follows it to the end.
 * @throws OffstreamError KEEPER_LOST where the keeper dies meanwhile, and what the start or stop came to
 */
export const askKeeper = async (
  directory: string,
  what: 'start' | 'stop',
  { onEvent, onWaiting, signal, ...body }: KeeperCall,
): Promise<void> => {
  try {
    const answer = await send(directory, `/${what}`, body, signal)
    for await (const line of createInterface({ input: answer })) {
      const told = JSON.parse(line) as KeeperAnswer
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
    throw new OffstreamError('KEEPER_LOST', 'The keeper, which runs the services, went away in the middle', {
      outcome: 'unexpected',
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
  body: KeeperRequest,
  signal: AbortSignal | undefined,
): Promise<IncomingMessage> => {
  const call = request({
    socketPath: socketPath(directory),
    path,
    method: 'POST',
    agent: false,
    ...(signal === undefined ? {} : { signal }),
  })
  call.end(JSON.stringify(body))
  const [answer] = (await once(call, 'response')) as [IncomingMessage]
  return answer
}
