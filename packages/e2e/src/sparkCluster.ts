import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assetPath, ensureRuntimes, type Runtimes } from '@offstream/pipeline'
import { freePort } from '@offstream/pipeline/testKafka'
import { type Service, Supervisor } from '@offstream/runtime'

/** A Spark cluster for one test file: a master and a worker that offstream does not manage. */
export interface TestSpark extends AsyncDisposable {
  /** `spark://host:port`. */
  readonly master: string
  /** The port of the master's web UI. */
  readonly webPort: number
  /** The web UI of the worker. */
  readonly worker: string
}

/** Starts a master and a worker with three cores and two gigabytes, in a temporary folder. */
export const startSpark = async (): Promise<TestSpark> => {
  const folder = await mkdtemp(join(tmpdir(), 'offstream-spark-'))
  const runtimes = await ensureRuntimes({
    environment: process.env,
    ivySettings: assetPath(folder, 'config', 'ivysettings.xml'),
  })
  const [port, webPort, workerPort] = [await freePort(), await freePort(), await freePort()]
  const master = `spark://127.0.0.1:${port}`
  const work = join(folder, 'work')
  await mkdir(work)
  const daemon = (name: string, mainClass: string, args: readonly string[], page: number): Service => ({
    name,
    command: {
      file: join(runtimes.sparkHome, 'bin/spark-class'),
      args: [mainClass, ...args],
      env: sparkEnvironment(folder, runtimes),
      cwd: folder,
    },
    needs: [],
    port: page,
    logFile: join(folder, `${name}.log`),
    ready: async signal => {
      const response = await fetch(`http://127.0.0.1:${webPort}/json/`, { signal })
      const { status, aliveworkers } = (await response.json()) as { status: string; aliveworkers: number }
      if (status !== 'ALIVE' || (name === 'worker' && aliveworkers !== 1)) throw new Error(status)
    },
    startTimeoutMs: 60_000,
    stopTimeoutMs: 10_000,
  })
  const supervisor = new Supervisor({ directory: join(folder, 'services'), onEvent: () => undefined })
  const close = async () => {
    await supervisor.stop()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const atHost = ['--host', '127.0.0.1', '--port']
    const ui = (page: number) => ['--webui-port', String(page)]
    await supervisor.start([
      daemon(
        'master',
        'org.apache.spark.deploy.master.Master',
        [...atHost, String(port), ...ui(webPort)],
        webPort,
      ),
    ])
    await supervisor.start([
      daemon(
        'worker',
        'org.apache.spark.deploy.worker.Worker',
        [
          ...['--host', '127.0.0.1', ...ui(workerPort), '--cores', '3', '--memory', '2g'],
          ...['--work-dir', work, master],
        ],
        workerPort,
      ),
    ])
  } catch (error) {
    await close()
    throw error
  }
  return {
    ...{ master, webPort, worker: `http://127.0.0.1:${workerPort}` },
    [Symbol.asyncDispose]: close,
  }
}

/** The environment of a program of Spark that writes to a folder. */
export const sparkEnvironment = (
  folder: string,
  { java, sparkHome, connectors }: Runtimes,
): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '',
  ...(java.includes('/') ? { JAVA_HOME: join(java, '../..') } : {}),
  SPARK_HOME: sparkHome,
  // A folder that does not exist.
  SPARK_CONF_DIR: join(connectors, 'no-conf'),
  SPARK_LOCAL_IP: '127.0.0.1',
  SPARK_LOCAL_DIRS: folder,
  SPARK_DAEMON_MEMORY: '512m',
})
