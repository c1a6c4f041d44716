import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { identify, type Service, type ServicePhase, ServiceRecords, Supervisor } from '@offstream/runtime'
import { expect, onTestFinished, test } from 'vitest'
import type { ServiceName } from '../names.ts'
import { Config } from '../project/config.ts'
import { directoriesOf } from '../project/directories.ts'
import { configOf } from '../project/layers.ts'
import { addFetched } from '../scrape/produce.ts'
import { listedServices } from '../services/table.ts'
import { readStatus } from './status.ts'

// Ports on which no process of this machine listens.
const config = Config.parse({ kafka: { port: 1 }, thrift: { port: 2 } })

/** A stack that has only records. */
const scratchState = async () => {
  const state = await mkdtemp(join(tmpdir(), 'offstream-status-'))
  onTestFinished(() => rm(state, { recursive: true }))
  const records = new ServiceRecords(directoriesOf(state).records)
  const record = (name: ServiceName, phase: ServicePhase, pid: number | null, startId: string | null) =>
    records.keep({
      ...{ name, phase, pid, startId, port: null, logFile: '/dev/null', restarts: 2 },
      startedAt: new Date(Date.now() - 90_000).toISOString(),
      detail: phase === 'failed' ? 'it was unlucky' : null,
    })
  return { state, record }
}

/** A process that does nothing until the test ends. */
const bystander = async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  onTestFinished(() => void child.kill())
  await once(child, 'spawn')
  const identity = await identify(child.pid ?? 0)
  if (identity === null) throw new Error('it has no pid')
  return identity
}

const service = (name: ServiceName, answer: Partial<Service> = {}): Service => ({
  ...{ name, needs: [], port: null, logFile: '/dev/null', startTimeoutMs: 1, stopTimeoutMs: 1 },
  command: { file: '/bin/false', args: [], env: {}, cwd: '/' },
  ready: async () => undefined,
  ...answer,
})

const unknown = { rows: null, rejected: null, visible: null, freshnessSeconds: null }

test('a stack that was never started is stopped, and no service is probed', async () => {
  const { state } = await scratchState()
  await addFetched(directoriesOf(state).fetched, 7)
  const status = await readStatus(state, config, [])
  expect(status).toMatchObject({
    version: 1,
    state: 'stopped',
    flow: { fetched: 7, acknowledged: null, consumed: null, lag: null, ...unknown },
    thrift: { host: '127.0.0.1', port: 2, responseMs: null },
  })
  expect(status.services.map(({ name, state, health }) => [name, state, health])).toEqual(
    listedServices(config).map(name => [name, 'stopped', 'unknown']),
  )
})

test('services that exited while no daemon was running are `exited`, and the stack is degraded', async () => {
  const { state, record } = await scratchState()
  const self = await identify(process.pid)
  // The pid of a running process that was started at another time.
  await record('zookeeper', 'running', self?.pid ?? 0, 'long ago')
  await record('kafka', 'starting', 2 ** 22 + 1, 'long ago')
  const status = await readStatus(state, config, [
    service('zookeeper', { ready: () => Promise.reject(new Error('it must not be probed')) }),
  ])
  expect(status.state).toBe('degraded')
  expect(status.services.slice(0, 2)).toMatchObject(
    ['zookeeper', 'kafka'].map(name => ({
      name,
      ...{ state: 'exited', health: 'unknown', pid: null, uptimeSeconds: null, restarts: 2 },
      detail: expect.stringContaining('`offstream up`'),
    })),
  )
})

test('an external Kafka that does not respond is unhealthy, with the code, and a stack that does not run stays stopped', async () => {
  const { state, record } = await scratchState()
  const external = configOf(['kafka.brokers=127.0.0.1:1'])
  const stopped = await readStatus(state, external, [])
  expect([stopped.state, ...stopped.services.slice(0, 2)]).toMatchObject([
    'stopped',
    { name: 'zookeeper', state: 'unused', health: 'unknown', detail: null },
    {
      ...{ name: 'kafka', state: 'external', health: 'unhealthy', pid: null, port: null },
      address: '127.0.0.1:1',
      detail: expect.stringMatching(/^Could not connect .*\[KAFKA_UNREACHABLE\]; check `kafka\.brokers`/),
    },
  ])
  const { pid, startId } = await bystander()
  for (const name of ['spark-master', 'spark-worker', 'thrift'] as const)
    await record(name, 'running', pid, startId)
  const healthy = ['spark-master', 'spark-worker', 'thrift'] as const
  const running = await readStatus(
    state,
    external,
    healthy.map(name => service(name)),
  )
  expect(running.state).toBe('degraded')
})

test('an existing Thrift server that does not respond is unhealthy, with the code and what to check', async () => {
  const { state } = await scratchState()
  const { services, thrift } = await readStatus(
    state,
    configOf(['thrift.host=127.0.0.1', 'thrift.port=2']),
    [],
  )
  expect([services.find(({ name }) => name === 'thrift'), thrift]).toMatchObject([
    {
      ...{ state: 'external', health: 'unhealthy', pid: null, port: null, address: '127.0.0.1:2' },
      detail: expect.stringMatching(/^Could not connect .*\[THRIFT_UNREACHABLE\]; check `thrift\.host`/),
    },
    { host: '127.0.0.1', port: 2, responseMs: null },
  ])
})

test('a running service whose state folder was deleted is shown, and the stack is degraded', async () => {
  const { state } = await scratchState()
  const { records } = directoriesOf(state)
  const supervisor = new Supervisor({ directory: records, onEvent: () => undefined })
  await supervisor.start([
    {
      ...service('spark-master', { startTimeoutMs: 5_000, stopTimeoutMs: 5_000 }),
      command: { file: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'], env: {}, cwd: '/' },
    },
  ])
  onTestFinished(() => supervisor.stop())
  const { pid } = (await new ServiceRecords(records).of('spark-master')) ?? expect.fail()
  await rm(records, { recursive: true })
  const { state: overall, services } = await readStatus(state, config, [])
  expect(overall).toBe('degraded')
  expect(services[2]).toMatchObject({
    ...{ name: 'spark-master', state: 'running', health: 'unknown', pid },
    detail: expect.stringContaining('`offstream down` stops it'),
  })
})

test('a stack whose services failed to start is stopped, with the reason', async () => {
  const { state, record } = await scratchState()
  await record('thrift', 'failed', null, null)
  const { state: overall, services } = await readStatus(state, config, [service('thrift')])
  expect([overall, services[4]]).toMatchObject([
    'stopped',
    { name: 'thrift', state: 'failed', health: 'unknown', detail: 'it was unlucky' },
  ])
})

test('a running process is healthy if it responds, and if it is the one that listens on the port', async () => {
  const { state, record } = await scratchState()
  const { pid, startId } = await bystander()
  const stranger = createServer()
  stranger.listen(0, '127.0.0.1')
  await once(stranger, 'listening')
  onTestFinished(() => void stranger.close())
  const { port } = stranger.address() as AddressInfo
  for (const name of ['zookeeper', 'spark-master', 'spark-worker', 'products-stream'] as const)
    await record(name, 'running', pid, startId)

  const { state: overall, services } = await readStatus(state, config, [
    service('zookeeper'),
    service('spark-master', { ready: () => Promise.reject(new Error('it refuses')) }),
    service('spark-worker', { listensOn: [{ port, choose: '' }] }),
    service('products-stream', { listensOn: [{ port: 1, choose: '' }] }),
  ])

  expect(overall).toBe('degraded')
  expect(services.map(({ name, health, detail }) => [name, health, detail])).toEqual([
    ['zookeeper', 'healthy', null],
    ['kafka', 'unknown', null],
    ['spark-master', 'unhealthy', 'it refuses'],
    ['spark-worker', 'unhealthy', `\`node\` (pid ${process.pid}) listens on port ${port}`],
    ['thrift', 'unknown', null],
    ['products-stream', 'unhealthy', 'no process listens on port 1'],
    ['dashboard', 'unknown', null],
  ])
  expect(services[0]).toMatchObject({ pid, uptimeSeconds: expect.closeTo(90, -1), restarts: 2 })
})

test('a stream whose upkeep fails is healthy, and its detail is the error', async () => {
  const { state, record } = await scratchState()
  const { pid, startId } = await bystander()
  await record('products-stream', 'running', pid, startId)
  const now = new Date().toISOString()
  const progress = {
    ...{ version: 1, pid, state: 'running', batchId: 49, offsets: {}, inputRows: 0, rowsPerSecond: null },
    ...{ triggerMs: null, error: null, startedAt: now, updatedAt: now, code: null, details: null },
    ...{ acceptedLosses: [], optimized: null, executors: [] },
    upkeepError: 'compaction of lake.off.products failed: No space left on device',
  }
  const detailOfStream = async (written: object) => {
    const { run, streamProgress } = directoriesOf(state)
    await mkdir(run, { recursive: true })
    await writeFile(streamProgress, JSON.stringify(written))
    const { services } = await readStatus(state, config, [service('products-stream')])
    const { health, detail } = services.find(({ name }) => name === 'products-stream') ?? expect.fail()
    return [health, detail]
  }

  expect(await detailOfStream(progress)).toEqual([
    'healthy',
    'compaction of lake.off.products failed: No space left on device; the stream continues and will try this step again',
  ])
  expect(await detailOfStream({ ...progress, upkeepError: null })).toEqual(['healthy', null])
  const acceptedLosses = [{ at: '2026-01-31T12:00:00.000Z', reason: '3 offsets were deleted unread' }]
  expect(await detailOfStream({ ...progress, upkeepError: null, acceptedLosses })).toEqual([
    'healthy',
    'a loss of messages was accepted on 2026-01-31: 3 offsets were deleted unread',
  ])
})

test('the executors are those that the running job reports, and a job that does not run has none', async () => {
  const { state, record } = await scratchState()
  const { run, streamProgress } = directoriesOf(state)
  await mkdir(run, { recursive: true })
  const { pid, startId } = await bystander()
  const now = new Date().toISOString()
  const executors = [{ id: '0', host: '10.0.0.4', cores: 2, worker: 'http://10.0.0.4:8081' }]
  const progress = {
    ...{ version: 1, pid, state: 'running', batchId: null, offsets: {}, inputRows: 0, rowsPerSecond: null },
    ...{ triggerMs: null, error: null, startedAt: now, updatedAt: now, code: null, details: null },
    ...{ acceptedLosses: [], optimized: null, upkeepError: null, executors },
  }
  await writeFile(streamProgress, JSON.stringify(progress))
  const read = async () => (await readStatus(state, config, [service('products-stream')])).executors
  expect(await read()).toEqual([])
  await record('products-stream', 'running', pid, startId)
  expect(await read()).toEqual(executors)
})

test('a stream that has lost messages makes a running stack degraded, and its detail has the reason and the remedy', async () => {
  const { state, record } = await scratchState()
  const { pid, startId } = await bystander()
  await record('zookeeper', 'running', pid, startId)
  await record('products-stream', 'failed', null, null)
  const { run, streamProgress } = directoriesOf(state)
  await mkdir(run, { recursive: true })
  const now = new Date().toISOString()
  const progress = {
    ...{ version: 1, pid, state: 'failed', batchId: 49, offsets: {}, inputRows: 0, rowsPerSecond: null },
    ...{ triggerMs: null, startedAt: now, updatedAt: now, upkeepError: null, acceptedLosses: [] },
    ...{ optimized: null, executors: [] },
    error: 'partition 0 lost messages',
    code: 'KAFKA_DATA_LOSS',
    details: { topicId: 'x', offsets: {} },
  }
  await writeFile(streamProgress, JSON.stringify(progress))

  const { state: overall, services } = await readStatus(state, config, [service('zookeeper')])

  expect([overall, services[5]]).toMatchObject([
    'degraded',
    {
      ...{ name: 'products-stream', state: 'failed', health: 'unknown' },
      detail: expect.stringMatching(
        /^Partition 0 lost messages \[KAFKA_DATA_LOSS\]; `offstream submit --accept-data-loss` records/,
      ),
    },
  ])
})

test('if Kafka and the Thrift server run and do not respond, their counts are unknown', async () => {
  const { state, record } = await scratchState()
  const { pid, startId } = await bystander()
  await record('kafka', 'running', pid, startId)
  await record('thrift', 'running', pid, startId)
  const { flow, thrift } = await readStatus(state, config, [])
  expect([flow, thrift.responseMs]).toEqual([
    { fetched: 0, acknowledged: null, consumed: null, lag: null, ...unknown },
    null,
  ])
})
