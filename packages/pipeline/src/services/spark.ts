import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { portHolder } from '@offstream/runtime'
import { assetPath } from '../project/assets.ts'
import type { Config } from '../project/config.ts'
import { type Directories, directoriesOf } from '../project/directories.ts'
import { countProducts } from '../table.ts'
import { topicName } from '../topic/message.ts'
import { localPath } from './hadoopConf.ts'
import { archiveFlags, fullCompiler, temporaryFlag } from './java.ts'
import { type Job, readJobs } from './jobStore.ts'
import { prepareKafkaClients, tokenJars } from './kafkaClients.ts'
import { brokersOf, isKafkaExternal } from './kafkaCluster.ts'
import { lakeConf, prepareLake } from './lakeCatalog.ts'
import { storeFlags } from './lakeStore.ts'
import {
  clusterConf,
  driverHostOf,
  isSparkExternal,
  jarsIn,
  masterOf,
  masterPage,
  ownConfOptions,
  ownWorkers,
  pythonConf,
  streamSizeConf,
  type WorkerId,
  workerName,
  workerPage,
  workerPort,
  workFolder,
  writeOwnConf,
} from './sparkCluster.ts'
import { classPathOf, conf, optionString, sparkDaemon, sparkSubmit } from './sparkCommand.ts'
import type { Archives, ServiceParts, Stack } from './stack.ts'
import { failureOf, readStreamProgress, requireProgress } from './streamProgress.ts'
import { thriftOf, thriftProtection } from './thriftServer.ts'

/** The Spark master; it is ready when it reports ALIVE. */
export const sparkMaster = (stack: Stack): ServiceParts => {
  const { config } = stack
  const { sparkMaster: folder } = directoriesOf(stack.state)
  return {
    command: sparkDaemon(
      stack,
      'spark-master',
      'org.apache.spark.deploy.master.Master',
      [
        ...['--host', config.host, '--port', String(config.spark.port)],
        ...['--webui-port', String(config.spark.webPort)],
      ],
      [
        // The REST server on port 6066, which nothing uses.
        '-Dspark.master.rest.enabled=false',
        // After a crash the next master takes over the workers and the jobs, which continue to run. It waits for those of
        // them that have exited too, by default for a minute.
        '-Dspark.deploy.recoveryMode=FILESYSTEM',
        `-Dspark.deploy.recoveryDirectory=${folder}`,
        '-Dspark.deploy.recoveryTimeout=10',
      ],
    ),
    needs: [],
    port: config.spark.port,
    prepare: async () => {
      if (!(await isAnyAlive(config, await readJobs(stack.state))))
        await rm(folder, { recursive: true, force: true })
      await mkdir(folder, { recursive: true })
    },
    ready: async signal => {
      const { status } = await masterState(config, signal)
      if (status !== 'ALIVE') throw new Error(`the master is ${status}`)
    },
    startTimeoutMs: 60_000,
    stopTimeoutMs: 10_000,
  }
}

/** A Spark worker; it is ready when the master lists it as ALIVE and its web UI responds. */
export const sparkWorker =
  (id: WorkerId) =>
  (stack: Stack): ServiceParts => {
    const { config } = stack
    const [port, folder] = [workerPort(config, id), workFolder(stack.state, id)]
    return {
      command: sparkDaemon(
        stack,
        workerName(id),
        'org.apache.spark.deploy.worker.Worker',
        [
          ...['--host', config.host, '--webui-port', String(port)],
          // Cores are numbers of tasks, not processors: those for jobs of the user do not take any from the product job.
          ...['--cores', String(config.spark.worker.cores + config.spark.worker.jobCores)],
          ...['--memory', config.spark.worker.memory, '--work-dir', folder, masterOf(config)],
        ],
        [
          // It writes the logs of its executors.
          '-Dspark.executor.logs.rolling.strategy=size',
          `-Dspark.executor.logs.rolling.maxSize=${10 * 1024 * 1024}`,
          '-Dspark.executor.logs.rolling.maxRetainedFiles=3',
        ],
      ),
      needs: ['spark-master'],
      // The user may have changed the port of the master.
      restartsWith: ['spark-master'],
      port,
      // Files of an earlier worker, 74 MB a job, are useless: its executors exited with it.
      prepare: async () => {
        await rm(folder, { recursive: true, force: true })
        await mkdir(folder, { recursive: true })
      },
      ready: async signal => {
        const { workers } = await masterState(config, signal)
        const states = workers
          .filter(({ webuiaddress }) => webuiaddress.endsWith(`:${port}`))
          .map(({ state }) => state)
        if (!states.includes('ALIVE'))
          throw new Error(
            states.length === 0
              ? 'it is not registered with the master'
              : `the master lists it as ${states[0]}`,
          )
        // For a minute the master lists a worker that has stopped.
        await webUiState('the worker', workerPage(config, id), signal)
      },
      startTimeoutMs: 60_000,
      stopTimeoutMs: 10_000,
    }
  }

/** The Thrift server; it is ready when it responds to a query on Products. */
export const thrift = (stack: Stack): ServiceParts => {
  const { project, config } = stack
  const directories = directoriesOf(stack.state)
  const { properties, args, classFolders } = thriftProtection(config, stack.state)
  return {
    command: sparkSubmit(
      stack,
      'thrift',
      [
        ...['--name', 'offstream-thrift', '--master', `local[${config.thrift.cores * tasksPerCore}]`],
        ...['--driver-memory', config.thrift.memory],
        ...conf({
          ...lakeConf(config, directories),
          ...driverConf(config, directories),
          'spark.ui.enabled': 'false',
          'spark.sql.catalogImplementation': 'in-memory',
          ...sharedConf(stack),
          'spark.hadoop.hive.server2.thrift.bind.host': config.host,
          'spark.hadoop.hive.server2.thrift.port': String(config.thrift.port),
          ...properties,
        }),
        assetPath(project, 'spark-jobs', 'thrift_server.py'),
        ...['--views', assetPath(project, 'config', 'views.sql'), ...args],
      ],
      { classFolders },
    ),
    needs: [],
    port: config.thrift.port,
    prepare: async () => {
      await prepareLake(config, stack.state)
      for (const folder of classFolders) await mkdir(folder, { recursive: true })
    },
    ready: async signal => void (await countProducts(await thriftOf(config, stack.state), signal)),
    startTimeoutMs: 240_000,
    stopTimeoutMs: 10_000,
  }
}

/**
 * Queries of the Thrift server share its cores. Spark does not interrupt a task, so a core has more task slots than it
 * needs. Otherwise the tasks of one long query would occupy all cores, regardless of the order of the waiting tasks.
 */
const tasksPerCore = 4

const sharedConf = ({ project, config }: Stack): Record<string, string> => ({
  'spark.scheduler.mode': 'FAIR',
  'spark.scheduler.allocation.file': localPath(config, assetPath(project, 'config', 'scheduler.xml')),
  // One query is split into as many tasks as there are cores.
  'spark.default.parallelism': String(config.thrift.cores),
  'spark.sql.leafNodeDefaultParallelism': String(config.thrift.cores),
  // The server computes one partition of the result at a time, and keeps only that one in memory.
  'spark.sql.thriftServer.incrementalCollect': 'true',
})

/** The job from the topic to the table; it is ready when its first batch has finished. */
export const productsStream = (stack: Stack): ServiceParts => {
  const { project, config } = stack
  const directories = directoriesOf(stack.state)
  const stopFile = join(directories.run, 'products-stream.stop')
  return {
    command: sparkSubmit(stack, 'products-stream', [
      ...['--name', 'products-stream', '--master', masterOf(config)],
      ...['--driver-memory', config.stream.driverMemory],
      ...ownConfOptions(config, stack.state),
      ...conf({
        ...lakeConf(config, directories),
        ...driverConf(config, directories),
        'spark.ui.port': String(config.stream.webPort),
        ...executorConf(stack),
        ...streamSizeConf(config),
      }),
      assetPath(project, 'spark-jobs', 'stream.py'),
      ...['--brokers', brokersOf(config).join(','), '--topic', topicName],
      ...(isKafkaExternal(config) ? ['--kafka-client', directories.kafkaClient] : []),
      ...checkpointOptions(config, directories),
      ...['--progress', directories.streamProgress],
      ...['--stop-file', stopFile, '--optimize-file', directories.optimizeRequest],
      ...['--trigger-ms', String(config.stream.triggerMs)],
      ...['--max-offsets-per-trigger', String(config.stream.maxOffsetsPerTrigger)],
      ...['--max-indexed-rows', String(config.stream.maxIndexedRows)],
    ]),
    needs: ['kafka', 'kafka-2', 'kafka-3', 'spark-master', ...ownWorkers(config).map(workerName)],
    restartsWith: ['spark-master'],
    // It first connects to Kafka after some seconds, and then retries for a minute. A worker may also come later
    // than the driver, but if a master does not respond, the driver tries again only after 20 s.
    needsOnlyAtStart: ['kafka', 'kafka-2', 'kafka-3', ...ownWorkers(config).map(workerName)],
    port: null,
    prepare: async () => {
      await prepareLake(config, stack.state)
      const { streamProgress, streamBatches, optimizeRequest } = directories
      for (const file of [stopFile, streamProgress, streamBatches, optimizeRequest])
        await rm(file, { force: true })
      await prepareKafkaClients(stack)
      await writeOwnConf(config, stack.state)
    },
    ready: async () => requireProgress(await readStreamProgress(directories.streamProgress)),
    permanentFailure: async () => {
      const failure = failureOf(await readStreamProgress(directories.streamProgress))
      // The other stream may be a previous run of this one, which is about to exit.
      if (failure === null || failure.code === 'TABLE_IN_USE') return null
      return { cause: failure.message, hint: failure.hint }
    },
    startTimeoutMs: 300_000,
    requestStop: () => writeFile(stopFile, ''),
    stopTimeoutMs: 30_000,
  }
}

/** With a checkpoint elsewhere, the folder here is for a new one: commands that rewind the job write it there. */
const checkpointOptions = (config: Config, { checkpoint }: Directories): readonly string[] =>
  config.stream.checkpoint === null
    ? ['--checkpoint', localPath(config, checkpoint)]
    : ['--checkpoint', config.stream.checkpoint, '--new-checkpoint', checkpoint]

/** Properties of a program whose tasks run on the cluster: what executors need of this machine, or copies of it elsewhere. */
export const executorConf = (stack: Stack): Record<string, string> => {
  const { config, state, runtimes, archives } = stack
  const connectors = isSparkExternal(config) ? [runtimes.connectors, ...runtimes.additionalJars] : []
  const jars = [...connectors.map(jarsIn), ...tokenJars(stack)]
  return {
    // The default uses another interface of Hadoop, which does not know the file system of `lakeConf`.
    'spark.sql.streaming.checkpointFileManagerClass':
      'org.apache.spark.sql.execution.streaming.checkpointing.FileSystemBasedCheckpointFileManager',
    ...pythonConf(config, runtimes.python),
    ...(isSparkExternal(config)
      ? {
          'spark.driver.host': driverHostOf(config),
          'spark.driver.bindAddress': driverHostOf(config),
          'spark.executor.extraJavaOptions': optionString(fullCompiler),
          ...clusterConf(config, state),
        }
      : {
          'spark.executor.extraClassPath': classPathOf(runtimes),
          'spark.executor.extraJavaOptions': optionString(
            executorFlags(config, archives, directoriesOf(state)),
          ),
        }),
    ...(jars.length === 0 ? {} : { 'spark.jars': jars.join(',') }),
  }
}

// An executor has the class path of the driver and can use its archive. It does not write one: the worker kills it first.
const executorFlags = (config: Config, archives: Archives | null, directories: Directories): string[] => [
  ...fullCompiler,
  temporaryFlag(directories),
  ...storeFlags(config, directories.lakeKeys),
  ...(archives?.made.includes('products-stream') ? archiveFlags(archives, 'products-stream') : []),
]

export const driverConf = (config: Config, { temporary }: Directories): Record<string, string> => ({
  'spark.driver.host': config.host,
  'spark.driver.bindAddress': config.host,
  // The default of 200 shuffle tasks costs seconds a batch, and the batches are small.
  'spark.sql.shuffle.partitions': '2',
  'spark.sql.adaptive.enabled': 'false',
  'spark.sql.session.timeZone': 'UTC',
  // Of the session catalog, which lasts as long as the session. If the path has a space, Spark also creates the default
  // folder under a name with `%20`.
  'spark.sql.warehouse.dir': localPath(config, join(temporary, 'spark-warehouse')),
  'spark.log.structuredLogging.enabled': 'false',
})

/** What a master reports about its workers and programs. */
export interface MasterState {
  readonly status: string
  /** Memory is in megabytes. */
  readonly workers: readonly {
    readonly state: string
    readonly webuiaddress: string
    readonly coresfree: number
    readonly memoryfree: number
  }[]
  /** The running programs. `cores`: those that it has now. */
  readonly activeapps: readonly { readonly id: string; readonly name: string; readonly cores: number }[]
}

/** The state of the master and its workers, as the master reports it. */
export const masterState = async (config: Config, signal: AbortSignal): Promise<MasterState> =>
  (await webUiState('the master', await masterPage(config, signal), signal)) as MasterState

/** Whether a worker or a job is left that a new master can take over. */
const isAnyAlive = async (config: Config, jobs: readonly Job[]): Promise<boolean> => {
  const workers = ownWorkers(config).map(id => workerPort(config, id))
  const ports = [...workers, config.stream.webPort, ...jobs.map(({ webPort }) => webPort)]
  return (await Promise.all(ports.map(port => portHolder(port, config.host)))).some(holder => holder !== null)
}

/** The JSON of a Spark daemon's web UI. */
const webUiState = async (what: string, address: string, signal: AbortSignal): Promise<unknown> => {
  const response = await fetch(`${address}/json/`, { signal })
  if (!response.ok) throw new Error(`the web UI of ${what} returned status ${response.status}`)
  return response.json()
}
