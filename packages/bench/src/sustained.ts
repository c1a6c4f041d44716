import { join } from 'node:path'
import type { Checkout } from './checkout.ts'
import { measured } from './measured.ts'
import { lastJson } from './peers.ts'
import type { Bench, Scenario } from './scenario.ts'
import { verify, writeEvents } from './streamEvents.ts'
import { runningJob } from './streamJob.ts'
import type { Figures } from './streamResults.ts'
import { StreamStack } from './streamStack.ts'

/** A growing table: its messages so far, and the tables of offstream and of the native peer that have them. */
class GrowingTable {
  /** The files of all messages. */
  readonly files: string[] = []
  #messages = 0
  readonly #bench: Bench
  readonly #stack: StreamStack
  readonly #of: string

  constructor(bench: Bench, stack: StreamStack, checkout: Checkout) {
    this.#bench = bench
    this.#stack = stack
    this.#of = bench.checkouts.length > 1 ? ` of ${checkout.name}` : ''
  }

  /** Publishes a file while the job is suspended, and measures the job, then the native peer if requested. */
  async add(
    what: string,
    file: string,
    events: number,
    native: { readonly batch: number } | null,
  ): Promise<void> {
    const { results } = this.#bench
    const start = this.#messages
    this.files.push(file)
    this.#messages += events
    await results.measure(`offstream${this.#of}, ${what}`, () =>
      runningJob(this.#bench, this.#stack, { file, start, events }),
    )
    if (native !== null)
      await results.attempt(`delta-rs, ${what}`, () => this.#runNative(start, events, native.batch))
  }

  async #runNative(start: number, events: number, batch: number): Promise<Figures> {
    const { peers, scratch } = this.#bench
    const choice = ['--start', start, '--events', events, '--batch', Math.min(batch, events)].map(String)
    const run = await measured(
      peers.command('native.py', this.#stack.broker, join(scratch, 'native'), ...choice),
    )
    const { seconds } = lastJson<{ readonly seconds: number }>(run.stdout)
    return {
      seconds,
      perSecond: events / seconds,
      batchSeconds: seconds,
      cpuSeconds: run.cpuSeconds,
      megabytes: Math.max(run.peakMegabytes, run.largestMegabytes),
    }
  }
}

const batchesOfEachSize = 10

const runCheckout = async (bench: Bench, checkout: Checkout): Promise<void> => {
  const { sizes, repeats } = bench
  await using stack = await StreamStack.start(checkout)
  await stack.submit()
  const table = new GrowingTable(bench, stack, checkout)
  // The peer is measured once for all checkouts: it reads the same messages.
  const native = checkout === bench.checkouts[0] ? { batch: Math.ceil(sizes.events / 3) } : null
  let round = 0
  const update = async (what: string, events: number, products: number) => {
    round += 1
    await table.add(what, await writeEvents(bench, { events, products, round }), events, native)
  }
  const grow = async (from: number, to: number) => {
    const choice = { events: to - from, products: to - from, first: from, once: true }
    await table.add(
      `${to - from} new rows after ${from}`,
      await writeEvents(bench, choice),
      to - from,
      native,
    )
  }
  await grow(0, sizes.products)
  for (let batch = 0; batch < batchesOfEachSize; batch += 1)
    await update(`a batch of ${sizes.batch} into ${sizes.products} rows`, sizes.batch, sizes.products)
  await grow(sizes.products, sizes.largeRows)
  for (let batch = 0; batch < batchesOfEachSize; batch += 1)
    await update(`a batch of ${sizes.batch} into ${sizes.largeRows} rows`, sizes.batch, sizes.largeRows)
  for (let repeat = 0; repeat < repeats; repeat += 1)
    await update(`${sizes.events} updates of ${sizes.largeRows} rows`, sizes.events, sizes.largeRows)
  await verify(bench, stack.table, ...table.files)
  if (native !== null) await verify(bench, `delta:${join(bench.scratch, 'native')}`, ...table.files)
}

/** Updates of a large table, and what a batch costs in a small and in a large table. */
export const sustained: Scenario = {
  title: 'Updates of a large table',
  description: `One running job, and delta-rs with the same messages in batches of a third. The job was suspended while the
messages were published; \`seconds\` is the time from when it continued to the last commit, \`seconds of batches\` the time from the start
of the first batch. At the end both tables are compared with the messages, row by row.`,
  defaultMinutes: 0,
  defaultRepeats: 5,
  columns: [
    { key: 'batchSeconds', title: 'seconds of batches', digits: 2 },
    { key: 'seconds', title: 'seconds', digits: 1 },
    { key: 'perSecond', title: 'messages a second', digits: 0 },
    { key: 'cpuSeconds', title: 'processor seconds', digits: 1 },
    { key: 'megabytes', title: 'MB, peak', digits: 0 },
  ],
  chart: { kind: 'bars', column: 'batchSeconds', title: 'seconds of batches, median' },
  run: async bench => {
    for (const checkout of bench.checkouts) await runCheckout(bench, checkout)
  },
}
