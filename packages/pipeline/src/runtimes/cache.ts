import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import {
  artifactLock,
  differencesFromLock,
  isComplete,
  type LockedFile,
  lockHolder,
  messageOf,
  processesNaming,
  pythonOf,
  removeArtifact,
  sha256Of,
  sizeOf,
} from '@offstream/runtime'
import { PipelineError } from '../errors.ts'
import { archivesFolder } from './archives.ts'
import { cacheDirectory, jarSets, ownHome, sitePackages, sparkFolder, versions } from './distributions.ts'
import type { Environment } from './environment.ts'
import { findJava, findPython, type Tool } from './toolchain.ts'

/** A folder of the cache that offstream has filled, or would fill. */
export interface CachedRuntime {
  /** The name of its folder. */
  readonly name: string
  readonly path: string
  /** What it is, with its version. */
  readonly what: string
  /**
   * `used`: this version of offstream uses it. `missing`: it will be fetched. `unused`: this version does not use it.
   * `incomplete`: a fetch was interrupted.
   */
  readonly use: 'used' | 'missing' | 'unused' | 'incomplete'
  readonly bytes: number
}

/** A Spark or Kafka of the user's own, which replaces a folder of the cache. */
interface OwnRuntime {
  readonly variable: 'SPARK_HOME' | 'KAFKA_HOME'
  readonly path: string
}

/** Everything in the cache. */
export interface CachedRuntimes {
  readonly cache: string
  readonly runtimes: readonly CachedRuntime[]
  readonly own: readonly OwnRuntime[]
}

/**
 * Lists the folders of the cache, and those that will be fetched, by name. Folders with other names than offstream's are
 * ignored: the cache may be a folder with other contents.
 *
 * @throws OffstreamError JAVA_MISSING, PYTHON_MISSING: which folders are used depends on both
 */
export const listRuntimes = async (environment: Environment): Promise<CachedRuntimes> => {
  const cache = cacheDirectory(environment)
  const { names: used, own } = await usedWith(environment)
  const found = (await readdir(cache).catch(() => [])).filter(name => folderPattern.test(name))
  const names = [...new Set([...found, ...used])].sort()
  const runtimes = await Promise.all(
    names.map(async (name): Promise<CachedRuntime> => {
      const path = join(cache, name)
      return {
        name,
        path,
        what: await whatIs(path),
        use: await useOf(path, used),
        bytes: (await sizeOf(path, 'length')) ?? 0,
      }
    }),
  )
  return { cache, runtimes, own }
}

const folderPattern =
  /^((spark-[\d.]+-py\d+\.\d+|kafka|connectors|postgresql|iceberg-aws|hadoop-aws|archives)-[0-9a-f]{12}(\.partial)?|ivy)$/

/** The names of the folders that this version of offstream uses on this machine, with this environment. */
const usedWith = async (environment: Environment) => {
  const [java, python, jars] = await Promise.all([
    findJava(environment),
    findPython(environment),
    jarSets(environment),
  ])
  const [SPARK_HOME, KAFKA_HOME] = [ownHome('SPARK_HOME', environment), ownHome('KAFKA_HOME', environment)]
  const cache = cacheDirectory(environment)
  const spark = join(cache, await sparkFolder(python))
  const archivesWith = (kafkaLibs: string, additionalJars: readonly string[] = []) =>
    archivesFolder(cache, {
      ...{ java: java.path, javaVersion: java.version, kafkaLibs, additionalJars },
      sparkHome: SPARK_HOME || join(sitePackages(spark, python), 'pyspark'),
      connectors: jars.connectors.directory,
    })
  const kafkaLibs = KAFKA_HOME ? join(KAFKA_HOME, 'libs') : jars.kafka.directory
  const [kraft, postgresql] = [jars.kraft.directory, jars.postgresql.directory]
  const [icebergAws, hadoopAws] = [jars.icebergAws.directory, jars.hadoopAws.directory]
  const folders = [
    ...(SPARK_HOME ? [] : [spark]),
    ...(KAFKA_HOME ? [] : [jars.kafka.directory]),
    ...[jars.connectors.directory, join(cache, 'ivy'), archivesWith(kafkaLibs)],
    // Only some configurations need them: `kafka.mode: kraft`, `lake.catalog.uri`, `lake.warehouse: s3://…`, and
    // `stream.checkpoint: s3://…`.
    ...[kraft, postgresql, icebergAws, hadoopAws].filter(existsSync),
    ...[[], [icebergAws], [icebergAws, hadoopAws]]
      .flatMap(libraries => [libraries, [postgresql, ...libraries]])
      .flatMap(additional => [archivesWith(kafkaLibs, additional), archivesWith(kraft, additional)])
      .filter(existsSync),
  ]
  const own: OwnRuntime[] = [
    ...(SPARK_HOME ? [{ variable: 'SPARK_HOME' as const, path: SPARK_HOME }] : []),
    ...(KAFKA_HOME ? [{ variable: 'KAFKA_HOME' as const, path: KAFKA_HOME }] : []),
  ]
  return { names: folders.map(folder => basename(folder)), own }
}

const useOf = async (path: string, used: readonly string[]): Promise<CachedRuntime['use']> => {
  const name = basename(path)
  if (!existsSync(path)) return 'missing'
  if (name !== 'ivy' && !(await isComplete(path))) return 'incomplete'
  return used.includes(name) ? 'used' : 'unused'
}

const whatIs = async (path: string): Promise<string> => {
  const [kind = '', version, python] = basename(path).replace('.partial', '').split('-')
  if (kind === 'spark') return `Spark ${version} for Python ${python?.slice(2)}`
  if (kind === 'archives') return 'start-up archives of the services'
  if (kind === 'ivy') return 'cache of Ivy, which downloads jars'
  const jars = await readdir(path).catch(() => [])
  const versionOf = (jar: RegExp): string => jars.map(name => jar.exec(name)?.[1]).find(Boolean) ?? ''
  if (kind === 'iceberg')
    return `Iceberg's AWS bundle ${versionOf(/^iceberg-aws-bundle-([\d.]+)\.jar$/)}`.trimEnd()
  if (kind === 'hadoop') return `Hadoop's client of S3 ${versionOf(/^hadoop-aws-([\d.]+)\.jar$/)}`.trimEnd()
  if (kind === 'postgresql') return `PostgreSQL driver ${versionOf(/^postgresql-([\d.]+)\.jar$/)}`.trimEnd()
  return kind === 'kafka'
    ? `Kafka ${versionOf(/^kafka_[\d.]+-([\d.]+)\.jar$/)}`.trimEnd()
    : `Spark connectors, Iceberg ${versionOf(/^iceberg-spark-runtime-.*-([\d.]+)\.jar$/)}`.replace(
        /, Iceberg $/,
        '',
      )
}

/** The result of comparing a folder's files with their digests. */
export interface VerifiedRuntime extends Pick<CachedRuntime, 'name' | 'path' | 'what'> {
  /** How many files were compared. */
  readonly files: number
  /** Each file that is missing, has changed or is unexpected; empty if all files are correct. */
  readonly problems: readonly string[]
}

/**
 * Reads every file in use and compares it with its digest: jars with the lock, Spark with the digests that pip recorded
 * at the installation, which shows damage but not a forgery of both. Archives are made on this machine, and Java checks
 * them.
 */
export const verifyRuntimes = async (environment: Environment): Promise<readonly VerifiedRuntime[]> => {
  const { runtimes } = await listRuntimes(environment)
  const { kafka, connectors, ...others } = await jarSets(environment)
  const python = await findPython(environment)
  const compare = (name: string, path: string): Promise<Comparison> | null => {
    if (name === basename(kafka.directory)) return compareJars(path, kafka.set.jars)
    if (name === basename(connectors.directory)) return compareJars(path, connectors.set.jars)
    const other = Object.values(others).find(({ directory }) => name === basename(directory))
    if (other !== undefined) return compareJars(path, other.set.jars)
    if (name === 'ivy')
      return compareIvy(
        path,
        [kafka, connectors, ...Object.values(others)].flatMap(({ set }) => set.jars),
      )
    return name.startsWith('spark-') ? compareSpark(path, python) : null
  }
  const verified: VerifiedRuntime[] = []
  // One after the other: the disk is the bottleneck.
  for (const { name, path, what } of runtimes.filter(({ use }) => use === 'used')) {
    const comparison = await compare(name, path)
    if (comparison !== null) verified.push({ name, path, what, ...comparison })
  }
  return verified
}

type Comparison = Pick<VerifiedRuntime, 'files' | 'problems'>

const compareJars = async (directory: string, locked: readonly LockedFile[]): Promise<Comparison> => {
  const phrases = { missing: 'is missing', changed: 'has changed', unknown: 'is unexpected' }
  const differences = await differencesFromLock(directory, locked)
  return { files: locked.length, problems: differences.map(({ kind, file }) => `${file} ${phrases[kind]}`) }
}

/** Other programs may use this cache of Ivy: only jars in the lock are compared. */
const compareIvy = async (directory: string, locked: readonly LockedFile[]): Promise<Comparison> => {
  const digests = new Map(locked.map(({ file, sha256 }) => [file, sha256]))
  const files = (await readdir(directory, { recursive: true })).flatMap(path => {
    // In `jars/` the organisation precedes the name: org.apache.iceberg_iceberg-….jar
    const name = basename(path)
    const expected = digests.get(name) ?? digests.get(name.slice(name.indexOf('_') + 1))
    return expected === undefined ? [] : [{ path, expected }]
  })
  const problems: string[] = []
  for (const { path, expected } of files) {
    if ((await sha256Of(join(directory, path))) !== expected) problems.push(`${path} has changed`)
  }
  return { files: files.length, problems }
}

/** @see https://packaging.python.org/en/latest/specifications/recording-installed-packages/#the-record-file */
const compareSpark = async (directory: string, python: Tool): Promise<Comparison> => {
  const { parse } = await import('csv-parse/sync')
  const packages = sitePackages(directory, python)
  const records = (await readdir(packages).catch(() => [])).filter(name => name.endsWith('.dist-info'))
  const rows: string[][] = []
  for (const name of records) rows.push(...parse(await readFile(join(packages, name, 'RECORD'), 'utf8')))
  const files = rows.flatMap(([path = '', recorded = '']) =>
    recorded.startsWith('sha256=') ? [{ path, recorded: hexOf(recorded.slice('sha256='.length)) }] : [],
  )
  const problems = [
    // After an update or removal of the system's Python, all other files are unchanged.
    ...(existsSync(pythonOf(directory)) ? [] : ['bin/python links to a Python that does not exist']),
    ...(records.some(name => name.startsWith('pyspark-')) ? [] : ['pyspark is not installed']),
  ]
  for (const { path, recorded } of files) {
    const actual = await sha256Of(join(packages, path)).catch(() => null)
    if (actual === null) problems.push(`${path} is missing`)
    else if (actual !== recorded) problems.push(`${path} has changed`)
  }
  return { files: files.length, problems }
}

const hexOf = (base64url: string): string => Buffer.from(base64url, 'base64url').toString('hex')

/**
 * Deletes damaged folders, so that they are fetched again.
 * @throws OffstreamError RUNTIME_IN_USE if a program runs from one of them
 */
export const removeDamaged = async (
  environment: Environment,
  damaged: readonly VerifiedRuntime[],
): Promise<void> => {
  const { connectors } = await jarSets(environment)
  // Fetching the connectors fills Ivy's cache.
  const additional = damaged.some(({ name }) => name === 'ivy') ? [connectors.directory] : []
  const folders = [...damaged.map(({ path }) => path), ...additional]
  for (const folder of folders) {
    const [user] = await processesNaming(folder)
    if (user === undefined) continue
    throw new PipelineError('RUNTIME_IN_USE', `\`${folder}\` is in use by process ${user}`, {
      hint: 'stop the services of every project with `offstream down`, then try again',
    })
  }
  await Promise.all(folders.map(deleteRuntime))
}

/** What `pruneRuntimes` has deleted. */
export interface PruneResult {
  readonly removed: readonly CachedRuntime[]
  /** What is unused but cannot be deleted now. */
  readonly kept: readonly { readonly name: string; readonly why: string }[]
}

/** Deletes the folders that this version does not use, and those of interrupted fetches, unless they are in use. */
export const pruneRuntimes = async (environment: Environment, dryRun: boolean): Promise<PruneResult> => {
  const { runtimes } = await listRuntimes(environment)
  const removed: CachedRuntime[] = []
  const kept: { name: string; why: string }[] = []
  for (const runtime of runtimes.filter(({ use }) => use === 'unused' || use === 'incomplete')) {
    const why = await reasonToKeep(runtime, environment)
    if (why !== null) {
      kept.push({ name: runtime.name, why })
      continue
    }
    if (!dryRun) await deleteRuntime(runtime.path)
    removed.push(runtime)
  }
  return { removed, kept }
}

const deleteRuntime = async (path: string): Promise<void> => {
  try {
    await removeArtifact(path)
  } catch (error) {
    throw new PipelineError('CACHE_UNWRITABLE', `\`${path}\` cannot be deleted: ${messageOf(error)}`, {
      hint: 'run `offstream runtime prune` as the owner of the cache',
      cause: error,
    })
  }
}

const reasonToKeep = async (
  { name, path }: CachedRuntime,
  environment: Environment,
): Promise<string | null> => {
  if (await isFetching(path)) return 'it is being downloaded'
  const [user] = await processesNaming(path)
  if (user !== undefined) return `in use by process ${user}`
  if (
    name.startsWith(`spark-${versions.spark}-`) &&
    (await isOfThisLock(name, environment)) &&
    existsSync(pythonOf(path))
  )
    return 'this version uses it with another Python that is installed'
  return null
}

/** Whether another process fetches this folder of the cache now; also if it is the folder of a partial fetch. */
const isFetching = async (path: string): Promise<boolean> =>
  (await lockHolder(artifactLock(path.replace(/\.partial$/, '')))) !== null

const isOfThisLock = async (name: string, environment: Environment): Promise<boolean> => {
  const digestOf = (folder: string): string => folder.slice(folder.lastIndexOf('-') + 1)
  return digestOf(await sparkFolder(await findPython(environment))) === digestOf(name)
}
