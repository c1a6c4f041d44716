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

/** Versions that work together. After a change here the lock must be written again (`pnpm lock:runtimes`). */
export const versions = {
  spark: '4.1.1',
  scala: '2.13',
  kafka: '3.9.2',
  kafkaKraft: '4.2.0',
  iceberg: '1.12.0',
  sqlite: '3.49.1.0',
  bareLocalFileSystem: '0.1.0',
  postgresql: '42.7.14',
  /** As in Spark. */
  hadoop: '3.4.2',
  /** As in Iceberg's AWS bundle. */
  awsSdk: '2.54.17',
}

/** The last Kafka with ZooKeeper, its command-line tools, and a logging backend. */
export const kafkaLibraries = {
  name: `Kafka ${versions.kafka}`,
  coordinates: [
    `org.apache.kafka:kafka_${versions.scala}:${versions.kafka}`,
    `org.apache.kafka:kafka-tools:${versions.kafka}`,
    'org.slf4j:slf4j-reload4j:1.7.36',
  ],
  excludes: [],
}

/** A current Kafka, which has no ZooKeeper, and a logging backend. */
export const kraftLibraries = {
  name: `Kafka ${versions.kafkaKraft}`,
  coordinates: [
    `org.apache.kafka:kafka_${versions.scala}:${versions.kafkaKraft}`,
    'org.apache.logging.log4j:log4j-slf4j-impl:2.25.3',
  ],
  excludes: [],
}

/**
 * Spark's additional jars: the Kafka source, the table format, the JDBC driver of the catalog, and a local file system that
 * starts no processes.
 */
export const connectorLibraries = {
  name: 'Spark connectors',
  coordinates: [
    `org.apache.spark:spark-sql-kafka-0-10_${versions.scala}:${versions.spark}`,
    `org.apache.iceberg:iceberg-spark-runtime-4.1_${versions.scala}:${versions.iceberg}`,
    `org.xerial:sqlite-jdbc:${versions.sqlite}`,
    `com.globalmentor:hadoop-bare-naked-local-fs:${versions.bareLocalFileSystem}`,
  ],
  // Spark has its own jars of these, and two versions conflict.
  excludes: [
    'org.apache.hadoop:hadoop-common',
    'org.apache.hadoop:hadoop-client-api',
    'org.apache.hadoop:hadoop-client-runtime',
    'org.scala-lang:scala-library',
    'org.slf4j:slf4j-api',
  ],
}

/** Jars that only some configurations need: they are downloaded then, and follow the connectors on the class path. */
export const additionalLibraries = {
  postgresql: {
    name: `PostgreSQL driver ${versions.postgresql}`,
    coordinates: [`org.postgresql:postgresql:${versions.postgresql}`],
    // Annotations for a compiler.
    excludes: ['org.checkerframework:checker-qual'],
  },
  icebergAws: {
    name: `Iceberg's AWS bundle ${versions.iceberg}`,
    coordinates: [`org.apache.iceberg:iceberg-aws-bundle:${versions.iceberg}`],
    excludes: [],
  },
  /** For a checkpoint in an object store. Everything else that these need is in Spark and in Iceberg's AWS bundle. */
  hadoopAws: {
    name: `Hadoop's client of S3 ${versions.hadoop}`,
    coordinates: [
      `org.apache.hadoop:hadoop-aws:${versions.hadoop}`,
      `org.apache.spark:spark-hadoop-cloud_${versions.scala}:${versions.spark}`,
      `software.amazon.awssdk:apache-client:${versions.awsSdk}`,
      `software.amazon.awssdk:s3-transfer-manager:${versions.awsSdk}`,
    ],
    excludes: [],
    transitive: false,
  },
}
/** A name of `additionalLibraries`. */
export type AdditionalLibraries = keyof typeof additionalLibraries

/** Bytes of pyspark's source package, and of the virtual environment after its installation. */
const sparkBytes = { download: 457_000_000, installed: 560_000_000 }

const LockedJars = z.array(
  z.strictObject({ file: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/), bytes: z.int() }),
)
const Lock = z.strictObject({
  ...{ kafka: LockedJars, kraft: LockedJars, connectors: LockedJars },
  ...{ postgresql: LockedJars, icebergAws: LockedJars, hadoopAws: LockedJars },
})

/** The programs and libraries of the services on this machine. */
export interface Runtimes {
  readonly java: string
  readonly javaVersion: string
  /** The interpreter for Spark's Python programs. */
  readonly python: string
  readonly sparkHome: string
  /** Folder of Kafka's jars. */
  readonly kafkaLibs: string
  /** Folder of the connectors' jars. */
  readonly connectors: string
  /** Folders of the additional jars that the configuration needs. */
  readonly additionalJars: readonly string[]
  /** Ivy, which downloaded the jars. The options for downloads may contain a password and are not part of it. */
  readonly ivy: Pick<Ivy, 'settings' | 'cache'>
}

/** How Kafka stores its metadata. */
export type KafkaMode = 'zookeeper' | 'kraft'

export interface RuntimesOptions extends FetchOptions {
  readonly environment: Environment
  /** Which Kafka; default: the one with ZooKeeper. */
  readonly kafkaMode?: KafkaMode | undefined
  /** The Ivy settings file of the project. */
  readonly ivySettings: string
  /** Jars in addition to the connectors; default: none. */
  readonly libraries?: readonly AdditionalLibraries[]
}

/** The folder of all runtimes of the user: `OFFSTREAM_CACHE`, otherwise the system's cache folder. */
export const cacheDirectory = (environment: Environment): string =>
  resolve(environment['OFFSTREAM_CACHE'] || envPaths('offstream', { suffix: '' }).cache)

/** A Spark or Kafka of the user's own. Services run in another folder, so a relative path is resolved. */
export const ownHome = (variable: 'SPARK_HOME' | 'KAFKA_HOME', environment: Environment): string | null =>
  environment[variable] ? resolve(environment[variable]) : null

/**
 * Finds Java and Python, and makes sure that Spark, Kafka and the connectors exist: those of `SPARK_HOME` and
 * `KAFKA_HOME` if these are set. Otherwise they are fetched and verified once, and need no network after that.
 *
 * @throws OffstreamError JAVA_MISSING, PYTHON_MISSING, HOME_INVALID, DOWNLOAD_FAILED, CHECKSUM_MISMATCH, DISK_FULL
 */
export const ensureRuntimes = async (options: RuntimesOptions): Promise<Runtimes> => {
  const { environment, kafkaMode = 'zookeeper', libraries = [] } = options
  const { java, spark, ivy } = await ensureSpark(options)
  const sets = await jarSets(environment)
  const { connectors } = sets
  const kafka = kafkaMode === 'kraft' ? sets.kraft : sets.kafka
  const ownKafka = await kafkaOfHome(ownHome('KAFKA_HOME', environment), kafkaMode)
  const additional = libraries.map(name => sets[name])
  const missing = [connectors, ...(ownKafka === null ? [kafka] : []), ...additional]
  const fetched = await Promise.allSettled(
    missing.map(({ set, directory }) => ensureJars(set, directory, ivy, options)),
  )
  for (const one of fetched) if (one.status === 'rejected') throw one.reason
  return {
    java: java.path,
    javaVersion: java.version,
    python: spark.python,
    sparkHome: spark.home,
    kafkaLibs: ownKafka ?? kafka.directory,
    connectors: connectors.directory,
    additionalJars: additional.map(({ directory }) => directory),
    ivy: { settings: ivy.settings, cache: ivy.cache },
  }
}

/** Locked jars and their folder in the cache. */
export interface CachedJars {
  readonly set: JarSet
  readonly directory: string
}

/** The sets of jars that this version of offstream uses. */
export const jarSets = async (
  environment: Environment,
): Promise<Readonly<Record<'kafka' | 'kraft' | 'connectors' | AdditionalLibraries, CachedJars>>> => {
  const lock = Lock.parse(JSON.parse(await readFile(lockPath('jars.lock.json'), 'utf8')))
  // The name contains the digest of the lock, so another version of offstream uses another folder.
  const cached = (name: string, set: JarSet): CachedJars => ({
    set,
    directory: join(cacheDirectory(environment), `${name}-${digest(JSON.stringify(set.jars))}`),
  })
  return {
    kafka: cached('kafka', { ...kafkaLibraries, jars: lock.kafka }),
    kraft: cached('kafka', { ...kraftLibraries, jars: lock.kraft }),
    connectors: cached('connectors', { ...connectorLibraries, jars: lock.connectors }),
    postgresql: cached('postgresql', { ...additionalLibraries.postgresql, jars: lock.postgresql }),
    icebergAws: cached('iceberg-aws', { ...additionalLibraries.icebergAws, jars: lock.icebergAws }),
    hadoopAws: cached('hadoop-aws', { ...additionalLibraries.hadoopAws, jars: lock.hadoopAws }),
  }
}

/** Spark, its Java and the Ivy in its jars, which fetches everything else. */
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

/** The name of the folder for Spark, for one Python and one lock. */
export const sparkFolder = async (python: Tool): Promise<string> => {
  const texts = await Promise.all(requirements().map(file => readFile(file, 'utf8')))
  return `spark-${versions.spark}-py${minorOf(python)}-${digest(texts.join('\n'))}`
}

/** The folder of the packages of a virtual environment. */
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
    core === undefined ? 'does not contain `jars/spark-core_*.jar`' : `contains ${core}`,
    'Spark 4.1 for Scala 2.13',
  )
}

const ivyOf = async (sparkHome: string): Promise<string> => {
  const jars = join(sparkHome, 'jars')
  const ivy = (await readdir(jars)).find(jar => /^ivy-[\d.]+\.jar$/.test(jar))
  if (ivy === undefined)
    throw homeInvalid('SPARK_HOME', sparkHome, 'does not contain `jars/ivy-*.jar`', 'a complete Spark 4.1')
  return join(jars, ivy)
}

/** The Python of the user's own Spark. A name without a folder is looked up on the `PATH`. */
const ownPython = ({ PYSPARK_PYTHON: python }: Environment): string | null => {
  if (!python) return null
  return python.includes('/') ? resolve(python) : python
}

const kafkaOfHome = async (home: string | null, mode: KafkaMode): Promise<string | null> => {
  if (home === null) return null
  const libs = join(home, 'libs')
  const jars = existsSync(libs) ? await readdir(libs) : []
  const broker = jars.find(jar => /^kafka_2\.13-[\d.]+\.jar$/.test(jar))
  if (broker?.includes(mode === 'kraft' ? '-4.' : '-3.')) return libs
  throw homeInvalid(
    'KAFKA_HOME',
    home,
    broker === undefined ? 'does not contain `libs/kafka_2.13-*.jar`' : `contains ${broker}`,
    mode === 'kraft' ? 'Kafka 4, for `kafka.mode: kraft`' : 'Kafka 3, the last version with ZooKeeper',
  )
}

const homeInvalid = (variable: string, home: string, what: string, wanted: string): OffstreamError =>
  new PipelineError('HOME_INVALID', `${variable} is \`${home}\`, which ${what}`, {
    hint: `set ${variable} to ${wanted}, or unset it, so that offstream downloads its own`,
  })

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12)
