import { mkdir, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { readState, writeState } from '@offstream/runtime'
import { z } from 'zod'
import { configuredPassword } from '../credentials.ts'
import type { Config } from '../project/config.ts'
import { type Directories, directoriesOf, projectFolder } from '../project/directories.ts'
import type { AdditionalLibraries } from '../runtimes/distributions.ts'
import type { Environment } from '../runtimes/environment.ts'
import {
  checkStore,
  isCheckpointInStore,
  isInStore,
  keysInEnvironment,
  keysInFile,
  keysText,
  StoreKeys,
  storeFlags,
  storeProperties,
} from './lakeStore.ts'
import { checkDatabase, type Database } from './postgresql.ts'
import { writePrivateFile } from './properties.ts'
import {
  checkRestCatalog,
  isRest,
  type RestCatalog,
  restCatalogOf,
  restSettings,
  secretOf,
} from './restCatalog.ts'

type LakeConfig = Pick<Config, 'lake'>
type StoreConfig = Pick<Config, 'lake' | 'stream'>

/** Whether the catalog of the tables is a server that runs elsewhere, instead of a file of the stack. */
export const isLakeExternal = ({ lake }: LakeConfig): boolean => lake.catalog.uri !== null

/** Whether that server is a database of PostgreSQL. */
const isInDatabase = (config: LakeConfig): boolean => isLakeExternal(config) && !isRest(config)

/** The jars for the catalog, the tables and the checkpoint that are not among the connectors. */
export const librariesFor = (config: StoreConfig): readonly AdditionalLibraries[] => [
  ...(isInDatabase(config) ? (['postgresql'] as const) : []),
  ...(isInStore(config) ? (['icebergAws'] as const) : []),
  ...(isCheckpointInStore(config) ? (['hadoopAws'] as const) : []),
]

/** The place of the tables: an absolute path, or an address in an object store or in HDFS. */
export const warehouseOf = ({ lake }: LakeConfig, { warehouse }: Directories): string =>
  lake.warehouse?.replace(/^file:\/\//, '').replace(/\/$/, '') ?? warehouse

/** The folder of the tables; null if they are in an object store or in HDFS. */
export const warehouseFolder = (config: LakeConfig, directories: Directories): string | null => {
  const warehouse = warehouseOf(config, directories)
  return warehouse.startsWith('/') ? warehouse : null
}

/** Where clients of the catalog connect to: its address, or the SQLite file. */
export const catalogAddress = ({ lake }: LakeConfig, { catalog }: Directories): string =>
  lake.catalog.uri ?? catalog

/** The settings of Spark for the catalog `lake`, which says which files of the warehouse are the current tables. */
export const lakeConf = (config: LakeConfig, directories: Directories): Record<string, string> => ({
  'spark.sql.extensions': 'org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions',
  'spark.sql.catalog.lake': 'org.apache.iceberg.spark.SparkCatalog',
  ...Object.fromEntries(
    Object.entries(catalogSettings(config, directories)).map(([name, value]) => [
      `spark.sql.catalog.lake.${name}`,
      value,
    ]),
  ),
  // Hadoop's default runs the command `chmod` for each new file: dozens of processes a batch.
  'spark.hadoop.fs.file.impl': 'com.globalmentor.apache.hadoop.fs.BareLocalFileSystem',
})

/** Iceberg's settings of the catalog. */
export const catalogSettings = (config: LakeConfig, directories: Directories): Record<string, string> => {
  const folder = warehouseFolder(config, directories)
  const rest = restCatalogOf(config, directories.state, null)
  return {
    warehouse: folder === null ? warehouseOf(config, directories) : `file:${folder}`,
    ...(rest === null
      ? {
          type: 'jdbc',
          ...(isLakeExternal(config) ? databaseSettings(config, directories) : fileSettings(directories)),
          'jdbc.schema-version': 'V1',
        }
      : restSettings(rest, directories)),
    ...(isInStore(config) ? storeProperties(config) : {}),
    // A cached table would miss the commits of the other process.
    'cache-enabled': 'false',
  }
}

const fileSettings = ({ catalog }: Directories): Record<string, string> => ({
  // Two processes use this file, stream and Thrift server: with a write-ahead log, and waiting for each other's locks.
  uri: `jdbc:sqlite:${catalog}?journal_mode=WAL&busy_timeout=30000`,
})

const databaseSettings = ({ lake }: LakeConfig, { state }: Directories): Record<string, string> => ({
  uri: `jdbc:${lake.catalog.uri}`,
  'jdbc.user': lake.catalog.user ?? '',
  'jdbc.ApplicationName': 'offstream',
  // By default the driver waits without a limit for a server that accepts the connection and never responds.
  'jdbc.loginTimeout': '30',
  ...(lake.catalog.tls.enabled
    ? {
        'jdbc.sslmode': 'verify-full',
        ...(lake.catalog.tls.caFile === null
          ? { 'jdbc.sslfactory': 'org.postgresql.ssl.DefaultJavaSSLFactory' }
          : { 'jdbc.sslrootcert': resolve(projectFolder(state), lake.catalog.tls.caFile) }),
      }
    : {}),
})

/**
 * Java options of the programs that open the catalog. PostgreSQL's driver reads the password from this file itself, so it is
 * not among the settings of Spark, which SQL clients and Spark's pages show.
 */
export const lakeFlags = (
  config: LakeConfig,
  { lakePasswords, lakeKeys }: Pick<Directories, 'lakePasswords' | 'lakeKeys'>,
): readonly string[] => [
  ...(isInDatabase(config) ? [`-Dorg.postgresql.pgpassfile=${lakePasswords}`] : []),
  ...storeFlags(config, lakeKeys),
]

/** The secrets of the environment, for the daemon and the services. They do not get the user's environment. */
const Secrets = z.object({ password: z.string().nullable(), keys: StoreKeys.nullable() })

const readSecrets = async (state: string): Promise<z.infer<typeof Secrets>> =>
  (await readState(directoriesOf(state).lakeSecret, Secrets)) ?? { password: null, keys: null }

/**
 * The database of the catalog, with its password; null if the catalog is a file or a REST catalog.
 * @throws OffstreamError SECRET_MISSING, FILE_MISSING
 */
export const databaseOf = async (
  { lake }: LakeConfig,
  state: string,
  environment: Environment = process.env,
): Promise<Database | null> => {
  const { uri, user, tls, ...secret } = lake.catalog
  if (uri === null || user === null || isRest({ lake })) return null
  const { password: savedPassword } = await readSecrets(state)
  const places = { directory: projectFolder(state), environment, savedPassword }
  const caFile = tls.caFile === null ? null : resolve(places.directory, tls.caFile)
  return {
    ...{ uri, user, password: configuredPassword('lake.catalog', secret, places) },
    tls: tls.enabled ? { caFile } : null,
  }
}

/**
 * The REST catalog, with its password or token if there is one; null if the catalog is another one.
 * @throws OffstreamError SECRET_MISSING, FILE_MISSING
 */
export const restOf = async (
  config: LakeConfig,
  state: string,
  environment: Environment = process.env,
): Promise<RestCatalog | null> => {
  if (!isRest(config)) return null
  const { catalog } = config.lake
  const { password: savedPassword } = await readSecrets(state)
  const isAnonymous =
    catalog.user === null &&
    catalog.passwordFile === null &&
    !savedPassword &&
    !environment[catalog.passwordVariable]
  const places = { directory: projectFolder(state), environment, savedPassword }
  const password = isAnonymous ? null : configuredPassword('lake.catalog', catalog, places)
  return restCatalogOf(config, state, password)
}

/**
 * The keys of the object store of the tables; null if the tables are in a folder, or the machine has a role for the store.
 * @throws OffstreamError FILE_MISSING
 */
export const keysOf = async (
  config: LakeConfig,
  state: string,
  environment: Environment = process.env,
): Promise<StoreKeys | null> =>
  isInStore(config)
    ? (keysInEnvironment(environment) ??
      (await readSecrets(state)).keys ??
      keysInFile(config, projectFolder(state)))
    : null

/** The values of the secrets, to be removed from reports. A secret that cannot be found is not in a report either. */
export const lakeSecrets = async (
  config: LakeConfig,
  state: string,
  environment: Environment,
): Promise<readonly string[]> => {
  const database = await databaseOf(config, state, environment).catch(() => null)
  const rest = await restOf(config, state, environment).catch(() => null)
  const keys = await keysOf(config, state, environment).catch(() => null)
  return [
    database?.password,
    rest?.password,
    keys?.secretAccessKey,
    keys?.sessionToken,
    keys?.accessKeyId,
  ].filter(secret => typeof secret === 'string')
}

/**
 * Saves the secrets that are in the environment, in a file that only this user can read. What an earlier command saved
 * stays, unless the settings name a file.
 * @throws OffstreamError SECRET_MISSING, FILE_MISSING
 */
export const saveLakeSecrets = async (
  config: LakeConfig,
  state: string,
  environment: Environment = process.env,
): Promise<void> => {
  const { lakeSecret } = directoriesOf(state)
  const { catalog, s3 } = config.lake
  const saved = await readSecrets(state)
  const password =
    environment[catalog.passwordVariable] || (catalog.passwordFile === null ? saved.password : null)
  const keys = keysInEnvironment(environment) ?? (s3.credentialsFile === null ? saved.keys : null)
  const secrets = {
    password: isLakeExternal(config) ? password : null,
    keys: isInStore(config) ? keys : null,
  } satisfies z.infer<typeof Secrets>
  if (secrets.password === null && secrets.keys === null) await rm(lakeSecret, { force: true })
  else await writeState(lakeSecret, secrets)
  await databaseOf(config, state, environment)
  await restOf(config, state, environment)
}

/** Deletes what `saveLakeSecrets`, `prepareLake` and a killed `prepareMigration` wrote, except the folder of the tables. */
export const forgetLakeSecrets = async (state: string): Promise<void> => {
  const { lakeSecret, lakePasswords, lakeToken, lakeKeys, lakeMigration } = directoriesOf(state)
  for (const path of [lakeSecret, lakePasswords, lakeToken, lakeKeys, lakeMigration])
    await rm(path, { recursive: true, force: true })
}

/** Creates the folder of the tables, and writes the secrets for PostgreSQL's driver, the REST client and the AWS SDK. */
export const prepareLake = async (
  config: LakeConfig,
  state: string,
  environment: Environment = process.env,
): Promise<void> => {
  const directories = directoriesOf(state)
  const folder = warehouseFolder(config, directories)
  if (folder !== null) await mkdir(folder, { recursive: true })
  const { lakePasswords, lakeToken, lakeKeys } = directories
  const database = await databaseOf(config, state, environment)
  await writeSecret(lakePasswords, database && `*:*:*:*:${passwordField(database.password)}\n`)
  const rest = await restOf(config, state, environment)
  await writeSecret(lakeToken, rest && secretOf(rest))
  const keys = await keysOf(config, state, environment)
  await writeSecret(lakeKeys, keys && keysText(keys))
}

/** Replaces a file that only this user can read; a null text deletes it. */
export const writeSecret = (file: string, text: string | null): Promise<void> =>
  text === null ? rm(file, { force: true }) : writePrivateFile(file, text)

/** @see https://www.postgresql.org/docs/current/libpq-pgpass.html */
export const passwordField = (password: string): string => password.replace(/[\\:]/g, '\\$&')

/**
 * Resolves if the catalog is a file, or its server and the object store of the tables and the checkpoint accept the user.
 * @throws OffstreamError CATALOG_UNREACHABLE, WAREHOUSE_UNREACHABLE, AUTHENTICATION_FAILED, ACCESS_DENIED,
 *   CERTIFICATE_REJECTED, SECRET_MISSING, FILE_MISSING
 */
export const checkLake = async (config: StoreConfig, state: string, signal?: AbortSignal): Promise<void> => {
  const database = await databaseOf(config, state)
  if (database !== null) await checkDatabase(database, signal)
  const rest = await restOf(config, state)
  if (rest !== null) await checkRestCatalog(rest, signal)
  if (isInStore(config)) await checkStore(config, await keysOf(config, state), signal)
}
