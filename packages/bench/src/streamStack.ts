import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  brokersOf,
  configOf,
  type Directories,
  describeTopic,
  directoriesOf,
  freePorts,
  localCluster,
} from '@offstream/pipeline'
import { until } from '@offstream/runtime'
import { execa } from 'execa'
import type { Checkout } from './checkout.ts'
import { cpuSecondsOf, type ProcessInfo, processesWith } from './processUsage.ts'
import { readBatches, readCommits, visibleMs } from './tableHistory.ts'

/** Settings by their path, such as `stream.triggerMs`. */
export type Settings = Readonly<Record<string, string | number | boolean>>

/** The progress file of the job. Other checkouts may write more or fewer members. */
export interface Progress {
  readonly state: string
  readonly offsets: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly triggerMs: number | null
}

/** When the job had written all messages up to an offset, in milliseconds since 1970. */
export interface Written {
  /** The start of the first batch with a message beyond the offset where it started. */
  readonly firstBatchAtMs: number
  /** The commit of the table that made the last message visible. */
  readonly visibleAtMs: number
}

/** A stack in a temporary folder, run by the built command of a checkout. It is stopped and deleted when it is disposed. */
export class StreamStack implements AsyncDisposable {
  readonly project: string
  readonly broker: string
  readonly thrift: { readonly host: string; readonly port: number }
  readonly directories: Directories
  readonly #checkout: Checkout
  readonly #ports: Settings
  /** The command that runs now, or the last one. */
  #command: Promise<unknown> = Promise.resolve()

  private constructor(checkout: Checkout, project: string, ports: readonly string[]) {
    const config = configOf(ports)
    this.#checkout = checkout
    this.#ports = Object.fromEntries(
      ports.map(setting => setting.split('=')).map(([path, port]) => [path, Number(port)]),
    )
    this.project = project
    this.broker = brokersOf(config).join(',')
    this.thrift = { host: config.host, port: config.thrift.port }
    this.directories = directoriesOf(join(project, '.offstream'))
  }

  /** Starts the services without the job. */
  static async start(checkout: Checkout, settings: Settings = {}): Promise<StreamStack> {
    const project = await mkdtemp(join(tmpdir(), 'offstream-stream-'))
    const stack = new StreamStack(checkout, project, await freePorts(configOf([]), new Set()))
    openStacks.add(stack)
    try {
      await stack.up(settings)
      return stack
    } catch (error) {
      await stack[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Runs a command of offstream. @throws if it fails, or if the bench stops */
  async offstream(...args: readonly string[]): Promise<string> {
    if (isStopping && args[0] !== 'down') throw new Error('the bench is stopping')
    const run = execa(process.execPath, [this.#checkout.command, ...args], { cwd: this.project })
    this.#command = run.catch(() => undefined)
    return (await run).stdout
  }

  /** The command line of a command of offstream. */
  command(...args: readonly string[]): readonly [string, ...string[]] {
    return [process.execPath, this.#checkout.command, ...args]
  }

  /** Starts the services with these settings. */
  async up(settings: Settings = {}): Promise<void> {
    await writeFile(join(this.project, 'offstream.yaml'), nested({ ...this.#ports, ...settings }))
    await this.offstream('up')
  }

  /** Starts the job. @returns seconds until it was ready */
  async submit(): Promise<number> {
    const startedAt = performance.now()
    await this.offstream('submit')
    return (performance.now() - startedAt) / 1_000
  }

  /** Stops all services. The data stays. */
  async down(): Promise<void> {
    await this.offstream('down')
  }

  /** The processes of the job: its driver and its executors. */
  async job(): Promise<readonly ProcessInfo[]> {
    return (await processesWith(this.project)).filter(
      ({ command }) => command.includes('stream.py') || command.includes('CoarseGrainedExecutorBackend'),
    )
  }

  /** The processes of the Thrift server. */
  async thriftServer(): Promise<readonly ProcessInfo[]> {
    return (await processesWith(this.project)).filter(({ command }) => command.includes('thrift_server.py'))
  }

  async jobCpuSeconds(): Promise<number> {
    return cpuSecondsOf(await this.job())
  }

  /**
   * Suspends the job while `publish` fills the topic, so that a running job finds a full topic.
   * @returns when the job continued, in milliseconds since 1970
   */
  async whileSuspended(publish: () => Promise<unknown>): Promise<number> {
    const job = await this.job()
    signal(job, 'SIGSTOP')
    try {
      await publish()
    } finally {
      signal(job, 'SIGCONT')
    }
    return Date.now()
  }

  /** The offset after the last message of the topic. */
  async endOffset(): Promise<number> {
    const { partitions } = await describeTopic(localCluster(this.broker), null)
    return partitions.reduce((sum, { latest }) => sum + latest, 0)
  }

  /** How far the job is; null if it has not reported yet. */
  async progress(): Promise<Progress | null> {
    const text = await readFile(this.directories.streamProgress, 'utf8').catch(() => 'null')
    return JSON.parse(text)
  }

  /** Waits until the job has written all messages before the offset `end`. It had written those before `start`. */
  async written(start: number, end: number, timeoutMs = 900_000): Promise<Written> {
    await until(
      async () => {
        const consumed = offsetIn(await this.progress())
        if (consumed < end) throw new Error(`it has read ${consumed} of ${end} messages`)
      },
      { what: 'the job to read the topic', timeoutMs },
    )
    const batches = await readBatches(this.directories.checkpoint)
    return {
      firstBatchAtMs: batches.find(({ endOffset }) => endOffset > start)?.startedAtMs ?? Number.NaN,
      visibleAtMs: visibleMs(await readCommits(this.directories.warehouse), end),
    }
  }

  /** The table for compare.py. */
  get table(): string {
    return `iceberg:${this.directories.catalog}:${this.directories.warehouse}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    openStacks.delete(this)
    // The daemon would continue an `up` that is running.
    await this.#command
    await this.down().catch(() => undefined)
    await rm(this.project, { recursive: true, force: true })
  }
}

const openStacks = new Set<StreamStack>()
let isStopping = false

/** Stops and deletes all stacks, and starts nothing more, after a signal. */
export const disposeStacks = async (): Promise<void> => {
  isStopping = true
  await Promise.all([...openStacks].map(stack => stack[Symbol.asyncDispose]()))
}

const offsetIn = (progress: Progress | null): number =>
  Object.values(progress?.offsets ?? {})
    .flatMap(partitions => Object.values(partitions))
    .reduce((sum, offset) => sum + offset, 0)

const signal = (processes: readonly ProcessInfo[], name: NodeJS.Signals): void => {
  for (const { pid } of processes) process.kill(pid, name)
}

/** Settings as a YAML file. JSON is YAML. */
export const nested = (settings: Settings): string => {
  const root: Record<string, unknown> = {}
  for (const [path, value] of Object.entries(settings)) {
    const names = path.split('.')
    const last = names.pop() ?? ''
    let group = root
    for (const name of names) {
      group[name] ??= {}
      group = group[name] as Record<string, unknown>
    }
    group[last] = value
  }
  return JSON.stringify(root)
}
