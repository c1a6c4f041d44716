import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { directoriesOf, type Guide, lakeConf, stateFolder } from '@offstream/pipeline'
import { makeCertificates, type TestCertificates } from '@offstream/pipeline/testCertificates'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { placesWith } from './canary.ts'
import { profileStack, runPipeline } from './profile.ts'
import { root } from './repository.ts'
import { startSqlServer } from './sqlServer.ts'
import type { ScratchStack } from './stack.ts'
import { streamOf } from './stream.ts'

/** A value that occurs nowhere else, so that a search finds only the password. */
const password = 'canary-51c9e0d2'
const env = { SERVING_PASSWORD: password }

let folder: string
let certificates: TestCertificates<'server' | 'other'>
let rowsOfLocal: unknown
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'offstream-serving-'))
  certificates = await makeCertificates(folder, { server: 'IP:127.0.0.1', other: 'DNS:other.example.org' })
  await writeFile(join(folder, 'password'), `${password}\n`)
  await using local = await profileStack('local')
  rowsOfLocal = await runPipeline(local)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** The values of the placeholders in the profiles. */
const values = () => ({
  ...{ caFile: certificates.caFile, passwordFile: join(folder, 'password') },
  ...certificates.of.server,
})

/** The code and the exit status of `up` with other settings. */
const failureOfUp = async (
  stack: ScratchStack,
  settings: readonly string[],
  environment: Readonly<Record<string, string>> = {},
) => {
  const set = settings.flatMap(setting => ['--set', setting])
  const { stdout, exitCode } = await stack.run(['up', '--json', ...set], { env: environment })
  return [JSON.parse(stdout.split('\n').at(-1) ?? '').error?.code, exitCode]
}

/** Runs the steps of `offstream connect jdbc` in a shell. @returns what beeline prints */
const runBeeline = async (stack: ScratchStack): Promise<string> => {
  const { steps, samples } = (await stack.json(['connect', 'jdbc'])) as Guide
  const keytool = steps.map(step => /keytool .*/.exec(step)?.[0]).find(step => step !== undefined)
  const script = [keytool, samples[0]?.text].join('\n')
  const shell = await execa('sh', ['-e', '-c', script], { cwd: stack.directory, env, timeout: 120_000 })
  return shell.stdout
}

test('a Thrift server with password and TLS gives the same rows to all clients, and the password is in one file', async () => {
  await using stack = await profileStack('serving-protected', values())
  const { failure, json } = streamOf(stack)
  const { thriftLogin } = directoriesOf('')
  expect(await failureOfUp(stack, [])).toEqual(['SECRET_MISSING', 5])
  expect(await failureOfUp(stack, [`thrift.tls.caFile=${certificates.of.other.certFile}`], env)).toEqual([
    'CERTIFICATE_REJECTED',
    10,
  ])
  expect(await runPipeline(stack, env)).toEqual(rowsOfLocal)

  await stack.succeed(['dashboard'])
  const dashboard = await fetch(`http://127.0.0.1:${stack.config.dashboard.port}/api/table`)
  expect([dashboard.ok, (await json('table'))['tables'][0].rows]).toEqual([true, 40])
  await stack.succeed(['charts', 'nova-distribution', '--format', 'text'])
  expect(await runBeeline(stack)).toMatch(/\| 40 +\|/)

  const wrong = await stack.run(['query', 'SELECT 1', '--json'], { env: { SERVING_PASSWORD: 'wrong' } })
  expect([wrong.exitCode, wrong.stdout]).toEqual([10, expect.stringContaining('"AUTHENTICATION_FAILED"')])
  await rm(join(stack.directory, 'beeline.password'))
  expect(await placesWith(stack, password)).toEqual(['run/thrift.secret.json'])

  await stack.succeed(['restart', 'thrift'], { env: { SERVING_PASSWORD: 'another' } })
  expect((await json('query', 'SELECT count(*) AS n FROM Products'))['rows']).toEqual([{ n: 40 }])
  await rm(join(stateFolder(stack.directory, null), thriftLogin))
  expect(await failure('query', 'SELECT 1')).toEqual(['AUTHENTICATION_FAILED', 10])
})

test('the Thrift server of another stack gives the same rows, and each wrong setting has its error', async () => {
  await using server = await profileStack('serving-protected', values())
  await server.succeed(['up'], { env })
  const port = `thrift.port=${server.config.thrift.port}`
  await using stack = await profileStack('serving-elsewhere', values(), [port])
  // Both have the same catalog and warehouse.
  await mkdir(stateFolder(stack.directory, null), { recursive: true })
  const lakeOf = ({ directory }: ScratchStack) => directoriesOf(stateFolder(directory, null)).warehouse
  await symlink(lakeOf(server), lakeOf(stack))

  const variable = 'OFFSTREAM_THRIFT_PASSWORD'
  expect(await failureOfUp(stack, [], { [variable]: 'wrong' })).toEqual(['AUTHENTICATION_FAILED', 10])
  expect(await failureOfUp(stack, ['thrift.auth.username=other'])).toEqual(['AUTHENTICATION_FAILED', 10])
  expect(await failureOfUp(stack, [`thrift.tls.caFile=${certificates.of.other.certFile}`])).toEqual([
    'CERTIFICATE_REJECTED',
    10,
  ])
  expect(await failureOfUp(stack, ['thrift.host=localhost'])).toEqual(['CERTIFICATE_REJECTED', 10])
  expect(await failureOfUp(stack, ['thrift.port=1'])).toEqual(['THRIFT_UNREACHABLE', 9])

  expect(await runPipeline(stack)).toEqual(rowsOfLocal)
  const { json } = streamOf(stack)
  const { services, thrift } = await json('status')
  expect([services.find(({ name }: { name: string }) => name === 'thrift'), thrift]).toMatchObject([
    {
      ...{ state: 'external', health: 'healthy' },
      address: `127.0.0.1:${server.config.thrift.port}`,
    },
    { host: '127.0.0.1', port: server.config.thrift.port },
  ])
  const { findings } = await json('doctor')
  const ofThrift = findings.filter(({ name }: { name: string }) => /thrift/i.test(name))
  expect(ofThrift).toMatchObject([
    { name: 'External thrift', verdict: 'ok' },
    { name: 'Thrift certificates', verdict: 'warning', found: expect.stringContaining('in 1 day') },
  ])
  expect(await placesWith(stack, password)).toEqual([])

  await server.succeed(['query', 'DROP VIEW Products'])
  const missing = await json('doctor')
  expect(missing['findings']).toContainEqual(
    expect.objectContaining({
      ...{ name: 'External thrift', verdict: 'warning' },
      found: expect.stringContaining('does not have the view Products'),
    }),
  )
})

test('a Spark Thrift server that checks passwords with LDAP gives the same rows to all clients', async () => {
  await using stack = await profileStack('serving-ldap')
  const directories = directoriesOf(stateFolder(stack.directory, null))
  await mkdir(directories.warehouse, { recursive: true })
  const catalog = lakeConf(stack.config, directories)
  await using server = await startSqlServer(catalog, { name: 'analyst', password })
  const settings = join(stack.directory, 'offstream.yaml')
  const { thrift, ...others } = JSON.parse(await readFile(settings, 'utf8'))
  await writeFile(settings, JSON.stringify({ ...others, thrift: { ...thrift, port: server.port } }))

  expect(await failureOfUp(stack, [])).toEqual(['SECRET_MISSING', 5])
  expect(await failureOfUp(stack, [], { SERVING_PASSWORD: 'wrong' })).toEqual(['AUTHENTICATION_FAILED', 10])
  expect(await failureOfUp(stack, ['thrift.auth.username=other'], env)).toEqual(['AUTHENTICATION_FAILED', 10])

  await stack.succeed(['up'], { env })
  await stack.succeed(['submit'])
  const views = (await readFile(join(root, 'config/views.sql'), 'utf8')).replace(/^--.*$/gm, '')
  for (const view of views.split(';').filter(text => text.trim() !== '')) await stack.succeed(['query', view])
  expect(await runPipeline(stack, env)).toEqual(rowsOfLocal)

  const { json } = streamOf(stack)
  const { services } = await json('status')
  expect(services.find(({ name }: { name: string }) => name === 'thrift')).toMatchObject({
    ...{ state: 'external', health: 'healthy', address: `127.0.0.1:${server.port}` },
  })
  const { findings } = await json('doctor')
  expect(findings).toContainEqual(expect.objectContaining({ name: 'External thrift', verdict: 'ok' }))
  await using shell = stack.terminal(['sql'])
  await shell.shows('sql> ')
  await shell.type('SELECT count(*) AS n FROM Products;\r')
  await shell.shows(/\bn\r?\n40\r?\n/)
  await shell.type('exit\r')
  expect(await shell.exitCode).toBe(0)
  expect(await runBeeline(stack)).toMatch(/\| 40 +\|/)
  await rm(join(stack.directory, 'beeline.password'))
  expect(await placesWith(stack, password)).toEqual(['run/thrift.secret.json'])
})
