import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { directoriesOf, stateFolder } from '../project/directories.ts'
import { configOf } from '../project/layers.ts'
import { passwordOf } from '../topic/cluster.ts'
import {
  brokersOf,
  clusterOf,
  forgetKafkaSecrets,
  kafkaOptions,
  saveKafkaSecret,
  writeClientProperties,
} from './kafkaCluster.ts'
import { propertyText } from './properties.ts'

const scratch = async (stack: string | null = null): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'offstream-kafka-cluster-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return stateFolder(folder, stack)
}

const secured = configOf([
  'kafka.brokers=one:9092,two:9092',
  ...['kafka.sasl.mechanism=plain', 'kafka.sasl.username=me', 'kafka.sasl.passwordVariable=CLUSTER_PW'],
])
const modeOf = async (file: string) => ((await stat(file)).mode & 0o777).toString(8)

test('without `kafka.brokers` the cluster is the broker that offstream starts', async () => {
  const config = configOf(['kafka.port=9093'])
  expect([brokersOf(config), await clusterOf(config, await scratch(), {})]).toEqual([
    ['127.0.0.1:9093'],
    { brokers: ['127.0.0.1:9093'], tls: null, sasl: null, isStartedHere: true },
  ])
})

test.each([null, 'tests'])(
  'relative paths start at the folder of the project, in the stack %s',
  async stack => {
    const state = await scratch(stack)
    const config = configOf(['kafka.brokers=one:9092', 'kafka.tls.enabled=true', 'kafka.tls.caFile=ca.pem'])
    const project = state.slice(0, state.indexOf('/.offstream'))
    expect((await clusterOf(config, state, {})).tls?.caFile).toBe(join(project, 'ca.pem'))
  },
)

test('a password of the environment is saved for later commands, in a file that only this user can read', async () => {
  const state = await scratch()
  const { kafkaSecret, run } = directoriesOf(state)
  await saveKafkaSecret(secured, state, { CLUSTER_PW: 'open-sesame' })
  expect([passwordOf(await clusterOf(secured, state, {})), await modeOf(kafkaSecret)]).toEqual([
    'open-sesame',
    '600',
  ])
  await forgetKafkaSecrets(state)
  expect(await readdir(run)).toEqual([])
  await expect(clusterOf(secured, state, {})).rejects.toMatchObject({ code: 'SECRET_MISSING' })
})

test('only this user can read the properties of Java’s client', async () => {
  const state = await scratch()
  const { kafkaClient } = directoriesOf(state)
  await saveKafkaSecret(secured, state, { CLUSTER_PW: 'é\\"' })
  await writeClientProperties(secured, state)
  await writeClientProperties(secured, state)
  expect([await modeOf(kafkaClient), await readFile(kafkaClient, 'utf8')]).toEqual([
    '600',
    String.raw`security.protocol=SASL_PLAINTEXT
sasl.mechanism=PLAIN
sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="me" password="\u00e9\\\\\\"";
`,
  ])
})

test('programs get options for Kafka that name the file with the secrets, with exactly the properties in it', async () => {
  const state = await scratch()
  const { kafkaClient } = directoriesOf(state)
  await saveKafkaSecret(secured, state, { CLUSTER_PW: 'open-sesame' })
  await writeClientProperties(secured, state)
  const written = (await readFile(kafkaClient, 'utf8'))
    .trim()
    .split('\n')
    .map(line => line.replace(/=.*/, ''))
  expect(kafkaOptions(secured, state)).toEqual({
    'kafka.bootstrap.servers': 'one:9092,two:9092',
    'kafka.config.providers': 'file',
    'kafka.config.providers.file.class': 'org.apache.kafka.common.config.provider.FileConfigProvider',
    ...Object.fromEntries(written.map(name => [`kafka.${name}`, `\${file:${kafkaClient}:${name}}`])),
  })
  const plain = ['', 'kafka.brokers=one:9092'].map(setting => configOf(setting === '' ? [] : [setting]))
  expect(plain.map(config => kafkaOptions(config, state))).toEqual([
    { 'kafka.bootstrap.servers': '127.0.0.1:9092' },
    { 'kafka.bootstrap.servers': 'one:9092' },
  ])
})

test('the options for Kafka name certificates and keys too, without reading them', () => {
  const files = ['ca', 'cert', 'key'].map(name => `kafka.tls.${name}File=${name}.pem`)
  const config = configOf(['kafka.brokers=one:9092', 'kafka.tls.enabled=true', ...files])
  expect(Object.keys(kafkaOptions(config, '/state')).slice(3)).toEqual([
    ...['kafka.security.protocol', 'kafka.ssl.truststore.type', 'kafka.ssl.truststore.certificates'],
    ...['kafka.ssl.keystore.type', 'kafka.ssl.keystore.certificate.chain', 'kafka.ssl.keystore.key'],
  ])
})

test('the options for tokens name the class that runs the command, without running it', () => {
  const settings = ['kafka.sasl.mechanism=oauthbearer', 'kafka.sasl.tokenCommand=[token]']
  const config = configOf(['kafka.brokers=one:9092', ...settings])
  expect(Object.keys(kafkaOptions(config, '/state')).slice(3)).toEqual([
    ...['kafka.security.protocol', 'kafka.sasl.mechanism', 'kafka.sasl.login.callback.handler.class'],
    'kafka.sasl.jaas.config',
  ])
})

test('a value of properties is one line of ASCII, whatever it contains', () => {
  expect(propertyText(' a\r\nb\\é')).toBe(String.raw`\ a\nb\\\u00e9`)
})
