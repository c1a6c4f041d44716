import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { directoriesOf, stateFolder } from '../project/directories.ts'
import { configOf } from '../project/layers.ts'
import { checkLake, lakeConf, lakeFlags, librariesFor, prepareLake, saveLakeSecrets } from './lakeCatalog.ts'
import { migrationFiles, prepareMigration } from './lakeMigration.ts'
import { checkRestCatalog, loginJars, readerLogin } from './restCatalog.ts'
import { serveOn } from './testServer.ts'

const inRest = (...settings: readonly string[]) =>
  configOf([
    ...['lake.catalog.uri=https://catalog.example.org/api', 'lake.catalog.passwordVariable=LAKE_PW'],
    ...['lake.warehouse=s3://bucket/lake', ...settings],
  ])

const asClient = [
  ...['lake.catalog.user=me', 'lake.catalog.warehouse=shop', 'lake.catalog.tls.caFile=ca.pem'],
  ...['lake.catalog.oauth.tokenUri=https://login.example.org/token', 'lake.catalog.oauth.scope=all'],
]

test('with a REST catalog, Spark gets the name of the file with the secret and a class that reads it', () => {
  const directories = directoriesOf('/project/.offstream')
  const config = inRest(...asClient)
  const prefix = 'spark.sql.catalog.lake.'
  const settings = Object.entries(lakeConf(config, directories))
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, value]) => [name.replace(prefix, ''), value])
  expect(Object.fromEntries(settings)).toEqual({
    ...{ type: 'rest', uri: 'https://catalog.example.org/api', warehouse: 'shop', scope: 'all' },
    'rest.auth.type': 'offstream.CatalogLogin',
    'offstream.login-file': '/project/.offstream/run/lake.token',
    'offstream.login-kind': 'credential',
    'oauth2-server-uri': 'https://login.example.org/token',
    'rest.client.tls.configurer-impl': 'offstream.CatalogLogin$Authority',
    'offstream.ca-file': '/project/ca.pem',
    'io-impl': 'org.apache.iceberg.aws.s3.S3FileIO',
    'client.region': 'us-east-1',
    'cache-enabled': 'false',
  })
  expect([librariesFor(config), lakeFlags(config, directories)]).toEqual([
    ['icebergAws'],
    ['-Daws.sharedCredentialsFile=/project/.offstream/run/lake.credentials', '-Daws.profile=default'],
  ])
  expect(loginJars({ config, state: '/project/.offstream' })).toEqual([
    '/project/.offstream/run/lake.login.jar',
  ])
  expect(readerLogin(config, '/project/.offstream')).toEqual({
    ...{ user: 'me', passwordVariable: 'LAKE_PW' },
    properties: {
      ...{ uri: 'https://catalog.example.org/api', warehouse: 'shop', scope: 'all' },
      ...{ 'oauth2-server-uri': 'https://login.example.org/token', ssl: { cabundle: '/project/ca.pem' } },
    },
  })
})

test('without a name, the location of the files selects the warehouse', () => {
  const warehouses = ['/shared/lake/', 'file:///shared/lake', 's3://bucket/lake/'].map(
    warehouse =>
      lakeConf(inRest(`lake.warehouse=${warehouse}`), directoriesOf('/project/.offstream'))[
        'spark.sql.catalog.lake.warehouse'
      ],
  )
  expect(warehouses).toEqual(['file:/shared/lake', 'file:/shared/lake', 's3://bucket/lake'])
})

test('a token, or a user and a password, is in a file that only this user can read; without both the file does not exist', async () => {
  const project = await mkdtemp(join(tmpdir(), 'offstream-rest-'))
  onTestFinished(() => rm(project, { recursive: true }))
  const state = stateFolder(project, null)
  const { lakeToken } = directoriesOf(state)
  const prepared = async (config: ReturnType<typeof inRest>, environment: Record<string, string>) => {
    await saveLakeSecrets(config, state, environment)
    await prepareLake(config, state, environment)
    return readFile(lakeToken, 'utf8').catch(() => null)
  }
  expect(await prepared(inRest(), {})).toBeNull()
  expect(await prepared(inRest(), { LAKE_PW: 'tok' })).toBe('tok')
  expect(await prepared(inRest(...asClient), { LAKE_PW: 'open:sesame' })).toBe('me:open:sesame')
  expect(((await stat(lakeToken)).mode & 0o777).toString(8)).toBe('600')
  await rm(directoriesOf(state).lakeSecret)
  await expect(prepared(inRest(...asClient), {})).rejects.toMatchObject({ code: 'SECRET_MISSING' })
})

test('the program that moves tables into a REST catalog finds the secret in its own folder', async () => {
  const project = await mkdtemp(join(tmpdir(), 'offstream-rest-'))
  onTestFinished(() => rm(project, { recursive: true }))
  await writeFile(join(project, 'password'), 'open sesame\n')
  const config = inRest(...asClient, 'lake.catalog.passwordFile=password')
  const [from, to] = [configOf([]), config].map(of => ({ config: of, state: stateFolder(project, null) }))
  if (from === undefined || to === undefined) expect.fail()
  const folder = await mkdtemp(join(project, 'migrate-'))
  await prepareMigration(from, to, folder)
  const { lakeToken } = migrationFiles(folder)
  expect([await readdir(folder), await readFile(lakeToken, 'utf8')]).toEqual([['token'], 'me:open sesame'])
})

/** A catalog that answers each path with a status and a body; other paths get 404. */
const catalogThatAnswers = async (answers: Readonly<Record<string, readonly [number, object]>>) => {
  const requests: (string | undefined)[] = []
  const server = createServer(async (request, response) => {
    const { method, url = '', headers } = request
    requests.push(`${method} ${url} ${headers.authorization ?? (await text(request))}`)
    const [status, body] = answers[url.replace(/\?.*/, '')] ?? [404, {}]
    response.writeHead(status).end(JSON.stringify(body))
  })
  const { port, [Symbol.asyncDispose]: stop } = await serveOn('127.0.0.1', 0, server)
  onTestFinished(stop)
  const catalog = {
    ...{ uri: `http://127.0.0.1:${port}`, tokenUri: `http://127.0.0.1:${port}/token`, warehouse: 'my shop' },
    ...{ user: null, password: 'tok', scope: null, caFile: null },
  }
  return { catalog, requests }
}

test('the check lists the namespaces below the prefix of the warehouse, with the token', async () => {
  const { catalog, requests } = await catalogThatAnswers({
    '/v1/config': [200, { defaults: { prefix: 'no' }, overrides: { prefix: 'yes' } }],
    '/v1/yes/namespaces': [200, {}],
    '/token': [200, { access_token: 'issued' }],
  })
  await checkRestCatalog(catalog)
  await checkRestCatalog({ ...catalog, user: 'me', password: 'open sesame', scope: 'all' })
  expect(requests).toEqual([
    'GET /v1/config?warehouse=my%20shop Bearer tok',
    'GET /v1/yes/namespaces Bearer tok',
    'POST /token grant_type=client_credentials&client_id=me&client_secret=open+sesame&scope=all',
    'GET /v1/config?warehouse=my%20shop Bearer issued',
    'GET /v1/yes/namespaces Bearer issued',
  ])
})

test.each([
  [{ '/v1/config': [401, { error: { message: 'expired' } }] }, 'AUTHENTICATION_FAILED', 'expired'],
  [{ '/v1/config': [403, { error: { message: 'no role' } }] }, 'ACCESS_DENIED', 'no role'],
  [{ '/v1/config': [200, {}], '/v1/namespaces': [403, {}] }, 'ACCESS_DENIED', 'status 403'],
  [{ '/v1/config': [200, {}], '/v1/namespaces': [500, {}] }, 'CATALOG_UNREACHABLE', 'status 500'],
  [{}, 'CATALOG_UNREACHABLE', '/v1/config returned status 404'],
] as const)('a catalog that answers %j gives %s', async (answers, code, message) => {
  const { catalog } = await catalogThatAnswers(answers)
  await expect(checkRestCatalog(catalog)).rejects.toMatchObject({
    code,
    message: expect.stringContaining(message),
  })
})

test('an OAuth2 server that rejects the client is named as a failed login', async () => {
  const { catalog } = await catalogThatAnswers({ '/token': [400, { error: 'invalid_client' }] })
  await expect(checkRestCatalog({ ...catalog, user: 'me' })).rejects.toMatchObject({
    ...{ code: 'AUTHENTICATION_FAILED', message: expect.stringContaining('rejected `me`') },
  })
})

test('a catalog that does not respond is unreachable', async () => {
  const config = inRest('lake.catalog.uri=http://127.0.0.1:9', 'lake.warehouse=/shop')
  await expect(checkLake(config, '/project/.offstream')).rejects.toMatchObject({
    code: 'CATALOG_UNREACHABLE',
  })
})
