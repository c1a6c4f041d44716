import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { identify } from '../processes.ts'
import { ServiceRecords } from '../supervisor/records.ts'
import type { Service, ServiceEvent } from '../supervisor/service.ts'
import { Supervisor } from '../supervisor/supervisor.ts'
import { until } from '../until.ts'
import { callDaemon, daemonResponds, ensureDaemon } from './client.ts'
import { daemonPid, recordDaemon } from './identity.ts'
import { launchDaemon } from './launch.ts'
import { recordsDirectory, runDaemon } from './server.ts'
import { ensureOwnFolder, socketPath } from './socket.ts'

const program = (directory: string, name: string, script: string): Service => ({
  name,
  command: { file: process.execPath, args: ['-e', script], env: {}, cwd: directory },
  needs: [],
  port: null,
  logFile: join(directory, `${name}.log`),
  ready: async () => undefined,
  startTimeoutMs: 5_000,
  stopTimeoutMs: 5_000,
})

/** A program that exits after SIGTERM only when the file exists. */
const snail = (file: string): string => `
  process.on('SIGTERM', () =>
    setInterval(() => require('node:fs').existsSync(${JSON.stringify(file)}) && process.exit(), 20))
  console.log('ready'); setInterval(() => {}, 1000)`

/** A daemon in its own folder with the services `bee` (runs) and `mayfly` (exits at once). */
const scratch = async () => {
  const root = await mkdtemp(join(tmpdir(), 'offstream-daemon-'))
  const directory = join(root, 'run')
  const abort = new AbortController()
  const runs: Promise<void>[] = []
  const events: ServiceEvent[] = []
  const build = async (): Promise<Service[]> => [
    program(root, 'bee', 'setInterval(() => {}, 1000)'),
    {
      ...program(root, 'sleeper', 'setInterval(() => {}, 1000)'),
      ready: () => new Promise(() => undefined),
    },
    {
      ...program(root, 'snail', snail(join(root, 'let-go'))),
      ready: async () => {
        if (!(await readFile(join(root, 'snail.log'), 'utf8')).includes('ready')) throw new Error('not yet')
      },
      stopTimeoutMs: 30_000,
    },
    {
      ...program(root, 'mayfly', 'process.exit(1)'),
      ready: () => Promise.reject(new Error('not yet')),
    },
  ]
  const launch = async () => {
    runs.push(
      runDaemon({
        directory,
        build,
        settings: {},
        onEvent: event => events.push(event),
        signal: abort.signal,
      }),
    )
  }
  return {
    directory,
    build,
    events,
    launch,
    runs,
    async [Symbol.asyncDispose]() {
      abort.abort()
      await Promise.allSettled(runs)
      await rm(root, { recursive: true, force: true })
    },
  }
}

test('a daemon starts the requested services, reports each step, and exits with the last service', async () => {
  await using daemon = await scratch()
  await ensureDaemon(daemon.directory, daemon.launch)
  const events: ServiceEvent[] = []
  const onEvent = (event: ServiceEvent) => events.push(event)
  await callDaemon(daemon.directory, 'start', { names: ['bee'], onEvent })
  const record = await new ServiceRecords(recordsDirectory(daemon.directory)).of('bee')
  await callDaemon(daemon.directory, 'stop', { onEvent })
  await daemon.runs[0]
  expect(events.map(({ kind }) => kind)).toEqual(['starting', 'ready', 'stopping', 'stopped'])
  expect(await daemonResponds(daemon.directory)).toBe(false)
  expect(await identify(record?.pid ?? 0)).toBeNull()
})

test('several commands that need a daemon at the same time start one', async () => {
  await using daemon = await scratch()
  await Promise.all([1, 2, 3].map(() => ensureDaemon(daemon.directory, daemon.launch)))
  expect(daemon.runs.length).toBe(1)
})

test('an error keeps its code and message on its way through the socket', async () => {
  await using daemon = await scratch()
  await ensureDaemon(daemon.directory, daemon.launch)
  await expect(callDaemon(daemon.directory, 'start', { names: ['mayfly'] })).rejects.toMatchObject({
    name: 'OffstreamError',
    code: 'SERVICE_EXITED',
    outcome: 'failed',
    message: 'mayfly exited with status 1 before it was ready',
  })
})

test('a second start waits for the first', async () => {
  await using daemon = await scratch()
  await ensureDaemon(daemon.directory, daemon.launch)
  let waited = false
  await Promise.all([
    callDaemon(daemon.directory, 'start', { names: ['bee'] }),
    callDaemon(daemon.directory, 'start', {
      names: ['bee'],
      onWaiting: () => {
        waited = true
      },
    }),
  ])
  await callDaemon(daemon.directory, 'stop', {})
  expect(waited).toBe(true)
})

test('a stop of everything interrupts a start in progress, and that start fails', async () => {
  await using daemon = await scratch()
  await ensureDaemon(daemon.directory, daemon.launch)
  const { promise: begun, resolve } = resolvable()
  const start = callDaemon(daemon.directory, 'start', { names: ['sleeper'], onEvent: () => resolve() })
  const outcome = expect(start).rejects.toMatchObject({ code: 'START_INTERRUPTED', outcome: 'locked' })
  await begun
  await callDaemon(daemon.directory, 'stop', {})
  await outcome
  await daemon.runs[0]
  expect(await new ServiceRecords(recordsDirectory(daemon.directory)).all()).toEqual([])
})

test('what a killed daemon was stopping is stopped by the next one, not restarted', async () => {
  await using daemon = await scratch()
  const records = new ServiceRecords(recordsDirectory(daemon.directory))
  const killed = new Supervisor({ directory: recordsDirectory(daemon.directory), onEvent: () => undefined })
  await killed.start((await daemon.build()).filter(({ name }) => name === 'snail'))
  const record = (await records.of('snail')) ?? expect.fail()
  const end = killed.stop()
  await until(async () => expect((await records.of('snail'))?.phase).toBe('stopping'), {
    what: 'the stop to start',
    timeoutMs: 5_000,
    intervalMs: 5,
  })
  await ensureDaemon(daemon.directory, daemon.launch)
  const start = callDaemon(daemon.directory, 'start', { names: ['bee'] })
  await writeFile(join(daemon.directory, '../let-go'), '')
  await Promise.all([start, end])
  expect(daemon.events.map(event => `${event.kind} ${event.service}`)).toEqual([
    'stopping snail',
    'stopped snail',
    'starting bee',
    'ready bee',
  ])
  expect(await records.of('snail')).toBeNull()
  expect(record.pid && (await identify(record.pid))).toBeNull()
})

test('a daemon whose folder is deleted stops its services, and changes nothing in a new folder of the same name', async () => {
  await using daemon = await scratch()
  await ensureDaemon(daemon.directory, daemon.launch)
  await callDaemon(daemon.directory, 'start', { names: ['bee'] })
  const record = await new ServiceRecords(recordsDirectory(daemon.directory)).of('bee')
  const outcome = expect(daemon.runs[0]).rejects.toMatchObject({ code: 'FOLDER_REMOVED', outcome: 'failed' })
  await rm(daemon.directory, { recursive: true })
  await mkdir(join(daemon.directory, 'services'), { recursive: true })
  await writeFile(join(daemon.directory, 'services', 'bee.json'), '{}')
  await outcome
  expect(await identify(record?.pid ?? 0)).toBeNull()
  expect((await readdir(daemon.directory, { recursive: true })).sort()).toEqual([
    'services',
    'services/bee.json',
  ])
})

test('a start whose body arrives while everything is stopped is carried out, and keeps its daemon', async () => {
  await using daemon = await scratch()
  await ensureDaemon(daemon.directory, daemon.launch)
  const start = request({
    socketPath: socketPath(daemon.directory),
    path: '/start',
    method: 'POST',
    agent: false,
  })
  const responded = once(start, 'response')
  start.write('{"names":')
  await once(start, 'socket')
  await until(
    async () => {
      if (start.socket?.connecting !== false) throw new Error('it is not connected')
    },
    { what: 'the connection', timeoutMs: 5_000, intervalMs: 5 },
  )
  await callDaemon(daemon.directory, 'stop', {})
  start.end('["bee"]}')
  const [response] = await responded
  let answer = ''
  for await (const chunk of response) answer += chunk
  expect(answer.trim().split('\n').at(-1)).toBe('{"kind":"done"}')
  expect(await daemonResponds(daemon.directory)).toBe(true)
  const events: string[] = []
  await callDaemon(daemon.directory, 'stop', {
    onEvent: ({ kind, service }) => events.push(`${kind} ${service}`),
  })
  await daemon.runs[0]
  expect(events).toEqual(['stopping bee', 'stopped bee'])
})

test('a start during the exit of a daemon gets another one', async () => {
  await using daemon = await scratch()
  await ensureDaemon(daemon.directory, daemon.launch)
  await Promise.all([
    callDaemon(daemon.directory, 'stop', {}),
    callDaemon(daemon.directory, 'start', { names: ['bee'], launch: daemon.launch }),
  ])
  expect(
    (await new ServiceRecords(recordsDirectory(daemon.directory)).all()).map(({ name }) => name),
  ).toEqual(['bee'])
  expect(await daemonResponds(daemon.directory)).toBe(true)
})

test('the pid of a daemon is known while it runs', async () => {
  await using daemon = await scratch()
  await ensureDaemon(daemon.directory, daemon.launch)
  const during = await daemonPid(daemon.directory)
  await callDaemon(daemon.directory, 'stop', {})
  await daemon.runs[0]
  expect([during, await daemonPid(daemon.directory)]).toEqual([process.pid, null])
})

test('a daemon whose socket is deleted opens it again', async () => {
  await using daemon = await scratch()
  await ensureDaemon(daemon.directory, daemon.launch)
  const socket = socketPath(daemon.directory)
  await rm(socket)
  await until(async () => expect(await daemonResponds(daemon.directory)).toBe(true), {
    what: 'the new socket',
    timeoutMs: 5_000,
  })
  expect(daemon.runs.length).toBe(1)
})

/** Launches a daemon whose program is `script`. */
const launched = async (
  script: string,
  timeoutMs = 10_000,
): Promise<{ readonly launch: Promise<void>; readonly log: string }> => {
  const root = await mkdtemp(join(tmpdir(), 'offstream-launch-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  const log = join(root, 'daemon.log')
  await writeFile(log, 'of an earlier one\n')
  return {
    launch: launchDaemon(
      {
        file: process.execPath,
        args: ['-e', script],
        env: { PATH: process.env['PATH'] ?? '' },
        cwd: root,
        logFile: log,
      },
      timeoutMs,
    ),
    log,
  }
}

test('a daemon that accepts connections but does not respond is reported with its pid', async () => {
  await using daemon = await scratch()
  await mkdir(daemon.directory)
  const sockets: Socket[] = []
  const stopped = createServer(socket => sockets.push(socket)).listen(socketPath(daemon.directory))
  await once(stopped, 'listening')
  await expect(daemonResponds(daemon.directory, 50)).rejects.toMatchObject({
    ...{ code: 'DAEMON_UNRESPONSIVE', outcome: 'timeout' },
    message: 'The daemon, which runs the services, has not responded for 0.05 s',
    hint: expect.stringContaining(`\`lsof -t ${socketPath(daemon.directory)}\``),
  })
  await recordDaemon(daemon.directory)
  await expect(daemonResponds(daemon.directory, 50)).rejects.toMatchObject({
    message: `The daemon (pid ${process.pid}), which runs the services, has not responded for 0.05 s`,
    hint: `resume it with \`kill -CONT ${process.pid}\` if it was stopped, otherwise kill it with \`kill -9 ${process.pid}\`: the next command takes over the running services`,
  })
  for (const socket of sockets) socket.destroy()
  stopped.close()
  await once(stopped, 'close')
  expect(await daemonResponds(daemon.directory, 50)).toBe(false)
})

test('a daemon that exits before it accepts requests is reported at once with its last log lines', async () => {
  const { launch } = await launched(`console.error('no wax'); process.exit(3)`)
  await expect(launch).rejects.toMatchObject({
    code: 'DAEMON_FAILED',
    outcome: 'failed',
    message: 'The daemon, which runs the services, exited with status 3 before it accepted requests',
    lastLogLines: ['no wax'],
  })
})

test('the reason why a daemon failed is reported even if its log cannot be written', async () => {
  const error = {
    code: 'DISK_FULL',
    message: 'no room',
    outcome: 'prerequisite',
    hint: 'h',
    lastLogLines: [],
  }
  const { launch } = await launched(`process.send({ kind: 'error', error: ${JSON.stringify(error)} })`)
  await expect(launch).rejects.toMatchObject({ code: 'DISK_FULL', message: 'no room' })
  const bug = { ...error, code: null, message: 'bees is not iterable', stack: null }
  const { launch: other } = await launched(`process.send({ kind: 'error', error: ${JSON.stringify(bug)} })`)
  await expect(other).rejects.toMatchObject({
    code: 'DAEMON_FAILED',
    message: 'The daemon, which runs the services, could not be started: bees is not iterable',
  })
})

test('a daemon that reports nothing is stopped at the timeout', async () => {
  const { launch, log } = await launched(`console.log(process.pid); setInterval(() => {}, 1000)`, 700)
  await expect(launch).rejects.toMatchObject({
    code: 'DAEMON_FAILED',
    message: expect.stringContaining('timed out after 0.7 s waiting for'),
  })
  const pid = Number((await readFile(log, 'utf8')).trim().split('\n').at(-1))
  await until(async () => expect(await identify(pid)).toBeNull(), { what: 'its exit', timeoutMs: 5_000 })
})

test('a daemon that accepts requests outlives its launcher', async () => {
  const { launch, log } = await launched(
    `process.send({ kind: 'done' }); process.on('disconnect', () => console.log('alone'))`,
  )
  await launch
  await until(async () => expect(await readFile(log, 'utf8')).toContain('alone'), {
    what: 'it to notice',
    timeoutMs: 5_000,
  })
})

test('the socket of a folder whose path is too long is elsewhere', () => {
  expect(socketPath('/short')).toBe('/short/daemon.sock')
  const deep = `/${'deep/'.repeat(30)}`
  expect(Buffer.byteLength(socketPath(deep))).toBeLessThan(104)
  expect(socketPath(deep)).not.toBe(socketPath(`${deep}er`))
})

test('a folder for sockets that other users can use is refused', async () => {
  const root = await mkdtemp(join(tmpdir(), 'offstream-sockets-'))
  onTestFinished(() => rm(root, { recursive: true }))
  const folder = join(root, 'daemon-1')
  await ensureOwnFolder(folder)
  await ensureOwnFolder(folder)
  expect((await stat(folder)).mode & 0o777).toBe(0o700)
  await chmod(folder, 0o755)
  const refused = { code: 'FOLDER_INSECURE', outcome: 'refused' }
  await expect(ensureOwnFolder(folder)).rejects.toMatchObject(refused)
  await chmod(folder, 0o700)
  await symlink(folder, join(root, 'link'))
  await expect(ensureOwnFolder(join(root, 'link'))).rejects.toMatchObject(refused)
})

const resolvable = (): { readonly promise: Promise<void>; readonly resolve: () => void } => {
  let resolve = (): void => undefined
  const promise = new Promise<void>(done => {
    resolve = done
  })
  return { promise, resolve }
}
