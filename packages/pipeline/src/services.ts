import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { delimiter, dirname, join } from 'node:path'
import type { Service, ServicePort } from '@offstream/runtime'
import { assetPath } from './assets.ts'
import { type Config, numberAt } from './config.ts'
import { type Directories, directoriesOf } from './directories.ts'
import { connectorLibraries, type Runtimes } from './distributions.ts'
import { readStreamProgress } from './stream.ts'
import { askProducts } from './table.ts'
import { clusterIdOf, ensureTopic, topicName } from './topic.ts'

/** The services in the order in which they are started and shown. `up` starts all but the last, `submit` that. */
export const serviceNames = [
  'zookeeper',
  'kafka',
  'spark-master',
  'spark-worker',
  'thrift',
  'products-stream',
] as const

export type ServiceName = (typeof serviceNames)[number]

/** The services of `up`. */
export const stackServices: readonly ServiceName[] = serviceNames.filter(name => name !== 'products-stream')

interface Surroundings {
  readonly project: string
  readonly config: Config
  readonly runtimes: Runtimes
  readonly directories: Directories
}

/** What services are built from. */
export interface ServicesOptions {
  /** Folder of the project, whose own templates and programs are used where it has them. */
  readonly project: string
  /** The state folder of the stack. */
  readonly state: string
  readonly config: Config
  readonly runtimes: Runtimes
}

/** Every service of a stack as data: what to run, what it needs, and the question that tells that it is ready. */
export const services = ({ project, state, config, runtimes }: ServicesOptions): readonly Service[] => {
  const surroundings = { project, config, runtimes, directories: directoriesOf(state) }
  return [zookeeper, kafka, sparkMaster, sparkWorker, thrift, productsStream].map(service =>
    service(surroundings),
  )
}

/** The address of the Kafka broker, `host:port`. */
export const brokerOf = ({ host, kafka }: Config): string => `${host}:${kafka.port}`

/** The address of the Spark master, as jobs name it. */
export const masterOf = ({ host, spark }: Config): string => `spark://${host}:${spark.port}`

/** Where each service is found, as a person or program would write it. */
export const addressOf = (name: ServiceName, config: Config): string =>
  ({
    zookeeper: `${config.host}:${config.zookeeper.port}`,
    kafka: brokerOf(config),
    'spark-master': masterOf(config),
    'spark-worker': `http://${config.host}:${config.spark.worker.webPort}`,
    thrift: `${config.host}:${config.thrift.port}`,
    'products-stream': `http://${config.host}:${config.stream.webPort}`,
  })[name]

const portSettings: Readonly<Record<ServiceName, readonly string[]>> = {
  zookeeper: ['zookeeper.port'],
  kafka: ['kafka.port'],
  'spark-master': ['spark.port', 'spark.webPort'],
  'spark-worker': ['spark.worker.webPort'],
  thrift: ['thrift.port'],
  'products-stream': ['stream.webPort'],
}

/** The ports of a service, each with the option that gives it another. */
const portsOf = (name: ServiceName, config: Config): ServicePort[] =>
  portSettings[name].map(setting => ({
    port: numberAt(config, setting),
    choose: `\`--set ${setting}=…\``,
  }))

// Brokers and masters on one machine are short of start-up time, not of peak throughput: the first compiler alone.
const quickStart = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xshare:auto']

const zookeeper = ({ project, config, runtimes, directories }: Surroundings): Service => ({
  name: 'zookeeper',
  command: kafkaProgram(
    { project, runtimes, directories },
    'org.apache.zookeeper.server.quorum.QuorumPeerMain',
    'zookeeper.properties',
    '256m',
  ),
  needs: [],
  port: config.zookeeper.port,
  listensOn: portsOf('zookeeper', config),
  logFile: join(directories.logs, 'zookeeper.log'),
  prepare: () =>
    fillTemplate({ project, directories }, 'zookeeper.properties', {
      host: config.host,
      port: String(config.zookeeper.port),
      data: directories.zookeeperData,
    }),
  ready: signal => askZookeeper(config.host, config.zookeeper.port, signal),
  startWithinMs: 30_000,
  stopWithinMs: 10_000,
})

const kafka = ({ project, config, runtimes, directories }: Surroundings): Service => ({
  name: 'kafka',
  command: kafkaProgram(
    { project, runtimes, directories },
    'kafka.Kafka',
    'kafka.properties',
    config.kafka.memory,
  ),
  needs: ['zookeeper'],
  port: config.kafka.port,
  listensOn: portsOf('kafka', config),
  logFile: join(directories.logs, 'kafka.log'),
  prepare: () =>
    fillTemplate({ project, directories }, 'kafka.properties', {
      host: config.host,
      port: String(config.kafka.port),
      zookeeper: `${config.host}:${config.zookeeper.port}`,
      data: directories.kafkaData,
    }),
  ready: async signal => {
    await ensureTopic(brokerOf(config), signal)
    await refuseOtherCluster(brokerOf(config), directories.kafkaData, signal)
  },
  startWithinMs: 60_000,
  stopWithinMs: 20_000,
})

/** Throws where the broker that answers is of another cluster than the one whose data we keep. */
const refuseOtherCluster = async (broker: string, data: string, signal: AbortSignal): Promise<void> => {
  const properties = await readFile(join(data, 'meta.properties'), 'utf8')
  const own = /^cluster\.id=(.+)$/m.exec(properties)?.[1]
  const answering = await clusterIdOf(broker, signal)
  if (answering !== own) throw new Error(`cluster ${answering} answers at ${broker}, ours is ${own}`)
}

const sparkMaster = ({ project, config, runtimes, directories }: Surroundings): Service => ({
  name: 'spark-master',
  command: sparkDaemon({ project, config, runtimes, directories }, 'org.apache.spark.deploy.master.Master', [
    ...['--host', config.host, '--port', String(config.spark.port)],
    ...['--webui-port', String(config.spark.webPort)],
  ]),
  needs: [],
  port: config.spark.port,
  listensOn: portsOf('spark-master', config),
  logFile: join(directories.logs, 'spark-master.log'),
  ready: async signal => {
    const { status } = await askMaster(config, signal)
    if (status !== 'ALIVE') throw new Error(`the master says it is ${status}`)
  },
  startWithinMs: 60_000,
  stopWithinMs: 10_000,
})

const sparkWorker = ({ project, config, runtimes, directories }: Surroundings): Service => ({
  name: 'spark-worker',
  command: sparkDaemon({ project, config, runtimes, directories }, 'org.apache.spark.deploy.worker.Worker', [
    ...['--host', config.host, '--webui-port', String(config.spark.worker.webPort)],
    ...['--cores', String(config.spark.worker.cores), '--memory', config.spark.worker.memory],
    ...['--work-dir', directories.sparkWork, masterOf(config)],
  ]),
  needs: ['spark-master'],
  port: config.spark.worker.webPort,
  listensOn: portsOf('spark-worker', config),
  logFile: join(directories.logs, 'spark-worker.log'),
  prepare: async () => void (await mkdir(directories.sparkWork, { recursive: true })),
  ready: async signal => {
    const { workers } = await askMaster(config, signal)
    const ours = workers.filter(({ webuiaddress }) =>
      webuiaddress.endsWith(`:${config.spark.worker.webPort}`),
    )
    if (ours.some(({ state }) => state === 'ALIVE')) return
    throw new Error(
      ours.length === 0 ? 'the master does not know it yet' : `the master says it is ${ours[0]?.state}`,
    )
  },
  startWithinMs: 60_000,
  stopWithinMs: 10_000,
})

const thrift = ({ project, config, runtimes, directories }: Surroundings): Service => {
  const stopFile = join(directories.run, 'thrift.stop')
  return {
    name: 'thrift',
    command: sparkSubmit({ project, runtimes, directories }, [
      ...['--name', 'offstream-thrift', '--master', `local[${config.thrift.cores}]`],
      ...['--driver-memory', config.thrift.memory],
      // Resolved once when it was fetched; Ivy's resolution at each start costs seconds.
      ...['--driver-class-path', join(runtimes.connectors, '*')],
      ...conf({
        ...lakeConf(directories),
        ...driverConf(config),
        'spark.ui.enabled': 'false',
        'spark.sql.catalogImplementation': 'in-memory',
        'spark.hadoop.hive.server2.thrift.bind.host': config.host,
        'spark.hadoop.hive.server2.thrift.port': String(config.thrift.port),
      }),
      assetPath(project, 'spark-jobs', 'thrift_server.py'),
      ...['--views', assetPath(project, 'config', 'views.sql'), '--stop-file', stopFile],
    ]),
    needs: [],
    port: config.thrift.port,
    listensOn: portsOf('thrift', config),
    logFile: join(directories.logs, 'thrift.log'),
    prepare: () => prepareProgram(directories, stopFile),
    ready: async signal => void (await askProducts(config.host, config.thrift.port, signal)),
    startWithinMs: 120_000,
    stopWithinMs: 10_000,
  }
}

const productsStream = ({ project, config, runtimes, directories }: Surroundings): Service => {
  const stopFile = join(directories.run, 'products-stream.stop')
  return {
    name: 'products-stream',
    command: sparkSubmit({ project, runtimes, directories }, [
      ...['--name', 'products-stream', '--master', masterOf(config)],
      ...['--packages', connectorLibraries.coordinates.join(',')],
      ...['--exclude-packages', connectorLibraries.excludes.join(',')],
      ...['--driver-memory', config.stream.driverMemory, '--executor-memory', config.stream.executorMemory],
      ...conf({
        ...lakeConf(directories),
        ...driverConf(config),
        // The settings and the cache that the jars were fetched and verified with: resolved without the network.
        'spark.jars.ivySettings': runtimes.ivy.settings,
        'spark.jars.ivy': dirname(runtimes.ivy.cache),
        'spark.ui.port': String(config.stream.webPort),
        'spark.pyspark.python': runtimes.python,
      }),
      assetPath(project, 'spark-jobs', 'stream.py'),
      ...['--brokers', brokerOf(config), '--topic', topicName],
      ...['--checkpoint', directories.checkpoint, '--progress', directories.streamProgress],
      ...['--stop-file', stopFile, '--trigger-ms', String(config.stream.triggerMs)],
      ...['--max-offsets-per-trigger', String(config.stream.maxOffsetsPerTrigger)],
    ]),
    needs: ['kafka', 'spark-worker'],
    // A master that was started again knows nothing of the jobs of the one before.
    fallsWith: ['spark-master'],
    port: null,
    listensOn: portsOf('products-stream', config),
    logFile: join(directories.logs, 'streaming.log'),
    prepare: async () => {
      await prepareProgram(directories, stopFile)
      await rm(directories.streamProgress, { force: true })
    },
    ready: async () => {
      const progress = await readStreamProgress(directories.streamProgress)
      if (progress?.state !== 'running')
        throw new Error(progress?.error ?? `it is ${progress?.state ?? 'starting'}`)
    },
    startWithinMs: 180_000,
    askToStop: () => writeFile(stopFile, ''),
    stopWithinMs: 30_000,
  }
}

/** Clears the wish of the last time to stop, and makes the folder of the tables: SQLite makes files, not folders. */
const prepareProgram = async ({ run, warehouse }: Directories, stopFile: string): Promise<void> => {
  await mkdir(run, { recursive: true, mode: 0o700 })
  await mkdir(warehouse, { recursive: true })
  await rm(stopFile, { force: true })
}

const kafkaProgram = (
  { project, runtimes, directories }: Omit<Surroundings, 'config'>,
  mainClass: string,
  properties: string,
  heap: string,
): Service['command'] => ({
  file: runtimes.java,
  args: [
    ...[`-Xmx${heap}`, ...quickStart, '-cp', join(runtimes.kafkaLibs, '*')],
    `-Dlog4j.configuration=file:${assetPath(project, 'config', 'kafka.log4j.properties')}`,
    ...[mainClass, join(directories.run, properties)],
  ],
  env: {},
  cwd: directories.state,
})

/** `config/<name>` with `{{…}}` filled in, written to the run folder for the program to read. */
const fillTemplate = async (
  { project, directories }: Pick<Surroundings, 'project' | 'directories'>,
  name: string,
  values: Readonly<Record<string, string>>,
): Promise<void> => {
  const template = await readFile(assetPath(project, 'config', name), 'utf8')
  const filled = template.replace(/\{\{(\w+)\}\}/g, (_, key: string) => values[key] ?? '')
  await mkdir(directories.run, { recursive: true, mode: 0o700 })
  await writeFile(join(directories.run, name), filled)
}

// `sbin/start-master.sh` (which PyPI's Spark lacks) puts itself in the background and we would lose it;
// `spark-class` execs the JVM, so the process that we start is the server.
const sparkDaemon = (
  { project, runtimes, directories, config }: Surroundings,
  mainClass: string,
  args: readonly string[],
): Service['command'] => ({
  file: join(runtimes.sparkHome, 'bin', 'spark-class'),
  args: [mainClass, ...args],
  env: {
    ...sparkEnvironment(runtimes, config.host),
    SPARK_DAEMON_MEMORY: '512m',
    SPARK_DAEMON_JAVA_OPTS: [...quickStart, logging(project)].join(' '),
  },
  cwd: directories.state,
})

const sparkSubmit = (
  { project, runtimes, directories }: Omit<Surroundings, 'config'>,
  args: readonly string[],
): Service['command'] => ({
  file: join(runtimes.sparkHome, 'bin', 'spark-submit'),
  args: ['--driver-java-options', `-XX:+UseSerialGC -Xshare:auto ${logging(project)}`, ...args],
  env: { ...sparkEnvironment(runtimes, '127.0.0.1'), PYTHONUNBUFFERED: '1' },
  cwd: directories.state,
})

const logging = (project: string): string =>
  `-Dlog4j2.configurationFile=file:${assetPath(project, 'config', 'spark.log4j2.properties')}`

const sparkEnvironment = (runtimes: Runtimes, host: string): Record<string, string> => ({
  SPARK_HOME: runtimes.sparkHome,
  // Without it Spark takes the first address of the machine that is not loopback.
  SPARK_LOCAL_IP: host,
  PYSPARK_PYTHON: runtimes.python,
  PYTHONDONTWRITEBYTECODE: '1',
  ...(runtimes.java.includes('/') ? { JAVA_HOME: dirname(dirname(runtimes.java)) } : {}),
  PATH: [process.env['PATH'] ?? '', '/usr/bin', '/bin'].join(delimiter),
})

/** The catalog `lake`: table files in a folder, and which of them are the table now in a SQLite file. */
const lakeConf = ({ warehouse, catalog }: Directories): Record<string, string> => ({
  'spark.sql.extensions': 'org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions',
  'spark.sql.catalog.lake': 'org.apache.iceberg.spark.SparkCatalog',
  'spark.sql.catalog.lake.type': 'jdbc',
  // Stream and Thrift server are two processes on one file: write-ahead, and wait for one another.
  'spark.sql.catalog.lake.uri': `jdbc:sqlite:${catalog}?journal_mode=WAL&busy_timeout=30000`,
  'spark.sql.catalog.lake.jdbc.schema-version': 'V1',
  'spark.sql.catalog.lake.warehouse': `file:${warehouse}`,
  // A cached table would not see the commits of the other process.
  'spark.sql.catalog.lake.cache-enabled': 'false',
})

const driverConf = ({ host }: Config): Record<string, string> => ({
  'spark.driver.host': host,
  'spark.driver.bindAddress': host,
  // Small batches on a small machine: 200 shuffle tasks (the default) cost seconds each trigger.
  'spark.sql.shuffle.partitions': '2',
  'spark.sql.adaptive.enabled': 'false',
  'spark.sql.session.timeZone': 'UTC',
  'spark.log.structuredLogging.enabled': 'false',
})

const conf = (values: Readonly<Record<string, string>>): string[] =>
  Object.entries(values).flatMap(([key, value]) => ['--conf', `${key}=${value}`])

/** @see https://zookeeper.apache.org/doc/r3.8.4/zookeeperAdmin.html#sc_zkCommands */
const askZookeeper = (host: string, port: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal })
    let answer = ''
    socket.once('connect', () => socket.write('srvr'))
    socket.on('data', chunk => {
      answer += chunk.toString('latin1')
    })
    socket.once('error', reject)
    socket.once('close', () =>
      answer.includes('Mode:') ? resolve() : reject(new Error(`answered \`srvr\` with \`${answer.trim()}\``)),
    )
  })

interface MasterAnswer {
  readonly status: string
  readonly workers: readonly { readonly state: string; readonly webuiaddress: string }[]
}

/** The master's own account of itself and its workers. */
const askMaster = async ({ host, spark }: Config, signal: AbortSignal): Promise<MasterAnswer> => {
  const response = await fetch(`http://${host}:${spark.webPort}/json/`, { signal })
  if (!response.ok) throw new Error(`the master's page answered ${response.status}`)
  return (await response.json()) as MasterAnswer
}
