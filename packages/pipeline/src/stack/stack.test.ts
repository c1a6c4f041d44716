import { once } from 'node:events'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir, uptime } from 'node:os'
import { join } from 'node:path'
import {
  identify,
  runDaemon,
  type Service,
  type ServiceEvent,
  type ServicePhase,
  ServiceRecords,
  Supervisor,
} from '@offstream/runtime'
import { expect, onTestFinished, test } from 'vitest'
import type { ServiceName } from '../names.ts'
import { Config } from '../project/config.ts'
import { directoriesOf } from '../project/directories.ts'
import type { Stack } from '../services/stack.ts'
import { requestedServices } from './reset.ts'
import {
  ownPids,
  readSavedStack,
  readServices,
  readStack,
  requireRunning,
  runningConfig,
  saveStack,
  servicesOf,
} from './running.ts'
import { ensureManaged, refuseOtherSettings, startServices } from './start.ts'
import { stopStack } from './stop.ts'

const scratchState = async (): Promise<string> => {
  const state = await mkdtemp(join(tmpdir(), 'offstream-stack-'))
  onTestFinished(() => rm(state, { recursive: true }))
  return state
}

const stackOf = (state: string, config: Config = Config.parse({})): Stack => ({
  ...{ project: '/project', state, config, archives: null },
  runtimes: {
    ...{
      java: 'java',
      javaVersion: '17.0.15',
      python: 'python',
      sparkHome: '/spark',
      kafkaLibs: '/kafka',
      connectors: '/jars',
      additionalJars: [],
    },
    ivy: { settings: '/ivy.xml', cache: '/ivy' },
  },
})

/** Records a service whose process is this one, or one that has exited. */
const recordService = async (
  state: string,
  name: ServiceName,
  alive: boolean,
  phase: ServicePhase = 'running',
  startedAt: number | null = null,
): Promise<void> => {
  const self = await identify(process.pid)
  await new ServiceRecords(directoriesOf(state).records).keep({
    ...{ name, phase, pid: process.pid, port: null, logFile: '/dev/null' },
    ...{ startId: alive ? (self?.startId ?? null) : 'long ago', restarts: 0, detail: null },
    startedAt: startedAt === null ? null : new Date(startedAt).toISOString(),
  })
}

const noDaemon = { launchDaemon: () => Promise.reject(new Error('no daemon was expected')) }

test('what a stack was started with is saved for later commands, in a file that only its owner can read', async () => {
  const state = await scratchState()
  const stack = stackOf(state, Config.parse({ kafka: { port: 1001 } }))
  await saveStack(stack)
  const { run } = directoriesOf(state)
  const modes = await Promise.all([run, join(run, 'stack.json')].map(async path => (await stat(path)).mode))
  expect(modes.map(mode => mode & 0o777)).toEqual([0o700, 0o600])
  expect(await readdir(run)).toEqual(['stack.json'])

  await recordService(state, 'kafka', true)
  expect(await readStack(state)).toEqual(stack)
  expect((await readServices(state)).map(({ name }) => name)).toContain('kafka')
})

test('what a stack was started with has no effect when it no longer runs', async () => {
  const state = await scratchState()
  await saveStack(stackOf(state))
  await recordService(state, 'kafka', false)
  expect([await readStack(state), await runningConfig(state), await readServices(state)]).toEqual([
    null,
    null,
    [],
  ])
})

test('a daemon counts as running before its first service does', async () => {
  const state = await scratchState()
  const stack = stackOf(state)
  await saveStack(stack)
  const end = new AbortController()
  let running: Promise<void> = Promise.resolve()
  await new Promise<void>(resolve => {
    const daemon = { directory: directoriesOf(state).run, build: async () => [], settings: null }
    running = runDaemon({ ...daemon, onEvent: () => undefined, signal: end.signal, onListening: resolve })
  })
  expect(await readStack(state)).toEqual(stack)
  end.abort()
  await running
  expect(await readStack(state)).toBeNull()
})

test.each([
  ['is not JSON', '{"project":'],
  ['is of another version', '{"project":"/project","config":{"kafka":{"ports":[1]}}}'],
])('a file of the running stack that %s counts as absent', async (_, text) => {
  const state = await scratchState()
  await saveStack(stackOf(state))
  await recordService(state, 'kafka', true)
  await writeFile(join(directoriesOf(state).run, 'stack.json'), text)
  expect([await readStack(state), await readServices(state)]).toEqual([null, []])
})

test('a stack that was never started has no services', async () => {
  const state = await scratchState()
  expect([await readStack(state), await readServices(state)]).toEqual([null, []])
})

test('a service counts as running only if its process exists', async () => {
  const state = await scratchState()
  await recordService(state, 'kafka', true)
  await recordService(state, 'spark-worker', false)
  expect(await ownPids(state)).toEqual(new Set([process.pid]))
  const { signal } = new AbortController()
  await requireRunning(stackOf(state), ['kafka'], signal)
  await expect(requireRunning(stackOf(state), ['kafka', 'spark-worker'], signal)).rejects.toMatchObject({
    code: 'NOT_RUNNING',
    outcome: 'notRunning',
    message: 'spark-worker is not running',
  })
})

test('a running service cannot be started with other settings, unless it is restarted', async () => {
  const state = await scratchState()
  await saveStack(stackOf(state))
  await recordService(state, 'kafka', true)
  const other = stackOf(state, Config.parse({ kafka: { memory: '1g' }, thrift: { cores: 3 } }))
  await expect(refuseOtherSettings(other)).rejects.toMatchObject({
    code: 'SETTINGS_DIFFER',
    outcome: 'refused',
    message: 'kafka is running with `kafka.memory=512m`, not `1g`',
  })
  await refuseOtherSettings(other, ['kafka'])
})

test('the refusal of other settings shows no value of `spark.conf`, which may be a secret', async () => {
  const state = await scratchState()
  await saveStack(stackOf(state))
  await recordService(state, 'products-stream', true)
  const other = stackOf(state, Config.parse({ spark: { conf: ['spark.a.password=canary'] } }))
  await expect(refuseOtherSettings(other)).rejects.toMatchObject({
    message: 'products-stream is running with other values of `spark.conf`',
  })
})

test('a start that fails leaves no saved stack, unless something of it runs', async () => {
  const state = await scratchState()
  await expect(startServices(stackOf(state), ['kafka'], noDaemon)).rejects.toMatchObject({
    code: 'DAEMON_FAILED',
  })
  expect(await readSavedStack(state)).toBeNull()

  await recordService(state, 'zookeeper', true)
  await expect(startServices(stackOf(state), ['kafka'], noDaemon)).rejects.toMatchObject({
    code: 'DAEMON_FAILED',
  })
  expect(await readSavedStack(state)).not.toBeNull()
})

test('a stack of which nothing runs is stopped already', async () => {
  const state = await scratchState()
  await saveStack(stackOf(state))
  expect([await stopStack(state, {}), await readSavedStack(state)]).toEqual([false, null])
})

test('a service that was stopping when its daemon was killed gets no new daemon', async () => {
  const state = await scratchState()
  await recordService(state, 'kafka', true, 'stopping')
  await ensureManaged(state, noDaemon.launchDaemon)
  await recordService(state, 'zookeeper', true)
  await expect(ensureManaged(state, noDaemon.launchDaemon)).rejects.toMatchObject({ code: 'DAEMON_FAILED' })
})

test('services that were killed with their daemon get a new one, but not after a reboot', async () => {
  const state = await scratchState()
  const bootedAt = Date.now() - uptime() * 1_000
  await recordService(state, 'kafka', false, 'running', bootedAt - 60_000)
  await ensureManaged(state, noDaemon.launchDaemon)
  await recordService(state, 'kafka', false, 'running', bootedAt + 1_000)
  await expect(ensureManaged(state, noDaemon.launchDaemon)).rejects.toMatchObject({ code: 'DAEMON_FAILED' })
})

test('the error for a port that is taken says how to choose another', async () => {
  const state = await scratchState()
  const holder = createServer()
  await once(holder.listen(0, '127.0.0.1'), 'listening')
  const end = new AbortController()
  let running: Promise<void> = Promise.resolve()
  onTestFinished(async () => {
    holder.close()
    end.abort()
    await running
  })
  const { port } = holder.address() as AddressInfo
  const launchDaemon = async () => {
    const daemon = { directory: directoriesOf(state).run, build: servicesOf, settings: null }
    running = runDaemon({ ...daemon, onEvent: () => undefined, signal: end.signal })
  }
  const settings = stackOf(state, Config.parse({ zookeeper: { port } }))
  await expect(startServices(settings, ['zookeeper'], { launchDaemon })).rejects.toMatchObject({
    code: 'PORT_TAKEN',
    hint: 'stop that program, or choose another port: `--set zookeeper.port=…`; `offstream up --ports auto` chooses free ones',
  })
})

test('a start that is aborted reports so, and the daemon stops what was started', async () => {
  const state = await scratchState()
  const end = new AbortController()
  const abort = new AbortController()
  let running: Promise<void> = Promise.resolve()
  onTestFinished(async () => {
    end.abort()
    await running
  })
  const sleeper: Service = {
    ...{ name: 'zookeeper', needs: [], port: null, logFile: join(state, 'zookeeper.log') },
    ...{ ready: () => new Promise(() => undefined), startTimeoutMs: 60_000, stopTimeoutMs: 5_000 },
    command: { file: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'], env: {}, cwd: state },
  }
  const launchDaemon = async () => {
    const daemon = { directory: directoriesOf(state).run, build: async () => [sleeper], settings: null }
    running = runDaemon({ ...daemon, onEvent: () => undefined, signal: end.signal })
  }
  let isWithdrawn = false
  const start = startServices(stackOf(state), ['zookeeper'], {
    ...{ launchDaemon, signal: abort.signal, onEvent: () => abort.abort(new Error('enough')) },
    onWithdrawn: () => {
      isWithdrawn = true
    },
  })
  await expect(start).rejects.toThrow('enough')
  expect(isWithdrawn).toBe(true)
  await running
  expect(await ownPids(state)).toEqual(new Set())
})

/** A running service whose state folder was deleted after its start. */
const orphanedService = async (state: string, name: ServiceName): Promise<number> => {
  const { records } = directoriesOf(state)
  // When the service exits, this supervisor must not restart or record it during the test.
  const supervisor = new Supervisor({ directory: records, onEvent: () => undefined, backoffMs: [60_000] })
  await supervisor.start([
    {
      ...{ name, needs: [], port: null, logFile: join(state, `${name}.log`), ready: async () => undefined },
      command: { file: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'], env: {}, cwd: state },
      ...{ startTimeoutMs: 5_000, stopTimeoutMs: 5_000 },
    },
  ])
  onTestFinished(() => supervisor.stop())
  const { pid } = (await new ServiceRecords(records).of(name)) ?? expect.fail()
  supervisor.loseRecords()
  await rm(directoriesOf(state).run, { recursive: true })
  return pid ?? expect.fail()
}

test('a service whose state folder was deleted belongs to the stack: it prevents a reset and can be stopped', async () => {
  const state = await scratchState()
  const pid = await orphanedService(state, 'kafka')
  expect([await ownPids(state), await requestedServices(state)]).toEqual([new Set([pid]), ['kafka']])
  const events: string[] = []
  const onEvent = ({ kind, service }: ServiceEvent) => events.push(`${kind} ${service}`)
  expect(await stopStack(state, { onEvent })).toBe(true)
  expect([await identify(pid), events]).toEqual([null, ['stopping kafka', 'stopped kafka']])
  expect(await stopStack(state, {})).toBe(false)
})

test('a start first stops services of an earlier stack whose state folder was deleted', async () => {
  const state = await scratchState()
  const pid = await orphanedService(state, 'kafka')
  await expect(startServices(stackOf(state), ['zookeeper'], noDaemon)).rejects.toMatchObject({
    code: 'DAEMON_FAILED',
  })
  expect(await identify(pid)).toBeNull()
})

test('a stop deletes the record of a service that has exited, without a daemon', async () => {
  const state = await scratchState()
  const { records } = directoriesOf(state)
  await saveStack(stackOf(state))
  const own = (await identify(process.pid)) ?? expect.fail()
  // The pid of a running process that was started at another time.
  await new ServiceRecords(records).keep({
    ...{
      name: 'thrift',
      phase: 'running',
      pid: own.pid,
      startId: 'long ago',
      port: null,
      logFile: '/dev/null',
    },
    ...{ startedAt: null, restarts: 0, detail: null },
  })
  expect([await stopStack(state, {}), await new ServiceRecords(records).all()]).toEqual([true, []])
  expect(await readSavedStack(state)).toBeNull()
})
