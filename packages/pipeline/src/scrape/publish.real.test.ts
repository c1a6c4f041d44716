import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { directoriesOf } from '../project/directories.ts'
import { configOf } from '../project/layers.ts'
import { startKafka, type TestKafka } from '../services/testKafka.ts'
import { openSource, type SourceRequest } from '../sources/open.ts'
import { taken } from '../sources/testRun.ts'
import { ensureTopic } from '../topic/admin.ts'
import { peekTopic } from '../topic/peek.ts'
import { publishProducts } from './publish.ts'

let kafka: TestKafka
let directory: string
beforeAll(async () => {
  kafka = await startKafka()
  await ensureTopic(kafka.cluster)
  directory = await mkdtemp(join(tmpdir(), 'offstream-publish-'))
})
afterAll(async () => {
  await kafka?.[Symbol.asyncDispose]()
  await rm(directory, { recursive: true })
})

/** A project whose Kafka is the one of this test. */
const project = (settings: readonly string[] = []) => ({
  config: configOf([`kafka.port=${kafka.broker.split(':').at(-1)}`, ...settings]),
  directory,
  state: join(directory, '.offstream'),
})

const lines = (...values: readonly object[]): Readable =>
  Readable.from(values.map(value => Buffer.from(`${JSON.stringify(value)}\n`)))

test('products are published to the topic, and products that no longer exist as deletes', async () => {
  const { signal } = new AbortController()
  const around = project()
  const gone = { code: '10000002', obsolete: 'on', last_modified_t: 1_774_461_913 }
  const input = lines({ code: '10000001', product_name: 'Tea', sugars_100g: -1 }, gone, { code: 'x' })
  const source = openSource({ kind: 'stdin' }, { project: around, environment: {}, input, remembers: true })
  const counts = await publishProducts({ state: around.state, config: around.config, source, signal })
  expect(counts).toEqual({
    found: 3,
    fetched: 2,
    delivered: 1,
    removed: 1,
    partial: 1,
    skipped: 1,
    skippedBy: expect.anything(),
    filtered: 0,
  })
  expect(JSON.parse(await readFile(directoriesOf(around.state).fetched, 'utf8'))).toMatchObject({
    fetched: 2,
  })

  const messages: unknown[] = []
  await peekTopic(
    kafka.cluster,
    { from: 'beginning', limit: 2, follow: false, signal },
    ({ key, value, headers }) => messages.push({ key, value, headers }),
  )
  const as_of = '2026-03-25T18:05:13.000Z'
  expect(messages).toEqual([
    {
      key: '10000001',
      value: expect.objectContaining({
        product_name: 'Tea',
        quality_flags: 'nutrition-value-negative-sugars',
        source: 'stdin',
      }),
      headers: { 'schema-version': '1' },
    },
    { key: '10000002', value: null, headers: { 'schema-version': '1', 'as-of': as_of, source: 'stdin' } },
  ])
})

test('a topic of another cluster is read with the configured settings, and a dry run does not change its position', async () => {
  const admin = kafka.client().admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: 'elsewhere', numPartitions: 1 }], waitForLeaders: true })
  await admin.disconnect()
  const producer = kafka.client().producer()
  await producer.connect()
  const messages = ['3017620422003', '3068320123264'].map(gtin => ({
    value: JSON.stringify({ gtin, title: 'Tea' }),
  }))
  await producer.send({ topic: 'elsewhere', messages })
  await producer.disconnect()

  const around = project([
    ...[`topic.brokers=${kafka.secureBroker}`, 'topic.topic=elsewhere'],
    ...['topic.mapping.code=$.gtin', 'topic.mapping.product_name=$.title'],
    ...['topic.tls.enabled=true', `topic.tls.caFile=${kafka.certificates.caFile}`],
    ...['topic.sasl.mechanism=scram-sha-256', 'topic.sasl.username=mirror'],
  ])
  const codes = async (remembers: boolean) => {
    const request: SourceRequest = { kind: 'topic', untilEnd: true }
    const environment = { OFFSTREAM_TOPIC_PASSWORD: kafka.password }
    const { products, error } = await taken(
      openSource(request, { project: around, environment, input: lines(), remembers }),
    )
    return error ?? products.map(({ code }) => code)
  }
  const both = ['3017620422003', '3068320123264']
  expect([await codes(false), await codes(false), await codes(true), await codes(true)]).toEqual([
    both,
    both,
    both,
    [],
  ])
})
