import { mkdir, rm, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Service } from '@offstream/runtime'
import { assetPath } from '../project/assets.ts'
import type { Config } from '../project/config.ts'
import type { Directories } from '../project/directories.ts'
import { connectorLibraries, sparkPackages } from '../runtimes/distributions.ts'
import type { Archives } from '../stack/archives.ts'
import { askProducts } from '../table.ts'
import { topicName } from '../topic/topic.ts'
import { brokerOf, masterOf, portsOf } from './addresses.ts'
import { archiveFlags, fastStart, fullCompiler, javaEnvironment, temporaryFlag } from './java.ts'
import { readStreamProgress } from './streamProgress.ts'
import type { Surroundings } from './surroundings.ts'

export const sparkMaster = (surroundings: Surroundings): Service => {
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
    startTimeoutMs: 60_000,
    stopTimeoutMs: 10_000,
  }
}

export const sparkWorker = (surroundings: Surroundings): Service => {
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
    restartsWith: ['spark-master'],
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
    startTimeoutMs: 60_000,
    stopTimeoutMs: 10_000,
  }
}

export const thrift = (surroundings: Surroundings): Service => {
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
    startTimeoutMs: 240_000,
    stopTimeoutMs: 10_000,
  }
}

/** The job tells of itself each second; on a machine with too much to do it may be late. */
const streamSilentForMs = 20_000

export const productsStream = (surroundings: Surroundings): Service => {
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
        // Spark reads it as an address: a path with a space in it would be none.
        'spark.jars.ivySettings': pathToFileURL(runtimes.ivy.settings).href,
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
    restartsWith: ['spark-master'],
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
    startTimeoutMs: 300_000,
    requestStop: () => writeFile(stopFile, ''),
    stopTimeoutMs: 30_000,
  }
}

// The class path is the driver's, so its archive fits. Writing one takes longer than the worker lets an executor live.
const executorFlags = (archives: Archives | null, directories: Directories): string[] => [
  ...fullCompiler,
  temporaryFlag(directories),
  ...(archives?.making === true ? [] : archiveFlags(archives, 'products-stream')),
]

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
      ...fastStart,
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
      ...fastStart,
      ...archiveFlags(archives, name),
      temporaryFlag(directories),
      // Of a database that Hive's code looks at and nobody uses; it would lie in the state folder for good.
      `-Dderby.stream.error.file=${join(directories.temporary, 'derby.log')}`,
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

/** Flags in one string, as Spark takes them apart again: what has spaces stands in quotes. */
const optionString = (flags: readonly string[]): string =>
  flags.map(flag => (/\s/.test(flag) ? `"${flag}"` : flag)).join(' ')

const sparkEnvironment = ({
  runtimes,
  config,
  directories,
}: Pick<Surroundings, 'runtimes' | 'config' | 'directories'>): Record<string, string> => ({
  ...javaEnvironment,
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
