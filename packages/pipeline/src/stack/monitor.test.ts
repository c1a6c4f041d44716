import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { identify, type Service, ServiceRecords } from '@offstream/runtime'
import { expect, onTestFinished, test } from 'vitest'
import { Config } from '../project/config.ts'
import { directoriesOf } from '../project/directories.ts'
import { StatusMonitor } from './monitor.ts'

/** A stack whose services are running but do not have to respond, because the test provides the counts and the probe. */
const scratch = async (settings: unknown = {}) => {
  const state = await mkdtemp(join(tmpdir(), 'offstream-monitor-'))
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  onTestFinished(async () => {
    child.kill()
    await rm(state, { recursive: true })
  })
  await once(child, 'spawn')
  const { pid, startId } = (await identify(child.pid ?? 0)) ?? expect.fail()
  const { records, catalog, streamBatches } = directoriesOf(state)
  for (const name of ['thrift', 'zookeeper'])
    await new ServiceRecords(records).keep({
      ...{ name, phase: 'running', pid, startId, port: null, logFile: '/dev/null' },
      ...{ startedAt: new Date().toISOString(), restarts: 0, detail: null },
    })
  const commit = async (text: string) => {
    await mkdir(dirname(catalog), { recursive: true })
    await writeFile(catalog, text)
  }
  await commit('1')
  const batch = async (text: string) => {
    await mkdir(dirname(streamBatches), { recursive: true })
    await writeFile(streamBatches, text)
  }
  let [counted, probed, clock] = [0, 0, 1_000_000]
  let failure: string | null = null
  const zookeeper: Service = {
    ...{
      name: 'zookeeper',
      command: { file: 'zookeeper', args: [], env: {}, cwd: state },
      needs: [],
      port: null,
      logFile: '/dev/null',
    },
    ...{ startTimeoutMs: 1, stopTimeoutMs: 1 },
    ready: async () => {
      probed += 1
      if (failure !== null) throw new Error(failure)
    },
  }
  const monitor = new StatusMonitor(state, Config.parse(settings), {
    countTable: async () => {
      counted += 1
      return { rows: counted, rejected: 0, visible: counted, newestAt: Date.now(), responseMs: 100 }
    },
    services: async () => [zookeeper],
    now: () => clock,
  })
  const advance = (ms: number) => {
    clock += ms
  }
  const fail = (message: string | null) => {
    failure = message
  }
  return { monitor, commit, batch, advance, fail, counted: () => counted, probed: () => probed }
}

test('the table is counted once per commit, however often the status is read', async () => {
  const { monitor, commit, advance, counted } = await scratch()
  const first = await monitor.read()
  advance(1_000)
  await monitor.read()
  expect([counted(), first.flow.rows, first.flow.freshnessSeconds]).toEqual([1, 1, 0])

  await commit('22')
  await monitor.read()
  advance(1_000)
  const { flow } = await monitor.read()
  expect([counted(), flow.rows]).toEqual([2, 2])
})

test('with a catalog elsewhere the tables have another version after each batch of the job, and after half a minute', async () => {
  const { monitor, batch, advance } = await scratch({
    lake: { catalog: { uri: 'postgresql://db.example.org/lake', user: 'u' }, warehouse: '/shared/lake' },
  })
  const versions = [await monitor.tableVersion(), await monitor.tableVersion()]
  await batch('1')
  versions.push(await monitor.tableVersion())
  advance(30_000)
  versions.push(await monitor.tableVersion())
  expect(versions.map((version, index) => versions.indexOf(version) === index)).toEqual([
    ...[true, false, true, true],
  ])
})

test('the pause after a count is nine times its duration', async () => {
  const { monitor, commit, advance, counted } = await scratch()
  await monitor.read()
  await commit('22')
  advance(900)
  await monitor.read()
  expect(counted()).toBe(1)
  advance(1)
  await monitor.read()
  expect(counted()).toBe(2)
})

test('a table that does not change is counted again after half a minute', async () => {
  const { monitor, advance, counted } = await scratch()
  await monitor.read()
  advance(30_001)
  await monitor.read()
  expect(counted()).toBe(2)
})

test('a healthy service is probed again after five seconds, an unhealthy one at each read', async () => {
  const { monitor, advance, fail, probed } = await scratch()
  const healthAfter = async (ms: number) => {
    advance(ms)
    const { services } = await monitor.read()
    return [services.find(({ name }) => name === 'zookeeper')?.health, probed()]
  }
  expect([await healthAfter(0), await healthAfter(4_999)]).toEqual([
    ['healthy', 1],
    ['healthy', 1],
  ])
  fail('no response')
  expect([await healthAfter(1), await healthAfter(1)]).toEqual([
    ['unhealthy', 2],
    ['unhealthy', 3],
  ])
  fail(null)
  expect([await healthAfter(1), await healthAfter(1)]).toEqual([
    ['healthy', 4],
    ['healthy', 4],
  ])
})
