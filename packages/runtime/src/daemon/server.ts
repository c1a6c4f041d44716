import { once } from 'node:events'
import { chmod, mkdir, open, rm, stat } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { dirname } from 'node:path'
import { json } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { type OffstreamError, RuntimeError } from '../errors.ts'
import { boundLogs } from '../rotate.ts'
import { loadExeca } from '../supervisor/run.ts'
import type { Service, ServiceEvent } from '../supervisor/service.ts'
import { Supervisor } from '../supervisor/supervisor.ts'
import { type DaemonRequest, type DaemonResponse, toWire } from './protocol.ts'
import { ensureOwnFolder, socketPath } from './socket.ts'

export interface DaemonOptions {
  /** A folder of its own: records, socket. Made with mode 0700, so that nobody else can ask. */
  readonly directory: string
  /** Builds the services from what a request carries. */
  readonly build: (settings: unknown) => Promise<readonly Service[]>
  /** The settings that services left by an earlier daemon are adopted with. */
  readonly settings: unknown
  readonly onEvent: (event: ServiceEvent) => void
  /** Ends everything and returns, when aborted. */
  readonly signal: AbortSignal
  /** Called when it can be asked. */
  readonly onListening?: () => void
  /** When aborted, everything is killed at that very moment. */
  readonly force?: AbortSignal | undefined
  /** Told of a log that can't be kept small, once each. */
  readonly onLogProblem?: (file: string, error: unknown) => void
  /** A folder whose `*.log` files are kept from filling the disk. */
  readonly logs?: string | undefined
}

/** Sooner than a service that was killed is started again: else whoever ends them, because the folder is gone, ends it twice. */
const placeEveryMs = 250

/** Where the records of services lie below a daemon's folder. */
export const recordsDirectory = (directory: string): string => `${directory}/services`

/**
 * Owns services: adopts what an earlier daemon left, and ends what that one was ending; starts and stops what it is
 * asked to over its socket, restarts what falls. Returns when it keeps nothing any more after having been asked to
 * stop, or when `signal` is aborted; nothing of it runs then.
 * @throws OffstreamError FOLDER_REMOVED where its folder was removed meanwhile; nothing runs then either
 */
export const runDaemon = async ({
  directory,
  build,
  settings,
  onEvent,
  signal,
  onListening,
  force,
  logs,
  onLogProblem = () => undefined,
}: DaemonOptions): Promise<void> => {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  // Not when first needed: it runs for weeks, and what lies on the disk by then may be another version, or nothing.
  await loadExeca()
  const listeners = new Set<(event: ServiceEvent) => void>([onEvent])
  const supervisor = new Supervisor({
    directory: recordsDirectory(directory),
    onEvent: event => {
      for (const listener of listeners) listener(event)
    },
  })
  const halfEnded = await supervisor.adopt(await build(settings))

  force?.addEventListener('abort', () => supervisor.kill())

  const ended = new AbortController()
  const line = new Line()
  const carryOut = async (
    what: 'start' | 'stop',
    { names, settings: wanted }: DaemonRequest,
    asked: AbortSignal,
  ): Promise<void> => {
    if (what === 'stop') return supervisor.stop(names)
    const services = (await build(wanted)).filter(({ name }) => names?.includes(name) ?? true)
    await supervisor.start(services, asked)
  }
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const what = request.url?.slice(1)
    if (what !== 'start' && what !== 'stop') return void response.end('{}\n')
    const write = (told: DaemonResponse) => void response.write(`${JSON.stringify(told)}\n`)
    const listener = (event: ServiceEvent) => write({ kind: 'event', event })
    // Whoever asked and went away (Ctrl-C) does not want it any more.
    const gone = new AbortController()
    response.on('close', () => gone.abort(new Error('whoever asked for it went away')))
    try {
      const body = (await json(request)) as DaemonRequest
      // Who ends everything does not wait for a start that is not wanted any more.
      if (what === 'stop' && body.names === undefined) line.cancel(endedMeanwhile())
      if (line.isBusy) write({ kind: 'waiting' })
      await line.stand(AbortSignal.any([gone.signal, signal]), async asked => {
        listeners.add(listener)
        await carryOut(what, body, asked)
      })
      write({ kind: 'done' })
    } catch (error) {
      write({ kind: 'error', error: toWire(error) })
    } finally {
      listeners.delete(listener)
      response.end()
      if (supervisor.names.length === 0 && !line.isBusy) ended.abort()
    }
  }

  const path = socketPath(directory)
  const listen = async (): Promise<Server> => {
    const server = createServer((request, response) => void answer(request, response))
    if (dirname(path) !== directory) await ensureOwnFolder(dirname(path))
    await rm(path, { force: true })
    server.listen(path)
    await once(server, 'listening')
    await chmod(path, 0o600)
    return server
  }
  // As long as it is open its number is not given to another.
  await using handle = await open(directory)
  const { ino: folder } = await handle.stat({ bigint: true })
  let server = await listen()
  const removed = new AbortController()
  /** Without its socket nobody can ask it any more, and without its folder what it keeps has lost its data. */
  const watchPlace = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      await pause(placeEveryMs, undefined, { signal: ended.signal }).catch(() => undefined)
      if (ended.signal.aborted) return
      if (await isGone(directory, folder)) return removed.abort()
      if (!(await isGone(path))) continue
      server.close()
      server = await listen().catch(() => server)
    }
  }
  // First in the line: whoever asks for something now comes after it, and is not kept waiting for an answer by it.
  if (halfEnded.length > 0)
    void line.stand(ended.signal, () => supervisor.stop(halfEnded)).catch(() => undefined)
  onListening?.()
  if (logs !== undefined) void boundLogs(logs, { signal: ended.signal, onProblem: onLogProblem })
  const watching = watchPlace()
  try {
    await aborted(AbortSignal.any([signal, ended.signal, removed.signal]))
    if (removed.signal.aborted) {
      // First the door: closing it takes the socket's file away, and soon that might be of the next daemon.
      server.close()
      supervisor.loseRecords()
      line.cancel(folderRemoved(directory))
    }
    await supervisor.stop()
    if (removed.signal.aborted) throw folderRemoved(directory)
  } finally {
    ended.abort()
    // It may be about to listen anew.
    await watching
    if (server.listening) {
      server.close()
      // This takes the socket's file away at once; later it might be that of the next daemon.
      await once(server, 'close')
    }
  }
}

/**
 * Whether `path` is gone, or, where its number is known, another file has come in its place. A disk that fails for a
 * moment is no reason to believe it.
 */
const isGone = (path: string, number: bigint | null = null): Promise<boolean> =>
  stat(path, { bigint: true }).then(
    ({ ino }) => number !== null && ino !== number,
    error => error.code === 'ENOENT' || error.code === 'ENOTDIR',
  )

/** Requests are carried out one after the other: two commands at once would pull at the same services. */
class Line {
  private last: Promise<unknown> = Promise.resolve()
  private readonly standing = new Set<AbortController>()

  get isBusy(): boolean {
    return this.standing.size > 0
  }

  /** Makes every request that is being carried out or waits fail with `reason`. */
  readonly cancel = (reason: Error): void => {
    for (const one of this.standing) one.abort(reason)
  }

  /** Carries out `work` when those before it are through; its signal is aborted by `signal` and by `cancel`. */
  readonly stand = async (
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> => {
    const cancelled = new AbortController()
    const either = AbortSignal.any([signal, cancelled.signal])
    this.standing.add(cancelled)
    const done = this.last.then(() => {
      either.throwIfAborted()
      return work(either)
    })
    this.last = done.catch(() => undefined)
    try {
      await done
    } finally {
      this.standing.delete(cancelled)
    }
  }
}

const folderRemoved = (directory: string): OffstreamError =>
  new RuntimeError(
    'FOLDER_REMOVED',
    `\`${directory}\` was removed while services ran on it; they were ended`,
    {
      hint: 'call `offstream down` before you remove a stack, or `offstream reset --all` to wipe it; `offstream up` begins anew',
    },
  )

const endedMeanwhile = (): OffstreamError =>
  new RuntimeError('START_INTERRUPTED', 'Another command ended the services while they were being started', {
    hint: 'start them again with `offstream up`',
  })

const aborted = async (signal: AbortSignal): Promise<void> => {
  if (!signal.aborted) await once(signal, 'abort')
}
