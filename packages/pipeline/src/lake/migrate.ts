import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ServiceCommand } from '@offstream/runtime'
import { z } from 'zod'
import { PipelineError, pipelineErrors } from '../errors.ts'
import { assetPath } from '../project/assets.ts'
import { directoriesOf } from '../project/directories.ts'
import type { Project } from '../project/project.ts'
import type { AdditionalLibraries } from '../runtimes/distributions.ts'
import { writeClassJar } from '../services/classJar.ts'
import { localPath } from '../services/hadoopConf.ts'
import { temporaryFlag } from '../services/java.ts'
import {
  catalogAddress,
  catalogSettings,
  checkLake,
  isLakeExternal,
  lakeConf,
  librariesFor,
  warehouseOf,
} from '../services/lakeCatalog.ts'
import { migrationFiles, prepareMigration } from '../services/lakeMigration.ts'
import { isRest } from '../services/restCatalog.ts'
import { conf, sparkSubmit } from '../services/sparkCommand.ts'
import type { Stack } from '../services/stack.ts'
import { refuseRunningStream } from './recover.ts'

const Moved = z.object({
  name: z.string(),
  /** `register`: only the entry of the catalog moved, because both have the same warehouse. */
  by: z.enum(['register', 'copy']),
  rows: z.int(),
  /** Of all rows in any order; the same before and after. */
  checksum: z.string(),
})

const Migrated = z.object({
  tables: z.array(Moved),
  /** The tables that stay: those of other programs. */
  others: z.array(z.string()),
})
/** The tables that were moved to another catalog, and the names of those that were not. */
export type MigratedTables = z.infer<typeof Migrated>

const Step = z.object({ step: z.enum(['register', 'copy', 'compare']), table: z.string() })
/** What is being done with a table. */
export type MigrationStep = z.infer<typeof Step>

/** A line of `spark-jobs/migrate.py`. */
const Line = z.union([Step, Migrated, z.object({ code: z.string(), message: z.string() })])

/** The stack that has the tables, and the one that gets them. */
export interface Migration {
  readonly from: Project
  readonly to: Project
  /** Gets the programs, and the jars of both catalogs. */
  readonly fetchRuntimes: (libraries: readonly AdditionalLibraries[]) => Promise<Pick<Stack, 'runtimes'>>
  readonly onStep?: (step: MigrationStep) => void
  readonly signal?: AbortSignal
}

/** Where tables are. */
export const lakePlace = ({ config, state }: Pick<Project, 'config' | 'state'>) => ({
  catalog: catalogAddress(config, directoriesOf(state)),
  warehouse: warehouseOf(config, directoriesOf(state)),
})

/**
 * Moves the tables of the products of a stack to the catalog and the warehouse of another one, and compares all rows. The
 * program locks both catalogs, except for a REST catalog, so no stream writes them in the meantime.
 * @throws OffstreamError STREAM_RUNNING, MIGRATION_REFUSED, MIGRATION_FAILED, TABLE_IN_USE, and what `checkLake` throws
 */
export const migrateLake = async (migration: Migration): Promise<MigratedTables> => {
  const { from, to, fetchRuntimes, signal } = migration
  for (const { state } of [from, to]) await refuseRunningStream(state)
  if (!isLakeExternal(from.config) && !existsSync(directoriesOf(from.state).catalog))
    throw new PipelineError('MIGRATION_REFUSED', 'The stack has no tables yet')
  if (isRest(from.config))
    throw new PipelineError(
      'MIGRATION_REFUSED',
      'Tables in a REST catalog cannot be moved, because the catalog has no lock that stops their stream',
    )
  for (const { config, state } of [from, to]) await checkLake(config, state, signal)
  const libraries = [from, to].flatMap(({ config }) => librariesFor(config))
  const { runtimes } = await fetchRuntimes([...new Set(libraries)])
  const { lakeMigration } = directoriesOf(from.state)
  await mkdir(lakeMigration, { recursive: true, mode: 0o700 })
  // It contains the secrets of both catalogs, and only this user can read it.
  const folder = await mkdtemp(join(lakeMigration, 'run-'))
  try {
    return await runMigration(await commandOf(migration, runtimes, folder), migration)
  } finally {
    await rm(folder, { recursive: true, force: true })
    // Another one may be running; its program finds out that the tables are locked.
    await rmdir(lakeMigration).catch(() => undefined)
  }
}

const commandOf = async (
  { from, to }: Migration,
  runtimes: Stack['runtimes'],
  folder: string,
): Promise<ServiceCommand> => {
  const { directory: project, state } = from
  const flags = await prepareMigration(from, to, folder)
  const source = catalogSettings(from.config, directoriesOf(state))
  // The new tables may be in a Hadoop cluster that the old ones do not use.
  const hadoopConfDir = to.config.spark.hadoopConfDir ?? from.config.spark.hadoopConfDir
  const config = { ...from.config, spark: { ...from.config.spark, hadoopConfDir } }
  const args = [
    ...['--name', 'offstream-migrate', '--master', `local[${config.thrift.cores}]`],
    ...['--driver-memory', config.thrift.memory],
    ...conf({
      ...lakeConf(to.config, { ...directoriesOf(to.state), ...migrationFiles(folder) }),
      'spark.driver.host': config.host,
      'spark.driver.bindAddress': config.host,
      'spark.ui.enabled': 'false',
      'spark.sql.catalogImplementation': 'in-memory',
      'spark.sql.session.timeZone': 'UTC',
      'spark.sql.warehouse.dir': localPath(config, join(folder, 'spark-warehouse')),
      'spark.log.structuredLogging.enabled': 'false',
    }),
    assetPath(project, 'spark-jobs', 'migrate.py'),
    ...['--source', JSON.stringify(source)],
  ]
  const stack = { project, state, config, runtimes, archives: null }
  const additionalJars = isRest(to.config) ? [join(folder, 'login.jar')] : []
  for (const jar of additionalJars) await writeClassJar(stack, 'CatalogLogin', jar)
  // Without a running stack, its own folder for temporary files does not exist.
  const command = sparkSubmit(stack, 'thrift', args, {
    catalogFlags: [...flags, temporaryFlag({ temporary: folder })],
    additionalJars,
  })
  return { ...command, env: { ...command.env, TMPDIR: folder, SPARK_LOCAL_DIRS: folder }, cwd: folder }
}

const runMigration = async (
  { file, args, env, cwd }: ServiceCommand,
  { onStep, signal }: Migration,
): Promise<MigratedTables> => {
  const { execa } = await import('execa')
  const program = execa(file, [...args], {
    ...{ env, cwd, extendEnv: false, reject: false, stdin: 'ignore', buffer: { stdout: false } },
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  })
  let migrated: MigratedTables | null = null
  let failure: PipelineError | null = null
  // Spark writes both outputs of a Python program to the standard output of its own process.
  const log: string[] = []
  for await (const text of createInterface({ input: program.stdout })) {
    const line = Line.safeParse(parsed(text)).data
    if (line === undefined) log.push(text)
    else if ('step' in line) onStep?.(line)
    else if ('tables' in line) migrated = line
    else failure = failed(line)
  }
  const { exitCode, stderr } = await program
  signal?.throwIfAborted()
  if (failure !== null) throw failure
  if (exitCode === 0 && migrated !== null) return migrated
  const lines = [...stderr.trim().split('\n'), ...log]
  throw new PipelineError('MIGRATION_FAILED', `The tables could not be moved: ${lines.at(-1)}`, {
    lastLogLines: lines.slice(-20),
  })
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

const isKnown = (code: string): code is keyof typeof pipelineErrors => Object.hasOwn(pipelineErrors, code)

const failed = ({ code, message }: { readonly code: string; readonly message: string }): PipelineError =>
  new PipelineError(
    isKnown(code) ? code : 'MIGRATION_FAILED',
    message.replace(/^./, letter => letter.toUpperCase()),
  )
