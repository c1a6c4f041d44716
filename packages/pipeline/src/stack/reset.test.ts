import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import {
  ensureDaemon,
  identify,
  runDaemon,
  type ServicePhase,
  type ServiceRecord,
  ServiceRecords,
} from '@offstream/runtime'
import { expect, test } from 'vitest'
import { directoriesOf } from '../project/directories.ts'
import { finishReset, planReset, type ResetChoice, resetStack } from './reset.ts'

const checkpoint = ['checkpoints/products/offsets/0', 'run/products-stream.progress.json']
const topic = ['data/kafka/meta.properties', 'data/zookeeper/version-2/log.1', 'run/fetched.json', 'crawl/1']
const table = ['lake/catalog.db', 'lake/off/products/data/1.parquet']
const rest = ['data/spark-work/app-1/stdout', 'logs/kafka.log', 'run/kafka.properties']
const everything = [...checkpoint, ...topic, ...table, ...rest].sort()

const write = async (state: string, path: string, text = 'x'.repeat(5_000)): Promise<void> => {
  await mkdir(dirname(join(state, path)), { recursive: true })
  await writeFile(join(state, path), text)
}

/** The state folder of a stack that was stopped. */
const scratch = async (paths = everything) => {
  const state = await mkdtemp(join(tmpdir(), 'offstream-reset-'))
  for (const path of paths) await write(state, path)
  return { state, [Symbol.asyncDispose]: () => rm(state, { recursive: true, force: true }) }
}

const files = async (state: string): Promise<string[]> => {
  const entries = await readdir(state, { recursive: true, withFileTypes: true })
  return entries
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(state.length + 1))
    .sort()
}

const record = (phase: ServicePhase, process: Pick<ServiceRecord, 'pid' | 'startId'>): ServiceRecord => ({
  ...{ name: 'kafka', phase, ...process, port: 9092, logFile: 'kafka.log' },
  ...{ startedAt: null, restarts: 0, detail: null },
})
const noProcess = { pid: null, startId: null }

const without = (...gone: readonly (readonly string[])[]): string[] =>
  everything.filter(path => !gone.flat().includes(path))

test.each<[ResetChoice[], string[]]>([
  [['checkpoint'], without(checkpoint)],
  [['table'], without(checkpoint, table)],
  [['topic'], without(checkpoint, topic)],
  [['table', 'topic'], rest],
  [['all'], []],
  [['all', 'checkpoint'], []],
])('a reset of %j leaves %j', async (choices, left) => {
  await using stack = await scratch()
  await resetStack(stack.state, choices)
  expect(await files(stack.state)).toEqual(left)
})

test('a reset of everything deletes the stack, but no other stack', async () => {
  await using stack = await scratch([...everything, 'stacks/other/lake/catalog.db'])
  await resetStack(stack.state, ['all'])
  expect((await readdir(stack.state, { recursive: true })).sort()).toEqual([
    'stacks',
    'stacks/other',
    'stacks/other/lake',
    'stacks/other/lake/catalog.db',
  ])
})

test('the plan says what is deleted together and how large it is, and changes nothing', async () => {
  await using stack = await scratch()
  const { items } = await planReset(stack.state, ['topic'])
  expect(items).toEqual([
    {
      name: 'checkpoint',
      what: 'the position of the job in the topic',
      paths: ['checkpoints/products', 'run/products-stream.progress.json'],
      bytes: expect.any(Number),
    },
    {
      name: 'topic',
      what: 'data of Kafka and ZooKeeper, and journals of scrapes',
      paths: ['data/kafka', 'data/zookeeper', 'run/fetched.json', 'crawl'],
      bytes: expect.any(Number),
    },
  ])
  // Four files of 5,000 bytes, on blocks of 4 KiB or so, and their folders.
  expect(items[1]?.bytes).toBeGreaterThanOrEqual(20_000)
  expect(items[1]?.bytes).toBeLessThan(80_000)
  expect(await files(stack.state)).toEqual(everything)
})

test('without a state folder nothing is planned, deleted or created', async () => {
  await using stack = await scratch([])
  await rm(stack.state, { recursive: true })
  expect([await planReset(stack.state, ['all']), await resetStack(stack.state, ['all'])]).toEqual([
    { state: stack.state, items: [] },
    { state: stack.state, items: [] },
  ])
  await expect(readdir(stack.state)).rejects.toMatchObject({ code: 'ENOENT' })
})

test.each<[string, () => Promise<ServiceRecord>]>([
  ['runs', async () => record('running', (await identify(process.pid)) ?? noProcess)],
  ['crashed and will be restarted', async () => record('restarting', noProcess)],
  ['exited without a daemon', async () => record('running', { pid: 999_999_999, startId: 'once' })],
])('nothing is deleted if a service %s', async (_, made) => {
  await using stack = await scratch()
  await new ServiceRecords(directoriesOf(stack.state).records).keep(await made())
  await expect(resetStack(stack.state, ['all'])).rejects.toMatchObject({
    code: 'SERVICES_RUNNING',
    outcome: 'locked',
    message: 'Services of this stack were not stopped: kafka',
    hint: 'stop them with `offstream down`, then try again',
  })
  expect(await files(stack.state)).toEqual([...everything, 'run/services/kafka.json'].sort())
})

test('a service that failed to start does not prevent a reset', async () => {
  await using stack = await scratch()
  await new ServiceRecords(directoriesOf(stack.state).records).keep(record('failed', noProcess))
  await resetStack(stack.state, ['all'])
  expect(await files(stack.state)).toEqual([])
})

test('a reset during a start waits for it, and then deletes nothing', async () => {
  await using stack = await scratch()
  const { run } = directoriesOf(stack.state)
  const end = new AbortController()
  let running: Promise<void> = Promise.resolve()
  let resetting: Promise<unknown> = Promise.resolve()
  await ensureDaemon(run, async () => {
    resetting = resetStack(stack.state, ['all']).catch(error => error)
    const daemon = { directory: run, build: async () => [], settings: null, onEvent: () => undefined }
    running = runDaemon({ ...daemon, signal: end.signal })
  })
  expect(await resetting).toMatchObject({
    code: 'SERVICES_RUNNING',
    message: expect.stringContaining('are starting'),
  })
  end.abort()
  await running
  expect(await files(stack.state)).toEqual(everything)
})

/** The trash of a reset that was killed after it had moved the lake. */
const killedReset = async (state: string, paths: readonly string[]): Promise<void> => {
  await write(state, 'trash/reset-1/plan.json', JSON.stringify({ version: 1, paths }))
  await write(state, 'trash/reset-1/lake/off/products/data/1.parquet')
}

test.each<[string, (state: string) => Promise<unknown>]>([
  ['the next start', finishReset],
  ['the next reset', state => resetStack(state, ['checkpoint'])],
])('%s completes a killed reset, and does not delete new files', async (_, next) => {
  await using stack = await scratch(['checkpoints/products/offsets/0', 'lake/new.parquet', 'logs/kafka.log'])
  await killedReset(stack.state, ['lake', 'checkpoints/products', 'never-was'])
  await next(stack.state)
  expect((await readdir(stack.state, { recursive: true })).sort()).toEqual([
    'lake',
    'lake/new.parquet',
    'logs',
    'logs/kafka.log',
  ])
})

test('a start while services run does not complete a killed reset', async () => {
  await using stack = await scratch([])
  await killedReset(stack.state, ['lake', 'checkpoints/products'])
  await write(stack.state, 'checkpoints/products/offsets/0')
  await new ServiceRecords(directoriesOf(stack.state).records).keep(
    record('running', (await identify(process.pid)) ?? noProcess),
  )
  const before = await files(stack.state)
  await finishReset(stack.state)
  expect(await files(stack.state)).toEqual(before)
})

test('if one path cannot be moved, everything is moved back', async () => {
  await using stack = await scratch(['checkpoints/products/offsets/0'])
  await killedReset(stack.state, ['lake', 'checkpoints/products'])
  // A file where the move needs a folder.
  await write(stack.state, 'trash/reset-1/checkpoints', 'a file')
  await expect(resetStack(stack.state, ['checkpoint'])).rejects.toMatchObject({
    code: 'RESET_REFUSED',
    outcome: 'refused',
    message: expect.stringContaining('so nothing was deleted'),
  })
  expect(await files(stack.state)).toEqual([
    'checkpoints/products/offsets/0',
    'lake/off/products/data/1.parquet',
  ])
})
