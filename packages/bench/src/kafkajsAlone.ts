import { readFile } from 'node:fs/promises'
import { fastGzip, topicName } from '@offstream/pipeline'
import kafkajs from 'kafkajs'
import { print } from './figures.ts'

/**
 * The upper bound: kafkajs sends messages from memory with the settings and batches of offstream. Prints the time from the
 * first to the last acknowledgement.
 * `node dist/kafkajsAlone.js <host:port> <file of records, one a line>`
 */
const [broker = '', file = ''] = process.argv.slice(2)
const batch = 1_000

const messages = (await readFile(file, 'utf8'))
  .trimEnd()
  .split('\n')
  .map(value => ({
    key: /^\{"code":"(\d+)"/.exec(value)?.[1] ?? '',
    value,
    headers: { 'schema-version': '1' },
  }))
kafkajs.CompressionCodecs[kafkajs.CompressionTypes.GZIP] = () => fastGzip
const kafka = new kafkajs.Kafka({ brokers: [broker], logLevel: kafkajs.logLevel.NOTHING })
const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false })
await producer.connect()
const startedAt = performance.now()
for (let from = 0; from < messages.length; from += batch)
  await producer.send({
    topic: topicName,
    acks: -1,
    compression: kafkajs.CompressionTypes.GZIP,
    messages: messages.slice(from, from + batch),
  })
const seconds = (performance.now() - startedAt) / 1_000
await producer.disconnect()
print(JSON.stringify({ seconds, delivered: messages.length }))
