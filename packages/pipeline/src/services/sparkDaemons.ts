import { mkdir, rm } from 'node:fs/promises'
import { portHolder } from '@offstream/runtime'
import type { Config } from '../project/config.ts'
import { directoriesOf } from '../project/directories.ts'
import { type Job, readJobs } from './jobStore.ts'
import {
  masterOf,
  masterPage,
  ownWorkers,
  type WorkerId,
  workerName,
  workerPage,
  workerPort,
  workFolder,
} from './sparkCluster.ts'
import { sparkDaemon } from './sparkCommand.ts'
import type { ServiceParts, Stack } from './stack.ts'

/** The Spark master; it is ready when it reports ALIVE. */
export const sparkMaster = (stack: Stack): ServiceParts => {
  const { config } = stack
  const { sparkMaster: folder } = directoriesOf(stack.state)
  return {
    command: sparkDaemon(
      stack,
      'spark-master',
      'org.apache.spark.deploy.master.Master',
      [
        ...['--host', config.host, '--port', String(config.spark.port)],
        ...['--webui-port', String(config.spark.webPort)],
      ],
      [
        // The REST server on port 6066, which nothing uses.
        '-Dspark.master.rest.enabled=false',
        // After a crash the next master takes over the workers and the jobs, which continue to run. It waits for those of
        // them that have exited too, by default for a minute.
        '-Dspark.deploy.recoveryMode=FILESYSTEM',
        `-Dspark.deploy.recoveryDirectory=${folder}`,
        '-Dspark.deploy.recoveryTimeout=10',
      ],
    ),
    needs: [],
    port: config.spark.port,
    prepare: async () => {
      if (!(await isAnyAlive(config, await readJobs(stack.state))))
        await rm(folder, { recursive: true, force: true })
      await mkdir(folder, { recursive: true })
    },
    ready: async signal => {
      const { status } = await masterState(config, signal)
      if (status !== 'ALIVE') throw new Error(`the master is ${status}`)
    },
    startTimeoutMs: 60_000,
    stopTimeoutMs: 10_000,
  }
}

/** A Spark worker; it is ready when the master lists it as ALIVE and its web UI responds. */
export const sparkWorker =
  (id: WorkerId) =>
  (stack: Stack): ServiceParts => {
    const { config } = stack
    const [port, folder] = [workerPort(config, id), workFolder(stack.state, id)]
    return {
      command: sparkDaemon(
        stack,
        workerName(id),
        'org.apache.spark.deploy.worker.Worker',
        [
          ...['--host', config.host, '--webui-port', String(port)],
          // Cores are numbers of tasks, not processors: those for jobs of the user do not take any from the product job.
          ...['--cores', String(config.spark.worker.cores + config.spark.worker.jobCores)],
          ...['--memory', config.spark.worker.memory, '--work-dir', folder, masterOf(config)],
        ],
        [
          // It writes the logs of its executors.
          '-Dspark.executor.logs.rolling.strategy=size',
          `-Dspark.executor.logs.rolling.maxSize=${10 * 1024 * 1024}`,
          '-Dspark.executor.logs.rolling.maxRetainedFiles=3',
        ],
      ),
      needs: ['spark-master'],
      // The user may have changed the port of the master.
      restartsWith: ['spark-master'],
      port,
      // Files of an earlier worker, 74 MB a job, are useless: its executors exited with it.
      prepare: async () => {
        await rm(folder, { recursive: true, force: true })
        await mkdir(folder, { recursive: true })
      },
      ready: async signal => {
        const { workers } = await masterState(config, signal)
        const states = workers
          .filter(({ webuiaddress }) => webuiaddress.endsWith(`:${port}`))
          .map(({ state }) => state)
        if (!states.includes('ALIVE'))
          throw new Error(
            states.length === 0
              ? 'it is not registered with the master'
              : `the master lists it as ${states[0]}`,
          )
        // For a minute the master lists a worker that has stopped.
        await webUiState('the worker', workerPage(config, id), signal)
      },
      startTimeoutMs: 60_000,
      stopTimeoutMs: 10_000,
    }
  }

/** What a master reports about its workers and programs. */
export interface MasterState {
  readonly status: string
  /** Memory is in megabytes. */
  readonly workers: readonly {
    readonly state: string
    readonly webuiaddress: string
    readonly coresfree: number
    readonly memoryfree: number
  }[]
  /** The running programs. `cores`: those that it has now. */
  readonly activeapps: readonly { readonly id: string; readonly name: string; readonly cores: number }[]
}

/** The state of the master and its workers, as the master reports it. */
export const masterState = async (config: Config, signal: AbortSignal): Promise<MasterState> =>
  (await webUiState('the master', await masterPage(config, signal), signal)) as MasterState

/** Whether a worker or a job is left that a new master can take over. */
const isAnyAlive = async (config: Config, jobs: readonly Job[]): Promise<boolean> => {
  const workers = ownWorkers(config).map(id => workerPort(config, id))
  const ports = [...workers, config.stream.webPort, ...jobs.map(({ webPort }) => webPort)]
  return (await Promise.all(ports.map(port => portHolder(port, config.host)))).some(holder => holder !== null)
}

/** The JSON of a Spark daemon's web UI. */
const webUiState = async (what: string, address: string, signal: AbortSignal): Promise<unknown> => {
  const response = await fetch(`${address}/json/`, { signal })
  if (!response.ok) throw new Error(`the web UI of ${what} returned status ${response.status}`)
  return response.json()
}
