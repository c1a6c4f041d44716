import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { identify, isAlive } from '../processes.ts'
import { until } from '../until.ts'
import { ServiceRecords } from './records.ts'
import type { Service, ServiceEvent, ServicePhase } from './service.ts'
import { Supervisor } from './supervisor.ts'

/** A supervisor of tiny real programs in its own folder; programs that still run are stopped with the test. */
const scratch = async () => {
  const directory = await mkdtemp(join(tmpdir(), 'offstream-supervisor-'))
  const events: ServiceEvent[] = []
  const open = () =>
    new Supervisor({
      directory: join(directory, 'services'),
      onEvent: event => events.push(event),
      backoffMs: [50],
    })
  const supervisor = open()
  return {
    directory,
    events,
    supervisor,
    open,
    records: new ServiceRecords(join(directory, 'services')),
    program: (name: string, script: string, options: Partial<Service> = {}): Service => ({
      name,
      command: { file: process.execPath, args: ['-e', script], env: {}, cwd: directory },
      needs: [],
      port: null,
      logFile: join(directory, `${name}.log`),
      ready: async () => {
        if (!(await readFile(join(directory, `${name}.log`), 'utf8')).includes('ready'))
          throw new Error('not yet')
      },
      startTimeoutMs: 10_000,
      stopTimeoutMs: 5_000,
      ...options,
    }),
    async [Symbol.asyncDispose]() {
      await supervisor.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

const lives = `console.log('ready'); setInterval(() => {}, 1000)`
const kinds = (events: readonly ServiceEvent[]) => events.map(event => `${event.kind} ${event.service}`)

test('services start after what they need and stop before it', async () => {
  await using stack = await scratch()
  await stack.supervisor.start([
    stack.program('roof', lives, { needs: ['walls'] }),
    stack.program('walls', lives, { needs: ['ground'] }),
    stack.program('ground', lives),
  ])
  await stack.supervisor.stop()
  expect(kinds(stack.events)).toEqual([
    'starting ground',
    'ready ground',
    'starting walls',
    'ready walls',
    'starting roof',
    'ready roof',
    'stopping roof',
    'stopped roof',
    'stopping walls',
    'stopped walls',
    'stopping ground',
    'stopped ground',
  ])
  expect(await stack.records.all()).toEqual([])
})

test('a service that waits for another has a record, which is deleted if the other fails', async () => {
  await using stack = await scratch()
  const walls = stack.program('walls', `setTimeout(() => process.exit(1), 300)`)
  const start = stack.supervisor.start([walls, stack.program('roof', lives, { needs: ['walls'] })])
  const outcome = expect(start).rejects.toMatchObject({ code: 'SERVICE_EXITED' })
  await until(async () => expect(kinds(stack.events)).toContain('starting walls'), {
    what: 'it',
    timeoutMs: 5_000,
  })
  expect(await stack.records.of('roof')).toMatchObject({ phase: 'starting', pid: null })
  await outcome
  expect((await stack.records.all()).map(({ name, phase }) => [name, phase])).toEqual([['walls', 'failed']])
})

test('starting twice starts nothing the second time', async () => {
  await using stack = await scratch()
  const service = stack.program('bee', lives)
  await stack.supervisor.start([service])
  const first = await stack.records.of('bee')
  await stack.supervisor.start([service])
  expect(stack.events.at(-1)).toMatchObject({ kind: 'ready', service: 'bee', alreadyRunning: true })
  expect(await stack.records.of('bee')).toEqual(first)
})

test('a service that exits before it is ready is reported with its last log lines, and nothing of it remains', async () => {
  await using stack = await scratch()
  const dies = stack.program('dies', `console.error('no honey left'); process.exit(7)`, { needs: ['hive'] })
  await expect(stack.supervisor.start([stack.program('hive', lives), dies])).rejects.toMatchObject({
    code: 'SERVICE_EXITED',
    message: 'dies exited with status 7 before it was ready',
    hint: expect.stringContaining('dies.log'),
    lastLogLines: ['no honey left'],
  })
  expect(stack.supervisor.names).toEqual([])
  expect(kinds(stack.events)).toContain('stopped hive')
})

/** A program that reports with a file that its work is done, then exits. */
const works = (afterMs: number) =>
  `console.log('ready'); setTimeout(() => require('node:fs').writeFileSync('done', ''), ${afterMs}); setTimeout(() => {}, ${afterMs} + 10)`

const isComplete = (directory: string) => () =>
  readFile(join(directory, 'done')).then(
    () => true,
    () => false,
  )

const phaseOf = (stack: Awaited<ReturnType<typeof scratch>>, name: string, phase: ServicePhase) =>
  until(async () => expect(await stack.records.of(name)).toMatchObject({ phase, pid: null }), {
    what: `${name} to be ${phase}`,
    timeoutMs: 10_000,
  })

test('a service whose work is done is completed, not restarted, and can be started again', async () => {
  await using stack = await scratch()
  const bee = stack.program('bee', works(300), {
    isComplete: isComplete(stack.directory),
    prepare: () => rm(join(stack.directory, 'done'), { force: true }),
  })
  await stack.supervisor.start([bee])
  await phaseOf(stack, 'bee', 'completed')
  await stack.supervisor.start([bee])
  await phaseOf(stack, 'bee', 'completed')
  expect(kinds(stack.events)).toEqual([
    ...['starting bee', 'ready bee', 'completed bee'],
    ...['starting bee', 'ready bee', 'completed bee'],
  ])
})

test('a service that completes before it responds was started successfully', async () => {
  await using stack = await scratch()
  await stack.supervisor.start([
    stack.program('bee', `require('node:fs').writeFileSync('done', '')`, {
      isComplete: isComplete(stack.directory),
    }),
  ])
  expect(await stack.records.of('bee')).toMatchObject({ phase: 'completed', pid: null, restarts: 0 })
})

test('a service that is adopted, or completes while no supervisor runs, is completed all the same', async () => {
  await using stack = await scratch()
  const options = { isComplete: isComplete(stack.directory) }
  const bee = stack.program('bee', works(800), options)
  await stack.supervisor.start([bee])
  // Another supervisor does not know the exit status of a process that is not its child.
  await stack.open().adopt([bee])
  await phaseOf(stack, 'bee', 'completed')
  await stack.open().adopt([bee])
  expect(await stack.records.of('bee')).toMatchObject({ phase: 'completed' })
})

test('a service that exits without having completed is restarted', async () => {
  await using stack = await scratch()
  const bee = stack.program('bee', `console.log('ready'); setTimeout(() => process.exit(0), 200)`, {
    isComplete: isComplete(stack.directory),
  })
  await stack.supervisor.start([bee])
  await until(async () => expect(kinds(stack.events)).toContain('crashed bee'), {
    what: 'it',
    timeoutMs: 10_000,
  })
})

test('a service that never responds is stopped at its timeout', async () => {
  await using stack = await scratch()
  const silent = stack.program('silent', `console.log(process.pid); setInterval(() => {}, 1000)`, {
    startTimeoutMs: 700,
  })
  await expect(stack.supervisor.start([silent])).rejects.toMatchObject({
    code: 'SERVICE_NOT_READY',
    outcome: 'timeout',
  })
  const pid = Number((await readFile(silent.logFile, 'utf8')).trim())
  expect(await identify(pid)).toBeNull()
})

test('a program that cannot be started is an error for the user, not a bug', async () => {
  await using stack = await scratch()
  const absent = stack.program('absent', '')
  const command = { ...absent.command, file: join(stack.directory, 'no-such-program') }
  await expect(stack.supervisor.start([{ ...absent, command }])).rejects.toMatchObject({
    code: 'SERVICE_EXITED',
    message: expect.stringContaining('ENOENT'),
  })
})

test('an aborted start stops what it had started', async () => {
  await using stack = await scratch()
  const abort = new AbortController()
  const silent = stack.program('silent', `console.log('x'); setInterval(() => {}, 1000)`, { needs: ['bee'] })
  const start = stack.supervisor.start([stack.program('bee', lives), silent], abort.signal)
  await until(async () => expect(kinds(stack.events)).toContain('starting silent'), {
    what: 'it',
    timeoutMs: 5_000,
  })
  abort.abort(new Error('enough'))
  await expect(start).rejects.toThrow('enough')
  expect(kinds(stack.events).slice(-2)).toEqual(['stopping bee', 'stopped bee'])
  expect(stack.supervisor.names).toEqual([])
})

test('the preparation of a start is cancelled with it', async () => {
  await using stack = await scratch()
  const abort = new AbortController()
  const waits = stack.program('waits', lives, {
    prepare: signal =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  })
  const start = stack.supervisor.start([waits], abort.signal)
  const outcome = expect(start).rejects.toThrow('enough')
  await until(async () => expect(kinds(stack.events)).toContain('starting waits'), {
    what: 'it',
    timeoutMs: 5_000,
  })
  abort.abort(new Error('enough'))
  await outcome
  expect(await stack.records.all()).toEqual([])
})

test('a service that is killed is restarted, and its record counts the restart', async () => {
  await using stack = await scratch()
  await stack.supervisor.start([stack.program('bee', lives)])
  const first = await stack.records.of('bee')
  process.kill(first?.pid ?? expect.fail('it has no pid'), 'SIGKILL')
  await until(
    async () => expect(await stack.records.of('bee')).toMatchObject({ phase: 'running', restarts: 1 }),
    {
      what: 'the restart',
      timeoutMs: 10_000,
    },
  )
  expect(stack.events).toContainEqual({
    kind: 'crashed',
    service: 'bee',
    how: 'was killed by SIGKILL',
    restartInMs: 50,
  })
})

test('children of a crashed service are killed before it restarts', async () => {
  await using stack = await scratch()
  const parent = `
    const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
    console.log('ready child=' + child.pid); setInterval(() => {}, 1000)`
  await stack.supervisor.start([stack.program('parent', parent)])
  const child = Number(/child=(\d+)/.exec(await readFile(join(stack.directory, 'parent.log'), 'utf8'))?.[1])
  const identity = await identify(child)
  process.kill((await stack.records.of('parent'))?.pid ?? expect.fail('it has no pid'), 'SIGKILL')
  await until(async () => expect(identity && (await isAlive(identity))).toBe(false), {
    what: 'it',
    timeoutMs: 5_000,
  })
  expect(identity).not.toBeNull()
})

test('a service that ignores SIGTERM is killed, with its children', async () => {
  await using stack = await scratch()
  const deaf = stack.program('deaf', `process.on('SIGTERM', () => {}); ${lives}`, { stopTimeoutMs: 200 })
  await stack.supervisor.start([deaf])
  await stack.supervisor.stop()
  expect(stack.events.at(-1)).toMatchObject({ kind: 'stopped', service: 'deaf', killed: true })
})

test('a service with a gentle way to stop gets no signal', async () => {
  await using stack = await scratch()
  const file = join(stack.directory, 'stop')
  const gentle = stack.program(
    'gentle',
    `process.on('SIGTERM', () => console.log('signalled')); console.log('ready')
     setInterval(() => { if (require('node:fs').existsSync(${JSON.stringify(file)})) { console.log('bye'); process.exit() } }, 20)`,
    { requestStop: async () => (await import('node:fs/promises')).writeFile(file, '') },
  )
  await stack.supervisor.start([gentle])
  await stack.supervisor.stop()
  expect((await readFile(gentle.logFile, 'utf8')).trim().split('\n')).toEqual(['ready', 'bye'])
})

test('a start that is too slow, or aborted, ends gently if the service works elsewhere', async () => {
  await using stack = await scratch()
  const file = join(stack.directory, 'stop')
  const remote = stack.program(
    'remote',
    `const fs = require('node:fs')
     setInterval(() => {
       if (!fs.existsSync(${JSON.stringify(file)})) return
       fs.rmSync(${JSON.stringify(file)})
       console.log('bye')
       process.exit()
     }, 20)`,
    { requestStop: () => writeFile(file, ''), worksElsewhere: true, startTimeoutMs: 700 },
  )
  await expect(stack.supervisor.start([remote])).rejects.toMatchObject({ code: 'SERVICE_NOT_READY' })
  const abort = new AbortController()
  const start = stack.supervisor.start([{ ...remote, startTimeoutMs: 10_000 }], abort.signal)
  const outcome = expect(start).rejects.toThrow('enough')
  await until(
    async () => expect(await stack.records.of('remote')).toMatchObject({ pid: expect.any(Number) }),
    { what: 'its process', timeoutMs: 5_000 },
  )
  abort.abort(new Error('enough'))
  await outcome
  expect((await readFile(remote.logFile, 'utf8')).trim().split('\n')).toEqual(['bye', 'bye'])
})

test('if a gentle way to stop fails, SIGTERM follows at once', async () => {
  await using stack = await scratch()
  const deaf = stack.program(
    'deaf',
    `process.on('SIGTERM', () => console.log('bye') ?? process.exit()); ${lives}`,
    {
      requestStop: () => Promise.reject(new Error('no space left')),
      stopTimeoutMs: 60_000,
    },
  )
  await stack.supervisor.start([deaf])
  await stack.supervisor.stop()
  expect((await readFile(deaf.logFile, 'utf8')).trim().split('\n')).toEqual(['ready', 'bye'])
})

test('a record that cannot be written neither stops a service nor prevents its stop', async () => {
  await using stack = await scratch()
  const records = join(stack.directory, 'services')
  await stack.supervisor.start([stack.program('bee', lives)])
  const { pid } = (await stack.records.of('bee')) ?? expect.fail()
  await rm(records, { recursive: true })
  await writeFile(records, 'no folder')
  process.kill(pid ?? expect.fail('it has no pid'), 'SIGKILL')
  await until(async () => expect(kinds(stack.events).filter(kind => kind === 'ready bee').length).toBe(2), {
    what: 'the restart',
    timeoutMs: 10_000,
  })
  const again = stack.events.findLast(event => event.kind === 'ready')
  await stack.supervisor.stop()
  expect(kinds(stack.events).slice(2)).toEqual([
    'recordFailed bee',
    'crashed bee',
    'starting bee',
    'ready bee',
    'stopping bee',
    'stopped bee',
  ])
  expect(again?.kind === 'ready' && (await identify(again.pid))).toBeNull()
})

test('a folder of records that cannot be read is an error', async () => {
  await using stack = await scratch()
  expect(await stack.records.all()).toEqual([])
  await symlink('services', join(stack.directory, 'services'))
  await expect(stack.records.all()).rejects.toMatchObject({ code: 'ELOOP' })
  await rm(join(stack.directory, 'services'))
})

test('a listener that throws prevents neither restart nor stop of a service', async () => {
  await using stack = await scratch()
  const heard: string[] = []
  const supervisor = new Supervisor({
    directory: join(stack.directory, 'others'),
    backoffMs: [50],
    onEvent: ({ kind }) => {
      heard.push(kind)
      throw new Error('no space left')
    },
  })
  await supervisor.start([stack.program('bee', lives)])
  const { pid } = (await new ServiceRecords(join(stack.directory, 'others')).of('bee')) ?? expect.fail()
  process.kill(pid ?? expect.fail('it has no pid'), 'SIGKILL')
  await until(async () => expect(heard.filter(kind => kind === 'ready').length).toBe(2), {
    what: 'the restart',
    timeoutMs: 10_000,
  })
  await supervisor.stop()
  expect(heard.slice(-2)).toEqual(['stopping', 'stopped'])
})

test('taken ports are reported with their holders before anything starts', async () => {
  await using stack = await scratch()
  const holder = createServer().listen(0, '127.0.0.1')
  await until(async () => expect(holder.listening).toBe(true), { what: 'the listener', timeoutMs: 5_000 })
  const address = holder.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  try {
    const ant = stack.program('ant', lives, { listensOn: [{ port, choose: '`--set ant.port=…`' }] })
    const bee = stack.program('bee', lives, { listensOn: [{ port, choose: '`--set bee.port=…`' }] })
    await expect(stack.supervisor.start([stack.program('fly', lives), ant, bee])).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      message: `Port ${port}, which ant needs, is already in use by \`node\` (pid ${process.pid}); port ${port}, which bee needs, is already in use by \`node\` (pid ${process.pid})`,
      hint: 'stop these programs, or choose another port: `--set ant.port=…`, `--set bee.port=…`',
    })
    expect(stack.events).toEqual([])
  } finally {
    holder.close()
  }
})

test('the next supervisor adopts running services and restarts those that crashed meanwhile', async () => {
  await using stack = await scratch()
  const [lasting, crashed] = [stack.program('lasting', lives), stack.program('crashed', lives)]
  const killed = stack.open()
  await killed.start([lasting])
  const record = (await stack.records.of('lasting')) ?? expect.fail()
  await stack.records.keep({ ...record, name: 'crashed', startId: 'nobody' })

  await stack.supervisor.adopt([lasting, crashed])
  await until(async () => expect((await stack.records.of('crashed'))?.phase).toBe('running'), {
    what: 'the crashed service',
    timeoutMs: 10_000,
  })
  expect(await stack.records.of('crashed')).toMatchObject({ restarts: 1 })
  expect(await stack.records.of('lasting')).toMatchObject({ pid: record.pid, restarts: 0 })
  await stack.supervisor.stop()
  expect(record.pid && (await identify(record.pid))).toBeNull()
  await killed.stop()
})

test.each([
  ['was being stopped', { phase: 'stopping' }],
  ['ran before the last reboot', { startedAt: '2001-01-01T00:00:00.000Z' }],
] as const)('a service that %s is cleaned up, not started', async (_, change) => {
  await using stack = await scratch()
  const gone = stack.program('gone', lives)
  await stack.records.keep({
    ...{
      name: 'gone',
      phase: 'running',
      pid: process.pid,
      startId: 'nobody',
      port: null,
      logFile: gone.logFile,
    },
    ...{ startedAt: new Date().toISOString(), restarts: 0, detail: null },
    ...change,
  })
  await stack.supervisor.adopt([gone])
  expect(await stack.records.all()).toEqual([])
  expect(stack.supervisor.names).toEqual([])
})

test('a crash does not affect the services that need the crashed one', async () => {
  await using stack = await scratch()
  const queen = stack.program('queen', lives)
  const swarm = stack.program('swarm', lives, { needs: ['queen'], restartsWith: ['queen'] })
  const drone = stack.program('drone', lives, { needs: ['queen'] })
  await stack.supervisor.start([queen, swarm, drone])
  process.kill((await stack.records.of('queen'))?.pid ?? expect.fail('it has no pid'), 'SIGKILL')
  await until(
    async () => expect(await stack.records.of('queen')).toMatchObject({ phase: 'running', restarts: 1 }),
    { what: 'the queen', timeoutMs: 10_000 },
  )
  expect(await stack.records.of('swarm')).toMatchObject({ phase: 'running', restarts: 0 })
  expect(await stack.records.of('drone')).toMatchObject({ phase: 'running', restarts: 0 })
})

test('a known cause of a failure is reported with its fix', async () => {
  await using stack = await scratch()
  const dies = stack.program('dies', `console.error('no honey left'); process.exit(7)`, {
    diagnose: lines => (lines.includes('no honey left') ? { cause: 'it starved', hint: 'feed it' } : null),
  })
  await expect(stack.supervisor.start([dies])).rejects.toMatchObject({
    code: 'SERVICE_EXITED',
    message: 'dies exited with status 7 before it was ready: it starved',
    hint: `feed it; the full log is in \`${dies.logFile}\``,
  })
})

test('everything can be killed at once', async () => {
  await using stack = await scratch()
  const deaf = stack.program('deaf', `process.on('SIGTERM', () => {}); ${lives}`)
  await stack.supervisor.start([deaf])
  const { pid } = (await stack.records.of('deaf')) ?? expect.fail()
  stack.supervisor.kill()
  await until(async () => expect(pid && (await identify(pid))).toBeNull(), {
    what: 'its end',
    timeoutMs: 5_000,
  })
})

test('a service that crashes too often fails with the reason', async () => {
  await using stack = await scratch()
  const server = `console.log('ready'); setTimeout(() => process.exit(3), 400)`
  await stack.supervisor.start([stack.program('frail', server)])
  await until(async () => expect(kinds(stack.events)).toContain('failed frail'), {
    what: 'it',
    timeoutMs: 60_000,
  })
  expect(await stack.records.of('frail')).toMatchObject({
    phase: 'failed',
    restarts: 5,
    detail: 'exited with status 3; crashed 6 times within 10 minutes and will not be restarted',
  })
}, 60_000)

test('a service that reports a permanent failure is not restarted', async () => {
  await using stack = await scratch()
  const marker = join(stack.directory, 'starved')
  const failure = { cause: 'it starved', hint: 'feed it' }
  const server = `console.log('ready'); setTimeout(() => process.exit(3), 400)`
  const bee = stack.program('bee', server, {
    permanentFailure: () =>
      readFile(marker).then(
        () => failure,
        () => null,
      ),
  })
  await stack.supervisor.start([bee])
  await until(async () => expect(kinds(stack.events)).toContain('crashed bee'), {
    what: 'it',
    timeoutMs: 5_000,
  })
  await writeFile(marker, '')
  await until(async () => expect(kinds(stack.events)).toContain('failed bee'), {
    what: 'it',
    timeoutMs: 5_000,
  })
  expect(await stack.records.of('bee')).toMatchObject({ phase: 'failed', detail: 'it starved; feed it' })
  const deadBee = stack.program('dead-bee', '', { permanentFailure: async () => failure })
  await expect(stack.supervisor.start([deadBee])).rejects.toMatchObject({
    message: 'dead-bee exited with status 0 before it was ready: it starved',
    hint: expect.stringMatching(/^feed it; /),
  })
})

test('a start that waits for a service that fails is rejected at once', async () => {
  await using stack = await scratch()
  const file = join(stack.directory, 'works')
  await writeFile(file, '')
  const frail = stack.program(
    'frail',
    `if (!require('node:fs').existsSync(${JSON.stringify(file)})) process.exit(3); ${lives}`,
    { startTimeoutMs: 60_000, ready: async () => void (await readFile(file)) },
  )
  await stack.supervisor.start([frail])
  await rm(file)
  process.kill((await stack.records.of('frail'))?.pid ?? expect.fail('it has no pid'), 'SIGKILL')
  await until(async () => expect(kinds(stack.events)).toContain('crashed frail'), {
    what: 'it',
    timeoutMs: 5_000,
  })
  await expect(stack.supervisor.start([frail])).rejects.toMatchObject({
    code: 'SERVICE_NOT_READY',
    message: expect.stringContaining('will not be restarted'),
  })
}, 60_000)

test('a service that is requested during its restart is reported with its new pid', async () => {
  await using stack = await scratch()
  const service = stack.program('bee', lives)
  await stack.supervisor.start([service])
  const first = await stack.records.of('bee')
  process.kill(first?.pid ?? expect.fail('it has no pid'), 'SIGKILL')
  await until(async () => expect(kinds(stack.events)).toContain('crashed bee'), {
    what: 'it',
    timeoutMs: 5_000,
  })
  await stack.supervisor.start([service])
  const again = await stack.records.of('bee')
  expect(stack.events.at(-1)).toMatchObject({ kind: 'ready', alreadyRunning: true, pid: again?.pid })
  expect(again?.pid).not.toBe(first?.pid)
})

test('what an earlier supervisor left is stopped in order, with and without records', async () => {
  await using stack = await scratch()
  const services = [stack.program('roof', lives, { needs: ['walls'] }), stack.program('walls', lives)]
  const killed = stack.open()
  await killed.start([...services, stack.program('stranger', lives)])
  const pids = (await stack.records.all()).map(({ pid }) => pid ?? 0)
  await rm(join(stack.directory, 'services', 'stranger.json'))
  stack.events.length = 0
  // Its watch would take the stop for a crash.
  killed.loseRecords()
  const stopped = stack.supervisor.stopLeftovers(services)
  await Promise.all([stopped, killed.stop()])
  expect([await stopped, await Promise.all(pids.map(identify))]).toEqual([true, [null, null, null]])
  expect(await stack.records.all()).toEqual([])
  expect(await stack.open().stopLeftovers(services)).toBe(false)
})
