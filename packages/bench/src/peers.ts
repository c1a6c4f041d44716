import { join } from 'node:path'
import { assetPath, cacheDirectory, ensureRuntimes, type Runtimes } from '@offstream/pipeline'
import { ensurePythonEnvironment, pythonOf } from '@offstream/runtime'
import { execa } from 'execa'

/** A command: its file and its arguments. */
export type Command = readonly [file: string, ...args: string[]]

/** The programs of `peers/` in a separate environment, and Spark for those that need it. */
export interface Peers {
  readonly runtimes: Runtimes
  /** The command of a Python program. */
  readonly command: (program: string, ...args: readonly string[]) => Command
  /** Runs a Python program, and parses the last line that it prints. */
  readonly run: <Result>(program: string, ...args: readonly string[]) => Promise<Result>
  /** The command of a stock Spark job, which has the same two cores as a contender of offstream. */
  readonly sparkCommand: (...args: readonly string[]) => Command
  /** The environment of Spark's commands. */
  readonly sparkEnvironment: Readonly<Record<string, string>>
}

const folder = join(import.meta.dirname, '../peers')
const requirements = [
  // Builds PyHive, which has no wheel.
  join(import.meta.dirname, '../../pipeline/locks/build.requirements.txt'),
  join(folder, 'requirements.txt'),
]
const cores = 2
const sparkPackages = [
  'org.apache.spark:spark-sql-kafka-0-10_2.13:4.1.1',
  'io.delta:delta-spark_4.1_2.13:4.3.1',
]

/** Installs the peers into the cache unless they are there. */
export const ensurePeers = async (): Promise<Peers> => {
  const cache = cacheDirectory(process.env)
  const directory = join(cache, 'bench-stream-peers')
  const environment = Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
  await ensurePythonEnvironment({
    name: 'the peers of the stream',
    directory,
    python: 'python3',
    env: environment,
    requirements,
    downloadBytes: 200_000_000,
    installedBytes: 600_000_000,
  })
  const runtimes = await ensureRuntimes({
    environment: process.env,
    ivySettings: assetPath(process.cwd(), 'config', 'ivysettings.xml'),
  })
  const command = (program: string, ...args: readonly string[]): Command => [
    pythonOf(directory),
    join(folder, program),
    ...args,
  ]
  return {
    runtimes,
    command,
    run: async (program, ...args) => {
      const [file, ...rest] = command(program, ...args)
      return lastJson((await execa(file, rest)).stdout)
    },
    sparkCommand: (...args) => [
      join(runtimes.sparkHome, 'bin', 'spark-submit'),
      ...['--master', `local[${cores}]`, '--driver-memory', '2g'],
      ...['--packages', sparkPackages.join(',')],
      ...['--conf', `spark.jars.ivySettings=${runtimes.ivy.settings}`],
      ...['--conf', `spark.jars.ivy=${join(cache, 'bench-ivy')}`],
      ...['--conf', 'spark.ui.enabled=false', '--conf', 'spark.log.level=ERROR'],
      ...['--conf', 'spark.sql.extensions=io.delta.sql.DeltaSparkSessionExtension'],
      ...['--conf', 'spark.sql.catalog.spark_catalog=org.apache.spark.sql.delta.catalog.DeltaCatalog'],
      ...['--conf', 'spark.hadoop.hive.server2.thrift.port=0'],
      join(folder, 'spark_peer.py'),
      ...args,
    ],
    sparkEnvironment: {
      ...environment,
      JAVA_HOME: join(runtimes.java, '../..'),
      SPARK_HOME: runtimes.sparkHome,
      PYSPARK_PYTHON: runtimes.python,
    },
  }
}

/** The last line of an output, which is JSON. */
export const lastJson = <Result>(stdout: string): Result => JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
