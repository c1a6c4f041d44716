import { pbkdf2Sync, randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { OffstreamError } from '@offstream/runtime'
import { configuredPassword, configuredTls, readCertificates, type Tls } from '../credentials.ts'
import { PipelineError } from '../errors.ts'
import { assetPath } from '../project/assets.ts'
import type { Config } from '../project/config.ts'
import { directoriesOf, projectFolder } from '../project/directories.ts'
import { savedPassword, savePassword } from '../project/savedPassword.ts'
import type { Environment } from '../runtimes/environment.ts'
import { countProducts, query, type ThriftAddress } from '../table.ts'
import { localPath } from './hadoopConf.ts'
import { isLakeExternal, lakeConf, prepareLake } from './lakeCatalog.ts'
import { propertiesText, writePrivateFile } from './properties.ts'
import { writeLoginJar } from './restCatalog.ts'
import { conf, sparkSubmit } from './sparkCommand.ts'
import { driverConf } from './sparkConf.ts'
import type { ServiceParts, Stack } from './stack.ts'
import { verifyCertificate } from './verifyCertificate.ts'

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
      await writeLoginJar(stack)
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

/** Whether SQL runs on an existing Thrift server instead of one that is started here. */
export const isThriftExternal = ({ thrift }: Pick<Config, 'thrift'>): boolean => thrift.host !== null

/** The host of the Thrift server. */
export const thriftHost = ({ host, thrift }: Pick<Config, 'host' | 'thrift'>): string => thrift.host ?? host

/**
 * How clients verify the certificate of the Thrift server, with the authority as an absolute path; null: it does not use TLS.
 * @param state the state folder of the stack
 */
export const thriftTls = ({ thrift }: Config, state: string): Pick<Tls, 'caFile'> | null => {
  // The certificate in the settings is that of the server.
  const own = configuredTls(thrift.tls, projectFolder(state))
  return own && { caFile: own.caFile }
}

/**
 * How clients connect to the Thrift server.
 * @param state the state folder of the stack
 * @throws OffstreamError SECRET_MISSING, FILE_MISSING
 */
export const thriftOf = async (
  config: Config,
  state: string,
  environment: Environment = process.env,
): Promise<ThriftAddress> => {
  const { port, auth } = config.thrift
  const directory = projectFolder(state)
  const saved = () => savedPassword(directoriesOf(state).thriftSecret)
  return {
    ...{ host: thriftHost(config), port, isExternal: isThriftExternal(config) },
    tls: thriftTls(config, state),
    login:
      auth.username === null
        ? null
        : {
            username: auth.username,
            password: configuredPassword('thrift.auth', auth, {
              ...{ directory, environment, savedPassword: await saved() },
            }),
          },
  }
}

/**
 * Saves the password of the Thrift server for its clients. For a server that is started here, also checks the certificate
 * and writes the files that `thriftProtection` names.
 * @throws OffstreamError SECRET_MISSING, FILE_MISSING, CERTIFICATE_REJECTED
 */
export const saveThriftSecrets = async (
  config: Config,
  state: string,
  environment: Environment = process.env,
): Promise<void> => {
  const { thriftSecret, thriftLogin, thriftKey } = directoriesOf(state)
  const tls = isThriftExternal(config) ? null : configuredTls(config.thrift.tls, projectFolder(state))
  if (tls !== null) {
    const certificates = readCertificates(tls)
    await verifyCertificate(config.host, certificates)
    await writePrivateFile(thriftKey, `${certificates.key}\n${certificates.cert}`)
  }
  const find = async () => (await thriftOf(config, state, environment)).login?.password ?? null
  await savePassword(thriftSecret, config.thrift.auth, environment, find)
  const { login } = await thriftOf(config, state, environment)
  // The server reads this file at each login.
  if (login != null && !isThriftExternal(config))
    await writePrivateFile(thriftLogin, propertiesText(hashed(login)))
}

/** Deletes what `saveThriftSecrets` and the Thrift server wrote. */
export const forgetThriftSecrets = async (state: string): Promise<void> => {
  const { thriftSecret, thriftLogin, thriftKey, thriftClasses } = directoriesOf(state)
  for (const path of [thriftSecret, thriftLogin, thriftKey, thriftClasses])
    await rm(path, { recursive: true, force: true })
}

/** What the Thrift server that is started here must know: as properties of Spark and as arguments of its program. */
const thriftProtection = (
  config: Config,
  state: string,
): {
  readonly properties: Readonly<Record<string, string>>
  readonly args: readonly string[]
  /** Folders for the class path. */
  readonly classFolders: readonly string[]
} => {
  const { thriftLogin, thriftKey, thriftClasses } = directoriesOf(state)
  const { tls, auth } = config.thrift
  const classFolders = auth.username !== null || isLakeExternal(config) ? [thriftClasses] : []
  return {
    properties: {
      // Otherwise each query would open a connection to the catalog, which Java closes much later.
      ...(isLakeExternal(config) ? { 'spark.sql.catalog.lake': 'offstream.SharedCatalog' } : {}),
      ...(auth.username === null ? {} : { 'spark.hadoop.hive.server2.authentication': 'CUSTOM' }),
      ...(tls.enabled ? { 'spark.hadoop.hive.server2.use.SSL': 'true' } : {}),
    },
    args: [
      ...(auth.username === null ? [] : ['--login', thriftLogin]),
      ...classFolders.flatMap(folder => ['--classes', folder]),
      ...(tls.enabled ? ['--key', thriftKey] : []),
    ],
    classFolders,
  }
}

/** Recommended for PBKDF2 with SHA-256 (OWASP, 2023). */
const iterations = 600_000

const hashed = ({ username, password }: NonNullable<ThriftAddress['login']>): Record<string, string> => {
  const salt = randomBytes(16)
  return {
    ...{ user: username, iterations: String(iterations), salt: salt.toString('base64') },
    hash: pbkdf2Sync(password, salt, iterations, 32, 'sha256').toString('base64'),
  }
}

/**
 * Resolves if the existing Thrift server responds. Its views can only be created when the job has created the tables.
 * @throws OffstreamError as `query` does, SECRET_MISSING, FILE_MISSING
 */
export const connectThrift = async (config: Config, state: string, signal?: AbortSignal): Promise<void> =>
  void (await query(await thriftOf(config, state), 'SELECT 1', { signal }))

/**
 * Resolves if the existing Thrift server responds and has the views.
 * @throws OffstreamError as `query` does, SECRET_MISSING, FILE_MISSING
 */
export const checkThrift = async (config: Config, state: string, signal?: AbortSignal): Promise<void> => {
  const address = await thriftOf(config, state)
  await countProducts(address, signal).catch(error => {
    signal?.throwIfAborted()
    throw isMissingTable(error) ? notServed(address, error) : error
  })
}

const isMissingTable = (error: unknown): boolean =>
  error instanceof OffstreamError &&
  (error.code === 'TABLE_MISSING' ||
    (error.code === 'SQL_FAILED' && /TABLE_OR_VIEW_NOT_FOUND/.test(error.message)))

const notServed = ({ host, port }: ThriftAddress, cause: unknown): OffstreamError =>
  new PipelineError(
    'TABLE_MISSING',
    `The Thrift server at \`${host}:${port}\` does not have the view Products`,
    {
      hint: 'configure the catalog `lake` of this stack there, and run the statements of `config/views.sql`',
      cause,
    },
  )
