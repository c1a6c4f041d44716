import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from '@offstream/runtime'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ScratchStack, scratchStack } from './stack.ts'

let stack: ScratchStack
beforeAll(async () => {
  stack = await scratchStack()
  await stack.succeed(['up'])
})
afterAll(() => stack?.[Symbol.asyncDispose]())

const folder = async (name: string): Promise<string> => {
  const path = join(stack.directory, name)
  await mkdir(path)
  return path
}

const endless = 'SELECT id FROM range(1000000000000000) WHERE id < 0'

test('a result of 300 MB is written in 64 MB of heap', async () => {
  const sql = 'SELECT id, repeat(CAST(id AS STRING), 170) AS text FROM range(100000, 400000)'
  const file = join(stack.directory, 'large.csv')
  await stack.succeed(['query', sql, '--output', file], { env: { NODE_OPTIONS: '--max-old-space-size=64' } })
  expect((await stat(file)).size).toBe('id,text\n'.length + 300_000 * (6 + 1 + 6 * 170 + 1))
})

test('the statement is the argument, a file or standard input', async () => {
  await writeFile(join(stack.directory, 'one.sql'), '-- a comment\nSELECT 1 AS n;\n')
  const calls = [
    stack.succeed(['query', 'SELECT 1 AS n']),
    stack.succeed(['query', '-f', 'one.sql']),
    stack.succeed(['query', '-'], { input: 'SELECT 1 AS n' }),
    stack.succeed(['query'], { input: 'SELECT 1 AS n' }),
  ]
  expect((await Promise.all(calls)).map(({ stdout }) => stdout)).toEqual(Array(4).fill('n\n1'))
})

test('without a statement, or with two, nothing is queried', async () => {
  const codes = []
  for (const [args, input] of [
    [['query'], ' \n'],
    [['query', 'SELECT 1', '-f', 'one.sql'], ''],
    [['query', '-f', 'nothing.sql'], ''],
  ] as const) {
    const { exitCode, stderr } = await stack.run(args, { input })
    codes.push([exitCode, /\[(\w+)\]/.exec(stderr)?.[1]])
  }
  expect(codes).toEqual([
    [2, 'STATEMENT_MISSING'],
    [2, 'STATEMENT_MISSING'],
    [2, 'FILE_MISSING'],
  ])
})

test('`--output` writes a file in the format of its name', async () => {
  const directory = await folder('formats')
  const sql = "SELECT id AS n, array('a') AS tags FROM range(2) ORDER BY id"
  const shown = []
  for (const name of ['rows', 'rows.csv', 'rows.json', 'rows.ndjson', 'rows.parquet'])
    shown.push((await stack.run(['query', sql, '--output', join(directory, name)])).shown)
  expect(shown.at(-1)).toBe('! Wrote 2 rows to `<project>/formats/rows.parquet`\nexit 0')
  const read = (name: string) => readFile(join(directory, name), 'utf8')
  expect(await Promise.all(['rows', 'rows.csv', 'rows.json', 'rows.ndjson'].map(read))).toEqual([
    'n  tags\n0  ["a"]\n1  ["a"]\n',
    'n,tags\n0,"[""a""]"\n1,"[""a""]"\n',
    '[{"n":0,"tags":["a"]},{"n":1,"tags":["a"]}]\n',
    '{"n":0,"tags":["a"]}\n{"n":1,"tags":["a"]}\n',
  ])
  expect((await read('rows.parquet')).slice(0, 4)).toBe('PAR1')
  expect(
    await stack.json(['query', sql, '--output', join(directory, 'rows.csv'), '--format', 'ndjson']),
  ).toEqual({ version: 1, file: join(directory, 'rows.csv'), format: 'ndjson', rows: 2 })
})

test('a query that fails after its first rows leaves no file', async () => {
  const directory = await folder('failing')
  await writeFile(join(directory, 'rows.csv'), 'before')
  const sql = 'SELECT 1 / (id - 90000) FROM range(0, 100000, 1, 10)'
  const { exitCode } = await stack.run(['query', sql, '--output', join(directory, 'rows.csv')])
  expect([exitCode, await readdir(directory)]).toEqual([12, ['rows.csv']])
  expect(await readFile(join(directory, 'rows.csv'), 'utf8')).toBe('before')
  // On standard output the error has its own line, the last one.
  const { stdout } = await stack.run(['query', sql, '--json'])
  expect(JSON.parse(stdout.split('\n').at(-1) ?? '')).toMatchObject({ error: { code: 'SQL_FAILED' } })
})

test('Ctrl-C and `--timeout` cancel the query on the server, and leave no file', async () => {
  const directory = await folder('interrupted')
  const file = join(directory, 'rows.csv')
  const interrupted = stack.start(['query', endless, '--output', file])
  await until(
    async () => {
      if ((await readdir(directory)).length === 0) throw new Error('the query has not started')
    },
    { what: 'the query to start', timeoutMs: 30_000 },
  )
  interrupted.signal('SIGINT')
  const timedOut = stack.run(['query', endless, '--output', file, '--timeout', '1'])
  expect([(await interrupted.result).exitCode, (await timedOut).exitCode]).toEqual([130, 8])
  expect([await readdir(directory), existsSync(file)]).toEqual([[], false])
  // This query needs all cores.
  const all = 'SELECT count(DISTINCT id % 100) AS n FROM range(0, 3000000, 1, 16)'
  expect((await stack.succeed(['query', all, '--timeout', '60'])).stdout).toBe('n\n100')
})

test('`sql` is a shell in a terminal: one session, completion, Ctrl-C, history, Ctrl-D', async () => {
  await using first = stack.terminal(['sql'])
  await first.shows('sql> ')
  // Two lines, one statement; the second one sees what the first one has set.
  await first.type('SET shop.name = corner;\r')
  await first.shows(/shop\.name +corner/)
  await first.type('SELECT 40\r')
  await first.shows('  -> ')
  await first.type(`  + 2 AS answer, '\${shop.name}' AS shop;\r`)
  await first.shows(/42 +corner/)
  await first.type('SELEC 1;\r')
  await first.shows(/✖ .*SELEC/)
  // Tab completes the name of the view, and one of its columns.
  await first.type('SELECT count(nutriscore_gr\t')
  await first.shows('count(nutriscore_grade')
  await first.type(') AS graded FROM Products;\r')
  await first.shows(/graded\r?\n0\r?\n/)
  await first.type('DESCRIBE products_re\t')
  await first.shows('products_rejected')
  await first.type(';\r')
  await first.shows(/reason +string/)
  await first.type(`${endless};\r`)
  await first.type('\x03')
  await first.shows('Canceled')
  await first.type('SELECT 1 AS still_here;\r')
  await first.shows(/still_here\r?\n1\r?\n/)
  await first.type('\x04')
  expect(await first.exitCode).toBe(0)

  // The next shell has the statement of two lines as one entry.
  await using next = stack.terminal(['sql'])
  await next.shows('sql> ')
  await next.type('SELECT 40\x1b[A')
  await next.shows('SELECT 40 + 2 AS answer')
  await next.type('\x03')
  await next.type('exit\r')
  expect(await next.exitCode).toBe(0)
})

test('`sql` without a terminal reports which command reads standard input', async () => {
  const { exitCode, stderr } = await stack.run(['sql'], { input: 'SELECT 1;' })
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('use `offstream query`')])
})

test('topics of the user are created, filled, read, moved and deleted; that of the stack only with `--yes`', async () => {
  const codeOf = async (...args: readonly string[]) => {
    const { exitCode, stderr } = await stack.run(['topic', ...args])
    return [exitCode, /\[(\w+)\]/.exec(stderr)?.[1] ?? null]
  }
  const create = ['create', 'clicks', '--partitions', '2', '--retention', '7d']
  expect(await stack.json(['topic', ...create])).toMatchObject({ created: true })
  expect(await stack.json(['topic', ...create])).toMatchObject({ created: false })
  expect(await codeOf('create', 'clicks')).toEqual([10, 'TOPIC_EXISTS'])
  expect(await stack.json(['topic', 'describe', '--topic', 'clicks'])).toMatchObject({
    name: 'clicks',
    config: { 'cleanup.policy': 'delete', 'retention.ms': '604800000' },
  })

  const produce = ['topic', 'produce', '--topic', 'clicks', '--key', 'session']
  await stack.succeed(produce, { input: '{"session":7,"page":"/"}\n{"session":"b","page":"/cart"}\n' })
  const { exitCode } = await stack.run(produce, { input: '{"page":"/"}\n' })
  const peeked = (await stack.succeed(['topic', 'peek', '--topic', 'clicks'])).stdout
    .split('\n')
    .map(line => JSON.parse(line))
  expect([exitCode, peeked.map(({ key, value }) => [key, value.page]).toSorted()]).toEqual([
    10,
    [
      ['7', '/'],
      ['b', '/cart'],
    ],
  ])
  expect(await stack.json(['topic', 'list'])).toMatchObject({
    topics: [
      { name: 'clicks', partitions: 2, maxMessages: 2 },
      { name: 'products-events', maxMessages: 0 },
    ],
  })

  const move = ['topic', 'reset-offsets', 'clicks', '--group', 'report', '--to']
  const offsets = async (...more: readonly string[]) =>
    ((await stack.json([...move, ...more])) as { partitions: { before: unknown; after: number }[] })
      .partitions
  expect((await offsets('latest', '--dry-run')).map(({ before }) => before)).toEqual([null, null])
  const ends = (await offsets('latest')).map(({ after }) => after)
  expect(await offsets('2026-01-01')).toMatchObject(ends.map(before => ({ before, after: 0 })))

  expect(await codeOf('delete', 'products-events')).toEqual([2, 'CONFIRMATION_REQUIRED'])
  expect(await codeOf('delete', 'clicks')).toEqual([0, null])
  expect(await codeOf('delete', 'clicks')).toEqual([2, 'TOPIC_MISSING'])
  expect(await codeOf('peek', '--topic', 'clicks')).toEqual([2, 'TOPIC_MISSING'])
})
