import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { identify } from '../processes.ts'
import { ServiceRecords } from '../supervisor/records.ts'
import type { Service, ServiceEvent } from '../supervisor/service.ts'
import { Supervisor } from '../supervisor/supervisor.ts'
import { until } from '../until.ts'
import { askKeeper, ensureKeeper, keeperAnswers } from './client.ts'
import { launchKeeper } from './launch.ts'
import { recordsDirectory, runKeeper } from './server.ts'
import { ensureOwnFolder, socketPath } from './socket.ts'

const program = (directory: string, name: string, script: string): Service => ({
  name,
  command: { file: process.execPath, args: ['-e', script], env: {}, cwd: directory },
  needs: [],
  port: null,
  logFile: join(directory, `${name}.log`),
  ready: async () => undefined,
  startWithinMs: 5_000,
  stopWithinMs: 5_000,
})

/** A program that, asked to end, does so when the file is there. */
const snail = (file: string): string => `
  process.on('SIGTERM', () =>
    setInterval(() => require('node:fs').existsSync(${JSON.stringify(file)}) && process.exit(), 20))
  console.log('ready'); setInterval(() => {}, 1000)`

/** A keeper in a folder of its own that knows the services `bee` (lives) and `mayfly` (dies at once). */
const scratch = async () => {
  const root = await mkdtemp(join(tmpdir(), 'offstream-keeper-'))
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
      stopWithinMs: 30_000,
    },
    {
      ...program(root, 'mayfly', 'process.exit(1)'),
      ready: () => Promise.reject(new Error('not yet')),
    },
  ]
  const launch = async () => {
    runs.push(
      runKeeper({
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

test('a keeper starts what it is asked for, tells each step, and ends with the last service', async () => {
  await using keeper = await scratch()
  await ensureKeeper(keeper.directory, keeper.launch)
  const events: ServiceEvent[] = []
  const onEvent = (event: ServiceEvent) => events.push(event)
  await askKeeper(keeper.directory, 'start', { names: ['bee'], onEvent })
  const record = await new ServiceRecords(recordsDirectory(keeper.directory)).of('bee')
  await askKeeper(keeper.directory, 'stop', { onEvent })
  await keeper.runs[0]
  expect(events.map(({ kind }) => kind)).toEqual(['starting', 'ready', 'stopping', 'stopped'])
  expect(await keeperAnswers(keeper.directory)).toBe(false)
  expect(await identify(record?.pid ?? 0)).toBeNull()
})

test('two who need a keeper at once get one between them', async () => {
  await using keeper = await scratch()
  await Promise.all([1, 2, 3].map(() => ensureKeeper(keeper.directory, keeper.launch)))
  expect(keeper.runs.length).toBe(1)
})

test('an error keeps its code, hint and last words on its way through the socket', async () => {
  await using keeper = await scratch()
  await ensureKeeper(keeper.directory, keeper.launch)
  await expect(askKeeper(keeper.directory, 'start', { names: ['mayfly'] })).rejects.toMatchObject({
    name: 'OffstreamError',
    code: 'SERVICE_EXITED',
    outcome: 'failed',
    message: 'mayfly ended with status 1 before it was ready',
  })
})

test('a second start waits for the first', async () => {
  await using keeper = await scratch()
  await ensureKeeper(keeper.directory, keeper.launch)
  let waited = false
  await Promise.all([
    askKeeper(keeper.directory, 'start', { names: ['bee'] }),
    askKeeper(keeper.directory, 'start', {
      names: ['bee'],
      onWaiting: () => {
        waited = true
      },
    }),
  ])
  await askKeeper(keeper.directory, 'stop', {})
  expect(waited).toBe(true)
})

test('who ends everything does not wait for a start under way, and whoever asked for that is told', async () => {
  await using keeper = await scratch()
  await ensureKeeper(keeper.directory, keeper.launch)
  const { promise: begun, resolve } = resolvable()
  const start = askKeeper(keeper.directory, 'start', { names: ['sleeper'], onEvent: () => resolve() })
  const outcome = expect(start).rejects.toMatchObject({ code: 'ENDED_MEANWHILE', outcome: 'locked' })
  await begun
  await askKeeper(keeper.directory, 'stop', {})
  await outcome
  await keeper.runs[0]
  expect(await new ServiceRecords(recordsDirectory(keeper.directory)).all()).toEqual([])
})

test('what a killed keeper was ending is ended by the next, not started again', async () => {
  await using keeper = await scratch()
  const records = new ServiceRecords(recordsDirectory(keeper.directory))
  const killed = new Supervisor({ directory: recordsDirectory(keeper.directory), onEvent: () => undefined })
  await killed.start((await keeper.build()).filter(({ name }) => name === 'snail'))
  const record = (await records.of('snail')) ?? expect.fail()
  const end = killed.stop()
  await until(async () => expect((await records.of('snail'))?.phase).toBe('stopping'), {
    what: 'the end to begin',
    withinMs: 5_000,
    everyMs: 5,
  })
  await ensureKeeper(keeper.directory, keeper.launch)
  const start = askKeeper(keeper.directory, 'start', { names: ['bee'] })
  await writeFile(join(keeper.directory, '../let-go'), '')
  await Promise.all([start, end])
  expect(keeper.events.map(event => `${event.kind} ${event.service}`)).toEqual([
    'stopping snail',
    'stopped snail',
    'starting bee',
    'ready bee',
  ])
  expect(await records.of('snail')).toBeNull()
  expect(record.pid && (await identify(record.pid))).toBeNull()
})

test('a keeper whose folder is removed ends what it keeps, and touches nothing that comes in its place', async () => {
  await using keeper = await scratch()
  await ensureKeeper(keeper.directory, keeper.launch)
  await askKeeper(keeper.directory, 'start', { names: ['bee'] })
  const record = await new ServiceRecords(recordsDirectory(keeper.directory)).of('bee')
  const outcome = expect(keeper.runs[0]).rejects.toMatchObject({ code: 'FOLDER_REMOVED', outcome: 'failed' })
  await rm(keeper.directory, { recursive: true })
  await mkdir(join(keeper.directory, 'services'), { recursive: true })
  await writeFile(join(keeper.directory, 'services', 'bee.json'), '{}')
  await outcome
  expect(await identify(record?.pid ?? 0)).toBeNull()
  expect((await readdir(keeper.directory, { recursive: true })).sort()).toEqual([
    'services',
    'services/bee.json',
  ])
})

test('a keeper whose socket alone is removed can be asked again', async () => {
  await using keeper = await scratch()
  await ensureKeeper(keeper.directory, keeper.launch)
  const socket = socketPath(keeper.directory)
  await rm(socket)
  await until(async () => expect(await keeperAnswers(keeper.directory)).toBe(true), {
    what: 'the new socket',
    withinMs: 5_000,
  })
  expect(keeper.runs.length).toBe(1)
})

/** A keeper's program that does as `script` says. */
const launched = async (
  script: string,
  withinMs = 10_000,
): Promise<{ readonly launch: Promise<void>; readonly log: string }> => {
  const root = await mkdtemp(join(tmpdir(), 'offstream-launch-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  const log = join(root, 'keeper.log')
  await writeFile(log, 'of an earlier one\n')
  return {
    launch: launchKeeper({ file: process.execPath, args: ['-e', script], cwd: root, logFile: log }, withinMs),
    log,
  }
}

test('a keeper that takes the call and says nothing, as one that was stopped, is not waited for without end', async () => {
  await using keeper = await scratch()
  await mkdir(keeper.directory)
  const sockets: Socket[] = []
  const stopped = createServer(socket => sockets.push(socket)).listen(socketPath(keeper.directory))
  await once(stopped, 'listening')
  await expect(keeperAnswers(keeper.directory, 50)).rejects.toMatchObject({
    ...{ code: 'KEEPER_SILENT', outcome: 'timeout' },
    message: expect.stringContaining('has not answered for 0.05 s'),
  })
  for (const socket of sockets) socket.destroy()
  stopped.close()
  await once(stopped, 'close')
  expect(await keeperAnswers(keeper.directory, 50)).toBe(false)
})

test('a keeper that ends before it can be asked is reported at once with its last words', async () => {
  const { launch } = await launched(`console.error('no wax'); process.exit(3)`)
  await expect(launch).rejects.toMatchObject({
    code: 'KEEPER_FAILED',
    outcome: 'failed',
    message: 'The keeper, which runs the services, ended with status 3 before it could be asked',
    lastWords: ['no wax'],
  })
})

test('what a keeper fails of is told though its log could not be written', async () => {
  const error = { code: 'DISK_FULL', message: 'no room', outcome: 'prerequisite', hint: 'h', lastWords: [] }
  const { launch } = await launched(`process.send({ kind: 'error', error: ${JSON.stringify(error)} })`)
  await expect(launch).rejects.toMatchObject({ code: 'DISK_FULL', message: 'no room' })
  const bug = { ...error, code: null, message: 'bees is not iterable', stack: null }
  const { launch: other } = await launched(`process.send({ kind: 'error', error: ${JSON.stringify(bug)} })`)
  await expect(other).rejects.toMatchObject({
    code: 'KEEPER_FAILED',
    message: 'The keeper, which runs the services, could not be started: bees is not iterable',
  })
})

test('a keeper that says nothing is ended at the deadline', async () => {
  const { launch, log } = await launched(`console.log(process.pid); setInterval(() => {}, 1000)`, 700)
  await expect(launch).rejects.toMatchObject({
    code: 'KEEPER_FAILED',
    message: expect.stringContaining('gave up waiting for its first word after 0.7 s'),
  })
  const pid = Number((await readFile(log, 'utf8')).trim().split('\n').at(-1))
  await until(async () => expect(await identify(pid)).toBeNull(), { what: 'its end', withinMs: 5_000 })
})

test('a keeper that says it can be asked goes on without whoever launched it', async () => {
  const { launch, log } = await launched(
    `process.send({ kind: 'done' }); process.on('disconnect', () => console.log('alone'))`,
  )
  await launch
  await until(async () => expect(await readFile(log, 'utf8')).toContain('alone'), {
    what: 'it to notice',
    withinMs: 5_000,
  })
})

test('a folder too deep for a socket gets one elsewhere', () => {
  expect(socketPath('/short')).toBe('/short/keeper.sock')
  const deep = `/${'deep/'.repeat(30)}`
  expect(Buffer.byteLength(socketPath(deep))).toBeLessThan(104)
  expect(socketPath(deep)).not.toBe(socketPath(`${deep}er`))
})

test('a folder for sockets is one of this user alone, or is refused', async () => {
  const root = await mkdtemp(join(tmpdir(), 'offstream-sockets-'))
  onTestFinished(() => rm(root, { recursive: true }))
  const folder = join(root, 'keeper-1')
  await ensureOwnFolder(folder)
  await ensureOwnFolder(folder)
  expect((await stat(folder)).mode & 0o777).toBe(0o700)
  await chmod(folder, 0o755)
  const refused = { code: 'FOLDER_FOREIGN', outcome: 'refused' }
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
