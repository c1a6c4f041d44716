import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import {
  ensureJars,
  ensurePythonEnvironment,
  type FetchOptions,
  type Ivy,
  type JarSet,
  type OffstreamError,
  pythonOf,
} from '@offstream/runtime'
import envPaths from 'env-paths'
import { z } from 'zod'
import { PipelineError } from '../errors.ts'
import { lockPath } from '../project/assets.ts'
import { downloadEnvironment, type Environment, javaNetworkOptions } from './environment.ts'
import { findJava, findPython, type Tool } from './toolchain.ts'

/** The versions that go together; a change here wants a new lock (`pnpm lock:runtimes`). */
export const versions = {
  spark: '4.1.1',
  scala: '2.13',
  kafka: '3.9.2',
  iceberg: '1.12.0',
  sqlite: '3.49.1.0',
  bareLocalFileSystem: '0.1.0',
}

/** The last line of Kafka that has ZooKeeper, its command-line tools, and a place for its log lines to go. */
export const kafkaLibraries = {
  name: `Kafka ${versions.kafka}`,
  coordinates: [
    `org.apache.kafka:kafka_${versions.scala}:${versions.kafka}`,
    `org.apache.kafka:kafka-tools:${versions.kafka}`,
    'org.slf4j:slf4j-reload4j:1.7.36',
  ],
  excludes: [],
}

/** What the job is submitted with: the Kafka source, the table format, the driver of the table’s catalog. */
export const sparkPackages = [
  `org.apache.spark:spark-sql-kafka-0-10_${versions.scala}:${versions.spark}`,
  `org.apache.iceberg:iceberg-spark-runtime-4.1_${versions.scala}:${versions.iceberg}`,
  `org.xerial:sqlite-jdbc:${versions.sqlite}`,
]

/** What Spark needs beside its own jars: what the job is submitted with, and local files that start no processes. */
export const connectorLibraries = {
  name: 'Spark connectors',
  coordinates: [
    ...sparkPackages,
    // Not among the packages: Ivy finds no use for what it keeps of it, and would ask the network at each start.
    `com.globalmentor:hadoop-bare-naked-local-fs:${versions.bareLocalFileSystem}`,
  ],
  // Spark has these among its own jars, and two of one kind quarrel.
  excludes: [
    'org.apache.hadoop:hadoop-common',
    'org.apache.hadoop:hadoop-client-api',
    'org.apache.hadoop:hadoop-client-runtime',
    'org.scala-lang:scala-library',
    'org.slf4j:slf4j-api',
  ],
}

/** Bytes of pyspark's source package, and of the environment once it is installed. */
const sparkBytes = { download: 457_000_000, installed: 560_000_000 }

const LockedJars = z.array(
  z.strictObject({ file: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/), bytes: z.int() }),
)
const Lock = z.strictObject({ kafka: LockedJars, connectors: LockedJars })

/** Everything that is run, at the place where it lies on this machine. */
export interface Runtimes {
  readonly java: string
  readonly javaVersion: string
  /** Interpreter for Spark's Python programs. */
  readonly python: string
  readonly sparkHome: string
  /** Folder of Kafka's jars. */
  readonly kafkaLibs: string
  /** Folder of the connectors' jars. */
  readonly connectors: string
  /** What Spark resolves its packages with; how they were downloaded may contain a password and is not part of it. */
  readonly ivy: Pick<Ivy, 'settings' | 'cache'>
}

export interface RuntimesOptions extends FetchOptions {
  readonly environment: Environment
  /** The Ivy settings file of the project. */
  readonly ivySettings: string
}

/** The folder of all runtimes of the user: `OFFSTREAM_CACHE`, otherwise the system's cache folder. */
export const cacheDirectory = (environment: Environment): string =>
  resolve(environment['OFFSTREAM_CACHE'] || envPaths('offstream', { suffix: '' }).cache)

/** A Spark or Kafka of the user's own. Services run in another folder, so a relative path is resolved. */
export const ownHome = (variable: 'SPARK_HOME' | 'KAFKA_HOME', environment: Environment): string | null =>
  environment[variable] ? resolve(environment[variable]) : null

/**
 * Finds Java and Python, and makes sure that Spark, Kafka and the connectors are there: `SPARK_HOME` and
 * `KAFKA_HOME` where they are set, else fetched once, verified and used from then on without the network.
 *
 * @throws OffstreamError JAVA_MISSING, PYTHON_MISSING, HOME_INVALID, DOWNLOAD_FAILED, CHECKSUM_MISMATCH, DISK_FULL
 */
export const ensureRuntimes = async (options: RuntimesOptions): Promise<Runtimes> => {
  const { environment } = options
  const { java, spark, ivy } = await ensureSpark(options)
  const { kafka, connectors } = await jarSets(environment)
  await ensureJars(connectors.set, connectors.directory, ivy, options)
  const ownKafka = await kafkaOfHome(ownHome('KAFKA_HOME', environment))
  if (ownKafka === null) await ensureJars(kafka.set, kafka.directory, ivy, options)
  return {
    java: java.path,
    javaVersion: java.version,
    python: spark.python,
    sparkHome: spark.home,
    kafkaLibs: ownKafka ?? kafka.directory,
    connectors: connectors.directory,
    ivy: { settings: ivy.settings, cache: ivy.cache },
  }
}

/** Jars as they are locked, and the folder of the cache that they are kept in. */
export interface KeptJars {
  readonly set: JarSet
  readonly directory: string
}

/** The sets of jars that this version of offstream names. */
export const jarSets = async (
  environment: Environment,
): Promise<{ readonly kafka: KeptJars; readonly connectors: KeptJars }> => {
  const lock = Lock.parse(JSON.parse(await readFile(lockPath('jars.lock.json'), 'utf8')))
  // The name holds the lock's digest: another lock is another folder, and an older offstream keeps its own.
  const kept = (name: string, set: JarSet): KeptJars => ({
    set,
    directory: join(cacheDirectory(environment), `${name}-${digest(JSON.stringify(set.jars))}`),
  })
  return {
    kafka: kept('kafka', { ...kafkaLibraries, jars: lock.kafka }),
    connectors: kept('connectors', { ...connectorLibraries, jars: lock.connectors }),
  }
}

/** Spark, the Java it runs on and the Ivy it carries: what everything else is fetched with. */
export const ensureSpark = async ({
  environment,
  ivySettings,
  ...options
}: RuntimesOptions): Promise<{
  readonly java: Tool
  readonly spark: { readonly home: string; readonly python: string }
  readonly ivy: Ivy
}> => {
  const [java, python] = await Promise.all([findJava(environment), findPython(environment)])
  const cache = cacheDirectory(environment)
  const spark = await sparkOf(environment, cache, python, options)
  const ivy = {
    java: java.path,
    jar: await ivyOf(spark.home),
    settings: ivySettings,
    cache: join(cache, 'ivy', 'cache'),
    env: downloadEnvironment(environment),
    javaOptions: javaNetworkOptions(environment),
  }
  return { java, spark, ivy }
}

const sparkOf = async (
  environment: Environment,
  cache: string,
  python: Tool,
  options: FetchOptions,
): Promise<{ readonly home: string; readonly python: string }> => {
  const home = ownHome('SPARK_HOME', environment)
  if (home !== null) {
    await sparkJarOf(home)
    return { home, python: ownPython(environment) ?? python.path }
  }
  const directory = join(cache, await sparkFolder(python))
  await ensurePythonEnvironment(
    {
      name: `Spark ${versions.spark}`,
      directory,
      python: python.path,
      env: downloadEnvironment(environment),
      requirements: requirements(),
      downloadBytes: sparkBytes.download,
      installedBytes: sparkBytes.installed,
    },
    options,
  )
  return {
    home: join(sitePackages(directory, python), 'pyspark'),
    python: pythonOf(directory),
  }
}

const requirements = (): string[] => [lockPath('build.requirements.txt'), lockPath('spark.requirements.txt')]

/** The name of the folder for Spark, which holds for one Python and one lock. */
export const sparkFolder = async (python: Tool): Promise<string> => {
  const texts = await Promise.all(requirements().map(file => readFile(file, 'utf8')))
  return `spark-${versions.spark}-py${minorOf(python)}-${digest(texts.join('\n'))}`
}

/** Where a virtual environment has its packages. */
export const sitePackages = (directory: string, python: Tool): string =>
  join(directory, 'lib', `python${minorOf(python)}`, 'site-packages')

const minorOf = ({ version }: Tool): string => version.split('.').slice(0, 2).join('.')

const sparkJarOf = async (home: string): Promise<void> => {
  const jars = await readdir(join(home, 'jars')).catch(() => [])
  const core = jars.find(jar => jar.startsWith('spark-core_'))
  const [, scala, version] = /^spark-core_([\d.]+)-([\d.]+)/.exec(core ?? '') ?? []
  if (scala === versions.scala && version?.startsWith('4.1.')) return
  throw homeInvalid(
    'SPARK_HOME',
    home,
    core === undefined ? 'has no `jars/spark-core_*.jar`' : `holds ${core}`,
    'Spark 4.1 for Scala 2.13',
  )
}

const ivyOf = async (sparkHome: string): Promise<string> => {
  const jars = join(sparkHome, 'jars')
  const ivy = (await readdir(jars)).find(jar => /^ivy-[\d.]+\.jar$/.test(jar))
  if (ivy === undefined)
    throw homeInvalid('SPARK_HOME', sparkHome, 'has no `jars/ivy-*.jar`', 'a whole Spark 4.1')
  return join(jars, ivy)
}

/** The Python of the user's own Spark. A name without a folder is looked up on the `PATH`. */
const ownPython = ({ PYSPARK_PYTHON: python }: Environment): string | null => {
  if (!python) return null
  return python.includes('/') ? resolve(python) : python
}

const kafkaOfHome = async (home: string | null): Promise<string | null> => {
  if (home === null) return null
  const libs = join(home, 'libs')
  const jars = existsSync(libs) ? await readdir(libs) : []
  const broker = jars.find(jar => /^kafka_2\.13-[\d.]+\.jar$/.test(jar))
  if (broker?.includes('-3.')) return libs
  throw homeInvalid(
    'KAFKA_HOME',
    home,
    broker === undefined ? 'has no `libs/kafka_2.13-*.jar`' : `holds ${broker}`,
    'Kafka 3, the last with ZooKeeper',
  )
}

const homeInvalid = (variable: string, home: string, what: string, wanted: string): OffstreamError =>
  new PipelineError('HOME_INVALID', `${variable} is \`${home}\`, which ${what}`, {
    hint: `let ${variable} point to ${wanted}, or unset it: offstream then fetches its own`,
  })

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12)
