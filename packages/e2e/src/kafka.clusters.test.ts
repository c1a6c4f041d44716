import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { brokersOf, localCluster, topicName } from '@offstream/pipeline'
import { startKafka, type TestKafka } from '@offstream/pipeline/testKafka'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { placesWith } from './canary.ts'
import { startLoad } from './load.ts'
import { waitForTable } from './pipeline.ts'
import { profileStack, runPipeline, submitCopy } from './profile.ts'
import { streamOf } from './stream.ts'

/** A value that occurs nowhere else, so that a search finds only the password. */
const password = 'canary-8b1f3a76'

let kafka: TestKafka
let rowsOfLocal: unknown
beforeAll(async () => {
  kafka = await startKafka({ password })
  await using local = await profileStack('local')
  rowsOfLocal = await runPipeline(local)
})
afterAll(() => kafka?.[Symbol.asyncDispose]())

const inSyncOf = ({ inSync }: { readonly inSync: readonly number[] }): number => inSync.length

/** The values of the placeholders in the profiles. */
const values = () => {
  const { secureBroker, mutualBroker, certificates } = kafka
  return { secureBroker, mutualBroker, ...certificates }
}

test('Kafka 4 without ZooKeeper gives the same rows, also after a kill and a restart of the stack', async () => {
  await using stack = await profileStack('kafka-kraft')
  const { json } = streamOf(stack)
  const rows = await runPipeline(stack)
  expect(rows).toEqual(rowsOfLocal)
  const described = await json('topic', 'describe')
  expect([described['partitions'].length, described['bytes'] > 0]).toEqual([3, true])
  const { services } = await json('status')
  expect(services.slice(0, 2)).toMatchObject([
    { name: 'zookeeper', state: 'unused' },
    { name: 'kafka', state: 'running', health: 'healthy', port: stack.config.kafka.port },
  ])
  process.kill(services[1].pid, 'SIGKILL')
  await waitForTable(stack, 'kafka=healthy')
  await stack.succeed(['down'])
  expect(await runPipeline(stack)).toEqual(rowsOfLocal)
  expect((await json('topic', 'describe'))['maxMessages']).toBeGreaterThan(described['maxMessages'])
})

describe.each(['kafka-three-brokers', 'kafka-kraft-three-brokers'])('with the profile %s', profile => {
  test('a rolling restart under load loses no acknowledged message, and the rows are the same', async () => {
    await using stack = await profileStack(profile)
    const { json } = streamOf(stack)
    expect(await runPipeline(stack)).toEqual(rowsOfLocal)
    const topic = await json('topic', 'describe')
    expect([topic['partitions'].map(inSyncOf), topic['config']['min.insync.replicas']]).toEqual([
      [3, 3, 3],
      '2',
    ])

    const load = await startLoad(localCluster(...brokersOf(stack.config)))
    for (const name of ['kafka', 'kafka-2', 'kafka-3']) await stack.succeed(['restart', name])
    const acknowledged = await load.stop()
    expect(acknowledged.length).toBeGreaterThan(100)
    await waitForTable(stack, `rows=${40 + acknowledged.length}`, 'rejected=0')
    const found = await json('query', "SELECT code FROM Products WHERE code LIKE '2%' ORDER BY code")
    expect(found['rows'].map(({ code }: { code: string }) => code)).toEqual(acknowledged)
    expect((await json('topic', 'describe'))['partitions'].map(inSyncOf)).toEqual([3, 3, 3])
  })
})

test('a cluster with a client certificate gives the same rows, and the key is only in the file of Kafka’s client', async () => {
  await kafka.deleteTopic(topicName)
  await using stack = await profileStack('kafka-client-certificate', values())
  expect(await runPipeline(stack)).toEqual(rowsOfLocal)
  const key = await readFile(kafka.certificates.keyFile, 'utf8')
  expect(await placesWith(stack, key.split('\n')[1] ?? expect.fail())).toEqual([
    'run/kafka.client.properties',
  ])
})

test('a cluster with PLAIN gives the same rows, and the password of its file is only in the file of Kafka’s client', async () => {
  await kafka.deleteTopic(topicName)
  const passwordFile = join(kafka.directory, 'password')
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 })
  await using stack = await profileStack('kafka-plain', { ...values(), passwordFile })
  expect(await runPipeline(stack)).toEqual(rowsOfLocal)
  expect(await placesWith(stack, password)).toEqual(['run/kafka.client.properties'])
})

test('a cluster with SCRAM gives the same rows, also to a job of the user, the password is only in two files, and the job reports what is denied', async () => {
  await kafka.deleteTopic(topicName)
  await using stack = await profileStack('kafka-scram', values())
  const { failure, json, untilFailed } = streamOf(stack)
  expect(await runPipeline(stack, { CLUSTER_PASSWORD: password })).toEqual(rowsOfLocal)
  await submitCopy(stack)
  expect(await placesWith(stack, password)).toEqual(['run/kafka.client.properties', 'run/kafka.secret.json'])
  const { services } = await json('status')
  expect(services.slice(0, 2)).toMatchObject([
    { name: 'zookeeper', state: 'unused' },
    { name: 'kafka', state: 'external', health: 'healthy', address: kafka.secureBroker },
  ])

  const other = `kafka.tls.caFile=${kafka.certificates.certFile}`
  expect(await failure('restart', 'products-stream', '--set', other)).toEqual(['CERTIFICATE_REJECTED', 10])
  await stack.succeed(['submit', '--set', `kafka.tls.caFile=${kafka.certificates.caFile}`])
  await kafka.allowOnly('another', topicName)
  expect(await untilFailed()).toMatchObject({ detail: expect.stringContaining('[ACCESS_DENIED]') })
  expect(await failure('topic', 'describe')).toEqual(['ACCESS_DENIED', 10])

  await stack.succeed(['down'])
  expect(await stack.run(['up', '--json'], { env: { CLUSTER_PASSWORD: 'wrong' } })).toMatchObject({
    exitCode: 10,
    stdout: expect.stringContaining('"AUTHENTICATION_FAILED"'),
  })
  expect(await stack.run(['up', '--json'])).toMatchObject({
    exitCode: 5,
    stdout: expect.stringContaining('"SECRET_MISSING"'),
  })
})
