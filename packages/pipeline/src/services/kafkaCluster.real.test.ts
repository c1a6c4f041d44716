import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { stateFolder } from '../project/directories.ts'
import { configOf } from '../project/layers.ts'
import { readStatus } from '../stack/status.ts'
import { examine } from '../support/doctor.ts'
import { describeTopic } from '../topic/admin.ts'
import { topicName } from '../topic/message.ts'
import { openPublisher } from '../topic/publisher.ts'
import { checkKafka, clusterOf, prepareKafka, saveKafkaSecret } from './kafkaCluster.ts'
import { startKafka, type TestKafka } from './testKafka.ts'

let kafka: TestKafka
let directory: string
let state: string
beforeAll(async () => {
  kafka = await startKafka()
  directory = await mkdtemp(join(tmpdir(), 'offstream-external-'))
  state = stateFolder(directory, null)
})
afterAll(async () => {
  await kafka?.[Symbol.asyncDispose]()
  await rm(directory, { recursive: true, force: true })
})

/** A project for the listener with TLS and a password. */
const configWith = (...settings: readonly string[]) =>
  configOf([
    ...[`kafka.brokers=${kafka.secureBroker}`, 'kafka.tls.enabled=true'],
    `kafka.tls.caFile=${kafka.certificates.caFile}`,
    ...['kafka.sasl.mechanism=scram-sha-512', 'kafka.sasl.username=mirror'],
    ...['kafka.sasl.passwordVariable=CLUSTER_PW', ...settings],
  ])

/** The project after a command with this password in its environment. */
const withPassword = async (password: string, ...settings: readonly string[]) => {
  const config = configWith(...settings)
  await saveKafkaSecret(config, state, { CLUSTER_PW: password })
  return config
}

const kafkaIn = async (config: ReturnType<typeof configWith>) =>
  (await readStatus(state, config, [])).services.find(({ name }) => name === 'kafka')

test('a topic that does not exist is reported, and created on request, in a cluster with TLS and a password', async () => {
  const config = await withPassword(kafka.password)
  await expect(checkKafka(config, state)).rejects.toMatchObject({
    code: 'TOPIC_DELETED',
    hint: expect.stringContaining('`offstream up`'),
  })
  await prepareKafka(config, state)
  await prepareKafka(config, state)
  expect(await kafkaIn(config)).toMatchObject({ state: 'external', health: 'healthy', detail: null })
  const publisher = await openPublisher(await clusterOf(config, state, {}))
  const message = { key: '1', value: '{}', headers: {} }
  expect(await publisher.send(message)).toMatchObject({ topic: topicName, offset: 0 })
  await publisher.close()
})

test.each([
  ['a wrong password', 'AUTHENTICATION_FAILED', 'wrong', []],
  [
    ...(['a failed token command', 'TOKEN_FAILED', null] as const),
    ['kafka.sasl.mechanism=oauthbearer', 'kafka.sasl.tokenCommand=[sh, -c, exit 1]'],
  ],
  ['another authority', 'CERTIFICATE_REJECTED', null, ['kafka.tls.caFile=OTHER']],
  ['another host name', 'CERTIFICATE_REJECTED', null, ['kafka.brokers=LOCALHOST']],
  ['no broker', 'KAFKA_UNREACHABLE', null, ['kafka.brokers=127.0.0.1:1']],
] as const)('%s is reported as %s by status, doctor and a publisher', async (_, code, password, settings) => {
  const replaced = settings.map(setting =>
    setting
      .replace('OTHER', kafka.certificates.certFile)
      .replace('LOCALHOST', kafka.secureBroker.replace('127.0.0.1', 'localhost')),
  )
  const config = await withPassword(password ?? kafka.password, ...replaced)
  const error = await checkKafka(config, state).catch(error => error)
  expect(error).toMatchObject({ code })
  expect(await kafkaIn(config)).toMatchObject({
    health: 'unhealthy',
    detail: `${error.message} [${code}]; ${error.hint}`,
  })
  const ours = Promise.resolve(new Set<number>())
  const findings = await examine({ config, environment: process.env, directory, state, ours })
  expect(findings.find(({ name }) => name === 'External kafka')).toEqual({
    ...{ name: 'External kafka', verdict: 'problem', found: error.message, hint: error.hint },
  })
  await expect(openPublisher(await clusterOf(config, state, {}))).rejects.toMatchObject({ code })
})

test('a publisher continues after its first token has expired', async () => {
  const seconds = 6
  const program = `
    const part = value => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = { sub: 'mirror', iat: Math.floor(Date.now() / 1000), exp: Math.floor(Date.now() / 1000) + ${seconds} }
    console.log([part({ alg: 'none' }), part(claims), ''].join('.'))
  `
  const config = configWith('kafka.sasl.mechanism=oauthbearer')
  const sasl = { ...config.kafka.sasl, tokenCommand: [process.execPath, '-e', program] }
  const publisher = await openPublisher(
    await clusterOf({ ...config, kafka: { ...config.kafka, sasl } }, state, {}),
  )
  const firstExpired = Date.now() + seconds * 1_000
  const message = { key: '1', value: '{}', headers: {} }
  let last = await publisher.send(message)
  while (Date.now() < firstExpired + 5_000) {
    const next = await publisher.send(message)
    expect(next.offset).toBe(last.offset + 1)
    last = next
  }
  await publisher.close()
})

test('doctor reports version, expiry of certificates and clocks of the cluster', async () => {
  await kafka.deleteTopic(topicName)
  const config = await withPassword(kafka.password)
  await prepareKafka(config, state)
  const kafkaFindings = async () => {
    const ours = Promise.resolve(new Set<number>())
    const findings = await examine({ config, environment: process.env, directory, state, ours })
    return findings.filter(({ name }) => name.startsWith('Kafka '))
  }
  expect(await kafkaFindings()).toEqual([
    {
      ...{ name: 'Kafka version', verdict: 'ok', hint: null },
      found: `\`${kafka.secureBroker}\` is 3.9 or 4.0`,
    },
    {
      ...{ name: 'Kafka certificates', verdict: 'warning' },
      found: expect.stringMatching(/^the first to expire is that of `[^`]+`, on \d{4}-\d\d-\d\d, in 1 day$/),
      hint: expect.stringMatching(/^renew the certificate of `[^`]+`$/),
    },
    {
      ...{ name: 'Kafka clocks', verdict: 'ok', hint: null },
      found: 'no message is from the future, by the clock of this machine',
    },
  ])
  const producer = kafka.client().producer()
  await producer.connect()
  const inTenMinutes = String(Date.now() + 600_000)
  await producer.send({ topic: topicName, messages: [{ key: '1', value: '{}', timestamp: inTenMinutes }] })
  await producer.disconnect()
  expect((await kafkaFindings()).at(-1)).toMatchObject({
    ...{ name: 'Kafka clocks', verdict: 'warning' },
    found: 'the topic has messages from the future, by the clock of this machine',
  })
})

test('a topic with other partitions or another policy is reported as TOPIC_UNSUITABLE, and not changed', async () => {
  const config = await withPassword(kafka.password, 'kafka.topic.partitions=3', 'kafka.topic.retention=7d')
  const before = await describeTopic(kafka.cluster, null)
  for (const check of [checkKafka, prepareKafka])
    await expect(check(config, state)).rejects.toMatchObject({
      code: 'TOPIC_UNSUITABLE',
      message: expect.stringContaining(
        'it has 1 partition, not 3; its `cleanup.policy` is `compact`, not `compact,delete`',
      ),
    })
  expect(await describeTopic(kafka.cluster, null)).toEqual(before)
  await kafka.deleteTopic(topicName)
  await prepareKafka(config, state)
  expect(await describeTopic(kafka.cluster, null)).toMatchObject({
    partitions: [{ partition: 0 }, { partition: 1 }, { partition: 2 }],
    config: { 'cleanup.policy': 'compact,delete', 'retention.ms': '604800000' },
  })
})

test('a topic whose ACL is for another user is reported as ACCESS_DENIED by status and a publisher', async () => {
  await kafka.allowOnly('another', topicName)
  const config = await withPassword(kafka.password)
  expect(await kafkaIn(config)).toMatchObject({
    health: 'unhealthy',
    detail: expect.stringMatching(/\[ACCESS_DENIED\]; give the user permissions on topic `products-events`$/),
  })
  const publisher = await openPublisher(await clusterOf(config, state, {}))
  await expect(publisher.send({ key: '1', value: '{}', headers: {} })).rejects.toMatchObject({
    code: 'ACCESS_DENIED',
  })
  await publisher.close()
})
