import { firstOf, messageOf } from '@offstream/runtime'
import { z } from 'zod'
import { PipelineError } from '../errors.ts'
import type { Config } from '../project/config.ts'
import { versions } from '../runtimes/distributions.ts'

/** What a Spark master reports about itself; memory is in megabytes. */
const Master = z.object({
  status: z.string(),
  workers: z.array(
    z.object({
      state: z.string(),
      cores: z.int(),
      coresfree: z.int(),
      memory: z.int(),
      memoryfree: z.int(),
    }),
  ),
})

/** The active master of an existing cluster. */
export interface ActiveMaster extends z.infer<typeof Master> {
  /** The address of its web UI. */
  readonly page: string
  /** Null: its page does not show it. */
  readonly version: string | null
  /** The time of its clock; null if unknown. */
  readonly at: Date | null
}

/** The addresses of the web UIs of the masters in `spark://one:7077,two:7077`. */
export const masterPages = (master: string, webPort: number): readonly string[] =>
  master
    .replace(/^spark:\/\//, '')
    .split(',')
    .map(address => `http://${address.replace(/:\d+$/, '')}:${webPort}`)

/**
 * The active master of an existing cluster. Clusters with several have one that is active.
 * @throws OffstreamError SPARK_UNREACHABLE
 */
export const activeMaster = async (
  { spark }: Pick<Config, 'spark'>,
  signal?: AbortSignal,
): Promise<ActiveMaster> => {
  const master = spark.master ?? ''
  const pages = masterPages(master, spark.webPort)
  try {
    return await firstOf(pages, readActive, { what: 'a response', timeoutMs, signal })
  } catch (error) {
    signal?.throwIfAborted()
    const reasons = reasonsIn(error).map((reason, index) => `${pages[index]}: ${reason}`)
    throw new PipelineError(
      'SPARK_UNREACHABLE',
      `No active Spark master responds at \`${master}\`: ${reasons.join(', ')}`,
      { hint: 'check `spark.master`, `spark.webPort`, the network, and whether the cluster is running' },
    )
  }
}

/** A master that accepts connections and never responds must not hide the active one. */
const timeoutMs = 8_000

/** Why each attempt of `firstOf` failed. */
export const reasonsIn = (error: unknown): readonly string[] =>
  error instanceof AggregateError ? error.errors.map(messageOf) : [messageOf(error)]

const readActive = async (page: string, signal: AbortSignal): Promise<ActiveMaster> => {
  const [json, html] = await Promise.all([fetch(`${page}/json/`, { signal }), fetch(page, { signal })])
  if (!json.ok) throw new Error(`it returned status ${json.status}`)
  const state = Master.parse(await json.json())
  if (state.status !== 'ALIVE') throw new Error(`it is ${state.status}`)
  const [, version = null] = /class="version"[^>]*>\s*([\w.-]+)/.exec(await html.text()) ?? []
  const date = json.headers.get('date')
  return { ...state, page, version, at: date === null ? null : new Date(date) }
}

/** The workers that accept executors. */
export const aliveWorkers = ({ workers }: ActiveMaster): ActiveMaster['workers'] =>
  workers.filter(({ state }) => state === 'ALIVE')

/** Whether offstream's Spark can use a cluster of this version: classes and messages differ between minor versions. */
const isSameSpark = (version: string): boolean => {
  const minorOf = (text: string) => text.split('.').slice(0, 2).join('.')
  return minorOf(version) === minorOf(versions.spark)
}

/**
 * Resolves if an existing cluster of Spark responds and can run the job.
 * @throws OffstreamError SPARK_UNREACHABLE, SPARK_UNSUITABLE
 */
export const checkStandalone = async (
  config: Pick<Config, 'spark' | 'stream'>,
  signal?: AbortSignal,
): Promise<void> => {
  const reason = whyUnsuitable(await activeMaster(config, signal), config)
  if (reason === null) return
  const { what, hint } = reason
  throw new PipelineError('SPARK_UNSUITABLE', `The cluster of \`${config.spark.master}\` ${what}`, { hint })
}

/** Why a cluster cannot run the job, and the fix; null if it can. */
export const whyUnsuitable = (
  master: ActiveMaster,
  { stream }: Pick<Config, 'stream'>,
): { readonly what: string; readonly hint: string } | null => {
  const { version } = master
  if (version !== null && !isSameSpark(version))
    return {
      what: `runs Spark ${version}, and the driver is Spark ${versions.spark}`,
      hint: 'use a cluster with Spark 4.1: driver and executors must have the same version',
    }
  const alive = aliveWorkers(master)
  if (alive.length === 0) return { what: 'has no worker', hint: 'start a worker of the cluster' }
  const [cores, memory] = [stream.executorCores ?? 1, megabytes(stream.executorMemory)]
  if (!alive.some(worker => worker.cores >= cores && worker.memory >= memory))
    return {
      what: `has no worker with cores: ${cores}, memory: ${stream.executorMemory}`,
      hint: 'lower `stream.executorCores` or `stream.executorMemory`, or start a larger worker',
    }
  return null
}

/** The megabytes of `512m` or `1g`. */
export const megabytes = (text: string): number =>
  Number.parseInt(text, 10) * (text.endsWith('g') ? 1_024 : 1)
