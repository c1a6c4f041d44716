import { join } from 'node:path'
import kafkajs from 'kafkajs'
import { type ScratchBroker, scratchBroker } from './broker.ts'
import { measured } from './measured.ts'
import { type Command, lastJson } from './peers.ts'
import { perfResult } from './perfResult.ts'
import type { Bench, Scenario } from './scenario.ts'
import { writeEvents } from './streamEvents.ts'
import type { Figures } from './streamResults.ts'

/** A program that publishes all records of a file; it prints what it delivered and in how many seconds. */
interface Producer {
  readonly name: string
  readonly command: Command
  readonly resultOf: (stdout: string) => { readonly delivered: number; readonly seconds: number }
}

/** Kafka's tool sends without a key, which the compacted topic rejects. */
const plainTopic = 'bench-plain'

const producersOf = (
  { peers, sizes, checkouts }: Bench,
  broker: ScratchBroker,
  file: string,
): readonly Producer[] => [
  ...checkouts.map(({ name, command }) => ({
    name: `offstream scrape --source stdin${checkouts.length > 1 ? ` of ${name}` : ''}`,
    // The source reads the file itself, so a shell is the only way to standard input.
    command: ['bash', '-c', 'exec "$@" < "$0"', file, process.execPath, command, ...scrape] as const,
    resultOf: (stdout: string) => lastJson<{ readonly delivered: number; readonly seconds: number }>(stdout),
  })),
  {
    name: 'kafkajs, messages in memory',
    command: [process.execPath, join(import.meta.dirname, 'kafkajsAlone.js'), broker.address, file],
    resultOf: lastJson,
  },
  {
    name: 'confluent-kafka',
    command: peers.command('publish.py', broker.address, file),
    resultOf: lastJson,
  },
  {
    name: 'kafka-producer-perf-test',
    command: [
      ...([peers.runtimes.java, '-cp', join(peers.runtimes.kafkaLibs, '*')] as const),
      ...['org.apache.kafka.tools.ProducerPerformance', '--topic', plainTopic, '--payload-file', file],
      ...['--num-records', String(sizes.events), '--throughput', '-1', '--producer-props'],
      ...[
        `bootstrap.servers=${broker.address}`,
        'acks=all',
        'enable.idempotence=true',
        'compression.type=gzip',
      ],
      ...['compression.gzip.level=1', 'linger.ms=10'],
    ],
    resultOf: perfResult,
  },
]

const scrape = ['scrape', '--source', 'stdin', '--json']

const runProducer = async (producer: Producer, cwd: string, events: number): Promise<Figures> => {
  const run = await measured(producer.command, { cwd })
  const { delivered, seconds } = producer.resultOf(run.stdout)
  if (delivered !== events) throw new Error(`${producer.name} delivered ${delivered} of ${events} messages`)
  return {
    perSecond: delivered / seconds,
    seconds,
    processSeconds: run.seconds,
    cpuSeconds: run.cpuSeconds,
    megabytes: Math.max(run.peakMegabytes, run.largestMegabytes),
  }
}

const createPlainTopic = async (broker: string): Promise<void> => {
  const admin = new kafkajs.Kafka({ brokers: [broker], logLevel: kafkajs.logLevel.NOTHING }).admin()
  await admin.connect()
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic: plainTopic, numPartitions: 1 }] })
  await admin.disconnect()
}

/** From a file of records to the acknowledgement by Kafka. */
export const produce: Scenario = {
  title: 'Publishing',
  description: `Each program publishes a file of records to one broker, with \`acks=all\`, idempotent, gzip level 1. The time is that from the first
message to the last acknowledgement. offstream also reads, checks and normalises each record; the others send the lines as they are.
Kafka's own tool sends random lines of the file without keys, so it has another topic.`,
  defaultMinutes: 0,
  defaultRepeats: 5,
  columns: [
    { key: 'perSecond', title: 'messages a second', digits: 0 },
    { key: 'seconds', title: 'seconds', digits: 1 },
    { key: 'processSeconds', title: 'seconds of the process', digits: 1 },
    { key: 'cpuSeconds', title: 'processor seconds', digits: 1 },
    { key: 'megabytes', title: 'MB, peak', digits: 0 },
  ],
  chart: { kind: 'bars', column: 'perSecond', title: 'messages a second, median' },
  run: async bench => {
    const { events, products } = bench.sizes
    const file = await writeEvents(bench, { events, products })
    await using broker = await scratchBroker()
    await createPlainTopic(broker.address)
    for (let repeat = 0; repeat < bench.repeats; repeat += 1)
      for (const producer of producersOf(bench, broker, file))
        await bench.results.attempt(producer.name, () => runProducer(producer, broker.project, events))
  },
}
