import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { serialize } from '../product/message.ts'
import { type Product, productColumns } from '../product/product.ts'
import { readFetched } from '../scrape/produce.ts'
import { type LineCounts, produceLines } from '../scrape/produceLines.ts'
import { startKafka, type TestKafka } from '../services/testKafka.ts'
import { acknowledgedMessages, checkTopic, clusterIdOf, describeTopic, ensureTopic } from './admin.ts'
import { localCluster } from './cluster.ts'
import { topicName } from './message.ts'
import { type PeekedMessage, type PeekOptions, peekTopic } from './peek.ts'
import { openPublisher } from './publisher.ts'
import { anyTopic } from './topicSettings.ts'
import { resetOffsets } from './topics.ts'

let kafka: TestKafka
let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'offstream-topic-'))
  kafka = await startKafka()
  await ensureTopic(kafka.cluster)
})
afterAll(async () => {
  await kafka?.[Symbol.asyncDispose]()
  await rm(directory, { recursive: true, force: true })
})

const moment = '2026-01-02T03:04:05.678Z'
const product = (code: string): Product =>
  ({
    ...Object.fromEntries(productColumns.map(name => [name, null])),
    ...{ code, labels: 'Organic', as_of: moment, observed_at: moment, source: 'api' },
  }) as Product

const produce = async (
  lines: readonly (string | Product)[],
  options: { readonly raw?: boolean; readonly deletes?: readonly string[] } = {},
) => {
  const skips: [number, string][] = []
  const fetched = join(directory, 'fetched.json')
  const before = await readFetched(fetched)
  const text = lines.map(line => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n')
  const counts = await produceLines({
    ...{ cluster: kafka.cluster, fetched, raw: false, other: null, deletes: [], ...options },
    input: Readable.from([Buffer.from(text)]),
    onSkip: (line, problem) => skips.push([line, problem]),
    signal: new AbortController().signal,
  })
  return { counts, skips, fetched: (await readFetched(fetched)) - before }
}

const peek = async (options: Partial<PeekOptions> = {}) => {
  const messages: PeekedMessage[] = []
  const never = new AbortController().signal
  const shown = await peekTopic(
    kafka.cluster,
    { from: 'latest', limit: 10, follow: false, signal: never, ...options },
    message => messages.push(message),
  )
  expect(shown).toBe(messages.length)
  return messages
}

test('lines become products and deletes and are counted; others are skipped with their line number', async () => {
  const before = await acknowledgedMessages(kafka.cluster)
  const keyed = JSON.stringify({ key: '10000002', value: product('10000002') })
  const produced = await produce(
    [
      product('10000001'),
      '',
      keyed,
      'no JSON',
      '{"key":"10000001","value":null}',
      'x'.repeat(1024 * 1024 + 1),
    ],
    { deletes: ['10000003'] },
  )
  expect(produced).toEqual({
    counts: { published: 2, deleted: 2, skipped: 2, skippedBy: expect.anything() } satisfies LineCounts,
    skips: [
      [4, expect.stringContaining('it is not valid JSON: ')],
      [6, 'it is longer than 1 MiB'],
    ],
    fetched: 4,
  })
  const headers = { 'schema-version': '1' }
  const removed = { 'schema-version': '1', 'as-of': expect.any(String), source: 'stdin' }
  const common = { partition: 0, timestamp: expect.stringMatching(/^20\d\d-.*Z$/) }
  expect(await peek({ limit: 4 })).toEqual([
    { ...common, offset: before, key: '10000001', headers, value: product('10000001') },
    { ...common, offset: before + 1, key: '10000002', headers, value: product('10000002') },
    { ...common, offset: before + 2, key: '10000001', headers: removed, value: null },
    { ...common, offset: before + 3, key: '10000003', headers: removed, value: null },
  ])
})

test('lines that cannot be read are reported after what was sent', async () => {
  const before = await acknowledgedMessages(kafka.cluster)
  async function* broken() {
    yield Buffer.from(`${JSON.stringify(product('10000004'))}\n`)
    throw new Error('EIO: i/o error')
  }
  const fetched = join(directory, 'broken.json')
  const producing = produceLines({
    ...{ cluster: kafka.cluster, fetched, raw: false, other: null, deletes: [], onSkip: () => undefined },
    ...{ input: Readable.from(broken()), signal: new AbortController().signal },
  })
  await expect(producing).rejects.toMatchObject({
    ...{ code: 'FILE_MISSING', outcome: 'usage', message: 'The lines cannot be read: EIO: i/o error' },
  })
  expect([await readFetched(fetched), await acknowledgedMessages(kafka.cluster)]).toEqual([1, before + 1])
})

test('raw messages are sent and read unchanged', async () => {
  const lines = [
    { key: 'a', value: 'text', headers: { of: 'mine' } },
    { key: 'b', value: '7', headers: {} },
    { key: 'c', value: { b: [1] }, headers: {} },
    { key: 'd', value: null, headers: {} },
  ]
  await produce(
    lines.map(line => JSON.stringify(line)),
    { raw: true },
  )
  const back = await peek({ limit: 4 })
  expect(back.map(({ key, value, headers }) => ({ key, value, headers }))).toEqual(lines)
})

test('bytes that are not UTF-8 are shown in base64', async () => {
  const producer = kafka.client().producer()
  await producer.connect()
  await producer.send({
    topic: 'products-events',
    messages: [{ key: 'bytes', value: Buffer.from([0xff, 0x00]) }],
  })
  await producer.disconnect()
  expect(await peek({ limit: 1 })).toMatchObject([{ key: 'bytes', value: '/wA=', encoding: 'base64' }])
})

test('a peek shows the first or the last messages', async () => {
  await produce([product('10000004'), product('10000005'), product('10000006')])
  const all = await peek({ from: 'beginning', limit: null })
  expect([await peek({ from: 'beginning', limit: 2 }), await peek({ limit: 2 })]).toEqual([
    all.slice(0, 2),
    all.slice(-2),
  ])
})

test('a peek deletes its group and those of killed peeks, but no others', async () => {
  const join = async (groupId: string) => {
    const consumer = kafka.client().consumer({ groupId })
    const joined = new Promise(resolve => consumer.on(consumer.events.GROUP_JOIN, resolve))
    await consumer.subscribe({ topics: ['products-events'] })
    await consumer.run({ eachMessage: async () => undefined })
    await joined
    return consumer
  }
  await (await join('offstream-peek-left')).disconnect()
  const others = [await join('offstream-peek-going-on'), await join('other')]
  await peek({ limit: 1 })
  const admin = kafka.client().admin()
  await admin.connect()
  const { groups } = await admin.listGroups()
  await admin.disconnect()
  await Promise.all(others.map(consumer => consumer.disconnect()))
  expect(groups.map(({ groupId }) => groupId).sort()).toEqual(['offstream-peek-going-on', 'other'])
})

test('a peek that follows shows new messages, until it is aborted or has enough', async () => {
  await produce([product('10000007')])
  const last = (await peek({ limit: 1 }))[0]?.offset ?? 0
  const end = new AbortController()
  const followed: PeekedMessage[] = []
  await peekTopic(
    kafka.cluster,
    { from: 'beginning', limit: null, follow: true, signal: end.signal },
    message => {
      followed.push(message)
      // Only once everything that was there has been shown, so that what comes now is new.
      if (message.offset === last) void produce([product('10000008')])
      if (message.key === '10000008') end.abort()
    },
  )
  expect(followed.at(-1)).toMatchObject({ key: '10000008', offset: last + 1 })
})

test('the topic is described: partitions, offsets, size and settings', async () => {
  const before = await describeTopic(kafka.cluster, null)
  await produce([product('10000009')])
  const after = await describeTopic(kafka.cluster, join(kafka.directory, 'data'))
  const latest = (before.partitions[0]?.latest ?? 0) + 1
  expect(after).toEqual({
    name: 'products-events',
    partitions: [{ partition: 0, leader: 1, replicas: [1], inSync: [1], earliest: 0, latest }],
    maxMessages: latest,
    bytes: expect.any(Number),
    config: expect.objectContaining({ 'cleanup.policy': 'compact' }),
  })
  expect(before.bytes).toBe(null)
  expect(after.bytes).toBeGreaterThan(100)
  expect(after.bytes).toBeLessThan(5_000_000)
})

test('more than a broker accepts in one request is split into several batches', async () => {
  // Hard to pack: what is measured is the packed size.
  const noise = () => Array.from({ length: 9_000 }, () => Math.random().toString(36).slice(2)).join('')
  const lines = Array.from({ length: 30 }, (_, index) => JSON.stringify({ key: `n${index}`, value: noise() }))
  const { counts } = await produce(lines, { raw: true })
  expect(counts).toEqual({ published: 30, deleted: 0, skipped: 0, skippedBy: {} })
})

test('a message that the broker rejects is reported as rejected', async () => {
  const publisher = await openPublisher(kafka.cluster)
  const noise = Array.from({ length: 200_000 }, () => Math.random().toString(36).slice(2)).join('')
  await expect(publisher.send({ key: 'large', value: noise, headers: {} })).rejects.toMatchObject({
    code: 'MESSAGE_REJECTED',
    outcome: 'refused',
  })
  await publisher.close()
})

test('a topic whose replicas do not match the brokers here is reported', async () => {
  const three = localCluster(kafka.broker, kafka.broker, kafka.broker)
  await expect(checkTopic(three, anyTopic)).rejects.toMatchObject({
    ...{ code: 'TOPIC_UNSUITABLE', message: expect.stringContaining('it has 1 replica, not 3') },
    hint: expect.stringContaining('`offstream down && offstream reset --topic`'),
  })
  await checkTopic(localCluster(kafka.broker), anyTopic)
})

test('every request reports a missing broker', async () => {
  const nowhere = localCluster('127.0.0.1:1')
  const unreachable = { code: 'KAFKA_UNREACHABLE', outcome: 'unreachable' }
  const options = { from: 'latest', limit: 1, follow: false, signal: new AbortController().signal } as const
  await expect(describeTopic(nowhere, null)).rejects.toMatchObject(unreachable)
  await expect(peekTopic(nowhere, options, () => undefined)).rejects.toMatchObject(unreachable)
  await expect(openPublisher(nowhere)).rejects.toMatchObject(unreachable)
})

test('a first broker that accepts connections and never responds does not stop requests and messages', async () => {
  const hung = createServer().listen(0, '127.0.0.1')
  await once(hung, 'listening')
  onTestFinished(() => void hung.close())
  const { port } = hung.address() as AddressInfo
  const cluster = localCluster(`127.0.0.1:${port}`, kafka.broker)
  expect(await clusterIdOf(cluster)).toBe(await clusterIdOf(kafka.cluster))
  const publisher = await openPublisher(cluster)
  expect(await publisher.send({ key: '1', value: '{}', headers: {} })).toMatchObject({ topic: topicName })
  await publisher.close()
})

test('a topic that was deleted is reported as missing', async () => {
  const admin = kafka.client().admin()
  await admin.connect()
  await admin.deleteTopics({ topics: [topicName] })
  await admin.disconnect()
  await expect
    .poll(() => describeTopic(kafka.cluster, null).catch(error => error), { timeout: 30_000 })
    .toMatchObject({ code: 'TOPIC_DELETED', outcome: 'failed' })
  await ensureTopic(kafka.cluster)
})

// Last, since the topic stays as it is then.
test('each acknowledgement has the place of its message, also in a topic of several partitions', async () => {
  const all = Array.from({ length: 40 }, (_, index) => product(String(20_000_001 + index)))
  const published = async () => {
    const publisher = await openPublisher(kafka.cluster)
    const places = await Promise.all(all.map(each => publisher.publish(serialize(each))))
    await publisher.close()
    return places.map(({ topic, partition, offset }, index) => [topic, partition, offset, all[index]?.code])
  }
  const found = async () => {
    const last = await peek({ from: 'beginning', limit: null })
    return last.map(({ partition, offset, key }) => ['products-events', partition, offset, key])
  }
  const one = await published()
  expect(await found()).toEqual(expect.arrayContaining(one))

  const admin = kafka.client().admin()
  await admin.connect()
  await admin.createPartitions({ topicPartitions: [{ topic: 'products-events', count: 3 }] })
  await admin.disconnect()
  const several = await published()
  expect(new Set(several.map(([, partition]) => partition)).size).toBe(3)
  expect(await found()).toEqual(expect.arrayContaining(several))
})

test('the offsets of a group move only while no program reads with it', async () => {
  const move = () =>
    resetOffsets(
      kafka.cluster,
      { topic: topicName, group: 'readers', to: 'earliest', dryRun: false },
      new AbortController().signal,
    )
  const reader = kafka.client().consumer({ groupId: 'readers' })
  try {
    await reader.connect()
    await reader.subscribe({ topic: topicName })
    const joined = new Promise(resolve => reader.on(reader.events.GROUP_JOIN, resolve))
    await reader.run({ eachMessage: async () => undefined })
    await joined
    await expect(move()).rejects.toMatchObject({ code: 'GROUP_ACTIVE' })
  } finally {
    await reader.disconnect()
  }
  expect(new Set((await move()).map(({ after }) => after))).toEqual(new Set([0]))
})
