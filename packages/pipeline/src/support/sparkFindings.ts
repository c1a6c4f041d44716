import type { Config } from '../project/config.ts'
import { brokersOf } from '../services/kafkaCluster.ts'
import { apiServer, isKubernetes, readKubernetes } from '../services/kubernetes.ts'
import { driverHostOf, isDriverInCluster, isYarn } from '../services/sparkCluster.ts'
import {
  type ActiveMaster,
  activeMaster,
  aliveWorkers,
  masterPages,
  megabytes,
} from '../services/standalone.ts'
import { activeResourceManager, type ResourceManager } from '../services/yarn.ts'
import type { Finding } from './finding.ts'

/**
 * What an existing cluster reports about itself: version, free resources, its clock, and whether its machines can connect to
 * this one. What cannot be found out is omitted: another check reports why the cluster cannot be used.
 */
export const sparkFindings = async (
  config: Config,
  state: string,
  signal: AbortSignal,
): Promise<Finding[]> => {
  if (isKubernetes(config)) return kubernetesFindings(config, state, signal)
  const facts = await (isYarn(config) ? yarnFacts(config, state, signal) : masterFacts(config, signal)).catch(
    () => null,
  )
  if (facts === null) return []
  return [
    resourceFinding(facts, config),
    addressFinding(facts, config),
    ...warehouseFindings(facts, config),
    ...(facts.at === null ? [] : [clockFinding(facts.at, new Date())]),
  ]
}

/** Kubernetes shows its free resources only to administrators. */
const kubernetesFindings = async (config: Config, state: string, signal: AbortSignal): Promise<Finding[]> => {
  const server = await readKubernetes(config, state, signal).catch(() => null)
  if (server === null) return []
  const { namespace, image } = config.spark.kubernetes
  return [
    {
      ...{ name: 'Spark cluster', verdict: 'ok', hint: null },
      found: `Kubernetes ${server.version} at \`${apiServer(config)}\`, namespace: \`${namespace}\`, image: \`${image}\`; free cores and memory are not checked`,
    },
    // Even if the API server is on this machine, pods have other addresses.
    addressFinding({ hosts: [namespace] }, config),
    ...(server.at === null ? [] : [clockFinding(server.at, new Date())]),
  ]
}

/** Memory is in megabytes. */
interface ClusterFacts {
  /** The version and the size. */
  readonly what: string
  readonly freeCores: number
  readonly freeMemory: number
  /** The host names of its masters. */
  readonly hosts: readonly string[]
  readonly at: Date | null
}

const masterFacts = async (config: Config, signal: AbortSignal): Promise<ClusterFacts> => {
  const master = await activeMaster(config, signal)
  const workers = aliveWorkers(master)
  const sum = (key: keyof Omit<ActiveMaster['workers'][number], 'state'>): number =>
    workers.reduce((total, worker) => total + worker[key], 0)
  return {
    what: `Spark ${master.version ?? 'of an unknown version'}, workers: ${workers.length}, cores: ${sum('cores')}, memory: ${gigabytes(sum('memory'))}`,
    ...{ freeCores: sum('coresfree'), freeMemory: sum('memoryfree'), at: master.at },
    hosts: masterPages(config.spark.master ?? '', config.spark.webPort).map(hostOf),
  }
}

const yarnFacts = async (config: Config, state: string, signal: AbortSignal): Promise<ClusterFacts> => {
  const manager: ResourceManager = await activeResourceManager(config, state, signal)
  const { address, version, nodes, totalCores, totalMB } = manager
  return {
    what: `YARN ${version} at \`${address}\`, nodes: ${nodes}, cores: ${totalCores}, memory: ${gigabytes(totalMB)}`,
    ...{ freeCores: manager.availableCores, freeMemory: manager.availableMB, at: manager.at },
    hosts: [hostOf(address)],
  }
}

const hostOf = (address: string): string => new URL(address).hostname

const gigabytes = (megabytes: number): string => `${(megabytes / 1_024).toFixed(1)} GB`

/** Whether an executor can start now. */
export const resourceFinding = (
  { what, freeCores, freeMemory }: Omit<ClusterFacts, 'hosts' | 'at'>,
  { stream }: Config,
): Finding => {
  const name = 'Spark cluster'
  const found = `${what}; free cores: ${freeCores}, free memory: ${gigabytes(freeMemory)}`
  return freeCores >= (stream.executorCores ?? 1) && freeMemory >= megabytes(stream.executorMemory)
    ? { name, verdict: 'ok', found, hint: null }
    : {
        ...{ name, verdict: 'warning', found },
        hint: 'a job that does not run yet waits until other programs release cores and memory for an executor: lower `stream.executorCores` or `stream.executorMemory`, or stop a program',
      }
}

const loopback = /^(?:localhost|127\.|\[::1\])/

/** Whether a cluster is on this machine. */
const isHere = ({ hosts }: Pick<ClusterFacts, 'hosts'>): boolean => hosts.every(host => loopback.test(host))

/** A warning if executors would write the tables to a place that the Thrift server cannot read. */
export const warehouseFindings = (cluster: Pick<ClusterFacts, 'hosts'>, { lake }: Config): Finding[] =>
  lake.warehouse !== null || isHere(cluster)
    ? []
    : [
        {
          ...{ name: 'Spark warehouse', verdict: 'warning' },
          found:
            'executors on other machines write the files of the tables to `.offstream/lake` on their own disks, unless all machines share the folder of the project',
          hint: 'set `lake.catalog.uri`, and `lake.warehouse` to a place that all machines can use',
        },
      ]

/** An address that programs of the cluster use, and the setting for it. */
interface UsedAddress {
  readonly what: string
  readonly hosts: readonly string[]
  readonly fix: string
}

const kafkaAddress = (config: Config): UsedAddress => {
  const hosts = brokersOf(config)
  return { what: `Kafka at \`${hosts.join(',')}\``, hosts, fix: '`kafka.brokers`, or `host`' }
}

/** Executors connect to their driver; a driver in the cluster connects to the catalog. */
const driverAddress = (config: Config): UsedAddress => {
  if (!isDriverInCluster(config)) {
    const host = driverHostOf(config)
    return { what: `the driver at \`${host}\``, hosts: [host], fix: '`spark.driverHost`' }
  }
  const host = new URL(config.lake.catalog.uri ?? 'postgresql://unset').host
  return { what: `the catalog at \`${host}\``, hosts: [host], fix: '`lake.catalog.uri`' }
}

/** Whether programs of the cluster can connect to this machine. One on this machine can, whatever the address is. */
export const addressFinding = (cluster: Pick<ClusterFacts, 'hosts'>, config: Config): Finding => {
  const name = 'Spark addresses'
  const driver = driverAddress(config)
  const isRemote = !isHere(cluster)
  const who = isDriverInCluster(config) ? 'the driver and the executors' : 'executors'
  const problems = [driver, kafkaAddress(config)].filter(
    ({ hosts }) => isRemote && hosts.some(host => loopback.test(host)),
  )
  return problems.length === 0
    ? { name, verdict: 'ok', found: `${who} connect to ${driver.what}`, hint: null }
    : {
        ...{ name, verdict: 'problem' },
        found: `${who} on other machines cannot connect to ${problems.map(({ what }) => what).join(' and ')}`,
        hint: `set ${problems.map(({ fix }) => fix).join(' and ')} to an address that they can connect to`,
      }
}

/** Clocks of machines that use NTP differ by far less. */
const maxSkewMs = 60_000

/** Whether two clocks agree. @param at the time of the cluster's clock */
export const clockFinding = (at: Date, now: Date): Finding => {
  const name = 'Spark clocks'
  const seconds = Math.round(Math.abs(at.getTime() - now.getTime()) / 1_000)
  return seconds * 1_000 <= maxSkewMs
    ? { name, verdict: 'ok', found: 'the clocks of the cluster and of this machine agree', hint: null }
    : {
        ...{
          name,
          verdict: 'warning',
          found: `the clocks of the cluster and of this machine differ by ${seconds} s`,
        },
        hint: 'synchronize the clocks (NTP)',
      }
}
