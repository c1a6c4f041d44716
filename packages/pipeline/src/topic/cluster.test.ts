import { generateKeyPairSync, type KeyPairKeyObjectResult, sign } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readCertificates } from '../credentials.ts'
import { configOf } from '../project/layers.ts'
import { configuredCluster, javaClientSettings, passwordOf } from './cluster.ts'

/** A folder with these files. */
const folderWith = (files: Readonly<Record<string, string>>): string => {
  const folder = mkdtempSync(join(tmpdir(), 'offstream-cluster-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

const keyPair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })

/** An element of DER: its tag, its length, its content. */
const der = (tag: number, ...content: readonly Buffer[]): Buffer => {
  const bytes = Buffer.concat(content)
  const { length } = bytes
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), bytes])
}

/** A certificate in PEM that is signed with its own key. Node can only read certificates. */
const certificateOf = ({ publicKey, privateKey }: KeyPairKeyObjectResult): string => {
  const algorithm = der(0x30, Buffer.from('06082a8648ce3d040302', 'hex'))
  const commonName = der(0x30, Buffer.from('0603550403', 'hex'), der(0x0c, Buffer.from('test')))
  const name = der(0x30, der(0x31, commonName))
  const moments = ['260101000000Z', '460101000000Z'].map(moment => der(0x17, Buffer.from(moment)))
  const key = publicKey.export({ type: 'spki', format: 'der' })
  const content = der(0x30, der(2, Buffer.from([1])), algorithm, name, der(0x30, ...moments), name, key)
  const signature = der(3, Buffer.from([0]), sign('sha256', content, privateKey))
  const text = der(0x30, content, algorithm, signature).toString('base64')
  return `-----BEGIN CERTIFICATE-----\n${text.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`
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
    passwordOf(configuredCluster(section, { directory, environment, savedPassword }))
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

const withToken = () =>
  sectionOf('sasl.mechanism=oauthbearer', 'sasl.tokenCommand=[bin/token, --for, "a\\"b\\\\c\\nd"]')

test('a path of the token command is relative to the project, and a name stays a name', () => {
  const section = sectionOf('sasl.mechanism=oauthbearer', 'sasl.tokenCommand=[token, ./x]')
  const login = (cluster: typeof section) =>
    configuredCluster(cluster, { directory: '/project', environment: {} }).sasl
  expect([login(withToken()), login(section)]).toMatchObject([
    {
      mechanism: 'oauthbearer',
      command: ['/project/bin/token', '--for', 'a"b\\c\nd'],
      directory: '/project',
    },
    { command: ['token', './x'] },
  ])
})

test('Java’s client gets the token command, and no token, in a login that quotes its arguments', () => {
  const cluster = configuredCluster(withToken(), { directory: '/my project', environment: {} })
  expect(javaClientSettings(cluster)).toEqual({
    'security.protocol': 'SASL_PLAINTEXT',
    'sasl.mechanism': 'OAUTHBEARER',
    'sasl.login.callback.handler.class': 'offstream.TokenCommand',
    'sasl.jaas.config':
      'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required directory="/my project" argument0="/my project/bin/token" argument1="--for" argument2="a\\"b\\\\c\\nd";',
  })
})

test('a key in any form is read as PKCS #8, which Java requires', () => {
  const { privateKey, publicKey } = keyPair()
  const ca = `the authority\n${certificateOf(keyPair())}`
  const cert = certificateOf({ privateKey, publicKey })
  const folder = folderWith({
    'key.pem': privateKey.export({ type: 'sec1', format: 'pem' }).toString(),
    'ca.pem': ca,
    'cert.pem': cert,
  })
  const tls = {
    caFile: join(folder, 'ca.pem'),
    certFile: join(folder, 'cert.pem'),
    keyFile: join(folder, 'key.pem'),
  }
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' })
  expect(readCertificates(tls)).toEqual({ ca, cert, key })
  expect(javaClientSettings({ brokers: ['one:9092'], tls, sasl: null })).toEqual({
    'security.protocol': 'SSL',
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.certificates': ca,
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.certificate.chain': cert,
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

test.each(['caFile', 'certFile'])('a file of `%s` that is not a certificate is an error', setting => {
  const folder = folderWith({ 'text.pem': 'not a certificate' })
  const file = join(folder, 'text.pem')
  expect(() => readCertificates({ caFile: null, [setting]: file })).toThrowError(
    expect.objectContaining({
      code: 'FILE_MISSING',
      message: expect.stringContaining(`\`${file}\` cannot be read`),
    }),
  )
})

test('a certificate with the key of another one is an error that names both files', () => {
  const folder = folderWith({
    'cert.pem': certificateOf(keyPair()),
    'key.pem': keyPair().privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  })
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  expect(() => readCertificates({ caFile: null, certFile, keyFile })).toThrowError(
    expect.objectContaining({
      code: 'FILE_MISSING',
      message: `\`${keyFile}\` is not the key of the certificate in \`${certFile}\``,
    }),
  )
})
