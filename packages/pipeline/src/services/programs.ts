import { dirname, isAbsolute, join } from 'node:path'
import type { ProgramVariable } from '../names.ts'
import { directoriesOf } from '../project/directories.ts'
import { topicName } from '../topic/message.ts'
import { brokersOf } from './kafkaCluster.ts'
import { driverConf, executorConf, lakeConf, masterOf } from './spark.ts'
import { conf } from './sparkCommand.ts'
import type { Stack } from './stack.ts'

/** What a program of the user takes of the worker. */
export interface Share {
  /** Maximum number of cores. */
  readonly cores: number
  /** Memory of its executor, such as `512m`. */
  readonly memory: string
}

/** One core and a quarter of the worker's memory: the job of products and two programs fit on the default worker. */
export const defaultShare: Share = { cores: 1, memory: '512m' }

/** The addresses of a stack, for programs of the user. */
export const programAddresses = ({ state, config }: Stack): Readonly<Record<ProgramVariable, string>> => {
  const { warehouse, catalog } = directoriesOf(state)
  return {
    OFFSTREAM_BROKERS: brokersOf(config).join(','),
    OFFSTREAM_TOPIC: topicName,
    OFFSTREAM_MASTER: masterOf(config),
    OFFSTREAM_THRIFT_URL: `jdbc:hive2://${config.host}:${config.thrift.port}/default`,
    OFFSTREAM_TABLE: 'lake.off.products',
    OFFSTREAM_WAREHOUSE: warehouse,
    OFFSTREAM_CATALOG: catalog,
  }
}

/** The Spark properties of a program of the user: the catalog `lake`, the connectors, its share of the worker. */
export const programConf = (stack: Stack, { cores, memory }: Share): Readonly<Record<string, string>> => {
  const directories = directoriesOf(stack.state)
  return {
    ...lakeConf(directories),
    ...driverConf(stack.config, directories),
    ...executorConf(stack),
    'spark.cores.max': String(cores),
    'spark.executor.memory': memory,
  }
}

/** The environment in which any program, such as a notebook, gets a Spark session on this stack. */
export interface Exports {
  readonly variables: Readonly<Record<string, string>>
  /** The properties in `PYSPARK_SUBMIT_ARGS`, for tools that have their own place for them. */
  readonly sparkConf: Readonly<Record<string, string>>
}

/** Variables for a shell: addresses, Spark, and the options with which PySpark starts Java. */
export const exportsOf = (stack: Stack, share: Share = defaultShare): Exports => {
  const { java, python, sparkHome, connectors } = stack.runtimes
  const sparkConf = programConf(stack, share)
  const options = [
    ...['--master', masterOf(stack.config), '--driver-class-path', join(connectors, '*')],
    ...conf(sparkConf),
    'pyspark-shell',
  ]
  return {
    variables: {
      ...programAddresses(stack),
      ...(isAbsolute(java) ? { JAVA_HOME: dirname(dirname(java)) } : {}),
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
