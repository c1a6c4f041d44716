import { access, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until, writeState } from '@offstream/runtime'
import { expect, onTestFinished, test } from 'vitest'
import { shippedPath } from '../project/assets.ts'
import { directoriesOf } from '../project/directories.ts'
import { configOf } from '../project/layers.ts'
import { jobService, waitingReason } from './job.ts'
import type { Job } from './jobStore.ts'
import { exportsOf } from './programs.ts'
import type { Stack } from './stack.ts'

const stackIn = (state: string): Stack => ({
  ...{ project: '/project', state, config: configOf([]), archives: null },
  runtimes: {
    ...{ java: '/java/bin/java', javaVersion: '17.0.15', python: '/usr/bin/python3' },
    ...{ sparkHome: '/spark', kafkaLibs: '/kafka', connectors: '/jars', additionalJars: [] },
    ivy: { settings: '/ivy.xml', cache: '/ivy' },
  },
})

const job: Job = {
  ...{ name: 'clicks', program: '/jobs/clicks.py', args: [], directory: '/jobs' },
  ...{ cores: 1, memory: '512m', packages: [], pyFiles: [], conf: {}, once: false, webPort: 4041 },
}

const temporaryState = async (): Promise<string> => {
  const state = await mkdtemp(join(tmpdir(), 'offstream-job-'))
  onTestFinished(() => rm(state, { recursive: true }))
  return state
}

/** A stand-in for the Spark UI of the job, which has a session; its port. */
const sparkUi = (): Promise<number> => webUi([{ id: 'app-1' }])

/** A server that responds with this JSON; its port. */
const webUi = async (json: unknown): Promise<number> => {
  const server = createServer((_, response) => response.end(JSON.stringify(json)))
  await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening))
  onTestFinished(() => void server.close())
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : expect.fail()
}

/** What `offstream_jobs` reports. */
const report = (state: string, fields: object): Promise<void> =>
  writeState(join(directoriesOf(state).run, 'job-clicks.progress.json'), {
    ...{ pid: 1, state: 'running', batchId: 0, offsets: {}, inputRows: 1, rowsPerSecond: 1, triggerMs: 1 },
    ...{ error: null, code: null, details: null, acceptedLosses: [], upkeepError: null, optimized: null },
    executors: [],
    ...{ startedAt: new Date().toISOString(), updatedAt: new Date().toISOString() },
    ...fields,
  })

test('a job that reports its progress is ready after its first batch, another one when it has a session', async () => {
  const state = await temporaryState()
  const { ready } = jobService(stackIn(state), { ...job, webPort: await sparkUi() })
  const { signal } = new AbortController()

  await ready(signal)
  await report(state, { state: 'starting' })
  await expect(ready(signal)).rejects.toThrow('it is starting')
  await report(state, {})
  await ready(signal)
  await report(state, { updatedAt: '2026-01-01T00:00:00.000Z' })
  await expect(ready(signal)).rejects.toThrow('it has not reported progress for')
})

test('only a job that reports its progress is requested to stop, between two batches', async () => {
  const state = await temporaryState()
  const { requestStop } = jobService(stackIn(state), job)

  await expect(requestStop?.()).rejects.toMatchObject({ code: 'ENOENT' })
  await report(state, {})
  await requestStop?.()
  await access(join(directoriesOf(state).run, 'job-clicks.progress.stop'))
})

test('a failure that repeats at each start is not retried, and its remedy is for a job', async () => {
  const state = await temporaryState()
  const { permanentFailure } = jobService(stackIn(state), job)

  expect(await permanentFailure?.()).toBeNull()
  await report(state, { state: 'failed', error: 'no memory' })
  expect(await permanentFailure?.()).toBeNull()
  await report(state, { state: 'failed', error: 'topic `clicks` was deleted', code: 'KAFKA_DATA_LOSS' })
  expect(await permanentFailure?.()).toEqual({
    cause: 'Topic `clicks` was deleted',
    hint: 'read the topic again from its beginning: `offstream jobs remove clicks`, then submit it again; rows that the table has stay as they are',
  })
})

test('the environment of a job has the package and its files', () => {
  expect(jobService(stackIn('/state'), job).command.env).toMatchObject({
    OFFSTREAM_CHECKPOINT: '/state/checkpoints/jobs/clicks',
    OFFSTREAM_PROGRESS: '/state/run/job-clicks.progress.json',
    PYTHONPATH: shippedPath('spark-jobs'),
  })
})

test('a job becomes ready although its Spark UI never responds to the first probe', async () => {
  let requests = 0
  const server = createServer((_, response) => {
    requests += 1
    if (requests > 1) response.end('[{"id": "app-1"}]')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const { ready } = jobService(stackIn(await temporaryState()), { ...job, webPort: port })
  await until(ready, { what: 'the job to be ready', timeoutMs: 40_000 })
  expect(requests).toBe(2)
})

test('a job without an executor shows what each worker has free, and who uses the cores', async () => {
  const waiting = async (workers: readonly (readonly [memory: number, cores: number])[], cluster: string) => {
    const webPort = await webUi({
      status: 'ALIVE',
      workers: workers.map(([memoryfree, coresfree]) => ({
        ...{ state: 'ALIVE', cores: 4, coresfree, memory: 2_048, memoryfree },
      })),
      activeapps: [
        { id: 'app-0', name: 'products-stream', cores: 3 },
        { id: 'app-1', name: 'clicks', cores: 0 },
      ],
    })
    const config = configOf([cluster, `spark.webPort=${webPort}`])
    const { signal } = new AbortController()
    const reason = await waitingReason(config, { ...job, webPort: await sparkUi() }, signal)
    return reason?.split('; ').slice(1)
  }
  const here = 'stop another job, or raise `spark.worker.jobCores` or `spark.worker.memory`'
  expect(await waiting([[1_024, 0]], 'spark.workers=1')).toEqual([
    'the worker has 1024 MB and 0 cores free (products-stream has 3)',
    here,
  ])
  const three = [
    [0, 1],
    [256, 3],
    [512, 0],
  ] as const
  expect(await waiting(three, 'spark.workers=3')).toEqual([
    'the workers have 512 MB and 0 cores, 256 MB and 3 cores, 0 MB and 1 core free (products-stream has 3)',
    here,
  ])
  expect(await waiting([...three, [128, 1]], 'spark.master=spark://127.0.0.1:7077')).toEqual([
    'of 4 workers, the 3 with the most free memory have 512 MB and 0 cores, 256 MB and 3 cores, 128 MB and 1 core free (products-stream has 3)',
    ...[
      'stop another program of the cluster',
      'set `stream.executors`, or the job of the products takes all cores',
    ],
  ])
})

test('on an existing cluster a job has the connectors next to its own jars, and the class for tokens if Kafka needs it', () => {
  const jarsOf = (...settings: readonly string[]) => {
    const stack = { ...stackIn('/state'), config: configOf(settings) }
    const { args } = jobService(stack, { ...job, conf: { 'spark.jars': '/mine.jar' } }).command
    return args[args.indexOf('--jars') + 1]
  }
  const [master, tokens] = ['spark.master=spark://one:7077', 'kafka.sasl.mechanism=oauthbearer']
  expect([jarsOf(master), jarsOf(), jarsOf(tokens), jarsOf(master, tokens)]).toEqual([
    'file:/jars/*.jar,/mine.jar',
    '/mine.jar',
    'file:///state/run/kafka.token.jar,/mine.jar',
    'file:/jars/*.jar,file:///state/run/kafka.token.jar,/mine.jar',
  ])
})

test('on YARN a job has an executor for each core and the configuration of Hadoop, and its checkpoint stays local', () => {
  const stack = {
    ...stackIn('/project/.offstream'),
    config: configOf(['spark.master=yarn', 'spark.hadoopConfDir=/etc/hadoop']),
  }
  const { args, env } = jobService(stack, { ...job, cores: 3 }).command
  expect(args.filter(argument => /^spark\.(?:cores\.max|executor\.instances)=/.test(argument))).toEqual([
    'spark.executor.instances=3',
  ])
  expect([env['HADOOP_CONF_DIR'], env['OFFSTREAM_CHECKPOINT']]).toEqual([
    '/etc/hadoop',
    'file:/project/.offstream/checkpoints/jobs/clicks',
  ])
  expect(exportsOf(stack).variables).toMatchObject({ HADOOP_CONF_DIR: '/etc/hadoop' })
})
