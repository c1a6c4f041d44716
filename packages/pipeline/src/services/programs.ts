import { dirname, isAbsolute, join } from 'node:path'
import type { ServiceCommand } from '@offstream/runtime'
import type { ProgramVariable } from '../names.ts'
import type { Config } from '../project/config.ts'
import { directoriesOf } from '../project/directories.ts'
import type { Environment } from '../runtimes/environment.ts'
import { topicName } from '../topic/message.ts'
import { prepareKafkaClients } from './kafkaClients.ts'
import { brokersOf, kafkaOptions } from './kafkaCluster.ts'
import { catalogAddress, lakeConf, lakeFlags, prepareLake, warehouseOf } from './lakeCatalog.ts'
import { writeLoginJar } from './restCatalog.ts'
import { masterOf, requestsExecutors } from './sparkCluster.ts'
import { clusterVariables, conf, driverClassPath, environmentOf, optionString } from './sparkCommand.ts'
import { driverConf, executorConf } from './sparkConf.ts'
import type { Stack } from './stack.ts'
import { thriftHost } from './thriftServer.ts'

/** How a program of the user runs on the cluster. */
export interface ProgramOptions {
  /** Maximum number of cores of the workers; on YARN and Kubernetes the number of executors with one core. */
  readonly cores: number
  /** Memory of its executor, such as `512m`. */
  readonly memory: string
  /** Maven coordinates of libraries, `group:artifact:version`. */
  readonly packages: readonly string[]
  /** More Spark properties; they override those of offstream. */
  readonly conf: Readonly<Record<string, string>>
}

/** One core and a quarter of the worker's memory: the product job and two programs fit on the default worker. */
export const defaultProgram: ProgramOptions = { cores: 1, memory: '512m', packages: [], conf: {} }

/** The addresses of a stack, for programs of the user. */
export const programAddresses = ({ state, config }: Stack): Readonly<Record<ProgramVariable, string>> => {
  const directories = directoriesOf(state)
  return {
    OFFSTREAM_BROKERS: brokersOf(config).join(','),
    OFFSTREAM_KAFKA_OPTIONS: JSON.stringify(kafkaOptions(config, state)),
    OFFSTREAM_TOPIC: topicName,
    OFFSTREAM_MASTER: masterOf(config),
    OFFSTREAM_THRIFT_URL: jdbcUrl(config),
    OFFSTREAM_TABLE: 'lake.off.products',
    OFFSTREAM_WAREHOUSE: warehouseOf(config, directories),
    OFFSTREAM_CATALOG: catalogAddress(config, directories),
  }
}

// Java clients have other settings for the password and the trusted certificates.
const jdbcUrl = (config: Config): string =>
  `jdbc:hive2://${thriftHost(config)}:${config.thrift.port}/default${config.thrift.tls.enabled ? ';ssl=true' : ''}`

/** The Spark properties of a program of the user: the catalog `lake`, the connectors, its share of the worker. */
export const programConf = (
  stack: Stack,
  { cores, memory, packages, conf }: ProgramOptions,
): Readonly<Record<string, string>> => {
  const directories = directoriesOf(stack.state)
  const { config } = stack
  // They do not read `spark.conf`, so it must not replace a default of theirs.
  const ofExecutors = executorConf({ ...stack, config: { ...config, spark: { ...config.spark, conf: [] } } })
  const jars = [ofExecutors['spark.jars'], conf['spark.jars']].filter(list => list !== undefined)
  return {
    ...lakeConf(config, directories),
    ...driverConf(config, directories),
    ...ofExecutors,
    // Any free port: Spark's default is that of the product job.
    'spark.ui.port': '0',
    ...(requestsExecutors(config)
      ? { 'spark.executor.instances': String(cores) }
      : { 'spark.cores.max': String(cores) }),
    'spark.executor.memory': memory,
    ...(packages.length === 0 ? {} : libraryConf(stack, packages)),
    ...conf,
    // Executors of an existing cluster also need the connectors, and Kafka's clients the class for tokens.
    ...(jars.length === 0 ? {} : { 'spark.jars': jars.join(',') }),
  }
}

/**
 * Writes what programs on the cluster read from files: the secrets of the tables and of Kafka.
 * @param environment empty for a running stack, which has saved its keys: those in a shell may be for another store
 * @throws OffstreamError SECRET_MISSING, FILE_MISSING
 */
export const prepareProgram = async (stack: Stack, environment: Environment = process.env): Promise<void> => {
  await prepareLake(stack.config, stack.state, environment)
  await writeLoginJar(stack)
  await prepareKafkaClients(stack)
}

/** Spark's own Ivy resolves the libraries, with the repositories and the cache of offstream's downloads. */
const libraryConf = (
  { runtimes: { ivy } }: Stack,
  packages: readonly string[],
): Readonly<Record<string, string>> => ({
  'spark.jars.packages': packages.join(','),
  'spark.jars.ivySettings': ivy.settings,
  'spark.jars.ivy': dirname(ivy.cache),
})

const submitOptions = (stack: Stack, properties: Readonly<Record<string, string>>): readonly string[] => {
  const flags = lakeFlags(stack.config, directoriesOf(stack.state))
  return [
    ...['--master', masterOf(stack.config), '--driver-class-path', driverClassPath(stack)],
    ...(flags.length === 0 ? [] : ['--driver-java-options', optionString(flags)]),
    ...conf(properties),
  ]
}

/** The interactive shell of PySpark, with the variables of the terminal. */
export const pysparkCommand = (
  stack: Stack,
  options: ProgramOptions,
  environment: Readonly<Record<string, string | undefined>>,
): ServiceCommand => {
  const { runtimes } = stack
  const ofTerminal = Object.entries(environment).filter(([name]) =>
    /^(?:TERM|COLORTERM|LANG|LC_\w+)$/.test(name),
  )
  return {
    file: join(runtimes.sparkHome, 'bin', 'pyspark'),
    args: submitOptions(stack, programConf(stack, options)),
    env: {
      ...environmentOf(stack),
      ...Object.fromEntries(ofTerminal.map(([name, value]) => [name, value ?? ''])),
      ...programAddresses(stack),
    },
    cwd: process.cwd(),
  }
}

/** The environment in which any program, such as a notebook, gets a Spark session on this stack. */
export interface Exports {
  readonly variables: Readonly<Record<string, string>>
  /** The properties in `PYSPARK_SUBMIT_ARGS`, for tools that have their own place for them. */
  readonly sparkConf: Readonly<Record<string, string>>
}

/** Variables for a shell: addresses, Spark, and the options with which PySpark starts Java. */
export const exportsOf = (stack: Stack): Exports => {
  const { java, python, sparkHome } = stack.runtimes
  const sparkConf = programConf(stack, defaultProgram)
  const options = [...submitOptions(stack, sparkConf), 'pyspark-shell']
  return {
    variables: {
      ...programAddresses(stack),
      ...(isAbsolute(java) ? { JAVA_HOME: dirname(dirname(java)) } : {}),
      ...clusterVariables(stack.config, stack.state),
      SPARK_HOME: sparkHome,
      PYSPARK_PYTHON: python,
      PYSPARK_SUBMIT_ARGS: options.map(quoted).join(' '),
    },
    sparkConf,
  }
}

/** A word for a POSIX shell, and for PySpark, which splits the variable by the same rules. */
export const quoted = (word: string): string =>
  /^[\w%+,./:=@-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`
