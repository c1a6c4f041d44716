import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stateFolder } from '@offstream/pipeline'
import { send, until } from '@offstream/runtime'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { type ScratchStack, scratchStack } from './stack.ts'
import { StatusContract } from './statusContract.ts'

let stack: ScratchStack
beforeAll(async () => {
  stack = await scratchStack()
  await stack.succeed(['up'])
})
afterAll(() => stack?.[Symbol.asyncDispose]())

/** Writes a program, with an import that every program needs, to the folder `my jobs`. */
const program = async (name: string, ...lines: readonly string[]): Promise<string> => {
  const file = join('my jobs', name)
  await mkdir(join(stack.directory, 'my jobs'), { recursive: true })
  const head = ['import os, sys, time', 'from pyspark.sql import SparkSession']
  await writeFile(join(stack.directory, file), `${[...head, ...lines].join('\n')}\n`)
  return file
}

const session = 'spark = SparkSession.builder.getOrCreate()'
const sleeps = [session, 'while True: time.sleep(0.1)']

const Jobs = z.object({ jobs: StatusContract.shape.jobs })
const jobs = async () => Jobs.parse(await stack.json(['jobs'])).jobs
const job = async (name: string) => (await jobs()).find(one => one.name === name)

const untilJob = (name: string, state: string) =>
  stack.succeed(['wait', '--for', `job:${name}=${state}`, '--timeout', '2m'])

const query = async (sql: string): Promise<unknown> =>
  JSON.parse((await stack.succeed(['query', sql, '--format', 'json'])).stdout)

test('a program writes a table that SQL reads, with its arguments and the modules next to it, and is completed', async () => {
  await program('my_words.py', 'def shout(text): return text.upper()')
  const file = await program(
    'Shout it.py',
    'from pyspark.sql.functions import udf',
    'from my_words import shout',
    session,
    'rows = spark.createDataFrame([(word,) for word in sys.argv[1:]], "word string")',
    // The function runs in the Python of the executor, which imports the module too.
    'spark.sql("CREATE NAMESPACE IF NOT EXISTS lake.mine")',
    'rows.select(udf(shout)("word").alias("word")).writeTo("lake.mine.words").createOrReplace()',
    'print("written to", os.environ["OFFSTREAM_CHECKPOINT"])',
  )
  await stack.succeed(['submit', file, '--', '--one', 'two words'])
  await untilJob('shout-it', 'completed')
  expect(await query('SELECT word FROM lake.mine.words ORDER BY word')).toEqual([
    { word: '--ONE' },
    { word: 'TWO WORDS' },
  ])
  const { stdout } = await stack.succeed(['logs', 'shout-it', '--grep', '^written to'])
  expect(stdout).toContain(join(stateFolder(stack.directory, null), 'checkpoints/jobs/shout-it'))
  expect(await job('shout-it')).toMatchObject({ state: 'completed', pid: null, cores: 1, memory: '512m' })

  // A restart of everything does not run it again; a restart by name does.
  const restarted = await stack.json(['restart', 'shout-it'])
  expect(restarted).toMatchObject({ services: [{ name: 'shout-it' }] })
  await untilJob('shout-it', 'completed')
})

test('the variables of `env` give any Python program a session on the cluster', async () => {
  const file = await program(
    'notebook.py',
    session,
    'print(spark.range(5).count(), spark.conf.get("spark.master"))',
  )
  const { stdout } = await stack.shell(
    `eval "$(offstream env)" && offstream status --json >status.json && "$PYSPARK_PYTHON" "${file}"`,
  )
  expect(stdout).toBe(`5 spark://127.0.0.1:${stack.config.spark.port}`)
})

test('a program that fails is reported with its last log lines, or restarted if it was ready', async () => {
  const early = await program('early.py', 'raise ValueError("no input")')
  const { exitCode, stderr } = await stack.run(['submit', early])
  expect([exitCode, /\[(\w+)\]/.exec(stderr)?.[1]]).toEqual([12, 'SERVICE_EXITED'])
  expect(stderr).toContain('ValueError: no input')

  const late = await program('late.py', session, 'time.sleep(3)', 'raise ValueError("no more input")')
  await stack.succeed(['submit', late])
  await until(async () => expect((await job('late'))?.restarts).toBeGreaterThan(0), {
    what: 'the job to be restarted',
    timeoutMs: 60_000,
  })
  await stack.succeed(['jobs', 'stop', 'late'])

  await stack.succeed(['submit', late, '--name', 'only-once', '--once'])
  await untilJob('only-once', 'failed')
  expect(await job('only-once')).toMatchObject({ restarts: 0, detail: expect.stringContaining('--once') })
  for (const name of ['early', 'late', 'only-once']) await stack.succeed(['jobs', 'remove', name])
})

test('jobs share the worker; the status of one without an executor shows what it waits for', async () => {
  const file = await program('sleeps.py', ...sleeps)
  await stack.succeed(['submit', file, '--name', 'all', '--cores', '4'])
  const waiting = await stack.succeed(['submit', file, '--name', 'more'])
  expect(waiting.stderr).toMatch(/waits for an executor: .*0 cores free \(.* has 4\)/)
  expect(await job('more')).toMatchObject({
    health: 'unhealthy',
    detail: expect.stringContaining('spark.worker.jobCores'),
  })
  const other = await stack.run(['submit', file, '--name', 'more', '--cores', '2'])
  expect([other.exitCode, /\[(\w+)\]/.exec(other.stderr)?.[1]]).toEqual([13, 'JOB_RUNNING'])

  await stack.succeed(['jobs', 'remove', 'all'])
  await untilJob('more', 'healthy')
  await stack.succeed(['submit', file, '--name', 'more'])
  expect((await jobs()).map(({ name }) => name)).not.toContain('all')
})

test('a job continues without the daemon, and the next daemon knows that it has completed', async () => {
  const go = join(stack.directory, 'go')
  const file = await program('waits.py', session, `while not os.path.exists(sys.argv[1]): time.sleep(0.1)`)
  await stack.succeed(['submit', file, go])
  const daemon = (await stack.processes()).find(line => / daemon --project /.test(line)) ?? expect.fail()
  send(Number.parseInt(daemon, 10), 'SIGKILL')
  await stack.waitUntilGone(/ daemon --project /)
  // The next command starts another daemon, which adopts the job.
  expect(await job('waits')).toMatchObject({ state: 'running' })
  await writeFile(go, '')
  await untilJob('waits', 'completed')
})

test('after `down`, `jobs start` continues a job as it was submitted', async () => {
  const before = await job('more')
  await stack.succeed(['down'])
  expect((await jobs()).map(({ state }) => state)).toEqual(['stopped', 'stopped', 'stopped'])
  expect((await stack.run(['jobs', 'start', 'more'])).exitCode).toBe(3)
  await stack.succeed(['up'])
  await stack.succeed(['jobs', 'start', 'more'])
  expect(await job('more')).toMatchObject({ state: 'running', program: before?.program, cores: 1 })
  expect(StatusContract.parse(await stack.json(['status'])).state).toBe('healthy')
  await stack.succeed(['jobs', 'remove', 'more'])
  const unknown = await stack.run(['jobs', 'stop', 'more'])
  expect([unknown.exitCode, /\[(\w+)\]/.exec(unknown.stderr)?.[1]]).toEqual([2, 'JOB_UNKNOWN'])
})

test('`pyspark` is a shell on the cluster, and Ctrl-C interrupts only its statement', async () => {
  await using shell = stack.terminal(['pyspark'])
  await shell.shows('>>> ')
  await shell.type('spark.range(7).count(), spark.conf.get("spark.master")\r')
  await shell.shows(`(7, 'spark://127.0.0.1:${stack.config.spark.port}')`)
  await shell.type('while True: pass\r\r')
  await shell.type('\x03')
  await shell.shows('KeyboardInterrupt')
  await shell.type('import os; os.environ["OFFSTREAM_TOPIC"]\r')
  await shell.shows("'products-events'")
  await shell.type('exit()\r')
  expect(await shell.exitCode).toBe(0)
})
