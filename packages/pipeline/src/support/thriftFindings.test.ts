import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { stateFolder } from '../project/directories.ts'
import { configOf } from '../project/layers.ts'
import { makeCertificates, type TestCertificates } from '../services/testCertificates.ts'
import { thriftFindings } from './thriftFindings.ts'

let folder: string
let certificates: TestCertificates<'own'>
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'offstream-thrift-findings-'))
  certificates = await makeCertificates(folder, { own: 'IP:127.0.0.1' })
  return () => rm(folder, { recursive: true })
})

const findingsWith = (settings: readonly string[], environment: Record<string, string> = {}) =>
  thriftFindings(
    { config: configOf(settings), state: stateFolder(folder, null), environment },
    AbortSignal.timeout(10_000),
  )

test('a Thrift server without password and TLS has no findings', async () => {
  expect(await findingsWith([])).toEqual([])
})

test('a Thrift server that is started here has a password and a certificate, or the reason', async () => {
  const { certFile, keyFile } = certificates.of.own
  const settings = [
    ...['thrift.auth.username=ana', 'thrift.auth.passwordVariable=THRIFT_PW', 'thrift.tls.enabled=true'],
    ...['thrift.tls.caFile=ca.pem', `thrift.tls.certFile=${certFile}`, `thrift.tls.keyFile=${keyFile}`],
  ]
  const expiring = {
    ...{ name: 'Thrift certificates', verdict: 'warning' },
    found: expect.stringContaining('in 1 day'),
  }
  expect(await findingsWith(settings, { THRIFT_PW: 'open' })).toMatchObject([
    { name: 'Thrift protection', verdict: 'ok', found: 'password and TLS' },
    expiring,
  ])
  expect(await findingsWith(settings)).toMatchObject([
    { name: 'Thrift protection', verdict: 'problem', found: expect.stringContaining('`THRIFT_PW`') },
    expiring,
  ])
})

test('the certificate of an existing Thrift server is the one that it presents', async () => {
  const { certFile, keyFile } = certificates.of.own
  const server = createServer({ cert: await readFile(certFile), key: await readFile(keyFile) })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const settings = [
    ...[
      'thrift.host=127.0.0.1',
      `thrift.port=${port}`,
      'thrift.tls.enabled=true',
      'thrift.tls.caFile=ca.pem',
    ],
  ]
  expect(await findingsWith(settings)).toMatchObject([
    {
      ...{ name: 'Thrift certificates', verdict: 'warning' },
      found: expect.stringContaining(`that of \`127.0.0.1:${port}\``),
    },
  ])
})
