import { randomInt } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { listenerOn, Supervisor } from '@offstream/runtime'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { assetPath } from './project/assets.ts'
import { Config } from './project/config.ts'
import { stateFolder } from './project/directories.ts'
import { ensureRuntimes } from './runtimes/distributions.ts'
import { services } from './services/table.ts'
import { query, queryInBatches, type ThriftAddress } from './table.ts'

/** A separate Thrift server, as `offstream up` starts it, on a free port. */
const startThrift = async (): Promise<ThriftAddress & AsyncDisposable> => {
  const directory = await mkdtemp(join(tmpdir(), 'offstream-table-'))
  const config = Config.parse({ thrift: { port: await freePort() } })
  const runtimes = await ensureRuntimes({
    environment: process.env,
    ivySettings: assetPath(directory, 'config', 'ivysettings.xml'),
  })
  const all = services({
    project: directory,
    state: stateFolder(directory, null),
    config,
    runtimes,
    archives: null,
  })
  const supervisor = new Supervisor({ directory: join(directory, 'services'), onEvent: () => undefined })
  const end = async () => {
    await supervisor.stop()
    await rm(directory, { recursive: true })
  }
  try {
    await supervisor.start(all.filter(({ name }) => name === 'thrift'))
  } catch (error) {
    await end()
    throw error
  }
  return { host: config.host, port: config.thrift.port, [Symbol.asyncDispose]: end }
}

/** Below the range from which systems give ports to outgoing connections. */
const freePort = async (): Promise<number> => {
  const port = randomInt(20_000, 32_000)
  return (await listenerOn(port)) === null ? port : freePort()
}

let thrift: Awaited<ReturnType<typeof startThrift>>
beforeAll(async () => {
  thrift = await startThrift()
})
afterAll(() => thrift?.[Symbol.asyncDispose]())

test.each([
  ['true', 'boolean', true],
  ['CAST(-128 AS TINYINT)', 'tinyint', -128],
  ['CAST(32767 AS SMALLINT)', 'smallint', 32_767],
  ['-2147483648', 'int', -2_147_483_648],
  // Beyond 2^53 a JavaScript number would be another number.
  ['9007199254740991', 'bigint', 9_007_199_254_740_991],
  ['9007199254740993', 'bigint', '9007199254740993'],
  ['-9223372036854775808', 'bigint', '-9223372036854775808'],
  ['CAST(0.1 AS DOUBLE)', 'double', 0.1],
  ['CAST(1e300 AS DOUBLE)', 'double', 1e300],
  ['CAST(1.50 AS DECIMAL(10, 2))', 'decimal', '1.50'],
  [
    'CAST(12345678901234567890.123456789012345678 AS DECIMAL(38, 18))',
    'decimal',
    '12345678901234567890.123456789012345678',
  ],
  ["'Pâte à tartiner 🧀'", 'string', 'Pâte à tartiner 🧀'],
  ["''", 'string', ''],
  ["DATE '2026-01-31'", 'date', '2026-01-31'],
  ["TIMESTAMP '2026-01-31 12:00:00.25'", 'timestamp', '2026-01-31 12:00:00.25'],
  ["X'FF00'", 'binary', '/wA='],
  ["array('a', 'b')", 'array', '["a","b"]'],
  ["named_struct('a', 1)", 'struct', '{"a":1}'],
  // Spark's own text would be `["say "hi"",null]`.
  [`array('say "hi"', NULL)`, 'array', '["say \\"hi\\"",null]'],
  ["map('k', TIMESTAMP '2026-01-31 12:00:00')", 'map', '{"k":"2026-01-31T12:00:00.000Z"}'],
  [
    "named_struct('n', 12345678901234567.50, 'none', CAST(NULL AS STRING))",
    'struct',
    '{"n":12345678901234567.50,"none":null}',
  ],
  ['CAST(0.1 AS FLOAT)', 'float', 0.1],
  ["CAST('NaN' AS DOUBLE)", 'double', Number.NaN],
])('%s comes as %s', async (expression, type, value) => {
  expect(await query(thrift, `SELECT ${expression} AS it`)).toEqual({
    columns: [{ name: 'it', type }],
    rows: [[value]],
  })
})

test('null is null in every type and at every place', async () => {
  const moment = "TIMESTAMP '2026-01-31 12:00:00'"
  const literals = ['true', '1', '1L', '0.5D', '1.50', "'a'", "DATE '2026-01-31'", moment, "X'FF'"]
  const columns = literals.map(literal => `IF(id % 3 = 0, NULL, ${literal})`)
  const { rows } = await query(thrift, `SELECT ${columns.join(', ')} FROM range(20) ORDER BY id`)
  expect(rows.map(row => row.map(value => value === null))).toEqual(
    Array.from({ length: 20 }, (_, id) => literals.map(() => id % 3 === 0)),
  )
})

test('columns of the same name stay separate columns', async () => {
  expect(await query(thrift, 'SELECT 1 AS n, 2 AS n, 3 AS other, 4 AS n')).toMatchObject({
    columns: [{ name: 'n' }, { name: 'n' }, { name: 'other' }, { name: 'n' }],
    rows: [[1, 2, 3, 4]],
  })
})

test('a result without rows has columns', async () => {
  expect(await query(thrift, "SELECT 1 AS n, 'a' AS text WHERE false")).toEqual({
    columns: [
      { name: 'n', type: 'int' },
      { name: 'text', type: 'string' },
    ],
    rows: [],
  })
})

test('rows are complete and in order, also if they are many and wide', async () => {
  const { rows } = await query(
    thrift,
    "SELECT id, repeat(concat('é', id), 200), IF(id % 7 = 0, NULL, id * 0.5D) FROM range(3500) ORDER BY id",
  )
  expect(rows).toEqual(
    Array.from({ length: 3_500 }, (_, id) => [id, `é${id}`.repeat(200), id % 7 === 0 ? null : id / 2]),
  )
})

test('ten queries at the same time get their own results', async () => {
  const numbers = Array.from({ length: 10 }, (_, number) => number)
  const answers = await Promise.all(numbers.map(number => query(thrift, `SELECT ${number}`)))
  expect(answers.map(({ rows }) => rows)).toEqual(numbers.map(number => [[number]]))
})

test.each([
  ['SELECT nope FROM Products', /^\[UNRESOLVED_COLUMN[\w.]*\] .*`nope` cannot be resolved/],
  ['SELCT 1', /Syntax error at or near 'SELCT'/],
  ['SELECT * FROM nowhere', /^\[TABLE_OR_VIEW_NOT_FOUND\] .*`nowhere`/],
  ['SELECT 1 / 0', /^\[DIVIDE_BY_ZERO\] Division by zero/],
  ["SELECT raise_error('as the user wrote it')", /as the user wrote it/],
])('the error of %s is one sentence, without the stack and plan of the server', async (sql, words) => {
  const error = await query(thrift, sql).catch(error => error)
  expect(error).toMatchObject({
    code: 'SQL_FAILED',
    outcome: 'failed',
    message: expect.stringMatching(words),
  })
  expect(error.message).not.toMatch(/\n\tat |Exception|'Project|JVM stacktrace/)
})

test('arrays are JSON in a result with an order, names that occur twice, and a comment at the end', async () => {
  expect(
    await query(thrift, 'SELECT array(id) AS n, id AS n FROM range(3) ORDER BY id DESC; -- all'),
  ).toEqual({
    columns: [
      { name: 'n', type: 'array' },
      { name: 'n', type: 'bigint' },
    ],
    rows: [
      ['[2]', 2],
      ['[1]', 1],
      ['[0]', 0],
    ],
  })
})

/** It would use every free core for days. */
const endless = 'SELECT sum(id % 7) FROM range(1000000000000000)'
const endlessRows = 'SELECT id FROM range(1000000000000000) WHERE id < 0'

/** Resolves when no earlier query uses the cores, because a query that needs all of them has finished. */
const allCoresAreFree = () =>
  query(thrift, 'SELECT count(DISTINCT id % 100) FROM range(0, 3000000, 1, 16)', { timeoutMs: 30_000 })

test.each([endless, endlessRows])(
  'a query that takes too long is canceled, here and on the server: %s',
  async sql => {
    await expect(query(thrift, sql, { timeoutMs: 500 })).rejects.toMatchObject({
      code: 'QUERY_TIMEOUT',
      outcome: 'timeout',
    })
    expect((await allCoresAreFree()).rows).toEqual([[100]])
  },
)

test('an aborted query is canceled on the server, and so is one whose rows are no longer read', async () => {
  const abort = new AbortController()
  const running = Array.from({ length: 2 }, () => query(thrift, endless, { signal: abort.signal }))
  const first = queryInBatches(thrift, 'SELECT id FROM range(0, 100000000, 1, 1000)')
  expect((await first.next()).value).toMatchObject({ columns: [{ name: 'id', type: 'bigint' }] })
  await first.return()
  abort.abort(new Error('no longer needed'))
  // Together: a rejection that nothing awaits yet would fail the run.
  await Promise.all(running.map(one => expect(one).rejects.toThrow('no longer needed')))
  expect((await allCoresAreFree()).rows).toEqual([[100]])
})

test('a short query returns while a long one is running', async () => {
  const abort = new AbortController()
  const long = query(thrift, endless, { signal: abort.signal })
  const outcome = long.then(
    () => 'finished',
    () => 'canceled',
  )
  const short = query(thrift, 'SELECT count(*) FROM Products')
  const first = await Promise.race([outcome, short.then(({ rows }) => rows)])
  abort.abort(new Error('enough'))
  expect([first, await outcome]).toEqual([[[0]], 'canceled'])
})

test('a large result is read in batches of some megabytes', async () => {
  let rows = 0
  let largest = 0
  for await (const batch of queryInBatches(
    thrift,
    "SELECT id, repeat('x', 3000) AS text FROM range(0, 100000, 1, 10)",
  )) {
    expect(batch.values[0]?.[0]).toBe(rows)
    rows += batch.rowCount
    largest = Math.max(largest, batch.byteLength)
  }
  expect([rows, largest < 16_000_000]).toEqual([100_000, true])
})
