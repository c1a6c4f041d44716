import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { makeCertificates, type TestCertificates } from '../services/testCertificates.ts'
import { query } from '../table.ts'

let certificates: TestCertificates<'own' | 'other'>
beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'offstream-thrift-certificates-'))
  certificates = await makeCertificates(folder, { own: 'IP:127.0.0.1', other: 'DNS:sql.example.org' })
  return () => rm(folder, { recursive: true })
})

/** The state BAD of SASL in Thrift, with a message. */
const rejection = (message: string): Buffer => {
  const bytes = Buffer.alloc(5)
  bytes.writeUInt8(3)
  bytes.writeUInt32BE(message.length, 1)
  return Buffer.concat([bytes, Buffer.from(message)])
}

/** Rejects every login. The real test uses Spark's server. */
const rejectLogin = (socket: Socket): void => {
  socket.on('error', () => undefined)
  socket.once('data', () => socket.end(rejection('wrong login')))
}

const addressOf = async (server: Server) => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port }
}

const tlsServer = async (name: 'own' | 'other') => {
  const { certFile, keyFile } = certificates.of[name]
  const files = { cert: await readFile(certFile), key: await readFile(keyFile) }
  return addressOf(createTlsServer(files, rejectLogin).on('tlsClientError', () => undefined))
}

const login = { username: 'ana', password: 'wrong' }

test('a server that rejects the user is reachable, and the fix is another password', async () => {
  const address = await addressOf(createServer(rejectLogin))
  await expect(query({ ...address, login }, 'SELECT 1')).rejects.toMatchObject({
    ...{ code: 'AUTHENTICATION_FAILED', outcome: 'refused' },
    message: `The Thrift server at \`127.0.0.1:${address.port}\` rejected the user: Authentication error: wrong login`,
    hint: expect.stringContaining('`thrift.auth.username`'),
  })
})

test('the password is sent after the certificate was verified', async () => {
  const address = { ...(await tlsServer('own')), login, tls: { caFile: certificates.caFile } }
  await expect(query(address, 'SELECT 1')).rejects.toMatchObject({ code: 'AUTHENTICATION_FAILED' })
})

test.each([
  ['of another authority', 'own', (): string => certificates.of.other.certFile],
  ['of no public authority', 'own', (): string | null => null],
  ['for another host', 'other', (): string => certificates.caFile],
] as const)('a certificate %s is rejected before the password is sent', async (_, name, caFile) => {
  const address = await tlsServer(name)
  await expect(query({ ...address, login, tls: { caFile: caFile() } }, 'SELECT 1')).rejects.toMatchObject({
    ...{ code: 'CERTIFICATE_REJECTED', outcome: 'refused' },
    message: expect.stringContaining(`\`127.0.0.1:${address.port}\` was rejected`),
    hint: expect.stringContaining('`thrift.tls.caFile`'),
  })
})

test('a server without TLS is unreachable by TLS, and the hint for an existing one names the reasons', async () => {
  const address = await addressOf(createServer(rejectLogin))
  const tls = { caFile: certificates.caFile }
  await expect(query({ ...address, tls, isExternal: true }, 'SELECT 1')).rejects.toMatchObject({
    code: 'THRIFT_UNREACHABLE',
    hint: 'check `thrift.host` and `thrift.port`, and whether the server requires TLS or another authentication',
  })
})

test('a file of the authority that does not exist is an error', async () => {
  const address = await addressOf(createServer(rejectLogin))
  await expect(query({ ...address, tls: { caFile: '/missing.pem' } }, 'SELECT 1')).rejects.toMatchObject({
    code: 'FILE_MISSING',
  })
})
