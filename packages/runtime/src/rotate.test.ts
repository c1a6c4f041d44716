import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, mkdir, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { LogReader } from './log.ts'
import { boundLogs, piecesOf, rotateLog } from './rotate.ts'
import { until } from './until.ts'

const scratch = async () => {
  const directory = await mkdtemp(join(tmpdir(), 'offstream-rotate-'))
  return {
    directory,
    file: join(directory, 'bees.log'),
    names: async () => (await readdir(directory)).sort(),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  }
}

/** Writes numbered lines as quickly as it can to a file that it was given, as a service has its log, until TERM. */
const busyWriter = async (file: string) => {
  const log = await open(file, 'a')
  const script = `
    const { writeSync } = require('node:fs')
    process.on('SIGTERM', () => process.exit(0))
    let n = 0
    const write = () => { for (let i = 0; i < 1000; i++) writeSync(1, 'line ' + n++ + ' ' + '.'.repeat(80) + '\\n'); setImmediate(write) }
    write()`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', log.fd, 'inherit'] })
  const exited = once(child, 'exit')
  await log.close()
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await exited
    },
  }
}

const numbersIn = async (file: string): Promise<number[]> =>
  (await readFile(file, 'utf8'))
    .split('\n')
    .slice(0, -1)
    .map(line => Number(/^line (\d+) \.{80}$/.exec(line)?.[1]))

const fileHas = async (file: string, bytes: number): Promise<void> => {
  if ((await stat(file)).size < bytes) throw new Error('not yet')
}

test('a small log is not rotated, and a missing one is not created', async () => {
  await using log = await scratch()
  expect(await rotateLog(log.file, { maxBytes: 8, keep: 2 })).toBe(false)
  expect(await log.names()).toEqual([])
  await writeFile(log.file, 'one\ntwo\n')
  expect(await rotateLog(log.file, { maxBytes: 8, keep: 2 })).toBe(false)
  expect(await log.names()).toEqual(['bees.log'])
})

test('pieces are named by the position of their first byte, and the oldest are deleted', async () => {
  await using log = await scratch()
  for (const line of ['one\n', 'two\n', 'three\n', 'four\n']) {
    await appendFile(log.file, line)
    expect(await rotateLog(log.file, { maxBytes: 3, keep: 2 })).toBe(true)
  }
  expect(await log.names()).toEqual(['bees.log', 'bees.log.000000000008', 'bees.log.000000000014'])
  expect(await readFile(`${log.file}.000000000014`, 'utf8')).toBe('four\n')
  expect(await piecesOf(log.file)).toEqual([
    { file: `${log.file}.000000000008`, begins: 8, ends: 14 },
    { file: `${log.file}.000000000014`, begins: 14, ends: 19 },
    { file: log.file, begins: 19, ends: 19 },
  ])
})

test('of a log that grew much too fast the last whole lines are kept, and readers continue there', async () => {
  await using log = await scratch()
  const reader = new LogReader(log.file, 0)
  await writeFile(log.file, 'one\ntwo\nthree\nfour\n')
  await rotateLog(log.file, { maxBytes: 8, keep: 2 })
  await appendFile(log.file, 'five\n')
  expect(await readFile(`${log.file}.000000000014`, 'utf8')).toBe('four\n')
  const lines = []
  for await (const some of reader.read()) lines.push(...some)
  expect(lines).toEqual([
    { text: 'four', begins: 14 },
    { text: 'five', begins: 19 },
  ])
})

test('a process that writes to its inherited log loses lines at most between two pieces', async () => {
  await using log = await scratch()
  const maxBytes = 200_000
  {
    await using _ = await busyWriter(log.file)
    for (let turn = 0; turn < 20; turn++) {
      await until(() => fileHas(log.file, maxBytes + 1), {
        what: 'lines',
        timeoutMs: 10_000,
        intervalMs: 1,
      })
      expect(await rotateLog(log.file, { maxBytes, keep: 100 })).toBe(true)
    }
  }
  const pieces = await Promise.all((await piecesOf(log.file)).map(({ file }) => numbersIn(file)))
  const all = pieces.flat()
  expect(pieces).toHaveLength(21)
  // Whole, in order, none twice.
  expect(all.every((number, index) => index === 0 || number > (all[index - 1] ?? 0))).toBe(true)
  // Within a piece none is missing, where it was not cut for its size.
  for (const numbers of pieces) expect(numbers.at(-1)).toBe((numbers[0] ?? 0) + numbers.length - 1)
}, 60_000)

test('a folder of logs stays within its bounds while a process writes', async () => {
  await using log = await scratch()
  const stop = new AbortController()
  const limits = { maxBytes: 100_000, keep: 2 }
  const problems: unknown[] = []
  const bounding = boundLogs(log.directory, {
    signal: stop.signal,
    onProblem: (_, error) => problems.push(error),
    limits,
    intervalMs: 1,
  })
  {
    await using _ = await busyWriter(log.file)
    await until(
      async () => {
        const [oldest] = await piecesOf(log.file)
        if (oldest.begins < 5_000_000) throw new Error('not yet')
      },
      { what: 'many rotations', timeoutMs: 30_000, intervalMs: 1 },
    )
  }
  await until(
    async () => {
      if ((await stat(log.file)).size > limits.maxBytes) throw new Error('not yet')
    },
    { what: 'the last rotation', timeoutMs: 5_000, intervalMs: 1 },
  )
  stop.abort()
  await bounding
  expect(problems).toEqual([])
  expect(await log.names()).toHaveLength(limits.keep + 1)
}, 60_000)

test('a log that cannot be copied stays as it is and is reported once', async () => {
  await using log = await scratch()
  await writeFile(log.file, 'one\ntwo\n')
  await writeFile(join(log.directory, 'wasps.log'), 'small')
  await mkdir(`${log.file}.copying`)
  const stop = new AbortController()
  const problems: string[] = []
  const bounding = boundLogs(log.directory, {
    signal: stop.signal,
    onProblem: file => problems.push(file),
    limits: { maxBytes: 7, keep: 2 },
    intervalMs: 1,
  })
  await until(
    async () => {
      if (problems.length === 0) throw new Error('not yet')
    },
    { what: 'the problem', timeoutMs: 5_000, intervalMs: 1 },
  )
  await rm(`${log.file}.copying`, { recursive: true, force: true })
  await until(() => fileHas(`${log.file}.000000000000`, 8), {
    what: 'the rotation',
    timeoutMs: 5_000,
    intervalMs: 1,
  })
  stop.abort()
  await bounding
  expect(problems).toEqual([log.file])
  expect(await readFile(`${log.file}.000000000000`, 'utf8')).toBe('one\ntwo\n')
})
