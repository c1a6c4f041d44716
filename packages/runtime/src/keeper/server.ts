import { once } from 'node:events'
import { chmod, mkdir, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import type { Service, ServiceEvent } from '../supervisor/service.ts'
import { Supervisor } from '../supervisor/supervisor.ts'
import { type KeeperAnswer, type KeeperRequest, toWire } from './protocol.ts'
import { socketPath } from './socket.ts'

export interface KeeperOptions {
  /** A folder of its own: records, socket. Made with mode 0700, so that nobody else can ask. */
  readonly directory: string
  /** Builds the services from what a request carries. */
  readonly build: (settings: unknown) => Promise<readonly Service[]>
  /** The settings that services left by an earlier keeper are adopted with. */
  readonly settings: unknown
  readonly onEvent: (event: ServiceEvent) => void
  /** Ends everything and returns, when aborted. */
  readonly signal: AbortSignal
  /** Called when it can be asked. */
  readonly onListening?: () => void
}

/** Where the records of services lie below a keeper's folder. */
export const recordsDirectory = (directory: string): string => `${directory}/services`

/**
 * Owns services: adopts what an earlier keeper left, starts and stops what it is asked to over its socket, restarts
 * what falls. Returns when it keeps nothing any more after having been asked to stop, or when `signal` is aborted;
 * nothing of it runs then.
 */
export const runKeeper = async ({
  directory,
  build,
  settings,
  onEvent,
  signal,
  onListening,
}: KeeperOptions): Promise<void> => {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const listeners = new Set<(event: ServiceEvent) => void>([onEvent])
  const supervisor = new Supervisor({
    directory: recordsDirectory(directory),
    onEvent: event => {
      for (const listener of listeners) listener(event)
    },
  })
  await supervisor.adopt(await build(settings))

  const ended = new AbortController()
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.url === '/ping') return void response.end('{}\n')
    const write = (line: KeeperAnswer) => void response.write(`${JSON.stringify(line)}\n`)
    const listener = (event: ServiceEvent) => write({ kind: 'event', event })
    // Whoever asked and went away (Ctrl-C) does not want it any more.
    const gone = new AbortController()
    response.on('close', () => gone.abort(new Error('whoever asked for it went away')))
    listeners.add(listener)
    try {
      const { names, settings } = (await json(request)) as KeeperRequest
      if (request.url === '/start') {
        const services = (await build(settings)).filter(({ name }) => names?.includes(name) ?? true)
        await supervisor.start(services, AbortSignal.any([gone.signal, signal]))
      } else if (request.url === '/stop') await supervisor.stop(names)
      write({ kind: 'done' })
    } catch (error) {
      write({ kind: 'error', error: toWire(error) })
    } finally {
      listeners.delete(listener)
      response.end()
      if (supervisor.names.length === 0) ended.abort()
    }
  }

  const server = createServer((request, response) => void answer(request, response))
  const path = socketPath(directory)
  await rm(path, { force: true })
  server.listen(path)
  await once(server, 'listening')
  await chmod(path, 0o600)
  onListening?.()
  try {
    await aborted(AbortSignal.any([signal, ended.signal]))
    await supervisor.stop()
  } finally {
    server.close()
    await once(server, 'close')
    await rm(path, { force: true })
  }
}

const aborted = async (signal: AbortSignal): Promise<void> => {
  if (!signal.aborted) await once(signal, 'abort')
}
