import { once } from 'node:events'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
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
import { wantedServices } from './reset.ts'
import {
  ensureManaged,
  ownPids,
  readServices,
  readStackSettings,
  refuseOtherSettings,
  requireRunning,
  type StackSettings,
  saveStackSettings,
  servicesOf,
  startServices,
  stopStack,
} from './stack.ts'

const scratchState = async (): Promise<string> => {
  const state = await mkdtemp(join(tmpdir(), 'offstream-stack-'))
  onTestFinished(() => rm(state, { recursive: true }))
  return state
}

const settingsOf = (state: string, config: Config = Config.parse({})): StackSettings => ({
  ...{ project: '/project', state, config, archives: null },
  runtimes: {
    ...{
      java: 'java',
      javaVersion: '17.0.15',
      python: 'python',
      sparkHome: '/spark',
      kafkaLibs: '/kafka',
      connectors: '/jars',
    },
    ivy: { java: 'java', jar: '/ivy.jar', settings: '/ivy.xml', cache: '/ivy' },
  },
})

/** Records a service as run by this very process, or by one that is gone. */
const recordService = async (
  state: string,
  name: ServiceName,
  alive: boolean,
  phase: ServicePhase = 'running',
): Promise<void> => {
  const self = await identify(process.pid)
  await new ServiceRecords(directoriesOf(state).records).keep({
    ...{ name, phase, pid: process.pid, port: null, logFile: '/dev/null' },
    ...{ began: alive ? (self?.began ?? null) : 'long ago', startedAt: null, restarts: 0, detail: null },
  })
}

const noDaemon = { launchDaemon: () => Promise.reject(new Error('no daemon was wanted')) }

test('what a stack was started with is read again, by its owner alone', async () => {
  const state = await scratchState()
  const settings = settingsOf(state, Config.parse({ kafka: { port: 1001 } }))
  await saveStackSettings(settings)
  expect(await readStackSettings(state)).toEqual(settings)
  expect((await readServices(state)).map(({ name }) => name)).toContain('kafka')
  const { run } = directoriesOf(state)
  const modes = await Promise.all(
    [run, join(run, 'settings.json')].map(async path => (await stat(path)).mode),
  )
  expect(modes.map(mode => mode & 0o777)).toEqual([0o700, 0o600])
  expect(await readdir(run)).toEqual(['settings.json'])
})

test('a stack that was never started has no settings and no services', async () => {
  const state = await scratchState()
  expect([await readStackSettings(state), await readServices(state)]).toEqual([null, []])
})

test('only a process that lives counts as running', async () => {
  const state = await scratchState()
  await recordService(state, 'kafka', true)
  await recordService(state, 'spark-worker', false)
  expect(await ownPids(state)).toEqual(new Set([process.pid]))
  await requireRunning(state, ['kafka'])
  await expect(requireRunning(state, ['kafka', 'spark-worker'])).rejects.toMatchObject({
    code: 'NOT_RUNNING',
    outcome: 'notRunning',
    message: 'spark-worker is not running',
  })
})

test('a service that runs is not started with other settings, unless it is to be started anew', async () => {
  const state = await scratchState()
  await saveStackSettings(settingsOf(state))
  await recordService(state, 'kafka', true)
  const other = settingsOf(state, Config.parse({ kafka: { memory: '1g' }, thrift: { cores: 3 } }))
  await expect(refuseOtherSettings(other)).rejects.toMatchObject({
    code: 'SETTINGS_DIFFER',
    outcome: 'refused',
    message: 'kafka runs with `kafka.memory=512m`, not `1g`',
  })
  await refuseOtherSettings(other, ['kafka'])
})

test('a start that fails is forgotten, but not the settings of what runs', async () => {
  const state = await scratchState()
  await expect(startServices(settingsOf(state), ['kafka'], noDaemon)).rejects.toMatchObject({
    code: 'DAEMON_FAILED',
  })
  expect(await readStackSettings(state)).toBeNull()

  await recordService(state, 'zookeeper', true)
  await expect(startServices(settingsOf(state), ['kafka'], noDaemon)).rejects.toMatchObject({
    code: 'DAEMON_FAILED',
  })
  expect(await readStackSettings(state)).not.toBeNull()
})

test('where nothing runs there is nothing to stop', async () => {
  const state = await scratchState()
  await saveStackSettings(settingsOf(state))
  expect([await stopStack(state, {}), await readStackSettings(state)]).toEqual([false, null])
})

test('what was being ended when its daemon was killed gets none to keep it', async () => {
  const state = await scratchState()
  await recordService(state, 'kafka', true, 'stopping')
  await ensureManaged(state, noDaemon.launchDaemon)
  await recordService(state, 'zookeeper', true)
  await expect(ensureManaged(state, noDaemon.launchDaemon)).rejects.toMatchObject({ code: 'DAEMON_FAILED' })
})

test('a port that is taken is told with what chooses another', async () => {
  const state = await scratchState()
  const holder = createServer()
  await once(holder.listen(0, '127.0.0.1'), 'listening')
  const end = new AbortController()
  let keeping: Promise<void> = Promise.resolve()
  onTestFinished(async () => {
    holder.close()
    end.abort()
    await keeping
  })
  const { port } = holder.address() as AddressInfo
  const launchDaemon = async () => {
    const daemon = { directory: directoriesOf(state).run, build: servicesOf, settings: null }
    keeping = runDaemon({ ...daemon, onEvent: () => undefined, signal: end.signal })
  }
  const settings = settingsOf(state, Config.parse({ zookeeper: { port } }))
  await expect(startServices(settings, ['zookeeper'], { launchDaemon })).rejects.toMatchObject({
    code: 'PORT_TAKEN',
    hint: 'end that program, or choose another port: `--set zookeeper.port=…`; `offstream up --ports auto` chooses free ones',
  })
})

test('a start that is taken back says so, and leaves its end to the daemon', async () => {
  const state = await scratchState()
  const end = new AbortController()
  const abort = new AbortController()
  let keeping: Promise<void> = Promise.resolve()
  onTestFinished(async () => {
    end.abort()
    await keeping
  })
  const sleeper: Service = {
    ...{ name: 'zookeeper', needs: [], port: null, logFile: join(state, 'zookeeper.log') },
    ...{ ready: () => new Promise(() => undefined), startTimeoutMs: 60_000, stopTimeoutMs: 5_000 },
    command: { file: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'], env: {}, cwd: state },
  }
  const launchDaemon = async () => {
    const daemon = { directory: directoriesOf(state).run, build: async () => [sleeper], settings: null }
    keeping = runDaemon({ ...daemon, onEvent: () => undefined, signal: end.signal })
  }
  let isTakenBack = false
  const start = startServices(settingsOf(state), ['zookeeper'], {
    ...{ launchDaemon, signal: abort.signal, onEvent: () => abort.abort(new Error('enough')) },
    onWithdrawn: () => {
      isTakenBack = true
    },
  })
  await expect(start).rejects.toThrow('enough')
  expect(isTakenBack).toBe(true)
  await keeping
  expect(await ownPids(state)).toEqual(new Set())
})

/** A service of a stack that runs, and whose state folder was deleted since. */
const orphanedService = async (state: string, name: ServiceName): Promise<number> => {
  const { records } = directoriesOf(state)
  // It sees the service end, and must neither start it again nor write that down while the test looks.
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

test('a service whose state folder was deleted is still ours, stands in the way of a reset, and is ended', async () => {
  const state = await scratchState()
  const pid = await orphanedService(state, 'kafka')
  expect([await ownPids(state), await wantedServices(state)]).toEqual([new Set([pid]), ['kafka']])
  const events: string[] = []
  const onEvent = ({ kind, service }: ServiceEvent) => events.push(`${kind} ${service}`)
  expect(await stopStack(state, { onEvent })).toBe(true)
  expect([await identify(pid), events]).toEqual([null, ['stopping kafka', 'stopped kafka']])
  expect(await stopStack(state, {})).toBe(false)
})

test('a start ends first what an earlier stack of the same folder left when that was deleted', async () => {
  const state = await scratchState()
  const pid = await orphanedService(state, 'kafka')
  await expect(startServices(settingsOf(state), ['zookeeper'], noDaemon)).rejects.toMatchObject({
    code: 'DAEMON_FAILED',
  })
  expect(await identify(pid)).toBeNull()
})

test('what is known of a service that is gone is forgotten at the end, without a daemon', async () => {
  const state = await scratchState()
  const { records } = directoriesOf(state)
  await saveStackSettings(settingsOf(state))
  const own = (await identify(process.pid)) ?? expect.fail()
  // Of a living process, but one that began at another time: nothing is left of it.
  await new ServiceRecords(records).keep({
    ...{
      name: 'thrift',
      phase: 'running',
      pid: own.pid,
      began: 'long ago',
      port: null,
      logFile: '/dev/null',
    },
    ...{ startedAt: null, restarts: 0, detail: null },
  })
  expect([await stopStack(state, {}), await new ServiceRecords(records).all()]).toEqual([true, []])
  expect(await readStackSettings(state)).toBeNull()
})
