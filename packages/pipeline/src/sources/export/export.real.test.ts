import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { generateCatalogue } from '@offstream/site'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Product } from '../../product/product.ts'
import { produce } from '../../scrape/produce.ts'
import { startKafka, type TestKafka } from '../../services/testKafka.ts'
import { ensureTopic } from '../../topic/admin.ts'
import { topicName } from '../../topic/message.ts'
import { openPublisher } from '../../topic/publisher.ts'
import { taken } from '../testRun.ts'
import { topicSource } from '../topic.ts'
import { exportSource } from './export.ts'

let kafka: TestKafka
let directory: string
beforeAll(async () => {
  kafka = await startKafka()
  directory = await mkdtemp(join(tmpdir(), 'offstream-export-'))
})
afterAll(async () => {
  await kafka?.[Symbol.asyncDispose]()
  await rm(directory, { recursive: true, force: true })
})

test('all records of an export arrive in Kafka, and are the same when they are read back', async () => {
  const { products: catalogue } = generateCatalogue({ count: 5_000 })
  const file = join(directory, 'products.jsonl.gz')
  // Less than 4 MB: vitest cannot start a separate thread (`jsonlFile.test.ts` builds it).
  const lines = catalogue.map(({ code, product_name, brands, nutriments, last_modified_t }) =>
    JSON.stringify({ code, product_name, brands, nutriments, last_modified_t }),
  )
  await writeFile(file, gzipSync(lines.join('\n')))
  await ensureTopic(kafka.cluster)
  const publisher = await openPublisher(kafka.cluster)
  const sent = new Map<string, Product>()
  const counts = await produce({
    source: exportSource({ file, userAgent: 'offstream-test' }),
    deliver: async product => {
      sent.set(product.code, Product.parse(JSON.parse(String(product.json))))
      return publisher.publish(product)
    },
    signal: new AbortController().signal,
  })
  await publisher.close()
  expect(counts).toEqual({
    found: 5_000,
    fetched: 5_000,
    delivered: 5_000,
    partial: 5_000,
    removed: 0,
    skipped: 0,
    skippedBy: {},
    filtered: 0,
  })

  const { products, skipped, error } = await taken(
    topicSource({
      ...{ brokers: [kafka.broker], topic: topicName, group: 'mirror', from: 'beginning', untilEnd: true },
      ...{ tls: null, sasl: null, mapping: null },
    }),
  )
  expect([skipped, error, products.length]).toEqual([[], null, 5_000])
  expect(new Map(products.map(product => [product.code, product]))).toEqual(sent)
})
