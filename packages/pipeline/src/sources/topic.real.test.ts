import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { execa } from 'execa'
import { Partitioners } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startKafka, type TestKafka } from '../services/testKafka.ts'
import { taken } from './testRun.ts'
import { type TopicSourceOptions, topicSource } from './topic.ts'

let kafka: TestKafka
beforeAll(async () => {
  kafka = await startKafka()
})
afterAll(() => kafka?.[Symbol.asyncDispose]())

interface Written {
  readonly key?: string | object | null
  readonly value: unknown
  readonly partition?: number
  readonly timestamp?: string
}

/** A separate topic with messages. */
const topicWith = async (messages: readonly Written[], partitions = 1): Promise<string> => {
  const topic = `mirrored-${randomUUID()}`
  const admin = kafka.client().admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions: partitions }], waitForLeaders: true })
  await admin.disconnect()
  await write(topic, messages)
  return topic
}

const write = async (topic: string, messages: readonly Written[]): Promise<void> => {
  const producer = kafka.client().producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  await producer.send({
    topic,
    messages: messages.map(({ key = null, value, partition, timestamp }) => ({
      ...{ key: written(key), value: written(value) },
      ...(partition === undefined ? {} : { partition }),
      ...(timestamp === undefined ? {} : { timestamp }),
    })),
  })
  await producer.disconnect()
}

const written = (value: unknown): string | Buffer | null =>
  value === null || typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value)

const source = (topic: string, options: Partial<TopicSourceOptions> = {}) =>
  topicSource({
    ...{ brokers: [kafka.broker], topic, group: `group-${topic}`, from: 'beginning', untilEnd: true },
    ...{ tls: null, sasl: null, mapping: null, ...options },
  })

/** The consumer groups that the broker knows whose names begin so. */
const groupsNamed = async (beginning: string): Promise<readonly string[]> => {
  const admin = kafka.client().admin()
  await admin.connect()
  const { groups } = await admin.listGroups()
  await admin.disconnect()
  return groups.map(({ groupId }) => groupId).filter(name => name.startsWith(beginning))
}

/** Takes the only member of a group out of it, as the broker does with one that was silent for too long. */
const makeLeave = async (group: string): Promise<void> => {
  const admin = kafka.client().admin()
  await admin.connect()
  const { groups } = await admin.describeGroups([group])
  await admin.disconnect()
  const member = groups[0]?.members[0]?.memberId ?? ''
  const text = (value: string) => Buffer.concat([Buffer.from([0, value.length]), Buffer.from(value)])
  // LeaveGroup, version 0, which kafkajs does not offer: API key, version, correlation, client; group, member.
  const request = Buffer.concat([
    Buffer.from([0, 13, 0, 0, 0, 0, 0, 1]),
    text('test'),
    text(group),
    text(member),
  ])
  const length = Buffer.alloc(4)
  length.writeInt32BE(request.length)
  const [host, port] = kafka.broker.split(':')
  const socket = connect(Number(port), host).end(Buffer.concat([length, request]))
  const [answer] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  // Length, correlation, error code.
  expect(answer.readInt16BE(8)).toBe(0)
}

const numbered = (from: number, count: number): Written[] =>
  Array.from({ length: count }, (_, index) => ({
    value: { code: String(10_000_000 + from + index), brands: 'A' },
  }))
const codesOf = ({ products }: Awaited<ReturnType<typeof taken>>) => products.map(({ code }) => code)
const codes = (from: number, count: number) =>
  numbered(from, count).map(({ value }) => (value as { code: string }).code)

test('the paths of the mapping find the values of a message', async () => {
  const timestamp = String(Date.UTC(2026, 0, 2, 3, 4, 5))
  const topic = await topicWith([
    {
      timestamp,
      value: {
        gtin: 3_017_620_422_003,
        item: { title: 'Nutella', makers: [{ n: 'Ferrero' }, { n: 'Nutella' }] },
        facts: [
          { id: 'fat', per100: '30,9 g' },
          { id: 'salt', per100: '107 mg' },
        ],
      },
    },
    { timestamp, value: { gtin: '10000002', item: { title: 'Tea' }, at: '2026-01-01T00:00:00Z' } },
    { value: 'no JSON' },
    { value: { gtin: 'x' } },
  ])
  const mapping = {
    code: '$.gtin',
    product_name: '$.item.title',
    brands: '$.item.makers[*].n',
    fat_100g: "$.facts[?@.id == 'fat'].per100",
    salt_100g: "$.facts[?@.id == 'salt'].per100",
    last_modified_t: '$.at',
  }
  const { products, skipped, error } = await taken(source(topic, { mapping }))
  expect(error).toBe(null)
  expect(products).toMatchObject([
    {
      ...{ code: '3017620422003', product_name: 'Nutella', brands: 'Ferrero, Nutella', fat_100g: 30.9 },
      ...{ salt_100g: 0.107, as_of: '2026-01-02T03:04:05.000Z', source: 'topic', url: null },
    },
    { code: '10000002', last_modified_t: 1_767_225_600, as_of: '2026-01-01T00:00:00.000Z' },
  ])
  expect(skipped).toEqual([
    [`${topic}[0]@2`, expect.stringContaining('it is not valid JSON: ')],
    [`${topic}[0]@3`, 'its code `x` is not a barcode'],
  ])
})

test('an answer gives all its products, and other messages are skipped with a reason', async () => {
  const topic = await topicWith([
    { value: { count: 2, products: ['1', '2'].map(end => ({ code: `1000000${end}`, brands: 'A' })) } },
    { key: '10000003', value: { event: 'order-created', amount: 12.5 } },
    { key: '10000004', value: { status: 0, status_verbose: 'product not found' } },
    { value: '{"code":98765432109876543,"brands":"C","last_modified_t":0}', timestamp: '1774461913000' },
  ])
  const { products, skipped, events } = await taken(source(topic))
  expect(products.map(({ code }) => code)).toEqual(['10000001', '10000002', '98765432109876543'])
  expect(products.at(-1)?.as_of).toBe('2026-03-25T18:05:13.000Z')
  expect(skipped).toEqual([
    [
      `${topic}[0]@1`,
      'its key may be a barcode, but it has no field that only products have; if it has another format, set `topic.mapping`',
    ],
    [`${topic}[0]@2`, 'it is an API response: the product was not found'],
  ])
  expect(events.flatMap(event => (event.kind === 'skipped' ? [event.skippedBy] : []))).toEqual([
    'no-product-fields',
    'not-found',
  ])
})

test('envelopes of other programs are opened, and a delete in one deletes the product', async () => {
  const row = (code: string) => ({ code, product_name: 'A' })
  const header = Buffer.from([0, 0, 0, 0xc3, 0xa9])
  const topic = await topicWith([
    { key: '10000001', value: { schema: { type: 'struct' }, payload: { product_name: 'A' } } },
    { value: { op: 'c', before: null, after: row('10000002'), source: { ts_ms: 1_767_323_045_678 } } },
    {
      key: { code: '10000002' },
      value: { op: 'd', before: row('10000002'), after: null, ts_ms: 1_767_323_046_000 },
    },
    { key: { code: '10000002' }, value: null, timestamp: '1767323046000' },
    { value: Buffer.concat([header, Buffer.from(JSON.stringify(row('10000003')))]) },
    { value: Buffer.concat([header, Buffer.from('\u0002\u0014')]) },
  ])
  const { products, removals, skipped } = await taken(source(topic))
  expect(products.map(({ code, product_name }) => [code, product_name])).toEqual([
    ['10000001', 'A'],
    ['10000002', 'A'],
    ['10000003', 'A'],
  ])
  expect(products[1]?.as_of).toBe('2026-01-02T03:04:05.678Z')
  const removal = { code: '10000002', as_of: '2026-01-02T03:04:06.000Z', source: 'topic' }
  expect(removals).toEqual([removal, removal])
  expect(skipped).toEqual([
    [
      `${topic}[0]@5`,
      expect.stringMatching(/^it has the header of a schema registry .*`topic.mapping` needs JSON/),
    ],
  ])
})

test('a dry run suggests a mapping', async () => {
  const topic = await topicWith([{ value: { gtin: '3017620422003', item: { title: 'Nutella' } } }])
  const { events } = await taken(source(topic, { suggestsMapping: true }))
  const suggestions = events.filter(({ kind }) => kind === 'mapping')
  const mapping = { code: '$.gtin', product_name: '$.item.title' }
  expect(suggestions).toEqual([
    { kind: 'mapping', address: `${topic}[0]@0`, mapping, paths: ['$.gtin', '$.item.title'] },
  ])
})

test('a message is read again if the limit was reached inside it', async () => {
  const products = ['1', '2'].map(end => ({ code: `1000000${end}`, brands: 'A' }))
  const topic = await topicWith([{ value: { products } }])
  expect(codesOf(await taken(source(topic, { limit: 1 })))).toEqual(['10000001'])
  expect(codesOf(await taken(source(topic)))).toEqual(['10000001', '10000002'])
})

test('a key is a code, and a null value a delete', async () => {
  const topic = await topicWith([
    { key: '42', value: { product_name: 'A' } },
    { key: '43', value: null },
    { key: 'x', value: null },
  ])
  const { products, removals, skipped } = await taken(source(topic))
  expect(products.map(({ code, product_name }) => [code, product_name])).toEqual([['00000042', 'A']])
  expect(removals.map(({ code }) => code)).toEqual(['00000043'])
  expect(skipped).toEqual([[`${topic}[0]@2`, 'its key is not a barcode']])
})

test('a second run of a group reads only newer messages; another group reads all', async () => {
  const topic = await topicWith(numbered(0, 2_500))
  expect(codesOf(await taken(source(topic)))).toEqual(codes(0, 2_500))
  expect(codesOf(await taken(source(topic)))).toEqual([])
  await write(topic, numbered(2_500, 3))
  expect(codesOf(await taken(source(topic)))).toEqual(codes(2_500, 3))
  expect(codesOf(await taken(source(topic, { group: `other-${topic}` })))).toEqual(codes(0, 2_503))
})

test('every partition is read to its end', async () => {
  const messages = numbered(0, 30).map((message, index) => ({ ...message, partition: index % 3 }))
  const topic = await topicWith(messages, 4)
  // On a busy machine the group may rebalance meanwhile; then uncommitted messages are read again.
  expect(new Set(codesOf(await taken(source(topic))))).toEqual(new Set(codes(0, 30)))
})

test('the next run starts after the limit', async () => {
  const topic = await topicWith([{ value: 'no JSON' }, ...numbered(0, 5)])
  expect(codesOf(await taken(source(topic, { limit: 2 })))).toEqual(codes(0, 2))
  expect(codesOf(await taken(source(topic, { limit: 3 })))).toEqual(codes(2, 3))
  expect(codesOf(await taken(source(topic)))).toEqual([])
})

test('offsets are committed only after our broker has acknowledged the messages', async () => {
  const topic = await topicWith(numbered(0, 5))
  const lost = new Error('our Kafka is gone')
  const { error } = await taken(source(topic), {
    deliver: async ({ code }) => {
      if (code === '10000003') throw lost
    },
  })
  expect(error).toBe(lost)
  expect(codesOf(await taken(source(topic)))).toEqual(codes(0, 5))
})

test('an aborted run commits what was acknowledged and loses nothing', async () => {
  const topic = await topicWith(numbered(0, 5))
  const stop = new AbortController()
  const first: string[] = []
  const { error } = await taken(source(topic, { untilEnd: false }), {
    signal: stop.signal,
    deliver: async ({ code }) => {
      first.push(code)
      if (first.length === 2) stop.abort()
    },
  })
  expect([error, first]).toEqual([null, codes(0, 2)])
  expect(codesOf(await taken(source(topic)))).toEqual(codes(2, 3))
})

test('a run without an end waits for new messages', async () => {
  const topic = await topicWith(numbered(0, 1))
  const stop = new AbortController()
  const got: string[] = []
  await taken(source(topic, { untilEnd: false }), {
    signal: stop.signal,
    deliver: async ({ code }) => {
      got.push(code)
      if (got.length === 1) await write(topic, numbered(1, 1))
      else stop.abort()
    },
  })
  expect(got).toEqual(codes(0, 2))
})

test('a temporary group is deleted after the run', async () => {
  const topic = await topicWith(numbered(0, 3))
  const groups = { lasting: `group-${topic}`, temporary: `group-${topic}-dry-run` }
  await taken(source(topic))
  expect(codesOf(await taken(source(topic, { group: groups.temporary, temporaryGroup: true })))).toEqual(
    codes(0, 3),
  )
  expect(await groupsNamed(groups.lasting)).toEqual([groups.lasting])
})

test('a reader that was removed from its group joins it again and loses nothing', async () => {
  const topic = await topicWith(numbered(0, 5))
  const group = `group-${topic}`
  let isLost = false
  const got: string[] = []
  const { error } = await taken(source(topic), {
    deliver: async ({ code }) => {
      got.push(code)
      if (isLost) return
      isLost = true
      await makeLeave(group)
    },
  })
  expect([error, [...new Set(got)]]).toEqual([null, codes(0, 5)])
  expect(codesOf(await taken(source(topic)))).toEqual([])
})

test('a run from the latest offset does not read older messages', async () => {
  const topic = await topicWith(numbered(0, 3))
  expect(codesOf(await taken(source(topic, { from: 'latest' })))).toEqual([])
})

test('transaction markers at the end of a topic do not block a run', async () => {
  const topic = await topicWith([])
  const producer = kafka
    .client()
    .producer({ transactionalId: topic, idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  for (const end of ['commit', 'abort'] as const) {
    const transaction = await producer.transaction()
    await transaction.send({
      topic,
      messages: [{ value: JSON.stringify({ code: '10000001', product_name: end }) }],
    })
    await transaction[end]()
  }
  await producer.disconnect()
  const { products, error } = await taken(source(topic))
  expect([products.map(({ product_name }) => product_name), error]).toEqual([['commit'], null])
})

describe('compressed by Kafka’s own producer', () => {
  test.each(['gzip', 'snappy', 'lz4', 'zstd', 'none'])('with %s', async codec => {
    const topic = await topicWith([])
    // Long enough for several blocks, and with much that repeats.
    const lines = numbered(0, 3_000).map(({ value }, index) =>
      JSON.stringify({
        ...(value as object),
        product_name: `Pâte nº ${index}`,
        quantity: 'x'.repeat(index % 200),
      }),
    )
    await execa(
      kafka.java,
      [
        ...['-cp', kafka.classPath, 'kafka.tools.ConsoleProducer', '--bootstrap-server', kafka.broker],
        ...['--topic', topic, '--compression-codec', codec, '--batch-size', '200000'],
        ...['--producer-property', 'batch.size=400000', '--producer-property', 'linger.ms=200'],
      ],
      { input: lines.join('\n') },
    )
    const { products, skipped, error } = await taken(source(topic))
    expect([error, skipped]).toEqual([null, []])
    expect(products.map(({ code, product_name }) => [code, product_name])).toEqual(
      codes(0, 3_000).map((code, index) => [code, `Pâte nº ${index}`]),
    )
  })
})

describe('with TLS and a password', () => {
  const secure = (password: string, mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512') => ({
    brokers: [kafka.secureBroker],
    tls: { caFile: kafka.certificates.caFile },
    sasl: { mechanism, username: 'mirror', password },
  })

  test.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)('by %s', async mechanism => {
    const topic = await topicWith(numbered(0, 2))
    expect(codesOf(await taken(source(topic, secure(kafka.password, mechanism))))).toEqual(codes(0, 2))
    const { error } = await taken(source(topic, secure('wrong', mechanism)))
    expect(error).toMatchObject({ code: 'AUTHENTICATION_FAILED', outcome: 'refused' })
    expect(String(error)).not.toContain('wrong')
  })

  test('a certificate of an unknown authority is rejected', async () => {
    const topic = await topicWith(numbered(0, 1))
    const { error } = await taken(
      source(topic, { ...secure(kafka.password, 'plain'), tls: { caFile: null } }),
    )
    expect(error).toMatchObject({
      code: 'CERTIFICATE_REJECTED',
      message: expect.stringContaining('self-signed'),
    })
  })

  test('a broker whose certificate is for another host name is rejected', async () => {
    const topic = await topicWith(numbered(0, 1))
    const brokers = [kafka.secureBroker.replace('127.0.0.1', 'localhost')]
    const { error } = await taken(source(topic, { ...secure(kafka.password, 'plain'), brokers }))
    expect(error).toMatchObject({ code: 'CERTIFICATE_REJECTED', outcome: 'refused' })
  })

  test('a cluster that requires a client certificate gets it', async () => {
    const topic = await topicWith(numbered(0, 2))
    const { caFile } = kafka.certificates
    const mutual = { brokers: [kafka.mutualBroker] }
    expect(codesOf(await taken(source(topic, { ...mutual, tls: kafka.certificates })))).toEqual(codes(0, 2))
    const { error } = await taken(source(topic, { ...mutual, tls: { caFile } }))
    expect(error).toMatchObject({ code: 'CERTIFICATE_REJECTED', outcome: 'refused' })
  })

  test('a topic whose ACL is for another user is denied', async () => {
    const topic = await topicWith(numbered(0, 1))
    await kafka.allowOnly('another', topic)
    const { error } = await taken(source(topic, secure(kafka.password, 'plain')))
    expect(error).toMatchObject({
      code: 'ACCESS_DENIED',
      outcome: 'refused',
      hint: expect.stringContaining(topic),
    })
  })

  test('a missing file of the authority is an error', async () => {
    const { error } = await taken(source('any', { tls: { caFile: '/nowhere/ca.pem' } }))
    expect(error).toMatchObject({ code: 'FILE_MISSING', outcome: 'usage' })
  })
})

test('errors: a missing topic, an invalid name, no broker, our own topic, an invalid mapping', async () => {
  const errors = [
    (await taken(source('unheard-of'))).error,
    (await taken(source('no/topic'))).error,
    (await taken(source('any', { brokers: ['127.0.0.1:1'] }))).error,
    (await taken(source('products-events', { ownBrokers: [kafka.broker] }))).error,
    (await taken(source('any', { mapping: { code: '$.[', brands: '$.x', nonsense: '$' } as object }))).error,
  ]
  expect(errors).toMatchObject([
    { code: 'TOPIC_MISSING', outcome: 'usage' },
    { code: 'TOPIC_UNREADABLE', outcome: 'failed' },
    { code: 'KAFKA_UNREACHABLE', outcome: 'unreachable' },
    { code: 'MIRROR_LOOP', outcome: 'usage' },
    {
      code: 'MAPPING_INVALID',
      outcome: 'config',
      message: expect.stringMatching(/2 problems:\n {2}code: .*\n {2}nonsense: /),
    },
  ])
})

test('our own topic is not read into itself through another address of the same cluster', async () => {
  const brokers = [kafka.broker.replace('127.0.0.1', 'localhost')]
  const own = { ownBrokers: [kafka.broker], ownCluster: async () => kafka.cluster }
  const { error } = await taken(source('products-events', { brokers, ...own }))
  expect(error).toMatchObject({ code: 'MIRROR_LOOP' })
})
