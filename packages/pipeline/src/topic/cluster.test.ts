import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { configOf } from '../project/layers.ts'
import { configuredCluster, javaClientSettings, readCertificates } from './cluster.ts'

/** A folder with these files. */
const folderWith = (files: Readonly<Record<string, string>>): string => {
  const folder = mkdtempSync(join(tmpdir(), 'offstream-cluster-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

const sectionOf = (...settings: readonly string[]) =>
  configOf(['kafka.brokers=one:9092, two:9093', ...settings.map(setting => `kafka.${setting}`)]).kafka

const withUser = (...settings: readonly string[]) =>
  sectionOf('sasl.mechanism=plain', 'sasl.username=mirror', 'sasl.passwordVariable=CLUSTER_PW', ...settings)

test('the paths of certificates are relative to the project, and the addresses are separated', () => {
  const section = sectionOf('tls.enabled=true', 'tls.caFile=ca.pem', 'tls.certFile=/etc/cert.pem')
  expect(configuredCluster(section, { directory: '/project', environment: {} })).toEqual({
    brokers: ['one:9092', 'two:9093'],
    tls: { caFile: '/project/ca.pem', certFile: '/etc/cert.pem', keyFile: null },
    sasl: null,
  })
})

test('the password comes from the environment, otherwise from an earlier command, otherwise from the file', () => {
  const directory = folderWith({ password: 'in-file\n' })
  const section = withUser('sasl.passwordFile=password')
  const passwordWith = (environment: Record<string, string>, savedPassword: string | null) =>
    configuredCluster(section, { directory, environment, savedPassword }).sasl?.password
  expect([
    passwordWith({ CLUSTER_PW: 'in-environment' }, 'saved'),
    passwordWith({}, 'saved'),
    passwordWith({ CLUSTER_PW: '' }, null),
  ]).toEqual(['in-environment', 'saved', 'in-file'])
})

test.each([{}, { CLUSTER_PW: '' }])('without a password the error names the variable: %j', environment => {
  expect(() => configuredCluster(withUser(), { directory: '/', environment })).toThrowError(
    expect.objectContaining({
      code: 'SECRET_MISSING',
      outcome: 'config',
      message: expect.stringContaining('`CLUSTER_PW`'),
    }),
  )
})

test('Java’s client gets the user and the password in a login that quotes them', () => {
  const environment = { CLUSTER_PW: 'a"b\\c' }
  const settings = (mechanism: string) =>
    javaClientSettings(
      configuredCluster(withUser(`sasl.mechanism=${mechanism}`), { directory: '/', environment }),
    )
  expect([settings('plain'), settings('scram-sha-512')]).toEqual([
    {
      'security.protocol': 'SASL_PLAINTEXT',
      'sasl.mechanism': 'PLAIN',
      'sasl.jaas.config':
        'org.apache.kafka.common.security.plain.PlainLoginModule required username="mirror" password="a\\"b\\\\c";',
    },
    {
      'security.protocol': 'SASL_PLAINTEXT',
      'sasl.mechanism': 'SCRAM-SHA-512',
      'sasl.jaas.config':
        'org.apache.kafka.common.security.scram.ScramLoginModule required username="mirror" password="a\\"b\\\\c";',
    },
  ])
})

test('a key in any form is read as PKCS #8, which Java requires', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const folder = folderWith({
    'key.pem': privateKey.export({ type: 'sec1', format: 'pem' }).toString(),
    'ca.pem': 'the authority',
    'cert.pem': 'the certificate',
  })
  const tls = {
    caFile: join(folder, 'ca.pem'),
    certFile: join(folder, 'cert.pem'),
    keyFile: join(folder, 'key.pem'),
  }
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' })
  expect(readCertificates(tls)).toEqual({ ca: 'the authority', cert: 'the certificate', key })
  expect(javaClientSettings({ brokers: ['one:9092'], tls, sasl: null })).toEqual({
    'security.protocol': 'SSL',
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.certificates': 'the authority',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.certificate.chain': 'the certificate',
    'ssl.keystore.key': key,
  })
})

test.each([
  ['a missing file', 'missing.pem'],
  ['a file that is not a key', 'text.pem'],
])('%s is an error', (_, name) => {
  const folder = folderWith({ 'text.pem': 'not a key' })
  expect(() => readCertificates({ caFile: null, keyFile: join(folder, name) })).toThrowError(
    expect.objectContaining({ code: 'FILE_MISSING' }),
  )
})
