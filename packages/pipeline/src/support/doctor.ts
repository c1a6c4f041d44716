import { access, constants, stat, statfs } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { dirname } from 'node:path'
import { fileErrorOf, messageOf, OffstreamError, portHolder, withDeadline } from '@offstream/runtime'
import { RuntimeError } from '@offstream/runtime/errors'
import type { ServiceName } from '../names.ts'
import type { Config } from '../project/config.ts'
import { type Directories, directoriesOf } from '../project/directories.ts'
import { numberAt } from '../project/paths.ts'
import { type Environment, ignoredVariables, programEnvironment } from '../runtimes/environment.ts'
import { findJava, findPython, newestJava, type Tool } from '../runtimes/toolchain.ts'
import { catalogAddress, checkLake, isLakeExternal, warehouseFolder } from '../services/lakeCatalog.ts'
import { isCheckpointInStore } from '../services/lakeStore.ts'
import { addressOf, checkExternal, externalServices, listeningPorts } from '../services/table.ts'
import { findChromium } from '../sources/web/chromium.ts'
import { fileSystemOf, supportsCatalog } from './fileSystem.ts'
import type { Finding } from './finding.ts'
import { hdfsFindings } from './hdfsFindings.ts'
import { kafkaFindings } from './kafkaFindings.ts'
import { secretValues } from './redaction.ts'
import { sparkFindings } from './sparkFindings.ts'
import { thriftFindings } from './thriftFindings.ts'

/** What to check. */
export interface DoctorOptions {
  readonly config: Config
  readonly environment: Environment
  /** The folder of the project. */
  readonly directory: string
  /** The state folder of the stack. */
  readonly state: string
  /** The pids of the stack: their ports are ok. Empty if they cannot be read; a finding shows why. */
  readonly ours: Promise<ReadonlySet<number>>
}

const minNode: readonly [number, number] = [20, 19]
/** The heaps of all services with the default configuration, and the same again for memory outside of the heaps. */
const memoryBytes = 6e9
/** Spark, Kafka and the connectors, and some space for the table. */
const diskBytes = 3e9
const externalTimeoutMs = 15_000
/** With less, services can hardly write their logs. */
const minDiskBytes = 100e6

/** Checks everything that a start needs. */
export const examine = async (options: DoctorOptions): Promise<Finding[]> => {
  const { config, environment, directory, state } = options
  const ours = await options.ours.catch(() => new Set<number>())
  const found = await Promise.all([
    node(),
    tool('Java', () => java(environment)),
    tool('Python', async () => ({ found: shown(await findPython(environment)) })),
    tool('Python venv', () => venv(environment)),
    shell(environment),
    chromium(config),
    memory(),
    disk(directory),
    folder(directory, config, directoriesOf(state)),
    ...(isLakeExternal(config) ? [catalog(config, state)] : [fileSystem(directoriesOf(state).warehouse)]),
    ...externalServices(config).map(name => external(name, config, state)),
    ...(externalServices(config).includes('kafka')
      ? [kafkaFindings(config, state, AbortSignal.timeout(externalTimeoutMs))]
      : []),
    ...(externalServices(config).includes('spark-master')
      ? [sparkFindings(config, state, AbortSignal.timeout(externalTimeoutMs))]
      : []),
    hdfsFindings(config),
    thriftFindings({ config, state, environment }, AbortSignal.timeout(externalTimeoutMs)),
    ...listeningPorts(config).map(path => portFinding(path, numberAt(config, path), config.host, ours)),
  ])
  return found.flat()
}

const ok = (name: string, found: string): Finding => ({ name, verdict: 'ok', found, hint: null })

const node = async (): Promise<Finding> => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const isRecent = major > minNode[0] || (major === minNode[0] && minor >= minNode[1])
  return isRecent
    ? ok('Node', process.versions.node)
    : {
        name: 'Node',
        verdict: 'problem',
        found: process.versions.node,
        hint: `install Node ${minNode.join('.')} or newer`,
      }
}

/** A check that returns a hint with a warning, and throws an OffstreamError with its hint for a problem. */
const tool = async (
  name: string,
  check: () => Promise<{ readonly found: string; readonly hint?: string | null }>,
): Promise<Finding> => {
  try {
    const { found, hint = null } = await check()
    return { name, verdict: hint === null ? 'ok' : 'warning', found, hint }
  } catch (error) {
    const hint = error instanceof OffstreamError ? error.hint : null
    return { name, verdict: 'problem', found: messageOf(error), hint }
  }
}

const shown = ({ path, version }: Tool): string => `${version} (\`${path}\`)`

const java = async (environment: Environment): Promise<{ found: string; hint: string | null }> => {
  const java = await findJava(environment)
  if (java.ignored !== undefined)
    return {
      found: `${shown(java)}; ${java.ignored}`,
      hint: 'set JAVA_HOME to Java 17 or 21, or unset it',
    }
  const isTooNew = Number.parseInt(java.version, 10) > newestJava
  return {
    found: shown(java),
    hint: isTooNew ? 'install Java 17 or 21, which Spark supports, or set JAVA_HOME' : null,
  }
}

const venv = async (environment: Environment): Promise<{ readonly found: string }> => {
  const python = await findPython(environment)
  const { execa } = await import('execa')
  const { failed } = await execa(python.path, ['-I', '-c', 'import venv, ensurepip'], {
    ...{ env: programEnvironment(environment), extendEnv: false, reject: false, stdin: 'ignore' },
  })
  if (!failed) return { found: 'available' }
  throw new RuntimeError('PYTHON_VENV_MISSING', `\`${python.path}\` cannot create virtual environments`, {
    hint: 'install the venv module of your Python (Debian, Ubuntu: `sudo apt-get install python3-venv`)',
  })
}

/** Variables for Java, Spark and other programs. Services ignore them, which is not a problem. */
const shell = async (environment: Environment): Promise<Finding> => {
  const ignored = ignoredVariables(environment).map(([name, value]) =>
    isShown(name, value) ? `\`${name}=${value}\`` : `\`${name}\``,
  )
  return ok(
    'Shell',
    ignored.length === 0 ? 'no variables that services ignore' : `services ignore ${ignored.join(', ')}`,
  )
}

/** Options of programs (`-Dx.password=y`) and addresses (`user:password@host`) may contain secrets under any name. */
const isShown = (name: string, value: string): boolean =>
  !/[=@]/.test(value) && secretValues([[name, value]]).length === 0

/** Whether an external service responds, accepts the certificates and the user, and is as the stack requires. */
const external = (name: ServiceName, config: Config, state: string): Promise<Finding> =>
  tool(`External ${name}`, async () => {
    const check = (signal: AbortSignal) => checkExternal(name, config, state, signal)
    const wait = { what: 'a response', timeoutMs: externalTimeoutMs }
    const missing = await withDeadline(check, wait).then(() => null, notYetThere)
    const address = `\`${addressOf(name, config)}\``
    return missing === null
      ? { found: `${address} responds` }
      : { found: missing.message, hint: missing.hint }
  })

/** The catalog of the tables in a database that runs elsewhere. */
const catalog = (config: Config, state: string): Promise<Finding> =>
  tool('External catalog', async () => {
    await checkLake(config, state, AbortSignal.timeout(externalTimeoutMs))
    const directories = directoriesOf(state)
    const [database, { warehouse }] = [catalogAddress(config, directories), config.lake]
    if (warehouse?.startsWith('hdfs:'))
      return { found: `\`${database}\` responds, and gives the permissions` }
    const tables = warehouseFolder(config, directories) ?? warehouse
    const checkpoint = isCheckpointInStore(config) ? ` and \`${config.stream.checkpoint}\`` : ''
    return {
      found: `\`${database}\`${checkpoint === '' ? ' and' : ','} \`${tables}\`${checkpoint} respond, and give the permissions`,
    }
  })

/** `up` creates a topic that is missing, and the job tables. */
const notYetThere = (error: unknown): OffstreamError => {
  const isExpected =
    error instanceof OffstreamError && ['TOPIC_DELETED', 'TABLE_MISSING'].includes(error.code)
  if (isExpected) return error
  throw error
}

const chromium = async ({ browser }: Config): Promise<Finding> => {
  const path = await findChromium(
    browser.executablePath === null ? {} : { configuredPath: browser.executablePath },
  ).catch(() => null)
  return path === null
    ? {
        name: 'Chromium',
        verdict: 'warning',
        found: 'not found',
        hint: '`offstream demo` and `offstream scrape` install it; or install Chrome or Chromium yourself',
      }
    : ok('Chromium', `\`${path}\``)
}

/**
 * The memory that processes can use. In a container it is the limit of the container, not that of the machine.
 * @param limit bytes; 0, undefined or more than the machine has if the memory is not limited
 */
export const memory = (
  total = totalmem(),
  limit: number | undefined = process.constrainedMemory(),
): Finding => {
  const isLimited = limit !== undefined && limit > 0 && limit < total
  const available = isLimited ? limit : total
  const found = `${(available / 1e9).toFixed(1)} GB${isLimited ? `, the limit of this container; the machine has ${(total / 1e9).toFixed(1)} GB` : ''}`
  return available >= memoryBytes
    ? ok('Memory', found)
    : {
        name: 'Memory',
        verdict: 'warning',
        found,
        hint: isLimited
          ? 'raise the limit of the container, or lower the `memory` settings in `offstream.yaml`'
          : 'lower the `memory` settings in `offstream.yaml`, or use a larger machine',
      }
}

const fileSystem = async (warehouse: string): Promise<Finding> => {
  const folder = await nearestExisting(warehouse)
  const system = await fileSystemOf(folder)
  if (system === null) return ok('File system', `unknown, for \`${folder}\``)
  const found = `${system.type}, mounted at \`${system.mountPoint}\``
  return supportsCatalog(system)
    ? ok('File system', found)
    : {
        name: 'File system',
        verdict: 'warning',
        found,
        hint: 'move the project to a local disk: the catalog of the table, a SQLite file with a write-ahead log, may fail there',
      }
}

const disk = async (directory: string): Promise<Finding> => {
  const { bavail, bsize } = await statfs(directory)
  const found = `${((bavail * bsize) / 1e9).toFixed(1)} GB free under \`${directory}\``
  return bavail * bsize >= diskBytes
    ? ok('Disk', found)
    : {
        name: 'Disk',
        verdict: bavail * bsize < minDiskBytes ? 'problem' : 'warning',
        found,
        hint: 'free some space: the runtimes need 1.2 GB, and the data grows with the number of products',
      }
}

/** Whether the folders that a start writes to are writable. Nothing is written. */
const folder = async (project: string, config: Config, directories: Directories): Promise<Finding> => {
  const { run, logs, kafkaData } = directories
  for (const place of [run, logs, warehouseFolder(config, directories) ?? run, kafkaData]) {
    const existing = await nearestExisting(place)
    const error = await access(existing, constants.W_OK).then(() => null, fileErrorOf)
    if (error !== null) return { name: 'Folder', verdict: 'problem', found: error.message, hint: error.hint }
  }
  return ok('Folder', `\`${project}\` is writable`)
}

/** The path itself, or the nearest folder above it that exists. */
const nearestExisting = async (path: string): Promise<string> =>
  (await stat(path).catch(() => null)) === null ? nearestExisting(dirname(path)) : path

const portFinding = async (
  setting: string,
  port: number,
  host: string,
  ours: ReadonlySet<number>,
): Promise<Finding> => {
  const name = `Port ${port}`
  const holder = await portHolder(port, host)
  if (holder === null) return ok(name, `free (${setting})`)
  if (ours.has(holder.pid)) return ok(name, `used by this stack, pid ${holder.pid} (${setting})`)
  const who = holder.pid === 0 ? holder.name : `\`${holder.name}\`, pid ${holder.pid}`
  return {
    name,
    verdict: 'problem',
    found: `taken by ${who}`,
    hint: `stop that program, or choose another port with \`--set ${setting}=…\``,
  }
}
