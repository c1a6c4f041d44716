import { watch } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { basename } from 'node:path'
import {
  type Config,
  directoriesOf,
  hopsOf,
  rateOf,
  readServices,
  readStreamBatches,
  readStreamProgress,
  type Sample,
  type Status,
  StatusMonitor,
  type StreamBatch,
  type StreamProgress,
  sampleOf,
  topicName,
} from '@offstream/pipeline'
import { type GroupUsage, pause, usageOf } from '@offstream/runtime'
import type { Live, Point, ServiceDetails, StreamState } from '../wire.ts'
import { servicePage } from './servicePage.ts'

/** With and without viewers. Without viewers, only the time series needs the state. */
const watchedIntervalMs = 1_000
const unwatchedIntervalMs = 5_000
/** A batch is shown at once only if the previous one is older: reading has its cost too. */
const quietMs = 5_000
/** However many events wake the loop. */
const minIntervalMs = 300
const historyMs = 3_600_000
/** Enough for the width of a chart. */
const minPointIntervalMs = 2_000

/**
 * The state of the stack, read once for all viewers. How often a service is probed or the table is counted
 * does not depend on the number of viewers.
 */
export class StackModel {
  readonly #state: string
  readonly #config: Config
  readonly #monitor: StatusMonitor
  readonly #waiting = new Set<() => void>()
  readonly #points: Point[] = []
  #batches: StreamBatch[] = []
  #samples: Sample[] = []
  #usage: { readonly at: number; readonly groups: ReadonlyMap<number, GroupUsage> } | null = null
  #version = { text: '', number: 0 }
  #wake = new AbortController()
  #viewers = 0
  #batchAt = 0
  #live: Live | null = null

  constructor(state: string, config: Config) {
    this.#state = state
    this.#config = config
    this.#monitor = new StatusMonitor(state, config)
  }

  /** The last hour, the oldest first. */
  get points(): readonly Point[] {
    return this.#points
  }

  /** The batches of the last hour, the oldest first. */
  get batches(): readonly StreamBatch[] {
    return this.#batches
  }

  /** Null until it has been read once. */
  get live(): Live | null {
    return this.#live
  }

  /** The current version of the tables. */
  get tableVersion(): number {
    return this.#version.number
  }

  /** Reads until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { records, run, streamBatches } = directoriesOf(this.#state)
    await mkdir(records, { recursive: true, mode: 0o700 })
    // A crashed service appears at once, and so does a single batch if someone is watching.
    const watchers = [
      watch(records, { signal }, () => this.#wake.abort()),
      watch(run, { signal }, (_, file) => {
        if (file !== basename(streamBatches)) return
        const isFirst = Date.now() - this.#batchAt > quietMs
        this.#batchAt = Date.now()
        if (isFirst && this.#viewers > 0) this.#wake.abort()
      }),
    ]
    for (const watcher of watchers) watcher.on('error', () => undefined)
    while (!signal.aborted) {
      this.#wake = new AbortController()
      const startedAt = Date.now()
      await this.#read().catch(() => undefined)
      const intervalMs = this.#viewers > 0 ? watchedIntervalMs : unwatchedIntervalMs
      const next = AbortSignal.any([signal, this.#wake.signal])
      await pause(Math.max(100, startedAt + intervalMs - Date.now()), next)
      await pause(Math.max(0, startedAt + minIntervalMs - Date.now()), signal)
    }
  }

  /** Each new state, until `signal` is aborted. A slow viewer gets only the newest. */
  async *follow(signal: AbortSignal): AsyncGenerator<Live> {
    this.#viewers += 1
    this.#wake.abort()
    try {
      let sent: Live | null = null
      while (!signal.aborted) {
        if (this.#live !== null && this.#live !== sent) {
          sent = this.#live
          yield sent
        } else await this.#next(signal)
      }
    } finally {
      this.#viewers -= 1
    }
  }

  #next(signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const done = () => {
        this.#waiting.delete(done)
        signal.removeEventListener('abort', done)
        resolve()
      }
      this.#waiting.add(done)
      signal.addEventListener('abort', done)
    })
  }

  async #read(): Promise<void> {
    const status = await this.#monitor.read()
    const at = Date.now()
    const { streamProgress, streamBatches } = directoriesOf(this.#state)
    const [details, progress, batches, version] = await Promise.all([
      this.#details(status, at),
      readStreamProgress(streamProgress),
      readStreamBatches(streamBatches),
      this.#monitor.tableVersion(),
    ])
    if (version !== this.#version.text) this.#version = { text: version, number: this.#version.number + 1 }
    this.#samples = [...this.#samples, sampleOf(status, at)].filter(sample => sample.at > at - 30_000)
    this.#addBatches(batches, at)
    const point = this.#point(status, at)
    this.#live = {
      ...{ at, status, details, point },
      hops: hopsOf(status),
      stream: streamState(progress),
      tableVersion: this.#version.number,
    }
    for (const notify of [...this.#waiting]) notify()
  }

  /** Of batches in quick succession only some: a chart has no space for thousands. */
  #addBatches(batches: readonly StreamBatch[], at: number): void {
    const since = new Date(at - historyMs).toISOString()
    this.#batches = this.#batches.filter(batch => batch.at > since)
    for (const batch of batches)
      if (Date.parse(batch.at) - Date.parse(this.#batches.at(-1)?.at ?? since) >= minPointIntervalMs)
        this.#batches.push(batch)
  }

  #point({ flow }: Status, at: number): Point {
    const point: Point = {
      at,
      arrived: rateOf(this.#samples, 'acknowledged'),
      consumed: rateOf(this.#samples, 'consumed'),
      lag: flow.lag,
      freshness: flow.freshnessSeconds,
    }
    if (at - (this.#points.at(-1)?.at ?? 0) >= minPointIntervalMs) this.#points.push(point)
    while ((this.#points[0]?.at ?? at) < at - historyMs) this.#points.shift()
    return point
  }

  async #details(status: Status, at: number): Promise<Record<string, ServiceDetails>> {
    const services = await readServices(this.#state)
    const jobs = new Set(status.jobs.map(({ name }) => name))
    const pageOf = (name: string, address: string) =>
      jobs.has(name) ? address : servicePage(name, this.#config)
    const all = [...status.services, ...status.jobs]
    const pids = all.flatMap(({ pid }) => (pid === null ? [] : [pid]))
    const groups = await usageOf(pids).catch(() => new Map<number, GroupUsage>())
    const before = this.#usage
    this.#usage = { at, groups }
    return Object.fromEntries(
      all.map(({ name, pid, state, address }) => {
        const usage = pid === null ? undefined : groups.get(pid)
        const last = pid === null ? undefined : before?.groups.get(pid)
        const elapsedMs = before === null ? 0 : at - before.at
        const cpuPercent =
          usage === undefined || last === undefined || elapsedMs === 0
            ? null
            : Math.max(0, Math.round(((usage.cpuMs - last.cpuMs) * 100) / elapsedMs))
        const ports = services.find(service => service.name === name)?.listensOn ?? []
        return [
          name,
          {
            memoryBytes: usage?.memoryBytes ?? null,
            cpuPercent,
            ports: ports.map(({ port }) => port),
            page: state === 'running' ? pageOf(name, address) : null,
          },
        ]
      }),
    )
  }
}

const streamState = (progress: StreamProgress | null): StreamState | null =>
  progress && {
    ...{ state: progress.state, batchId: progress.batchId, triggerMs: progress.triggerMs },
    ...{ rowsPerSecond: progress.rowsPerSecond, error: progress.error, upkeepError: progress.upkeepError },
    ...{ offsets: progress.offsets[topicName] ?? {}, updatedAt: progress.updatedAt },
  }
