import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assetPath, ensureRuntimes, type Runtimes } from '@offstream/pipeline'
import { Supervisor } from '@offstream/runtime'
import { z } from 'zod'
import { root } from './repository.ts'
import { testJars } from './testJars.ts'

/** HDFS and YARN for one test file: Hadoop's own test clusters. */
export interface TestHadoop extends AsyncDisposable {
  /** The folder with `core-site.xml` and `yarn-site.xml`. */
  readonly confDir: string
  /** The address of HDFS. */
  readonly hdfs: string
  /** The names in a folder of HDFS. */
  readonly list: (folder: string) => Promise<readonly string[]>
  /** The names of the applications that have not finished, as YARN reports them. */
  readonly applications: () => Promise<readonly string[]>
  /** The address of the Spark UI of an application, by the proxy of YARN. */
  readonly pageOf: (id: string) => string
  /** The processes of YARN's containers whose command line contains a text. */
  readonly containers: (text: string) => Promise<readonly number[]>
  /** Arguments, environments and logs of YARN's containers. */
  readonly textOfContainers: () => Promise<string>
}

/** Starts the clusters on free ports, in a temporary folder. */
export const startHadoop = async (): Promise<TestHadoop> => {
  const folder = await mkdtemp(join(tmpdir(), 'offstream-hadoop-'))
  const runtimes = await ensureRuntimes({
    environment: process.env,
    ivySettings: assetPath(folder, 'config', 'ivysettings.xml'),
  })
  const confDir = join(folder, 'conf')
  const addresses = async () => {
    const log = await readFile(join(folder, 'hadoop.log'), 'utf8')
    const [, web, hdfs, files] = /^ready (\S+) (\S+) (\S+)$/m.exec(log) ?? []
    if (web === undefined || hdfs === undefined) throw new Error('it is starting')
    return { web, hdfs, files }
  }
  const supervisor = new Supervisor({ directory: join(folder, 'services'), onEvent: () => undefined })
  const close = async () => {
    await supervisor.stop()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await supervisor.start([
      {
        name: 'hadoop',
        command: await command(folder, runtimes),
        needs: [],
        port: null,
        logFile: join(folder, 'hadoop.log'),
        ready: async () => void (await addresses()),
        startTimeoutMs: 120_000,
        stopTimeoutMs: 30_000,
      },
    ])
  } catch (error) {
    await close()
    throw error
  }
  const { web, hdfs, files } = await addresses()
  return {
    ...{ confDir, hdfs },
    applications: () => unfinished(web),
    pageOf: id => `http://${web}/proxy/${id}`,
    list: folder => namesIn(`http://${files}/webhdfs/v1${folder}?op=LISTSTATUS`),
    containers: text => processesIn(folder, text),
    textOfContainers: async () => (await Promise.all([textOfProcesses(folder), textOfLogs(folder)])).join(),
    [Symbol.asyncDispose]: close,
  }
}

const command = async (folder: string, runtimes: Runtimes) => {
  const { java, python, sparkHome } = runtimes
  const jars = await readdir(join(sparkHome, 'jars'))
  const py4j = jars.find(jar => jar.startsWith('py4j-')) ?? ''
  return {
    file: python,
    args: [
      join(root, 'packages/e2e/hadoop/cluster.py'),
      ...[await testJars('hadoop', runtimes), join(sparkHome, 'jars', py4j), folder],
    ],
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, JAVA_HOME: join(java, '../..') },
    cwd: folder,
  }
}

/** Without applications it is `{"apps":{}}`, or `{"apps":null}` in older versions. */
const Applications = z.object({
  apps: z.object({ app: z.array(z.object({ name: z.string() })).default([]) }).nullable(),
})

const unfinished = async (address: string): Promise<readonly string[]> => {
  const states = 'NEW,NEW_SAVING,SUBMITTED,ACCEPTED,RUNNING'
  const response = await fetch(`http://${address}/ws/v1/cluster/apps?states=${states}`)
  const { apps } = Applications.parse(await response.json())
  return apps?.app.map(({ name }) => name) ?? []
}

const Listing = z.object({
  FileStatuses: z.object({ FileStatus: z.array(z.object({ pathSuffix: z.string() })) }),
})

const namesIn = async (address: string): Promise<readonly string[]> => {
  const { FileStatuses } = Listing.parse(await (await fetch(address)).json())
  return FileStatuses.FileStatus.map(({ pathSuffix }) => pathSuffix)
}

/** Java processes: the shells that YARN starts them with have the same arguments. */
const processesIn = async (folder: string, text: string): Promise<readonly number[]> => {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name))
  const found = await Promise.all(
    pids.map(async pid => {
      const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      const [file = ''] = line.split('\0')
      return file.endsWith('/java') && line.includes(text) && line.includes(folder) ? [Number(pid)] : []
    }),
  )
  return found.flat()
}

const textOfProcesses = async (folder: string): Promise<string> => {
  const pids = await processesIn(folder, 'org.apache.spark')
  const files = pids.flatMap(pid => [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`])
  return (await Promise.all(files.map(file => readFile(file, 'latin1')))).join()
}

const textOfLogs = async (folder: string): Promise<string> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const logs = entries.filter(entry => entry.isFile() && /\/node-\d+\/logs\//.test(`${entry.parentPath}/`))
  return (await Promise.all(logs.map(log => readFile(join(log.parentPath, log.name), 'latin1')))).join()
}
