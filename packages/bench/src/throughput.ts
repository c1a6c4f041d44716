import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Checkout } from './checkout.ts'
import { measured } from './measured.ts'
import { type Command, lastJson } from './peers.ts'
import type { Bench, Scenario } from './scenario.ts'
import { publish, verify, writeEvents } from './streamEvents.ts'
import { freshJob, runningJob } from './streamJob.ts'
import type { Figures } from './streamResults.ts'
import { StreamStack } from './streamStack.ts'

/** A program that reads the messages and writes them to its table. */
interface Peer {
  readonly name: string
  readonly command: (broker: string, folder: string) => Command
  /** The table for compare.py; null if it writes none. */
  readonly table: ((folder: string) => string) | null
}

const peersOf = ({ peers, sizes }: Bench): readonly Peer[] => {
  const native = (name: string, batch: number): Peer => ({
    name: `confluent-kafka, msgspec and delta-rs, ${name}`,
    command: (broker, folder) =>
      peers.command(
        ...(['native.py', broker, join(folder, 'table')] as const),
        ...['--events', String(sizes.events), '--batch', String(batch)],
      ),
    table: folder => `delta:${join(folder, 'table')}`,
  })
  const spark = (name: string, sink: string, format: string | null): Peer => ({
    name,
    command: (broker, folder) => peers.sparkCommand(broker, sink, folder),
    table: format === null ? null : folder => `${format}:${join(folder, 'table')}`,
  })
  return [
    native('one batch', sizes.events),
    native('three batches', Math.ceil(sizes.events / 3)),
    {
      name: 'quixstreams and delta-rs',
      command: (broker, folder) =>
        peers.command('quix.py', broker, join(folder, 'table'), '--events', String(sizes.events)),
      table: folder => `delta:${join(folder, 'table')}`,
    },
    spark('Spark, Delta MERGE', 'delta', 'delta'),
    spark('Spark, append to Parquet (the first version)', 'parquet', 'parquet'),
    spark('Spark, parse only', 'parse', null),
    spark('Spark, read only (the limit)', 'noop', null),
  ]
}

const runPeer = async (bench: Bench, peer: Peer, broker: string, file: string): Promise<Figures> => {
  const folder = await mkdtemp(join(bench.scratch, 'peer-'))
  try {
    const run = await measured(peer.command(broker, folder), {
      cwd: folder,
      env: bench.peers.sparkEnvironment,
    })
    const { seconds } = lastJson<{ readonly seconds: number }>(run.stdout)
    if (peer.table !== null) await verify(bench, peer.table(folder), file)
    return {
      seconds,
      perSecond: bench.sizes.events / seconds,
      processSeconds: run.seconds,
      cpuSeconds: run.cpuSeconds,
      megabytes: Math.max(run.peakMegabytes, run.largestMegabytes),
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const runRound = async (bench: Bench, checkout: Checkout, first: string, second: string): Promise<void> => {
  await using stack = await StreamStack.start(checkout)
  const of = bench.checkouts.length > 1 ? ` of ${checkout.name}` : ''
  await publish(bench, stack.broker, first)
  if (checkout === bench.checkouts[0])
    for (const peer of peersOf(bench))
      await bench.results.attempt(peer.name, () => runPeer(bench, peer, stack.broker, first))
  await bench.results.measure(`offstream${of}, fresh job`, () => freshJob(stack, bench.sizes.events))
  await bench.results.measure(`offstream${of}, running job`, () =>
    runningJob(bench, stack, { file: second, start: bench.sizes.events, events: bench.sizes.events }),
  )
  await verify(bench, stack.table, first, second)
}

/** A full topic into an empty table: offstream and its peers. */
export const throughput: Scenario = {
  title: 'A full topic',
  description: `Messages of 980 bytes, as offstream publishes them, are in the topic before a program starts. Each program
writes the newest record of each product to a table, and another program compares the rows with the messages. \`seconds\` is
the time from the first request (native programs) or from the start of the first batch (Spark) to the last commit: the start of
the process does not count. The running job was suspended while the topic was filled with the same number of messages of other
products, and its time includes the wait until its next batch starts. \`processor seconds\` and memory are those of all processes of
the program or the job, without the broker.`,
  defaultMinutes: 0,
  defaultRepeats: 5,
  columns: [
    { key: 'seconds', title: 'seconds', digits: 1 },
    { key: 'perSecond', title: 'messages a second', digits: 0 },
    { key: 'processSeconds', title: 'seconds from the start of the process', digits: 1 },
    { key: 'readySeconds', title: 'submit → ready, seconds', digits: 1 },
    { key: 'cpuSeconds', title: 'processor seconds', digits: 1 },
    { key: 'megabytes', title: 'MB, peak', digits: 0 },
  ],
  chart: { kind: 'bars', column: 'seconds', title: 'seconds, median' },
  run: async bench => {
    const { events, products } = bench.sizes
    const first = await writeEvents(bench, { events, products })
    const second = await writeEvents(bench, { events, products, first: products, round: 1 })
    for (let repeat = 0; repeat < bench.repeats; repeat += 1)
      for (const checkout of bench.checkouts) await runRound(bench, checkout, first, second)
  },
}
