import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { identify, type Service, type ServicePhase, ServiceRecords, Supervisor } from '@offstream/runtime'
import { expect, onTestFinished, test } from 'vitest'
import { type ServiceName, serviceNames } from '../names.ts'
import { Config } from '../project/config.ts'
import { directoriesOf } from '../project/directories.ts'
import { addFetched } from '../scrape/produce.ts'
import { readStatus } from './status.ts'

// Ports on which nobody answers, whatever runs on this machine.
const config = Config.parse({ kafka: { port: 1 }, thrift: { port: 2 } })

/** A stack of which nothing but its records is there. */
const scratchState = async () => {
  const state = await mkdtemp(join(tmpdir(), 'offstream-status-'))
  onTestFinished(() => rm(state, { recursive: true }))
  const records = new ServiceRecords(directoriesOf(state).records)
  const record = (name: ServiceName, phase: ServicePhase, pid: number | null, startId: string | null) =>
    records.keep({
      ...{ name, phase, pid, startId, port: null, logFile: '/dev/null', restarts: 2 },
      startedAt: new Date(Date.now() - 90_000).toISOString(),
      detail: phase === 'failed' ? 'it had no luck' : null,
    })
  return { state, record }
}

/** A process that does nothing until the end of the test. */
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

const unasked = { rows: null, rejected: null, visible: null, freshnessSeconds: null }

test('a stack that was never started is stopped, and nobody is asked', async () => {
  const { state } = await scratchState()
  await addFetched(directoriesOf(state).fetched, 7)
  const status = await readStatus(state, config, [])
  expect(status).toMatchObject({
    version: 1,
    state: 'stopped',
    flow: { fetched: 7, acknowledged: null, consumed: null, lag: null, ...unasked },
    thrift: { host: '127.0.0.1', port: 2, answerMs: null },
  })
  expect(status.services.map(({ name, state, health }) => [name, state, health])).toEqual(
    serviceNames.map(name => [name, 'stopped', 'unknown']),
  )
})

test('services that ended while nobody watched are dead, and the stack is degraded', async () => {
  const { state, record } = await scratchState()
  const gone = await identify(process.pid)
  // The pid of a living process, but of one that began at another time.
  await record('zookeeper', 'running', gone?.pid ?? 0, 'long ago')
  await record('kafka', 'starting', 2 ** 22 + 1, 'long ago')
  const status = await readStatus(state, config, [
    service('zookeeper', { ready: () => Promise.reject(new Error('it must not be asked')) }),
  ])
  expect(status.state).toBe('degraded')
  expect(status.services.slice(0, 2)).toMatchObject(
    ['zookeeper', 'kafka'].map(name => ({
      name,
      ...{ state: 'dead', health: 'unknown', pid: null, uptimeSeconds: null, restarts: 2 },
      detail: expect.stringContaining('`offstream up`'),
    })),
  )
})

test('a service that runs though its state folder was deleted is shown, and the stack is degraded', async () => {
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
    detail: expect.stringContaining('`offstream down` ends it'),
  })
})

test('a stack whose services were given up is stopped, with the reason', async () => {
  const { state, record } = await scratchState()
  await record('thrift', 'failed', null, null)
  const { state: overall, services } = await readStatus(state, config, [service('thrift')])
  expect([overall, services[4]]).toMatchObject([
    'stopped',
    { name: 'thrift', state: 'failed', health: 'unknown', detail: 'it had no luck' },
  ])
})

test('a process that runs is healthy if it answers, and only if it is the one that listens', async () => {
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
    service('spark-master', { ready: () => Promise.reject(new Error('it says no')) }),
    service('spark-worker', { listensOn: [{ port, choose: '' }] }),
    service('products-stream', { listensOn: [{ port: 1, choose: '' }] }),
  ])

  expect(overall).toBe('degraded')
  expect(services.map(({ name, health, detail }) => [name, health, detail])).toEqual([
    ['zookeeper', 'healthy', null],
    ['kafka', 'unknown', null],
    ['spark-master', 'unhealthy', 'it says no'],
    ['spark-worker', 'unhealthy', `port ${port} is held by \`node\` (pid ${process.pid})`],
    ['thrift', 'unknown', null],
    ['products-stream', 'unhealthy', 'nobody listens on port 1'],
  ])
  expect(services[0]).toMatchObject({ pid, uptimeSeconds: expect.closeTo(90, -1), restarts: 2 })
})

test('where Kafka and the Thrift server run and do not answer, their counts are unknown', async () => {
  const { state, record } = await scratchState()
  const { pid, startId } = await bystander()
  await record('kafka', 'running', pid, startId)
  await record('thrift', 'running', pid, startId)
  const { flow, thrift } = await readStatus(state, config, [])
  expect([flow, thrift.answerMs]).toEqual([
    { fetched: 0, acknowledged: null, consumed: null, lag: null, ...unasked },
    null,
  ])
})
