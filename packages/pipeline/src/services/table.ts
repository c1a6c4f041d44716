import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Service } from '@offstream/runtime'
import { type ServiceName, serviceNames } from '../names.ts'
import type { Config } from '../project/config.ts'
import { directoriesOf } from '../project/directories.ts'
import { numberAt, within } from '../project/paths.ts'
import { dashboard, dashboardAddress } from './dashboard.ts'
import { writesArchive } from './java.ts'
import { jobAddress, jobService } from './job.ts'
import { type Job, jobLogFile } from './jobStore.ts'
import { kafka, zookeeper } from './kafka.ts'
import {
  brokerPortSetting,
  brokersOf,
  checkKafka,
  isKafkaExternal,
  isKraft,
  ownBroker,
  prepareKafka,
} from './kafkaCluster.ts'
import { diagnose } from './knownProblems.ts'
import { productsStream } from './productsStream.ts'
import {
  checkSpark,
  isDriverInCluster,
  isSparkExternal,
  masterOf,
  type WorkerId,
  workerName,
  workerPage,
  workerPortSetting,
} from './sparkCluster.ts'
import { sparkMaster, sparkWorker } from './sparkDaemons.ts'
import type { ServiceParts, Stack } from './stack.ts'
import { checkThrift, connectThrift, isThriftExternal, thrift, thriftHost } from './thriftServer.ts'

/**
 * `external`: it runs elsewhere, and offstream only checks it. `unused`: the stack does not need it. `absent`: the same, and
 * `status` does not list it.
 */
export type ServicePlace = 'here' | 'external' | 'unused' | 'absent'

/** What offstream knows about a service, whether it runs or not. */
interface ServiceRow {
  /** The command that starts it. */
  readonly startedBy: 'up' | 'submit' | 'dashboard'
  /** The sections and settings that it is started with; `host` belongs to every service. */
  readonly settings: readonly string[]
  /** The settings of the ports that it listens on. */
  readonly ports: (config: Config) => readonly string[]
  /** Whether offstream starts it (the default), uses one that runs elsewhere, or does not need it. */
  readonly place?: (config: Config) => ServicePlace
  /** Prepares an external one for the stack, and checks it. */
  readonly prepareExternal?: (config: Config, state: string, signal: AbortSignal) => Promise<void>
  /** Checks an external one. */
  readonly check?: (config: Config, state: string, signal: AbortSignal) => Promise<void>
  /** Where clients connect to it. */
  readonly address: (config: Config) => string
  /** Its file in the log folder. */
  readonly logFile: string
  readonly build: (stack: Stack) => ServiceParts
}

/** The second or third broker, which only a stack with three brokers has. */
const otherBroker = (id: 2 | 3): ServiceRow => ({
  startedBy: 'up',
  settings: ['kafka'],
  ports: () => [brokerPortSetting(id)],
  place: config => (config.kafka.brokerCount === 1 || isKafkaExternal(config) ? 'absent' : 'here'),
  address: config => ownBroker(config, id),
  logFile: `kafka-${id}.log`,
  build: kafka(id),
})

/** A worker; only a stack with several has the second and the third. */
const worker = (id: WorkerId): ServiceRow => ({
  startedBy: 'up',
  settings: ['spark.master', 'spark.worker', 'spark.workers'],
  ports: () => [workerPortSetting(id)],
  place: config => {
    if (isSparkExternal(config)) return id === 1 ? 'unused' : 'absent'
    return id <= config.spark.workers ? 'here' : 'absent'
  },
  address: config => workerPage(config, id),
  logFile: `${workerName(id)}.log`,
  build: sparkWorker(id),
})

/** A new service is a name in `names.ts`, a row here, and its builder. */
const table: Readonly<Record<ServiceName, ServiceRow>> = {
  zookeeper: {
    startedBy: 'up',
    settings: ['zookeeper'],
    ports: () => ['zookeeper.port'],
    place: config => (isKafkaExternal(config) || isKraft(config) ? 'unused' : 'here'),
    address: ({ host, zookeeper }) => `${host}:${zookeeper.port}`,
    logFile: 'zookeeper.log',
    build: zookeeper,
  },
  kafka: {
    startedBy: 'up',
    settings: ['kafka'],
    ports: config => (isKraft(config) ? ['kafka.port', 'kafka.controllerPort'] : ['kafka.port']),
    place: config => (isKafkaExternal(config) ? 'external' : 'here'),
    prepareExternal: prepareKafka,
    check: checkKafka,
    address: config => (isKafkaExternal(config) ? brokersOf(config).join(',') : ownBroker(config, 1)),
    logFile: 'kafka.log',
    build: kafka(1),
  },
  'kafka-2': otherBroker(2),
  'kafka-3': otherBroker(3),
  'spark-master': {
    startedBy: 'up',
    // Without the first, a master that runs here would no longer be listed after `up --set spark.master=…`.
    settings: ['spark.master', 'spark.port', 'spark.webPort'],
    ports: () => ['spark.port', 'spark.webPort'],
    place: config => (isSparkExternal(config) ? 'external' : 'here'),
    prepareExternal: checkSpark,
    check: checkSpark,
    address: masterOf,
    logFile: 'spark-master.log',
    build: sparkMaster,
  },
  'spark-worker': worker(1),
  'spark-worker-2': worker(2),
  'spark-worker-3': worker(3),
  thrift: {
    startedBy: 'up',
    settings: ['thrift', 'lake', 'spark.hadoopConfDir'],
    ports: () => ['thrift.port'],
    place: config => (isThriftExternal(config) ? 'external' : 'here'),
    prepareExternal: connectThrift,
    check: checkThrift,
    address: config => `${thriftHost(config)}:${config.thrift.port}`,
    logFile: 'thrift.log',
    build: thrift,
  },
  'products-stream': {
    startedBy: 'submit',
    settings: [
      ...['stream', 'lake', 'kafka.brokers', 'kafka.tls', 'kafka.sasl'],
      ...['spark.master', 'spark.driverHost', 'spark.queue', 'spark.hadoopConfDir'],
      ...['spark.kubernetes', 'spark.conf'],
    ],
    ports: config => (isDriverInCluster(config) ? [] : ['stream.webPort']),
    address: config =>
      isDriverInCluster(config) ? masterOf(config) : `http://${config.host}:${config.stream.webPort}`,
    // The user's own command wrote its log to this name, so it is not `products-stream.log`.
    logFile: 'streaming.log',
    build: productsStream,
  },
  dashboard: {
    startedBy: 'dashboard',
    settings: ['dashboard'],
    ports: () => ['dashboard.port'],
    address: dashboardAddress,
    logFile: 'dashboard.log',
    build: dashboard,
  },
}

/** Where a service of a stack with this configuration runs. */
export const placeOf = (name: ServiceName, config: Config): ServicePlace =>
  table[name].place?.(config) ?? 'here'

/** The services that `up` starts. */
export const stackServices = (config: Config): readonly ServiceName[] =>
  serviceNames.filter(name => table[name].startedBy === 'up' && placeOf(name, config) === 'here')

/** The services that `status` shows. */
export const listedServices = (config: Config): readonly ServiceName[] =>
  serviceNames.filter(name => placeOf(name, config) !== 'absent')

/** The services that the stack uses and does not start. */
export const externalServices = (config: Config): readonly ServiceName[] =>
  serviceNames.filter(name => placeOf(name, config) === 'external')

/**
 * Resolves if an external service responds and is as the stack requires.
 * @param state the state folder of the stack
 */
export const checkExternal = async (
  name: ServiceName,
  config: Config,
  state: string,
  signal: AbortSignal,
): Promise<void> => table[name].check?.(config, state, signal)

/** Prepares an external service for the stack, for example by creating the topic, and checks it. */
export const prepareExternal = async (
  name: ServiceName,
  config: Config,
  state: string,
  signal: AbortSignal,
): Promise<void> => table[name].prepareExternal?.(config, state, signal)

/** The settings of the ports that the services of a stack listen on. */
export const listeningPorts = (config: Config): readonly string[] =>
  serviceNames.filter(name => placeOf(name, config) === 'here').flatMap(name => table[name].ports(config))

/** The listed services of the pipeline itself; the dashboard shows it, and is not part of it. */
export const pipelineServices = (config: Config): readonly ServiceName[] =>
  listedServices(config).filter(name => table[name].startedBy !== 'dashboard')

/** Where clients connect to a service or a job. */
export const addressOf = (name: string, config: Config, jobs: readonly Job[] = []): string => {
  const job = jobs.find(one => one.name === name)
  return job === undefined ? (rowOf(name)?.address(config) ?? '') : jobAddress(config, job)
}

const rowOf = (name: string): ServiceRow | undefined => (isServiceName(name) ? table[name] : undefined)

const isServiceName = (name: string): name is ServiceName =>
  (serviceNames as readonly string[]).includes(name)

/** The log file of a service or a job. @param state the state folder of the stack */
export const serviceLogFile = (state: string, name: string): string => {
  const row = rowOf(name)
  return row === undefined ? jobLogFile(state, name) : join(directoriesOf(state).logs, row.logFile)
}

/** The names of all services, then those of the jobs: the order in which they are shown. */
export const namesWith = (jobs: readonly Job[]): readonly string[] => [
  ...serviceNames,
  ...jobs.map(({ name }) => name),
]

/** Whether a service must be restarted before a change of the setting `path` has an effect. */
export const isStartedWith = (name: ServiceName, path: string): boolean =>
  path === 'host' || table[name].settings.some(setting => within(path, setting))

/** Every service that a stack starts, as data for the supervisor; jobs of the user are services too. */
export const services = (stack: Stack, jobs: readonly Job[] = []): readonly Service[] => [
  ...serviceNames.filter(name => placeOf(name, stack.config) === 'here').map(name => serviceOf(name, stack)),
  ...jobs.map(job => jobService(stack, job)),
]

const serviceOf = (name: ServiceName, stack: Stack): Service => {
  const { ports, build } = table[name]
  const parts = build(stack)
  const { temporary } = directoriesOf(stack.state)
  return {
    ...parts,
    name,
    listensOn: ports(stack.config).map(setting => ({
      host: stack.config.host,
      port: numberAt(stack.config, setting),
      choose: `\`--set ${setting}=…\``,
    })),
    logFile: serviceLogFile(stack.state, name),
    prepare: async signal => {
      await mkdir(temporary, { recursive: true, mode: 0o700 })
      await parts.prepare?.(signal)
    },
    diagnose,
    ...(writesArchive(parts.command) ? { stopTimeoutMs: archiveTimeoutMs } : {}),
  }
}

/** A program writes its archive when it exits; six programs do so at the same time, on two cores. */
const archiveTimeoutMs = 90_000
