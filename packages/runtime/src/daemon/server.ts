import { once } from 'node:events'
import { chmod, mkdir, open, rm, stat } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { dirname } from 'node:path'
import { json } from 'node:stream/consumers'
import { type OffstreamError, RuntimeError } from '../errors.ts'
import { boundLogs } from '../rotate.ts'
import { loadExeca } from '../supervisor/run.ts'
import type { Service, ServiceEvent } from '../supervisor/service.ts'
import { Supervisor } from '../supervisor/supervisor.ts'
import { pause } from '../until.ts'
import { forgetDaemon, recordDaemon } from './identity.ts'
import { type DaemonRequest, type DaemonResponse, toWire } from './protocol.ts'
import { Queue } from './queue.ts'
import { ensureOwnFolder, socketPath } from './socket.ts'

export interface DaemonOptions {
  /** The folder for its records and socket only. It has mode 0700, so that no other user can connect. */
  readonly directory: string
  /** Builds the services from the settings of a request. */
  readonly build: (settings: unknown) => Promise<readonly Service[]>
  /** The settings with which services of an earlier daemon are adopted. */
  readonly settings: unknown
  readonly onEvent: (event: ServiceEvent) => void
  /** When aborted, everything is stopped and `runDaemon` returns. */
  readonly signal: AbortSignal
  /** Called when it accepts requests. */
  readonly onListening?: () => void
  /** When aborted, everything is killed at once. */
  readonly force?: AbortSignal | undefined
  /** Called for each log that cannot be rotated, once. */
  readonly onLogProblem?: (file: string, error: unknown) => void
  /** A folder whose `*.log` files are rotated. */
  readonly logs?: string | undefined
}

/** Less than the first pause before a restart: services whose folder was deleted are stopped before they restart. */
const folderIntervalMs = 250

/** The folder of the records of services, below the folder of a daemon. */
export const recordsDirectory = (directory: string): string => `${directory}/services`

/**
 * Owns services: adopts what an earlier daemon left, starts and stops services on request, restarts crashed ones.
 * Returns when a request has left no service, or when `signal` is aborted; then nothing of it runs.
 * @throws OffstreamError FOLDER_REMOVED if its folder was deleted; then nothing of it runs either
 */
export const runDaemon = async (options: DaemonOptions): Promise<void> => {
  const { directory, build, settings, signal, onListening, force, logs, onLogProblem } = options
  await mkdir(directory, { recursive: true, mode: 0o700 })
  // Now, not when it is first needed: offstream may be updated or removed while the daemon runs.
  await loadExeca()
  const listeners = new Set([options.onEvent])
  const supervisor = new Supervisor({
    directory: recordsDirectory(directory),
    onEvent: event => {
      for (const listener of listeners) listener(event)
    },
  })
  const halfStopped = await supervisor.adopt(await build(settings))
  force?.addEventListener('abort', () => supervisor.kill())

  const queue = new Queue()
  const requests = new Requests({ supervisor, queue, listeners, build, signal })
  const idle = requests.idle
  // As long as the folder is open its inode is not reused for another folder.
  await using handle = await open(directory)
  const { ino } = await handle.stat({ bigint: true })
  const door = new Door(directory, ino, requests.accept)
  await door.open()
  await recordDaemon(directory)
  // First in the queue: a request that comes now waits for it and is not delayed by a probe of these services.
  if (halfStopped.length > 0) void queue.add(idle, () => supervisor.stop(halfStopped)).catch(() => undefined)
  onListening?.()
  if (logs !== undefined) void boundLogs(logs, { signal: idle, onProblem: onLogProblem ?? (() => undefined) })
  const exiting = new AbortController()
  const watching = door.watch(exiting.signal)
  try {
    await aborted(AbortSignal.any([signal, idle, door.removed]))
    // At once: a connection that is accepted now would reach a daemon that exits.
    door.close()
    if (door.removed.aborted) {
      supervisor.loseRecords()
      queue.cancel(folderRemoved(directory))
    }
    await supervisor.stop()
    if (door.removed.aborted) throw folderRemoved(directory)
  } finally {
    exiting.abort()
    requests.close()
    await watching
    await door.closed()
    if (!door.removed.aborted) await forgetDaemon(directory)
  }
}

interface RequestsOptions extends Pick<DaemonOptions, 'build' | 'signal'> {
  readonly supervisor: Supervisor
  readonly queue: Queue
  readonly listeners: Set<(event: ServiceEvent) => void>
}

/** The requests of all connections. It knows when the daemon has nothing left to do. */
class Requests {
  readonly #options: RequestsOptions
  readonly #connections = new Set<Socket>()
  readonly #idle = new AbortController()
  #wasUsed = false

  constructor(options: RequestsOptions) {
    this.#options = options
  }

  /**
   * Aborted when a start or stop has left no service and no connection is open: a request whose body is still being
   * read, and one that has not been read at all, are to be carried out by this daemon.
   */
  get idle(): AbortSignal {
    return this.#idle.signal
  }

  /** Makes a server pass its requests to here. */
  readonly accept = (server: Server): void => {
    server.on('connection', socket => {
      this.#connections.add(socket)
      socket.once('close', () => {
        this.#connections.delete(socket)
        this.#checkIdle()
      })
    })
    server.on('request', (request, response) => void this.#respond(request, response))
  }

  /** Ends the work that depends on `idle`, whatever was the reason to exit. */
  close(): void {
    this.#idle.abort()
  }

  #checkIdle(): void {
    const { supervisor, queue } = this.#options
    if (this.#wasUsed && this.#connections.size === 0 && supervisor.names.length === 0 && !queue.isBusy)
      this.#idle.abort()
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const what = request.url?.slice(1)
    if (what !== 'start' && what !== 'stop') return void response.end('{}\n')
    const { listeners, queue, signal } = this.#options
    const write = (line: DaemonResponse) => void response.write(`${JSON.stringify(line)}\n`)
    const listener = (event: ServiceEvent) => write({ kind: 'event', event })
    // A client that disconnects (Ctrl-C) cancels its request.
    const disconnected = new AbortController()
    response.on('close', () => disconnected.abort(new Error('the client disconnected')))
    try {
      const body = (await json(request)) as DaemonRequest
      // A stop of everything does not wait for a start: that start is no longer wanted.
      if (what === 'stop' && body.names === undefined) queue.cancel(startInterrupted())
      if (queue.isBusy) write({ kind: 'waiting' })
      await queue.add(AbortSignal.any([disconnected.signal, signal]), async cancelled => {
        listeners.add(listener)
        await this.#carryOut(what, body, cancelled)
      })
      write({ kind: 'done' })
    } catch (error) {
      write({ kind: 'error', error: toWire(error) })
    } finally {
      listeners.delete(listener)
      this.#wasUsed = true
      response.end()
      this.#checkIdle()
    }
  }

  async #carryOut(
    what: 'start' | 'stop',
    { names, settings }: DaemonRequest,
    signal: AbortSignal,
  ): Promise<void> {
    const { supervisor, build } = this.#options
    if (what === 'stop') return supervisor.stop(names)
    const services = (await build(settings)).filter(({ name }) => names?.includes(name) ?? true)
    await supervisor.start(services, signal)
  }
}

/** The socket of a daemon, and the folder that it belongs to. */
class Door {
  readonly #directory: string
  readonly #inode: bigint
  readonly #accept: (server: Server) => void
  readonly #removed = new AbortController()
  #server: Server | null = null
  #isClosed = false

  constructor(directory: string, inode: bigint, accept: (server: Server) => void) {
    this.#directory = directory
    this.#inode = inode
    this.#accept = accept
  }

  /** Aborted when the folder was deleted or replaced: the services have lost their data. */
  get removed(): AbortSignal {
    return this.#removed.signal
  }

  async open(): Promise<void> {
    const path = socketPath(this.#directory)
    const server = createServer()
    this.#accept(server)
    if (dirname(path) !== this.#directory) await ensureOwnFolder(dirname(path))
    await rm(path, { force: true })
    server.listen(path)
    await once(server, 'listening')
    await chmod(path, 0o600)
    this.#server = server
  }

  /** Opens the socket again if only its file was deleted, until `signal` is aborted. */
  async watch(signal: AbortSignal): Promise<void> {
    for (;;) {
      await pause(folderIntervalMs, signal)
      if (signal.aborted || this.#isClosed) return
      if (await isGone(this.#directory, this.#inode)) return this.#removed.abort()
      if (this.#isClosed || !(await isGone(socketPath(this.#directory)))) continue
      // Before the next one opens: closing deletes the file of the socket, whosever it is.
      this.#server?.close()
      await this.open().catch(() => undefined)
      if (this.#isClosed) this.#server?.close()
    }
  }

  /** Accepts no more connections. This deletes the file of the socket at once; later it might be the next daemon's. */
  close(): void {
    this.#isClosed = true
    this.#server?.close()
  }

  /** Resolves when the last connection is closed. */
  async closed(): Promise<void> {
    this.close()
    const server = this.#server
    if (server === null) return
    const isOpen = await new Promise<boolean>(resolve =>
      server.getConnections((_, count) => resolve(count > 0)),
    )
    if (isOpen) await once(server, 'close')
  }
}

/**
 * Whether `path` does not exist or, with an inode, is another file now. An error of the disk does not count: it may be
 * temporary.
 */
const isGone = (path: string, inode: bigint | null = null): Promise<boolean> =>
  stat(path, { bigint: true }).then(
    ({ ino }) => inode !== null && ino !== inode,
    error => error.code === 'ENOENT' || error.code === 'ENOTDIR',
  )

const folderRemoved = (directory: string): OffstreamError =>
  new RuntimeError(
    'FOLDER_REMOVED',
    `\`${directory}\` was deleted while its services were running; they were stopped`,
    {
      hint: 'run `offstream down` before you delete a stack, or delete it with `offstream reset --all`; `offstream up` starts a new one',
    },
  )

const startInterrupted = (): OffstreamError =>
  new RuntimeError('START_INTERRUPTED', 'Another command stopped the services while they were starting', {
    hint: 'start them again with `offstream up`',
  })

const aborted = async (signal: AbortSignal): Promise<void> => {
  if (!signal.aborted) await once(signal, 'abort')
}
