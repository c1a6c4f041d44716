import { firstOf, withDeadline } from '@offstream/runtime'
import { PipelineError } from '../errors.ts'
import type { Config } from '../project/config.ts'
import { hadoopConfDir, readHadoopConf } from './hadoopConf.ts'
import { megabytes, reasonsIn } from './standalone.ts'

/** What a resource manager reports about itself. */
export interface ResourceManager {
  /** The address of its web services. */
  readonly address: string
  readonly version: string
  /** Memory is in megabytes. */
  readonly nodes: number
  readonly totalMB: number
  readonly totalCores: number
  readonly availableMB: number
  readonly availableCores: number
  /** The time of its clock; null if unknown. */
  readonly at: Date | null
}

/**
 * The addresses of the web services of the resource managers: one, or several with high availability.
 * @throws OffstreamError FILE_MISSING
 */
const resourceManagers = async (config: Pick<Config, 'spark'>, state: string): Promise<string[]> => {
  const folder = hadoopConfDir(config, state) ?? ''
  return webServicesOf(await readHadoopConf(folder, ['core-site.xml', 'yarn-site.xml']))
}

/** The same, from the properties of Hadoop. */
export const webServicesOf = (properties: ReadonlyMap<string, string>): string[] => {
  const isHttps = properties.get('yarn.http.policy') === 'HTTPS_ONLY'
  const [scheme, key, port] = isHttps ? ['https', 'webapp.https', 8090] : ['http', 'webapp', 8088]
  const isAvailable = properties.get('yarn.resourcemanager.ha.enabled') === 'true'
  const ids = isAvailable ? (properties.get('yarn.resourcemanager.ha.rm-ids') ?? '').split(',') : []
  const suffixes = ids.length === 0 ? [''] : ids.map(id => `.${id.trim()}`)
  return suffixes.map(suffix => {
    const host = properties.get(`yarn.resourcemanager.hostname${suffix}`) ?? 'localhost'
    const address = properties.get(`yarn.resourcemanager.${key}.address${suffix}`) ?? `${host}:${port}`
    return `${scheme}://${address.replace(/^0\.0\.0\.0(?=:)/, host)}`
  })
}

/**
 * The active resource manager of YARN.
 * @throws OffstreamError SPARK_UNREACHABLE, FILE_MISSING
 */
export const activeResourceManager = async (
  config: Pick<Config, 'spark'>,
  state: string,
  signal?: AbortSignal,
): Promise<ResourceManager> => {
  const addresses = await resourceManagers(config, state)
  try {
    return await firstOf(addresses, readResourceManager, { ...wait, signal })
  } catch (error) {
    signal?.throwIfAborted()
    const reasons = reasonsIn(error).map((reason, index) => `${addresses[index]}: ${reason}`)
    throw new PipelineError(
      'SPARK_UNREACHABLE',
      `No active resource manager of YARN responds: ${reasons.join(', ')}`,
      { hint: 'check `spark.hadoopConfDir`, the network, and whether YARN is running' },
    )
  }
}

/** A resource manager that accepts connections and never responds must not hide the active one. */
const wait = { what: 'a response', timeoutMs: 8_000 } as const

const readResourceManager = async (address: string, signal: AbortSignal): Promise<ResourceManager> => {
  const info = await read(`${address}/ws/v1/cluster/info`, signal)
  const [state, haState] = [valueIn('state', info.xml), valueIn('haState', info.xml)]
  if (state !== 'STARTED' || haState !== 'ACTIVE') throw new Error(`it is ${state} and ${haState}`)
  const metrics = await read(`${address}/ws/v1/cluster/metrics`, signal)
  const count = (name: string): number => Number(valueIn(name, metrics.xml))
  return {
    ...{ address, version: valueIn('resourceManagerVersion', info.xml), at: info.at },
    ...{ nodes: count('activeNodes'), totalMB: count('totalMB'), totalCores: count('totalVirtualCores') },
    ...{ availableMB: count('availableMB'), availableCores: count('availableVirtualCores') },
  }
}

interface Response {
  readonly xml: string
  /** The time of the clock of the resource manager; null if unknown. */
  readonly at: Date | null
}

/** XML, because its names are the same in all versions of Hadoop, and the names in JSON are not. */
const read = async (address: string, signal: AbortSignal): Promise<Response> => {
  const response = await fetch(address, { headers: { accept: 'application/xml' }, signal })
  if (!response.ok) throw new Error(`it returned status ${response.status}`)
  // Hadoop sends this header twice.
  const [date] = /^\w+, [^,]+/.exec(response.headers.get('date') ?? '') ?? []
  return { xml: await response.text(), at: date === undefined ? null : new Date(date) }
}

/** The values of an element without attributes. */
const valuesIn = (name: string, xml: string): readonly string[] =>
  [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(([, value = '']) => value)

const valueIn = (name: string, xml: string): string => {
  const [value] = valuesIn(name, xml)
  if (value === undefined) throw new Error(`its response does not contain ${name}`)
  return value
}

/**
 * Resolves if YARN responds and can run the job.
 * @throws OffstreamError SPARK_UNREACHABLE, SPARK_UNSUITABLE, FILE_MISSING
 */
export const checkYarn = async (
  config: Pick<Config, 'spark' | 'stream'>,
  state: string,
  signal?: AbortSignal,
): Promise<void> => {
  const manager = await activeResourceManager(config, state, signal)
  const unsuitable = (what: string, hint: string) =>
    new PipelineError('SPARK_UNSUITABLE', `YARN at \`${manager.address}\` ${what}`, { hint })
  if (manager.nodes === 0) throw unsuitable('has no node', 'start a node manager')
  if (manager.totalMB < megabytes(config.stream.executorMemory))
    throw unsuitable(
      `has ${manager.totalMB} MB of memory in total`,
      'lower `stream.executorMemory`, or add a node',
    )
  const { queue } = config.spark
  if (queue === null) return
  const scheduler = `${manager.address}/ws/v1/cluster/scheduler`
  const queues = queuesIn((await withDeadline(aborted => read(scheduler, aborted), { ...wait, signal })).xml)
  // Both `night` and `root.night` name a queue.
  if (!queues.includes(queue.split('.').at(-1) ?? queue))
    throw unsuitable(
      `does not have the queue \`${queue}\``,
      `set \`spark.queue\` to one of ${queues.join(', ')}`,
    )
}

/** The names of the queues, and of those that contain others. */
const queuesIn = (xml: string): readonly string[] => [
  ...new Set(valuesIn('queueName', xml).filter(name => name !== 'root')),
]
