import { pbkdf2Sync } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { directoriesOf, projectFolder, stateFolder } from '../project/directories.ts'
import { configOf } from '../project/layers.ts'
import { makeCertificates, type TestCertificates } from './testCertificates.ts'
import { forgetThriftSecrets, saveThriftSecrets, thriftOf } from './thriftServer.ts'

let folder: string
let certificates: TestCertificates<'own' | 'other'>
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'offstream-thrift-certificates-'))
  certificates = await makeCertificates(folder, { own: 'IP:127.0.0.1', other: 'DNS:sql.example.org' })
  return () => rm(folder, { recursive: true })
})

const scratch = async (): Promise<string> => {
  const project = await mkdtemp(join(tmpdir(), 'offstream-thrift-'))
  onTestFinished(() => rm(project, { recursive: true }))
  return stateFolder(project, null)
}

const auth = ['thrift.auth.username=ana', 'thrift.auth.passwordVariable=THRIFT_PW']
const tls = (name: 'own' | 'other', caFile = certificates.caFile): readonly string[] => [
  ...['thrift.tls.enabled=true', `thrift.tls.caFile=${caFile}`],
  ...[`thrift.tls.certFile=${certificates.of[name].certFile}`],
  `thrift.tls.keyFile=${certificates.of[name].keyFile}`,
]

test('without settings the Thrift server is the one that is started here, without password and TLS', async () => {
  const state = await scratch()
  const own = { host: '127.0.0.1', port: 10_000, isExternal: false, tls: null, login: null }
  expect(await thriftOf(configOf([]), state, {})).toEqual(own)
  expect(await thriftOf(configOf(['thrift.host=sql.example.org']), state, {})).toEqual({
    ...own,
    ...{ host: 'sql.example.org', isExternal: true },
  })
})

test('clients get the password and the authority, and the server a hash and its key, in files of this user alone', async () => {
  const state = await scratch()
  const { run, thriftLogin } = directoriesOf(state)
  const config = configOf([...auth, ...tls('own')])
  await saveThriftSecrets(config, state, { THRIFT_PW: 'é\\ open' })
  expect(await thriftOf(config, state, {})).toEqual({
    ...{ host: '127.0.0.1', port: 10_000, isExternal: false },
    tls: { caFile: certificates.caFile },
    login: { username: 'ana', password: 'é\\ open' },
  })
  const files = (await readdir(run)).toSorted()
  expect(files).toEqual(['thrift.key.pem', 'thrift.login.properties', 'thrift.secret.json'])
  const modes = await Promise.all(
    files.map(async file => ((await stat(join(run, file))).mode & 0o777).toString(8)),
  )
  expect(modes).toEqual(['600', '600', '600'])

  const text = await readFile(thriftLogin, 'utf8')
  const [, user, iterations, salt = '', hash] =
    /^user=(.*)\niterations=(.*)\nsalt=(.*)\nhash=(.*)\n$/.exec(text) ?? expect.fail(text)
  const expected = pbkdf2Sync('é\\ open', Buffer.from(salt, 'base64'), Number(iterations), 32, 'sha256')
  expect([user, hash]).toEqual(['ana', expected.toString('base64')])

  await forgetThriftSecrets(state)
  expect(await readdir(run)).toEqual([])
  await expect(thriftOf(config, state, {})).rejects.toMatchObject({
    code: 'SECRET_MISSING',
    hint: expect.stringContaining('`thrift.auth.passwordFile`'),
  })
})

test('a password in a file is read again for each connection, and not copied', async () => {
  const state = await scratch()
  const config = configOf([...auth, 'thrift.auth.passwordFile=password'])
  const file = join(projectFolder(state), 'password')
  const passwordNow = async () => (await thriftOf(config, state, {})).login?.password
  await writeFile(file, 'first\n')
  await saveThriftSecrets(config, state, {})
  const first = await passwordNow()
  await writeFile(file, 'second\n')
  expect([first, await passwordNow()]).toEqual(['first', 'second'])
  expect(await readdir(directoriesOf(state).run)).toEqual(['thrift.login.properties'])
})

test('for an existing server only the password of its clients is saved', async () => {
  const state = await scratch()
  const config = configOf([...auth, 'thrift.host=sql.example.org'])
  await saveThriftSecrets(config, state, { THRIFT_PW: 'open' })
  expect(await readdir(directoriesOf(state).run)).toEqual(['thrift.secret.json'])
})

test.each([
  ['another host', () => tls('other'), /IP: 127\.0\.0\.1 is not in the cert's list/],
  ['another authority', () => tls('own', certificates.of.other.certFile), /unable to|self-signed/],
])('a certificate for %s is rejected before the server starts', async (_, settings, message) => {
  const state = await scratch()
  await expect(saveThriftSecrets(configOf(settings()), state, {})).rejects.toMatchObject({
    ...{ code: 'CERTIFICATE_REJECTED', outcome: 'refused', message: expect.stringMatching(message) },
  })
  await expect(readdir(directoriesOf(state).run)).rejects.toThrow('ENOENT')
})
