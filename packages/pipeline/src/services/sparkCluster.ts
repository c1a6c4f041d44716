import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../project/config.ts'
import { directoriesOf, folderOfNumber } from '../project/directories.ts'
import { numberAt } from '../project/paths.ts'
import { entryOf, nameOf } from '../project/sparkSettings.ts'
import { checkKubernetes, isKubernetes, kubernetesConf } from './kubernetes.ts'
import { propertiesText, writePrivateFile } from './properties.ts'
import { activeMaster, checkStandalone } from './standalone.ts'
import { checkYarn } from './yarn.ts'

/** The numbers of the Spark workers that can be started here. */
export const workerIds = [1, 2, 3] as const
/** The number of a Spark worker that is started here. */
export type WorkerId = (typeof workerIds)[number]

/** The name of the service. */
export const workerName = (id: WorkerId) =>
  (({ 1: 'spark-worker', 2: 'spark-worker-2', 3: 'spark-worker-3' }) as const)[id]

/** The setting with the port of a worker's web UI. */
export const workerPortSetting = (id: WorkerId): string =>
  ({
    1: 'spark.worker.webPort',
    2: 'spark.worker.secondWebPort',
    3: 'spark.worker.thirdWebPort',
  })[id]

/** The port of a worker's web UI. */
export const workerPort = (config: Config, id: WorkerId): number => numberAt(config, workerPortSetting(id))

/** The address of a worker's web UI. */
export const workerPage = (config: Config, id: WorkerId): string =>
  `http://${config.host}:${workerPort(config, id)}`

/** The workers that are started here. */
export const ownWorkers = ({ spark }: Pick<Config, 'spark'>): readonly WorkerId[] =>
  workerIds.slice(0, spark.workers)

/** The folder in which a worker starts its executors. @param state the state folder of the stack */
export const workFolder = (state: string, id: WorkerId): string =>
  folderOfNumber(directoriesOf(state).sparkWork, id)

/** Whether an existing cluster runs the job, instead of a master and workers that are started here. */
export const isSparkExternal = ({ spark }: Pick<Config, 'spark'>): boolean => spark.master !== null

/** Whether that cluster is YARN. */
export const isYarn = ({ spark }: Pick<Config, 'spark'>): boolean => spark.master === 'yarn'

/** Whether YARN also runs the driver of the job of the products, instead of this machine. */
export const isDriverInCluster = ({ stream }: Pick<Config, 'stream'>): boolean =>
  stream.deployMode === 'cluster'

/** Whether a program requests a number of executors; a master of Spark starts as many as a number of cores makes possible. */
export const requestsExecutors = (config: Pick<Config, 'spark'>): boolean =>
  isYarn(config) || isKubernetes(config)

/** The master of the cluster that runs the job, in the form that Spark's programs use. */
export const masterOf = ({ host, spark }: Config): string => spark.master ?? `spark://${host}:${spark.port}`

/** The address of this machine to which executors connect. */
export const driverHostOf = ({ host, spark }: Config): string => spark.driverHost ?? host

/** How many executors the job of the products has, and their size. */
export const streamSizeConf = (config: Config): Record<string, string> => {
  const { stream, spark } = config
  const { executors, executorCores: cores, executorMemory: memory } = stream
  // The other cores of the workers here are for jobs of the user. An existing cluster has its own rules.
  const own = spark.master === null ? spark.workers * spark.worker.cores : null
  // A master divides these by the cores of an executor.
  const max = executors !== null && cores !== null ? executors * cores : own
  return {
    'spark.executor.memory': memory,
    ...(cores === null ? {} : { 'spark.executor.cores': String(cores) }),
    ...(max === null || requestsExecutors(config) ? {} : { 'spark.cores.max': String(max) }),
    ...(executors !== null && requestsExecutors(config)
      ? { 'spark.executor.instances': String(executors) }
      : {}),
  }
}

/** What only YARN needs; empty for another cluster. What `spark.conf` sets stays as it is. */
export const yarnConf = ({ spark }: Pick<Config, 'spark'>): Record<string, string> => {
  if (spark.master !== 'yarn') return {}
  const own = new Set(spark.conf.map(nameOf))
  const defaults = Object.entries(longRunning).filter(([name]) => !own.has(name))
  return {
    ...(spark.queue === null ? {} : { 'spark.yarn.queue': spark.queue }),
    ...Object.fromEntries(defaults),
  }
}

// A stream runs for months. By default YARN and Spark count all failures since its start, and stop it after a few.
const longRunning: Readonly<Record<string, string>> = {
  'spark.yarn.am.attemptFailuresValidityInterval': '1h',
  'spark.executor.failuresValidityInterval': '1h',
}

/** What only one kind of existing cluster needs. @param state the state folder of the stack */
export const clusterConf = (config: Pick<Config, 'spark'>, state: string): Record<string, string> => ({
  ...yarnConf(config),
  ...kubernetesConf(config, state),
})

/** The Python of the executors. Executors of the job run none; those of other programs need one with the version of this one. */
export const pythonConf = ({ spark }: Config, python: string): Record<string, string> => ({
  'spark.pyspark.driver.python': python,
  ...(spark.conf.some(setting => nameOf(setting) === 'spark.pyspark.python')
    ? {}
    : { 'spark.pyspark.python': spark.master === null ? python : 'python3' }),
})

/** The file with `spark.conf`, as options of spark-submit. */
export const ownConfOptions = (config: Config, state: string): readonly string[] =>
  config.spark.conf.length === 0 ? [] : ['--properties-file', directoriesOf(state).sparkConf]

/** Writes `spark.conf` into a file that only this user can read, so that no secret is among the arguments of a process. */
export const writeOwnConf = async ({ spark }: Config, state: string): Promise<void> => {
  const { sparkConf } = directoriesOf(state)
  if (spark.conf.length === 0) await rm(sparkConf, { force: true })
  else await writePrivateFile(sparkConf, propertiesText(Object.fromEntries(spark.conf.map(entryOf))))
}

/** The jars of a folder, for executors on machines that do not have it. */
export const jarsIn = (folder: string): string => `file:${join(folder, '*.jar')}`

/** The web UI of the active master. */
export const masterPage = async (config: Config, signal: AbortSignal): Promise<string> =>
  isSparkExternal(config)
    ? (await activeMaster(config, signal)).page
    : `http://${config.host}:${config.spark.webPort}`

/**
 * Resolves if the existing cluster responds and can run the job.
 * @throws OffstreamError SPARK_UNREACHABLE, SPARK_UNSUITABLE, FILE_MISSING; with Kubernetes also AUTHENTICATION_FAILED,
 *   ACCESS_DENIED, CERTIFICATE_REJECTED
 */
export const checkSpark = async (config: Config, state: string, signal?: AbortSignal): Promise<void> => {
  if (isYarn(config)) return checkYarn(config, state, signal)
  return isKubernetes(config) ? checkKubernetes(config, state, signal) : checkStandalone(config, signal)
}
