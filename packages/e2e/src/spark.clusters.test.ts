import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { brokersOf, localCluster } from '@offstream/pipeline'
import { until } from '@offstream/runtime'
import { beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { placesWith } from './canary.ts'
import { startLoad } from './load.ts'
import { waitForTable } from './pipeline.ts'
import { profileStack, runPipeline } from './profile.ts'
import { startSpark } from './sparkCluster.ts'
import type { ScratchStack } from './stack.ts'
import { StatusContract } from './statusContract.ts'
import { streamOf } from './stream.ts'

let rowsOfLocal: unknown
beforeAll(async () => {
  await using local = await profileStack('local')
  rowsOfLocal = await runPipeline(local)
})

const statusOf = async (stack: ScratchStack): Promise<StatusContract> =>
  StatusContract.parse(await stack.json(['status']))

/** Writes a program of the user, whose function runs in the Python of an executor. */
const writeProgram = (stack: ScratchStack): Promise<void> =>
  writeFile(
    join(stack.directory, 'shouts.py'),
    [
      'import time',
      'from pyspark.sql import SparkSession',
      'from pyspark.sql.functions import udf',
      'spark = SparkSession.builder.getOrCreate()',
      'while True:',
      '    print(spark.range(1).select(udf(lambda _: "TEA")("id")).first()[0], flush=True)',
      '    time.sleep(1)',
    ].join('\n'),
  )

/** Kills a service, and waits until it has restarted. */
const kill = async (stack: ScratchStack, name: string): Promise<void> => {
  const { services } = await statusOf(stack)
  process.kill(services.find(service => service.name === name)?.pid ?? expect.fail(), 'SIGKILL')
  await stack.succeed(['wait', '--for', `${name}=healthy`, '--timeout', '2m'])
}

type Executors = StatusContract['executors']

/** Waits until the executors of the job are as `expectation` expects them. */
const untilExecutors = (stack: ScratchStack, expectation: (executors: Executors) => void): Promise<void> =>
  until(async () => expectation((await statusOf(stack)).executors), {
    ...{ what: 'the expected executors', timeoutMs: 90_000, intervalMs: 1_000 },
  })

/** Causes a fault of a worker, and waits until the job has its three cores again: on any workers with free cores. */
const replaceExecutors = async (
  stack: ScratchStack,
  page: string | undefined,
  fault: () => Promise<unknown>,
): Promise<void> => {
  const before = (await statusOf(stack)).executors
  const lost = before.filter(({ worker }) => worker === page).map(({ id }) => id)
  await fault()
  await untilExecutors(stack, executors => {
    const cores = executors.reduce((sum, executor) => sum + executor.cores, 0)
    expect([cores, executors.filter(({ id }) => lost.includes(id))]).toEqual([3, []])
  })
}

test('three workers give the same rows, and all jobs continue when a worker restarts or crashes, and when the master crashes', async () => {
  await using stack = await profileStack('spark-three-workers')
  const { host, spark } = stack.config
  const { webPort, secondWebPort, thirdWebPort } = spark.worker
  const workers = [webPort, secondWebPort, thirdWebPort].map(port => `http://${host}:${port}`)
  expect(await runPipeline(stack)).toEqual(rowsOfLocal)
  await untilExecutors(stack, executors =>
    expect(executors.map(({ worker }) => worker).toSorted()).toEqual(workers),
  )
  await writeProgram(stack)
  await stack.succeed(['submit', 'shouts.py'])
  const before = await statusOf(stack)

  const load = await startLoad(localCluster(...brokersOf(stack.config)))
  await replaceExecutors(stack, workers[1], () => kill(stack, 'spark-worker-2'))
  await replaceExecutors(stack, workers[0], () => stack.succeed(['restart', 'spark-worker']))
  const { executors } = await statusOf(stack)
  await kill(stack, 'spark-master')
  expect((await statusOf(stack)).executors).toEqual(executors)
  const acknowledged = await load.stop()
  expect(acknowledged.length).toBeGreaterThan(100)

  const { services, jobs } = await waitForTable(stack, `rows=${40 + acknowledged.length}`, 'rejected=0')
  const restartsOf = (all: readonly { readonly name: string; readonly restarts: number }[]) =>
    Object.fromEntries(all.map(({ name, restarts }) => [name, restarts]))
  expect(restartsOf([...services, ...jobs])).toEqual({
    ...restartsOf([...before.services, ...before.jobs]),
    ...{ 'spark-worker-2': 1, 'spark-master': 1 },
  })
  expect(jobs).toMatchObject([{ name: 'shouts', health: 'healthy', pid: before.jobs[0]?.pid }])
  // The new master knows the applications of the one before.
  const { activeapps } = z
    .object({ activeapps: z.array(z.object({ name: z.string(), cores: z.int() })) })
    .parse(await (await fetch(`http://${host}:${spark.webPort}/json/`)).json())
  expect(Object.fromEntries(activeapps.map(({ name, cores }) => [name, cores]))).toEqual({
    ...{ 'products-stream': 3, shouts: 1 },
  })
})

test('an existing Spark cluster gives the same rows, and what is wrong with it is an error before the job starts', async () => {
  await using cluster = await startSpark()
  const { master, worker } = cluster
  // A value that occurs nowhere else, so that a search finds only the secret.
  const secret = 'canary-2f61c9d7'
  const port = `spark.webPort=${cluster.webPort}`
  await using stack = await profileStack('spark-standalone', { master, secret }, [port])
  const { failure, json } = streamOf(stack)
  expect(await runPipeline(stack)).toEqual(rowsOfLocal)

  const { services, executors } = await statusOf(stack)
  expect(services.filter(({ name }) => name.startsWith('spark-'))).toMatchObject([
    { name: 'spark-master', state: 'external', health: 'healthy', address: master, pid: null },
    { name: 'spark-worker', state: 'unused', health: 'unknown' },
  ])
  expect(executors.map(({ host, cores, worker }) => [host, cores, worker])).toEqual([
    ['127.0.0.1', 1, worker],
    ['127.0.0.1', 1, worker],
  ])
  const { findings } = await json('doctor')
  const about = (name: string) => findings.find((finding: { readonly name: string }) => finding.name === name)
  expect([about('External spark-master'), about('Spark cluster'), about('Spark addresses')]).toMatchObject([
    { verdict: 'ok', found: `\`${master}\` responds` },
    {
      found: expect.stringMatching(
        /^Spark 4\.1\.\d+, workers: 1, cores: 3, memory: 2\.0 GB; free cores: 1, free memory/,
      ),
    },
    { verdict: 'ok' },
  ])
  expect(await placesWith(stack, secret)).toEqual([
    ...['offstream config show --sources', 'run/spark.conf.properties', 'run/stack.json'],
  ])

  await writeProgram(stack)
  await stack.succeed(['submit', 'shouts.py'])
  await until(
    async () => expect((await stack.succeed(['logs', 'shouts', '--grep', '^TEA$'])).stdout).toContain('TEA'),
    {
      ...{ what: 'the executor to run Python', timeoutMs: 60_000, intervalMs: 1_000 },
    },
  )
  await stack.succeed(['jobs', 'stop', 'shouts'])
  await stack.shell(
    `eval "$(offstream env)" && "$PYSPARK_PYTHON" -c "from pyspark.sql import SparkSession; SparkSession.builder.getOrCreate().range(5).count()"`,
  )

  await stack.succeed(['down'])
  expect(await failure('up', '--set', 'stream.executorMemory=4g')).toEqual(['SPARK_UNSUITABLE', 10])
  await cluster[Symbol.asyncDispose]()
  expect(await failure('up')).toEqual(['SPARK_UNREACHABLE', 9])
})
