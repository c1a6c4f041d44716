import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '@offstream/runtime'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { placesWith } from './canary.ts'
import { startObjectStore } from './objectStore.ts'
import { waitForTable } from './pipeline.ts'
import { startPostgresql, type TestPostgresql } from './postgresql.ts'
import { profileStack, runPipeline } from './profile.ts'
import { type Printed, streamOf } from './stream.ts'

/** A value that occurs nowhere else, so that a search finds only the password. */
const password = 'canary-5e90c1d4'
const env = { CATALOG_PASSWORD: password }

let database: TestPostgresql
let warehouse: string
let rowsOfLocal: unknown
beforeAll(async () => {
  database = await startPostgresql({ password })
  warehouse = await mkdtemp(join(tmpdir(), 'offstream-warehouse-'))
  await using local = await profileStack('local')
  rowsOfLocal = await runPipeline(local)
})
afterAll(async () => {
  await database?.[Symbol.asyncDispose]()
  if (warehouse !== undefined) await rm(warehouse, { recursive: true, force: true })
})

/** Takes the lock of the stream, as a stream on another machine does; waits while another one has it. */
const takeLock = async (sql: { readonly unsafe: (query: string) => PromiseLike<unknown> }) =>
  await sql.unsafe(`SELECT pg_advisory_lock(${Buffer.from('offstrea').readBigInt64BE()})`)

test('an object store gives the same rows, and its keys are only in two files', async () => {
  const { uri: catalogUri, user } = database
  await using store = await startObjectStore('tables')
  await using stack = await profileStack('lake-s3', { catalogUri, user, endpoint: store.endpoint })
  const keys = { AWS_ACCESS_KEY_ID: 'canary-id-71d0', AWS_SECRET_ACCESS_KEY: 'canary-key-a3f8' }
  expect(await runPipeline(stack, { ...env, ...keys })).toEqual(rowsOfLocal)
  for (const secret of Object.values(keys))
    expect(await placesWith(stack, secret)).toEqual(['run/lake.credentials', 'run/lake.secret.json'])
  await stack.succeed(['table', 'optimize'])
  const folders = (await store.objects('tables')).map(key => key.split('/').slice(0, 3).join('/'))
  expect([...new Set(folders)].sort()).toEqual(['lake/off/products', 'lake/off/rejected'])
  for (const table of ['products', 'rejected'])
    await stack.succeed(['query', `DROP TABLE lake.off.${table} PURGE`])
})

test('with a checkpoint in the object store the rows are the same, a killed job continues, and `reset` makes it begin again', async () => {
  const catalogUri = await database.makeDatabase('checkpoint')
  await using store = await startObjectStore('tables')
  const values = { catalogUri, user: database.user, endpoint: store.endpoint }
  await using stack = await profileStack('checkpoint-s3', values)
  const { directories, json, publish, stream } = streamOf(stack)
  const keys = { AWS_ACCESS_KEY_ID: 'canary-id-71d0', AWS_SECRET_ACCESS_KEY: 'canary-key-a3f8' }
  const wrong = 'stream.checkpoint=s3://other/checkpoint'
  const { stdout } = await stack.run(['up', '--json', '--set', wrong], { env: { ...env, ...keys } })
  expect(JSON.parse(stdout.split('\n').at(-1) ?? '').error).toMatchObject({
    ...{ code: 'WAREHOUSE_UNREACHABLE', hint: expect.stringContaining('`stream.checkpoint`') },
  })
  expect(await runPipeline(stack, { ...env, ...keys })).toEqual(rowsOfLocal)
  for (const secret of Object.values(keys))
    expect(await placesWith(stack, secret)).toEqual(['run/lake.credentials', 'run/lake.secret.json'])
  const { findings } = await json('doctor')
  expect(findings).toContainEqual({
    ...{ name: 'External catalog', verdict: 'ok', hint: null },
    found: `\`${catalogUri}\`, \`s3://tables/lake\` and \`s3://tables/checkpoint\` respond, and give the permissions`,
  })

  const filesIn = async (folder: string) =>
    (await store.objects('tables')).flatMap(key => (key.startsWith(folder) ? [key.slice(folder.length)] : []))
  const batches = async () =>
    (await filesIn('checkpoint/commits/')).filter(name => /^\d+$/.test(name)).map(Number)
  expect(await filesIn('checkpoint/')).toEqual(
    expect.arrayContaining(['metadata', 'offstream.json', 'offsets/0']),
  )
  const last = Math.max(...(await batches()))
  const { pid } = await stream()
  process.kill(pid ?? expect.fail('the job does not run'), 'SIGKILL')
  await publish('30000000')
  await waitForTable(stack, 'rows=41')
  expect(Math.max(...(await batches()))).toBeGreaterThan(last)
  expect(await filesIn('checkpoint.replaced/')).toEqual([])

  await stack.succeed(['down'])
  await stack.succeed(['reset', '--checkpoint', '--yes'])
  await stack.succeed(['up'], { env: { ...env, ...keys } })
  await stack.succeed(['submit'])
  await waitForTable(stack, 'rows=41')
  expect(await filesIn('checkpoint.replaced/commits/')).toContain(String(last))
  expect(Math.min(...(await batches()))).toBe(0)
  expect(await readdir(join(directories.checkpoint, '..'))).not.toContain('products')
})

test('tables move to another catalog and an object store with equal rows, and then to a third catalog without their files', async () => {
  const { user } = database
  await using store = await startObjectStore('tables')
  const shared = async (name: string) => ({
    lake: {
      catalog: { uri: await database.makeDatabase(name), user, passwordVariable: 'CATALOG_PASSWORD' },
      warehouse: 's3://tables/lake',
      s3: { endpoint: store.endpoint, pathStyle: true },
    },
  })
  await using stack = await profileStack('local')
  const file = join(stack.directory, 'offstream.yaml')
  const settings = JSON.parse(await readFile(file, 'utf8'))
  const profiles = { second: await shared('second'), third: await shared('third') }
  await writeFile(file, JSON.stringify({ ...settings, profiles }))
  const options = { env: { ...env, AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'key' } }
  const migrate = async (...args: string[]) =>
    (await stack.json(['lake', 'migrate', ...args], options)) as Printed

  expect(await runPipeline(stack)).toEqual(rowsOfLocal)
  expect((await migrate('--to', 'second'))['error']).toMatchObject({ code: 'STREAM_RUNNING' })
  await stack.succeed(['down'])
  const copied = await migrate('--to', 'second')
  expect(copied).toMatchObject({
    ...{ kind: 'migration', profile: 'second' },
    from: { catalog: expect.stringMatching(/catalog\.db$/) },
    to: { catalog: profiles.second.lake.catalog.uri, warehouse: 's3://tables/lake' },
    tables: [
      { name: 'lake.off.products', by: 'copy', rows: 40 },
      { name: 'lake.off.rejected', by: 'copy', rows: 0 },
    ],
    others: [],
  })
  expect((await migrate('--to', 'second'))['error']).toMatchObject({ code: 'MIGRATION_REFUSED' })
  const objects = await store.objects('tables')
  const { tables } = await migrate('--to', 'third', '--profile', 'second')
  expect(tables).toEqual(copied['tables'].map((table: Printed) => ({ ...table, by: 'register' })))
  expect(await store.objects('tables')).toEqual(objects)

  const third = { env: { ...options.env, OFFSTREAM_PROFILE: 'third' } }
  await stack.succeed(['up'], third)
  await stack.succeed(['submit'], third)
  await stack.succeed(['scrape', '--source', 'stdin'], {
    ...third,
    input: JSON.stringify({ code: '30000000', brands: 'C' }),
  })
  await stack.succeed(['wait', '--for', 'healthy', '--for', 'rows=41', '--timeout', '2m'], third)
  const { stdout } = await stack.succeed(
    [
      ...['query', "SELECT * EXCEPT (observed_at) FROM Products WHERE code < '3' ORDER BY code"],
      ...['--format', 'json'],
    ],
    third,
  )
  expect(JSON.parse(stdout)).toEqual(rowsOfLocal)
  expect(
    (await placesWith(stack, password)).filter(place => !/^profiles\/third\/run\/lake\./.test(place)),
  ).toEqual([])
  await stack.succeed(['down'], third)
})

/** How many connections the programs of the stack have to the catalog. */
const connections = async (): Promise<number> => {
  const rows = await database.admin`SELECT pid FROM pg_stat_activity WHERE usename = 'offstream'`
  return rows.length
}

test('a catalog in PostgreSQL gives the same rows, the password is only in two files, SQL sessions share connections, and only one stream writes', async () => {
  const { uri: catalogUri, user, caFile, admin } = database
  await using stack = await profileStack('lake-postgresql', { catalogUri, user, caFile, warehouse })
  const { json, failure, stream } = streamOf(stack)
  expect(await runPipeline(stack, env)).toEqual(rowsOfLocal)
  expect(await placesWith(stack, password)).toEqual(['run/lake.pgpass', 'run/lake.secret.json'])
  expect((await stack.succeed(['query', 'SET -v', '--format', 'json'])).stdout).not.toContain(password)
  expect(await readdir(join(warehouse, 'off'))).toEqual(['products', 'rejected'])
  expect(await failure('reset', '--table', '--yes')).toEqual(['TABLE_ELSEWHERE', 10])
  const { findings } = await json('doctor')
  expect(findings).toContainEqual({
    ...{ name: 'External catalog', verdict: 'ok', hint: null },
    found: `\`${catalogUri}\` and \`${warehouse}\` respond, and give the permissions`,
  })
  const before = await connections()
  for (const _ of Array(8)) await stack.succeed(['query', 'SELECT count(*) FROM Products'])
  // Sessions share a pool of two connections, of which one may have been unused before.
  expect(await connections()).toBeLessThanOrEqual(before + 1)

  // Another stream waits for the lock, and gets it when the connection of this one breaks.
  const other = database.connect()
  const taken = takeLock(other)
  await until(
    async () => {
      const waiting = await admin`SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`
      if (waiting.length === 0) throw new Error('nothing waits for the lock')
    },
    { what: 'the other stream to wait', timeoutMs: 10_000 },
  )
  await admin`
    SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted`
  await taken
  await until(
    async () => {
      const { detail } = await stream()
      if (!detail?.includes('Another stream (on 127.0.0.1) writes the tables')) throw new Error(`${detail}`)
    },
    { what: 'the stream to report the other one', timeoutMs: 120_000 },
  )
  await other.end()
  await stack.succeed(['submit'])
  await stack.succeed(['wait', '--for', 'healthy', '--for', 'lag=0', '--timeout', '2m'])

  await stack.succeed(['down'])
  const up = async (variables: Readonly<Record<string, string>>) => {
    const { stdout, exitCode } = await stack.run(['up', '--json'], { env: variables })
    return [JSON.parse(stdout.split('\n').at(-1) ?? '').error?.code, exitCode]
  }
  expect(await up({})).toEqual(['SECRET_MISSING', 5])
  expect(await up({ CATALOG_PASSWORD: 'wrong' })).toEqual(['AUTHENTICATION_FAILED', 10])
  await admin`REVOKE ALL ON ALL TABLES IN SCHEMA offstream FROM offstream`
  expect(await up(env)).toEqual(['ACCESS_DENIED', 10])
  await database.stop()
  expect(await up(env)).toEqual(['CATALOG_UNREACHABLE', 9])
})
