import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { delimiter, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Service, type ServicePort, until } from '@offstream/runtime'
import type { Archives } from './archives.ts'
import { assetPath } from './assets.ts'
import { type Config, numberAt } from './config.ts'
import { type Directories, directoriesOf } from './directories.ts'
import { connectorLibraries, type Runtimes, sparkPackages } from './distributions.ts'
import { type ServiceName, serviceNames } from './names.ts'
import { diagnose } from './problems.ts'
import { readStreamProgress } from './stream.ts'
import { askProducts } from './table.ts'
import { clusterIdOf, ensureTopic, topicName } from './topic.ts'

/** The services of `up`. */
export const stackServices: readonly ServiceName[] = serviceNames.filter(name => name !== 'products-stream')

interface Surroundings {
  readonly project: string
  readonly config: Config
  readonly runtimes: Runtimes
  readonly archives: Archives | null
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
  /** What makes Java's programs start sooner; null where there is none. */
  readonly archives: Archives | null
}

/** Every service of a stack as data: what to run, what it needs, and the question that tells that it is ready. */
export const services = ({ state, ...options }: ServicesOptions): readonly Service[] => {
  const surroundings = { ...options, directories: directoriesOf(state) }
  const all = [zookeeper, kafka, sparkMaster, sparkWorker, thrift, productsStream].map(service =>
    service(surroundings),
  )
  const { temporary } = surroundings.directories
  return all.map(service => ({
    ...service,
    prepare: async () => {
      await mkdir(temporary, { recursive: true, mode: 0o700 })
      await service.prepare?.()
    },
    diagnose,
    ...(options.archives?.making === true ? { stopWithinMs: archiveWithinMs } : {}),
  }))
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

/** Beginnings of the settings that each service is started with; `host` is everybody's. */
const settingsOfService: Readonly<Record<ServiceName, readonly string[]>> = {
  zookeeper: ['zookeeper.'],
  kafka: ['kafka.'],
  'spark-master': ['spark.port', 'spark.webPort'],
  'spark-worker': ['spark.worker.'],
  thrift: ['thrift.'],
  'products-stream': ['stream.'],
}

/** Whether a service has to be started anew for a change of the setting `path` to count. */
export const isStartedWith = (name: ServiceName, path: string): boolean =>
  path === 'host' || settingsOfService[name].some(beginning => path.startsWith(beginning))

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

/** Writing an archive, beside five others on two cores, is the last thing that a program does. */
const archiveWithinMs = 90_000

/** What makes a program read its archive at the start, or write it at the end. */
const archiveFlags = (archives: Archives | null, name: string): string[] => {
  if (archives === null) return []
  const file = join(archives.folder, `${name}.jsa`)
  // Without a file, or with one that fits no more, Java starts as ever.
  return archives.making
    ? [`-XX:ArchiveClassesAtExit=${file}`, '-XX:TieredStopAtLevel=1']
    : [`-XX:SharedArchiveFile=${file}`, '-Xlog:cds=off', '-Xlog:cds+dynamic=off']
}

// A start is what one waits for on a small machine, and the first compiler alone makes it short: the job's driver reads
// after 6 processor seconds instead of 13, the Thrift server listens after 5 instead of 9, and five queries of 200,000
// rows took no longer (0.93 against 0.94 s in the sixth round, 3.0 against 3.8 s in the first). Executors are the
// exception: 200,000 messages took 60 s instead of 43.
const fullCompiler = ['-XX:+UseSerialGC']
const quickStart = ['-XX:TieredStopAtLevel=1', ...fullCompiler]

const zookeeper = (surroundings: Surroundings): Service => {
  const { project, config, directories } = surroundings
  return {
    name: 'zookeeper',
    command: kafkaProgram(surroundings, {
      name: 'zookeeper',
      mainClass: 'org.apache.zookeeper.server.quorum.QuorumPeerMain',
      heap: '256m',
    }),
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
  }
}

const kafka = (surroundings: Surroundings): Service => {
  const { project, config, directories } = surroundings
  return {
    name: 'kafka',
    command: kafkaProgram(surroundings, {
      name: 'kafka',
      mainClass: 'kafka.Kafka',
      heap: config.kafka.memory,
    }),
    needs: ['zookeeper'],
    port: config.kafka.port,
    listensOn: portsOf('kafka', config),
    logFile: join(directories.logs, 'kafka.log'),
    prepare: async () => {
      await fillTemplate({ project, directories }, 'kafka.properties', {
        host: config.host,
        port: String(config.kafka.port),
        zookeeper: `${config.host}:${config.zookeeper.port}`,
        data: directories.kafkaData,
      })
      await earlierBrokerForgotten(config)
    },
    ready: async signal => {
      await ensureTopic(brokerOf(config), signal)
      await refuseOtherCluster(brokerOf(config), directories.kafkaData, signal)
    },
    startWithinMs: 60_000,
    stopWithinMs: 20_000,
  }
}

/** Throws where the broker that answers is of another cluster than the one whose data we keep. */
const refuseOtherCluster = async (broker: string, data: string, signal: AbortSignal): Promise<void> => {
  const properties = await readFile(join(data, 'meta.properties'), 'utf8')
  const own = /^cluster\.id=(.+)$/m.exec(properties)?.[1]
  const answering = await clusterIdOf(broker, signal)
  if (answering !== own) throw new Error(`cluster ${answering} answers at ${broker}, ours is ${own}`)
}

const sparkMaster = (surroundings: Surroundings): Service => {
  const { config, directories } = surroundings
  return {
    name: 'spark-master',
    command: sparkDaemon(surroundings, 'spark-master', 'org.apache.spark.deploy.master.Master', [
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
  }
}

const sparkWorker = (surroundings: Surroundings): Service => {
  const { config, directories } = surroundings
  return {
    name: 'spark-worker',
    command: sparkDaemon(surroundings, 'spark-worker', 'org.apache.spark.deploy.worker.Worker', [
      ...['--host', config.host, '--webui-port', String(config.spark.worker.webPort)],
      ...['--cores', String(config.spark.worker.cores), '--memory', config.spark.worker.memory],
      ...['--work-dir', directories.sparkWork, masterOf(config)],
    ]),
    needs: ['spark-master'],
    // By itself it comes to a new master after 5 to 15 s; started again, after 2.
    fallsWith: ['spark-master'],
    port: config.spark.worker.webPort,
    listensOn: portsOf('spark-worker', config),
    logFile: join(directories.logs, 'spark-worker.log'),
    // What an earlier worker unpacked, 74 MB for each job, is no use to this one: its executors went with it.
    prepare: async () => {
      await rm(directories.sparkWork, { recursive: true, force: true })
      await mkdir(directories.sparkWork, { recursive: true })
    },
    ready: async signal => {
      const { workers } = await askMaster(config, signal)
      const ours = workers.filter(({ webuiaddress }) =>
        webuiaddress.endsWith(`:${config.spark.worker.webPort}`),
      )
      if (!ours.some(({ state }) => state === 'ALIVE'))
        throw new Error(
          ours.length === 0 ? 'the master does not know it yet' : `the master says it is ${ours[0]?.state}`,
        )
      // The master believes for a minute in a worker that has stopped.
      await askPage('the worker', `http://${config.host}:${config.spark.worker.webPort}`, signal)
    },
    startWithinMs: 60_000,
    stopWithinMs: 10_000,
  }
}

const thrift = (surroundings: Surroundings): Service => {
  const { project, config, directories } = surroundings
  return {
    name: 'thrift',
    command: sparkSubmit(surroundings, 'thrift', [
      ...['--name', 'offstream-thrift', '--master', `local[${config.thrift.cores}]`],
      ...['--driver-memory', config.thrift.memory],
      ...conf({
        ...lakeConf(directories),
        ...driverConf(config, directories),
        'spark.ui.enabled': 'false',
        'spark.sql.catalogImplementation': 'in-memory',
        'spark.hadoop.hive.server2.thrift.bind.host': config.host,
        'spark.hadoop.hive.server2.thrift.port': String(config.thrift.port),
      }),
      assetPath(project, 'spark-jobs', 'thrift_server.py'),
      ...['--views', assetPath(project, 'config', 'views.sql')],
    ]),
    needs: [],
    port: config.thrift.port,
    listensOn: portsOf('thrift', config),
    logFile: join(directories.logs, 'thrift.log'),
    // The folder of the tables: SQLite makes files, not folders.
    prepare: async () => void (await mkdir(directories.warehouse, { recursive: true })),
    ready: async signal => void (await askProducts(config.host, config.thrift.port, signal)),
    startWithinMs: 240_000,
    stopWithinMs: 10_000,
  }
}

/** The job tells of itself each second; on a machine with too much to do it may be late. */
const streamSilentForMs = 20_000

const productsStream = (surroundings: Surroundings): Service => {
  const { project, config, runtimes, archives, directories } = surroundings
  const stopFile = join(directories.run, 'products-stream.stop')
  return {
    name: 'products-stream',
    command: sparkSubmit(surroundings, 'products-stream', [
      ...['--name', 'products-stream', '--master', masterOf(config)],
      ...['--packages', sparkPackages.join(',')],
      ...['--exclude-packages', connectorLibraries.excludes.join(',')],
      ...['--driver-memory', config.stream.driverMemory, '--executor-memory', config.stream.executorMemory],
      ...conf({
        ...lakeConf(directories),
        ...driverConf(config, directories),
        // The settings and the cache that the jars were fetched and verified with: resolved without the network.
        'spark.jars.ivySettings': runtimes.ivy.settings,
        'spark.jars.ivy': dirname(runtimes.ivy.cache),
        'spark.ui.port': String(config.stream.webPort),
        // The usual one goes by another of Hadoop's interfaces, to which the file system below is not known.
        'spark.sql.streaming.checkpointFileManagerClass':
          'org.apache.spark.sql.execution.streaming.checkpointing.FileSystemBasedCheckpointFileManager',
        'spark.pyspark.python': runtimes.python,
        // An executor whose driver goes away ends by itself; its class path is the same at every start.
        'spark.executor.extraClassPath': join(runtimes.connectors, '*'),
        'spark.executor.extraJavaOptions': optionString(executorFlags(archives, directories)),
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
    // It is some ten seconds before it asks Kafka, and then it asks for a minute.
    awaits: ['kafka'],
    port: null,
    listensOn: portsOf('products-stream', config),
    logFile: join(directories.logs, 'streaming.log'),
    prepare: async () => {
      await mkdir(directories.warehouse, { recursive: true })
      for (const left of [stopFile, directories.streamProgress]) await rm(left, { force: true })
    },
    ready: async () => {
      const progress = await readStreamProgress(directories.streamProgress)
      if (progress?.state !== 'running')
        throw new Error(progress?.error ?? `it is ${progress?.state ?? 'starting'}`)
      const silentForMs = Date.now() - Date.parse(progress.updatedAt)
      if (silentForMs > streamSilentForMs)
        throw new Error(`it has told nothing of itself for ${Math.round(silentForMs / 1_000)} s`)
    },
    startWithinMs: 300_000,
    askToStop: () => writeFile(stopFile, ''),
    stopWithinMs: 30_000,
  }
}

// The class path is the driver's, so its archive fits. Writing one takes longer than the worker lets an executor live.
const executorFlags = (archives: Archives | null, directories: Directories): string[] => [
  ...fullCompiler,
  temporaryFlag(directories),
  ...(archives?.making === true ? [] : archiveFlags(archives, 'products-stream')),
]

/** A program among Kafka's jars; its properties are `<name>.properties`. */
const kafkaProgram = (
  { project, runtimes, archives, directories }: Surroundings,
  { name, mainClass, heap }: { readonly name: string; readonly mainClass: string; readonly heap: string },
): Service['command'] => ({
  file: runtimes.java,
  args: [
    ...[`-Xmx${heap}`, ...quickStart, ...archiveFlags(archives, name), temporaryFlag(directories)],
    ...['-cp', join(runtimes.kafkaLibs, '*')],
    `-Dlog4j.configuration=${pathToFileURL(assetPath(project, 'config', 'kafka.log4j.properties'))}`,
    ...[mainClass, join(directories.run, `${name}.properties`)],
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
  { project, runtimes, archives, directories, config }: Surroundings,
  name: string,
  mainClass: string,
  args: readonly string[],
): Service['command'] => ({
  file: join(runtimes.sparkHome, 'bin', 'spark-class'),
  args: [mainClass, ...args],
  env: {
    ...sparkEnvironment({ runtimes, config, directories }),
    SPARK_DAEMON_MEMORY: '512m',
    SPARK_DAEMON_JAVA_OPTS: optionString([
      ...quickStart,
      ...archiveFlags(archives, name),
      temporaryFlag(directories),
      logging(project),
      // A second door to the master, on port 6066, that nobody asked for.
      '-Dspark.master.rest.enabled=false',
      // The worker writes its executors' logs.
      '-Dspark.executor.logs.rolling.strategy=size',
      `-Dspark.executor.logs.rolling.maxSize=${10 * 1024 * 1024}`,
      '-Dspark.executor.logs.rolling.maxRetainedFiles=3',
    ]),
  },
  cwd: directories.state,
})

const sparkSubmit = (
  { project, config, runtimes, archives, directories }: Surroundings,
  name: string,
  args: readonly string[],
): Service['command'] => ({
  file: join(runtimes.sparkHome, 'bin', 'spark-submit'),
  args: [
    '--driver-java-options',
    optionString([
      ...quickStart,
      ...archiveFlags(archives, name),
      temporaryFlag(directories),
      logging(project),
    ]),
    // The verified jars themselves: Ivy's resolution at each start costs seconds, and what is on the class path can
    // be archived.
    ...['--driver-class-path', join(runtimes.connectors, '*')],
    ...args,
  ],
  env: { ...sparkEnvironment({ runtimes, config, directories }), PYTHONUNBUFFERED: '1' },
  cwd: directories.state,
})

const logging = (project: string): string =>
  `-Dlog4j2.configurationFile=${pathToFileURL(assetPath(project, 'config', 'spark.log4j2.properties'))}`

// Java knows no TMPDIR on Linux, and what is killed leaves behind what it has unpacked.
const temporaryFlag = ({ temporary }: Directories): string => `-Djava.io.tmpdir=${temporary}`

/** Flags in one string, as Spark takes them apart again: what has spaces stands in quotes. */
const optionString = (flags: readonly string[]): string =>
  flags.map(flag => (/\s/.test(flag) ? `"${flag}"` : flag)).join(' ')

const sparkEnvironment = ({
  runtimes,
  config,
  directories,
}: Pick<Surroundings, 'runtimes' | 'config' | 'directories'>): Record<string, string> => ({
  SPARK_HOME: runtimes.sparkHome,
  // Without it Spark takes the first address of the machine that is not loopback.
  SPARK_LOCAL_IP: config.host,
  SPARK_LOCAL_DIRS: directories.temporary,
  TMPDIR: directories.temporary,
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
  // Hadoop's own starts a process (`chmod`) for each file that it makes: dozens for each batch.
  'spark.hadoop.fs.file.impl': 'com.globalmentor.apache.hadoop.fs.BareLocalFileSystem',
})

const driverConf = ({ host }: Config, { temporary }: Directories): Record<string, string> => ({
  'spark.driver.host': host,
  'spark.driver.bindAddress': host,
  // Small batches on a small machine: 200 shuffle tasks (the default) cost seconds each trigger.
  'spark.sql.shuffle.partitions': '2',
  'spark.sql.adaptive.enabled': 'false',
  'spark.sql.session.timeZone': 'UTC',
  // The session's own catalog lives as long as the session. The usual folder, where a path has a space, is made
  // beside it as well, under the name with `%20`.
  'spark.sql.warehouse.dir': join(temporary, 'spark-warehouse'),
  'spark.log.structuredLogging.enabled': 'false',
})

const conf = (values: Readonly<Record<string, string>>): string[] =>
  Object.entries(values).flatMap(([key, value]) => ['--conf', `${key}=${value}`])

const answerWithinMs = 2_000

/** Resolves when ZooKeeper has said that it is well. */
const askZookeeper = async (host: string, port: number, signal: AbortSignal): Promise<void> => {
  const answer = await fourLetters('srvr', host, port, signal)
  if (!answer.includes('Mode:')) throw new Error(`answered \`srvr\` with \`${answer.trim()}\``)
}

/**
 * Waits until ZooKeeper has forgotten the session of a broker that was killed: until then it takes the next one for
 * a second broker of the same number, and that one ends at once. After the wait it may try in any case.
 */
const earlierBrokerForgotten = ({ host, zookeeper }: Config): Promise<void> =>
  until(
    async signal => {
      const sessions = await fourLetters('dump', host, zookeeper.port, signal)
      if (sessions.includes('/brokers/ids/')) throw new Error('it still knows a broker')
    },
    { what: 'ZooKeeper to forget the earlier broker', withinMs: 20_000, everyMs: 200 },
  ).catch(() => undefined)

/** @see https://zookeeper.apache.org/doc/r3.8.4/zookeeperAdmin.html#sc_zkCommands */
const fourLetters = (
  word: 'srvr' | 'dump',
  host: string,
  port: number,
  signal: AbortSignal,
): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal })
    // Asked in the middle of its start, ZooKeeper 3.8 falls over its own answer and leaves the connection open.
    socket.setTimeout(answerWithinMs, () => socket.destroy(new Error(`did not answer \`${word}\``)))
    let answer = ''
    socket.once('connect', () => socket.write(word))
    socket.on('data', chunk => {
      answer += chunk.toString('latin1')
    })
    socket.once('error', reject)
    socket.once('close', () => resolve(answer))
  })

interface MasterAnswer {
  readonly status: string
  readonly workers: readonly { readonly state: string; readonly webuiaddress: string }[]
}

/** The master's own account of itself and its workers. */
const askMaster = async ({ host, spark }: Config, signal: AbortSignal): Promise<MasterAnswer> =>
  (await askPage('the master', `http://${host}:${spark.webPort}`, signal)) as MasterAnswer

/** What a Spark daemon's page says for programs. */
const askPage = async (who: string, address: string, signal: AbortSignal): Promise<unknown> => {
  const response = await fetch(`${address}/json/`, { signal })
  if (!response.ok) throw new Error(`the page of ${who} answered ${response.status}`)
  return response.json()
}
