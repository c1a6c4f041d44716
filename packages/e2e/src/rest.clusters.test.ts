import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { placesWith } from './canary.ts'
import { waitForTable } from './pipeline.ts'
import { profileStack, runPipeline } from './profile.ts'
import { startRestCatalog, type TestRestCatalog } from './restCatalog.ts'
import { type Printed, streamOf } from './stream.ts'

/** A value that occurs nowhere else, so that a search finds only the password. */
const password = 'canary-1b7f03e9'
const env = { CATALOG_PASSWORD: password }

const login = { user: 'offstream', password, scope: 'PRINCIPAL_ROLE:ALL' }

let directory: string
let catalog: TestRestCatalog
let rowsOfLocal: unknown
beforeAll(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'offstream-rest-')))
  catalog = await startRestCatalog({ directory, warehouse: join(directory, 'lake'), ...login })
  await using local = await profileStack('local')
  rowsOfLocal = await runPipeline(local)
})
afterAll(async () => {
  await catalog?.[Symbol.asyncDispose]()
  if (directory !== undefined) await rm(directory, { recursive: true, force: true })
})

const restStack = (...settings: string[]) => {
  const { uri: catalogUri, tokenUri, caFile, user } = catalog
  return profileStack(
    'lake-rest',
    { catalogUri, tokenUri, caFile, user, warehouse: join(directory, 'lake') },
    settings,
  )
}

test('a REST catalog gives the same rows, the password is only in two files, and the stream that was started last writes', async () => {
  await using first = await restStack()
  const { json, failure, stream, untilFailed } = streamOf(first)
  expect(await runPipeline(first, env)).toEqual(rowsOfLocal)
  expect(await placesWith(first, password)).toEqual(['run/lake.secret.json', 'run/lake.token'])
  expect((await first.succeed(['query', 'SET -v', '--format', 'json'])).stdout).not.toContain(password)
  expect((await readdir(join(directory, 'lake', 'off'))).sort()).toEqual(['products', 'rejected'])
  expect(await failure('reset', '--table', '--yes')).toEqual(['TABLE_ELSEWHERE', 10])
  expect((await json('doctor'))['findings']).toContainEqual({
    ...{ name: 'External catalog', verdict: 'ok', hint: null },
    found: `\`${catalog.uri}\` and \`${join(directory, 'lake')}\` respond, and give the permissions`,
  })

  {
    await using second = await restStack(`kafka.brokers=${first.config.host}:${first.config.kafka.port}`)
    await second.succeed(['up'], { env })
    await second.succeed(['submit'])
    const { detail } = await untilFailed()
    expect(detail).toMatch(/Another stream \(pid \d+ on .+\), which was started later, writes the table/)
    const input = JSON.stringify({ code: '30000000', brands: 'C' })
    await first.succeed(['scrape', '--source', 'stdin'], { input })
    await second.succeed(['wait', '--for', 'healthy', '--for', 'rows=41', '--timeout', '2m'])
    expect(await codesOf(second)).toEqual({ codes: 41, rows: 41 })
    expect((await stream()).state).toBe('failed')

    // The user decides which one stays.
    await first.succeed(['submit'])
    await waitForTable(first, 'rows=41', 'rejected=0')
    const other = await streamOf(second).untilFailed()
    expect(/which was started later.*\[(\w+)\]/.exec(other.detail ?? '')?.[1]).toBe('TABLE_TAKEN')
    expect(await codesOf(first)).toEqual({ codes: 41, rows: 41 })
  }

  await first.succeed(['down'])
  const up = async (variables: Readonly<Record<string, string>>) => {
    const { stdout, exitCode } = await first.run(['up', '--json'], { env: variables })
    return [JSON.parse(stdout.split('\n').at(-1) ?? '').error?.code, exitCode]
  }
  expect(await up({})).toEqual(['SECRET_MISSING', 5])
  expect(await up({ CATALOG_PASSWORD: 'wrong' })).toEqual(['AUTHENTICATION_FAILED', 10])
  catalog.isDenied = true
  expect(await up(env)).toEqual(['ACCESS_DENIED', 10])
  await catalog.stop()
  expect(await up(env)).toEqual(['CATALOG_UNREACHABLE', 9])
})

test('tables move into a REST catalog with equal rows', async () => {
  const folder = join(directory, 'moved')
  await mkdir(folder)
  const warehouse = join(folder, 'lake')
  await using target = await startRestCatalog({ directory: folder, warehouse, ...login })
  await using stack = await profileStack('local')
  const file = join(stack.directory, 'offstream.yaml')
  const shared = {
    lake: {
      catalog: {
        ...{ uri: target.uri, warehouse: 'shop', user: target.user, passwordVariable: 'CATALOG_PASSWORD' },
        ...{ oauth: { tokenUri: target.tokenUri, scope: login.scope }, tls: { caFile: target.caFile } },
      },
      warehouse,
    },
  }
  const settings = JSON.parse(await readFile(file, 'utf8'))
  await writeFile(file, JSON.stringify({ ...settings, profiles: { shared } }))
  expect(await runPipeline(stack)).toEqual(rowsOfLocal)
  await stack.succeed(['down'])
  const moved = (await stack.json(['lake', 'migrate', '--to', 'shared'], { env })) as Printed
  expect(moved['tables']).toMatchObject([
    { name: 'lake.off.products', by: 'copy', rows: 40 },
    { name: 'lake.off.rejected', by: 'copy', rows: 0 },
  ])
  const inShared = { env: { ...env, OFFSTREAM_PROFILE: 'shared' } }
  await stack.succeed(['up'], inShared)
  const sql = 'SELECT * EXCEPT (observed_at) FROM Products ORDER BY code'
  const { stdout } = await stack.succeed(['query', sql, '--format', 'json'], inShared)
  expect(JSON.parse(stdout)).toEqual(rowsOfLocal)
  expect(await readdir(streamOf(stack).directories.run)).not.toContain('lake.migration')
  await stack.succeed(['down'], inShared)
})

const codesOf = async (stack: Awaited<ReturnType<typeof restStack>>): Promise<unknown> => {
  const sql = 'SELECT count(DISTINCT code) AS codes, count(*) AS rows FROM lake.off.products'
  return JSON.parse((await stack.succeed(['query', sql, '--format', 'json'])).stdout)[0]
}
