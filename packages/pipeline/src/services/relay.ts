import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ServiceCommand } from '@offstream/runtime'
import { assetPath } from '../project/assets.ts'
import type { Config } from '../project/config.ts'
import { type Directories, directoriesOf, projectFolder } from '../project/directories.ts'
import { fastStart } from './java.ts'
import { isKafkaExternal } from './kafkaCluster.ts'
import { lakeConf, lakeFlags } from './lakeCatalog.ts'
import { ownConfOptions, streamSizeConf } from './sparkCluster.ts'
import { conf, logging, logSettings, optionString, sparkSubmit } from './sparkCommand.ts'
import { driverConf, executorConf } from './sparkConf.ts'
import type { Stack } from './stack.ts'

/** The files by which the job and its supervisor communicate, and that of Kafka's client. */
export type StreamFiles = Readonly<Record<'progress' | 'stop' | 'optimize' | 'kafkaClient', string>>

/** The folder in the container of the driver with `spark-jobs`. */
const modules = 'spark-jobs'

/** The certificate authority of the catalog, in the container of the driver. */
const catalogAuthority = 'catalog.ca.pem'

/**
 * The command of the job in deploy mode cluster: `spark-jobs/relay.py` submits it to YARN and represents its driver here.
 * @param files those on this machine
 * @param programArguments of stream.py, for these files
 */
export const relayCommand = (
  stack: Stack,
  files: StreamFiles,
  programArguments: (files: StreamFiles) => readonly string[],
): ServiceCommand => {
  const { project, config, state, runtimes } = stack
  const directories = directoriesOf(state)
  const program = assetPath(project, 'spark-jobs', 'stream.py')
  const archive = join(directories.run, 'spark-jobs.zip')
  const tag = tagOf(state)
  const checkpoint = config.stream.checkpoint ?? ''
  const exchange = `${checkpoint}.${tag}`
  const command = sparkSubmit(
    { ...stack, archives: null },
    'products-stream',
    [
      ...['--name', 'products-stream', '--master', 'local[1]', '--driver-memory', '512m'],
      ...ownConfOptions(config, state),
      ...conf({
        ...driverConf(config, directories),
        'spark.pyspark.driver.python': runtimes.python,
        'spark.ui.enabled': 'false',
        'spark.eventLog.enabled': 'false',
      }),
      ...[assetPath(project, 'spark-jobs', 'relay.py'), '--tag', tag, '--exchange', exchange],
      ...['--checkpoint', checkpoint, '--new-checkpoint', directories.checkpoint],
      ...['--progress', files.progress, '--batches', directories.streamBatches],
      ...['--stop-file', files.stop, '--optimize-file', files.optimize],
      ...['--modules', dirname(program), '--archive', archive],
      ...['--', join(runtimes.sparkHome, 'bin', 'spark-submit')],
      ...submission(stack, { tag, exchange, archive }),
      ...[program, ...programArguments(inContainer(files)), '--exchange', exchange],
    ],
    { catalogFlags: [] },
  )
  // For the program that submits the job: at `info` Spark logs a line for each jar.
  return { ...command, env: { ...command.env, SPARK_SUBMIT_OPTS: logging(project) } }
}

/** The files have the same names in the folder of the container, where the driver starts. */
const inContainer = (files: StreamFiles): StreamFiles => ({
  progress: basename(files.progress),
  stop: basename(files.stop),
  optimize: basename(files.optimize),
  kafkaClient: basename(files.kafkaClient),
})

/** The same for each start of a stack, so that a start finds an application that was left behind. */
const tagOf = (state: string): string =>
  `offstream-${createHash('sha256').update(`${hostname()} ${state}`).digest('hex').slice(0, 16)}`

/** What makes an application that of this stack. */
interface Application {
  readonly tag: string
  /** The folder in HDFS for all its files, which relay.py deletes. */
  readonly exchange: string
  /** The file with `spark-jobs`. */
  readonly archive: string
}

/** The options of spark-submit. */
const submission = (stack: Stack, application: Application): readonly string[] => {
  const { project, config, state } = stack
  const directories = directoriesOf(state)
  const logFile = logSettings(project)
  return [
    ...['--name', 'products-stream', '--master', 'yarn', '--deploy-mode', 'cluster'],
    ...['--driver-memory', config.stream.driverMemory],
    '--driver-java-options',
    optionString([
      ...fastStart,
      `-Dlog4j2.configurationFile=${basename(logFile)}`,
      ...lakeFlags(config, {
        lakePasswords: basename(directories.lakePasswords),
        lakeKeys: basename(directories.lakeKeys),
      }),
    ]),
    // The jars in the folder of the container. PostgreSQL's driver must be on the class path of Java itself.
    ...['--driver-class-path', './*'],
    ...['--files', [pathToFileURL(logFile).href, ...secretFiles(config, directories)].join(',')],
    ...['--archives', `${pathToFileURL(application.archive).href}#${modules}`],
    ...ownConfOptions(config, state),
    ...conf(clusterDriverConf(stack, application)),
  ]
}

/** Spark copies them to a folder in HDFS that only the user can read, and YARN to the containers. */
const secretFiles = (config: Config, directories: Directories): readonly string[] => {
  const { caFile } = config.lake.catalog.tls
  const authority = caFile === null ? null : resolve(projectFolder(directories.state), caFile)
  return [
    pathToFileURL(directories.lakePasswords).href,
    ...(isKafkaExternal(config) ? [pathToFileURL(directories.kafkaClient).href] : []),
    ...(authority === null ? [] : [`${pathToFileURL(authority).href}#${catalogAuthority}`]),
  ]
}

/** Settings with addresses and paths of this machine, or that only save processes for local files. */
const ofThisMachine: readonly string[] = [
  ...['spark.driver.host', 'spark.driver.bindAddress', 'spark.pyspark.driver.python'],
  ...['spark.sql.warehouse.dir', 'spark.hadoop.fs.file.impl'],
]

const clusterDriverConf = (stack: Stack, { tag, exchange }: Application): Record<string, string> => {
  const { config, state } = stack
  const directories = directoriesOf(state)
  const inClientMode = {
    ...lakeConf(config, directories),
    ...driverConf(config, directories),
    ...executorConf(stack),
    ...streamSizeConf(config),
  }
  return {
    ...Object.fromEntries(Object.entries(inClientMode).filter(([name]) => !ofThisMachine.includes(name))),
    ...(config.lake.catalog.tls.caFile === null
      ? {}
      : { 'spark.sql.catalog.lake.jdbc.sslrootcert': catalogAuthority }),
    'spark.yarn.tags': tag,
    'spark.yarn.stagingDir': exchange,
    'spark.yarn.submit.waitAppCompletion': 'false',
    'spark.yarn.appMasterEnv.PYTHONPATH': modules,
  }
}
