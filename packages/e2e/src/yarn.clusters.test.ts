import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { brokersOf, localCluster } from '@offstream/pipeline'
import { freePort } from '@offstream/pipeline/testKafka'
import { until } from '@offstream/runtime'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { placesWith } from './canary.ts'
import { startHadoop, type TestHadoop } from './hadoop.ts'
import { startLoad } from './load.ts'
import { waitForTable } from './pipeline.ts'
import { startPostgresql, type TestPostgresql } from './postgresql.ts'
import { profileStack, runPipeline } from './profile.ts'
import { type ScratchStack, scratchStack } from './stack.ts'
import { StatusContract } from './statusContract.ts'
import { streamOf } from './stream.ts'

// Values that occur nowhere else, so that a search finds only the secrets.
const secrets = { conf: 'canary-90b3e1f7', password: 'canary-d4471c0a' }
const env = { CATALOG_PASSWORD: secrets.password }

let hadoop: TestHadoop
let database: TestPostgresql
let rowsOfLocal: unknown
beforeAll(async () => {
  await using local = await profileStack('local')
  rowsOfLocal = await runPipeline(local)
  database = await startPostgresql({ password: env.CATALOG_PASSWORD })
  hadoop = await startHadoop()
})
afterAll(async () => {
  await hadoop?.[Symbol.asyncDispose]()
  await database?.[Symbol.asyncDispose]()
})

const masterClass = 'org.apache.spark.deploy.yarn.ExecutorLauncher'
const driverClass = 'org.apache.spark.deploy.yarn.ApplicationMaster'
const executorClass = 'org.apache.spark.executor.YarnCoarseGrainedExecutorBackend'

/** Kills a process of the job in YARN, and waits until YARN has started another one. */
const killOne = async (mainClass: string): Promise<void> => {
  const before = await hadoop.containers(mainClass)
  process.kill(before[0] ?? expect.fail(`${mainClass} does not run`), 'SIGKILL')
  await until(
    async () => {
      const now = await hadoop.containers(mainClass)
      if (!now.some(pid => !before.includes(pid))) throw new Error(`these run: ${now.join()}`)
    },
    { what: `another ${mainClass}`, timeoutMs: 120_000 },
  )
}

test('YARN and HDFS give the same rows, and the job survives kills of an executor and of its application master', async () => {
  const { confDir, hdfs } = hadoop
  const { uri: catalogUri, user } = database
  await using stack = await profileStack('yarn', { confDir, hdfs, catalogUri, user })
  expect(await runPipeline(stack, env)).toEqual(rowsOfLocal)
  expect((await hadoop.list('/offstream/lake/off')).toSorted()).toEqual(['products', 'rejected'])
  expect(await hadoop.list('/offstream/checkpoint')).toContain('offsets')

  const { services } = await untilTwoExecutors(stack)
  expect(services.filter(({ name }) => name.startsWith('spark-'))).toMatchObject([
    { name: 'spark-master', state: 'external', health: 'healthy', address: 'yarn' },
    { name: 'spark-worker', state: 'unused' },
  ])
  expect(await hadoop.applications()).toEqual(['products-stream'])
  const { findings } = await streamOf(stack).json('doctor')
  expect(findings.filter(({ name }: { readonly name: string }) => /spark/i.test(name))).toMatchObject([
    { name: 'External spark-master', verdict: 'ok' },
    { name: 'Spark cluster', found: expect.stringMatching(/^YARN 3\.4\.2 at .*, nodes: 2, /) },
    { name: 'Spark addresses', verdict: 'ok' },
    { name: 'Spark clocks', verdict: 'ok' },
  ])

  const load = await startLoad(localCluster(...brokersOf(stack.config)))
  for (const mainClass of [executorClass, masterClass]) await killOne(mainClass)
  const acknowledged = await load.stop()
  expect(acknowledged.length).toBeGreaterThan(100)
  await waitForTable(stack, `rows=${40 + acknowledged.length}`, 'rejected=0')

  await runOwnJob(stack)
  await stack.succeed(['down'])
  await untilYarnIsEmpty()
}, 480_000)

test('YARN also runs the driver with deploy mode cluster: the rows are the same, the job survives kills of its driver and of the program here, and no secret is visible', async () => {
  const { confDir, hdfs } = hadoop
  const catalogUri = await database.makeDatabase('cluster')
  const { user } = database
  await using stack = await profileStack('yarn-cluster', {
    ...{ confDir, hdfs, catalogUri, user, secret: secrets.conf },
  })
  expect(await runPipeline(stack, env)).toEqual(rowsOfLocal)
  expect((await hadoop.list('/cluster/lake/off')).toSorted()).toEqual(['products', 'rejected'])
  expect(await hadoop.list('/cluster/checkpoint')).toContain('offsets')
  expect(await hadoop.applications()).toEqual(['products-stream'])
  const { services } = await untilTwoExecutors(stack)
  const stream = services.find(({ name }) => name === 'products-stream')
  expect(stream).toMatchObject({ state: 'running', health: 'healthy', address: 'yarn' })
  await expectNoSecrets(stack)
  await stack.succeed(['table', 'optimize'])

  const load = await startLoad(localCluster(...brokersOf(stack.config)))
  await killOne(driverClass)
  const acknowledged = await load.stop()
  expect(acknowledged.length).toBeGreaterThan(0)
  await waitForTable(stack, `rows=${40 + acknowledged.length}`, 'rejected=0')

  const [before] = await hadoop.containers(driverClass)
  process.kill(stream?.pid ?? expect.fail(), 'SIGKILL')
  await until(
    async () => {
      const now = await hadoop.containers(driverClass)
      if (now.length === 0 || now.includes(before ?? 0)) throw new Error(`these run: ${now.join()}`)
    },
    { what: 'another application', timeoutMs: 120_000 },
  )
  await waitForTable(stack, `rows=${40 + acknowledged.length}`, 'rejected=0')
  expect(await hadoop.applications()).toEqual(['products-stream'])

  await stack.succeed(['down'])
  await untilYarnIsEmpty()
}, 480_000)

const untilTwoExecutors = (stack: ScratchStack): Promise<StatusContract> =>
  until(
    async () => {
      const status = StatusContract.parse(await stack.json(['status']))
      expect(status.executors.length).toBe(2)
      return status
    },
    { what: 'two executors', timeoutMs: 60_000 },
  )

const untilYarnIsEmpty = (): Promise<void> =>
  until(
    async () =>
      expect([await hadoop.applications(), await hadoop.containers('org.apache.spark')]).toEqual([[], []]),
    { what: 'YARN to have no process of the job', timeoutMs: 30_000 },
  )

/** The secrets are only in the files of this machine that are for them, and not on pages, in arguments or in logs. */
const expectNoSecrets = async (stack: ScratchStack): Promise<void> => {
  const { stdout } = await stack.succeed(['logs', 'products-stream', '--grep', 'is RUNNING'])
  const page = hadoop.pageOf(/application_\w+/.exec(stdout)?.[0] ?? expect.fail(stdout))
  expect(await placesWith(stack, secrets.password, page)).toEqual(['run/lake.pgpass', 'run/lake.secret.json'])
  expect(await placesWith(stack, secrets.conf, page)).toEqual([
    ...['offstream config show --sources', 'run/spark.conf.properties', 'run/stack.json'],
  ])
  const text = await hadoop.textOfContainers()
  expect(Object.values(secrets).filter(secret => text.includes(secret))).toEqual([])
}

/** A job of the user whose module and file are only in the archives that travel with it. */
const runOwnJob = async (stack: ScratchStack): Promise<void> => {
  const files = {
    'lent.py': 'def shout(text): return text.upper() + open("notes/mark.txt").read()',
    'mark.txt': '!',
    'shout.py': `
from pyspark.sql import SparkSession
def shout(text):
    from lent import shout
    return shout(text)
spark = SparkSession.builder.getOrCreate()
print("shouted", spark.sparkContext.parallelize(["a", "b"], 2).map(shout).collect())
`,
  }
  const folder = join(stack.directory, 'parts')
  await mkdir(folder)
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  for (const [zip, file] of [
    ['lent.zip', 'lent.py'],
    ['mark.zip', 'mark.txt'],
  ] as const)
    await execa('python3', ['-m', 'zipfile', '-c', join(stack.directory, zip), file], { cwd: folder })
  await writeFile(join(stack.directory, 'shout.py'), files['shout.py'])
  const travels = ['--py-files', 'lent.zip', '--conf', 'spark.archives=mark.zip#notes']
  const { exitCode } = await stack.run(['submit', 'shout.py', '--once', ...travels])
  // The start of a session on YARN can fail, see `started` in `offstream_jobs/program.py`; a job of the user is not repeated.
  if (exitCode !== 0) await stack.succeed(['jobs', 'start', 'shout'])
  await stack.succeed(['wait', '--for', 'job:shout=completed', '--timeout', '3m'])
  expect((await stack.succeed(['logs', 'shout', '--grep', '^shouted'])).stdout).toContain("['A!', 'B!']")
}

test('a wrong queue, a missing configuration and a resource manager that does not respond are errors of `up`', async () => {
  await using stack = await scratchStack(['spark.master=yarn', `spark.hadoopConfDir=${hadoop.confDir}`])
  const { failure } = streamOf(stack)
  const conf = join(stack.directory, 'conf')
  await mkdir(conf)
  const address = `localhost:${await freePort()}`
  const property = `<property><name>yarn.resourcemanager.webapp.address</name><value>${address}</value></property>`
  await writeFile(join(conf, 'core-site.xml'), '<configuration/>')
  await writeFile(join(conf, 'yarn-site.xml'), `<configuration>${property}</configuration>`)
  expect([
    await failure('up', '--set', 'spark.queue=day'),
    await failure('up', '--set', 'spark.hadoopConfDir=nothing'),
    await failure('up', '--set', 'spark.hadoopConfDir=conf'),
  ]).toEqual([
    ['SPARK_UNSUITABLE', 10],
    ['FILE_MISSING', 2],
    ['SPARK_UNREACHABLE', 9],
  ])
})
