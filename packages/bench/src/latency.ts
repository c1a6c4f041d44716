import { settingPaths } from '@offstream/pipeline'
import { startDeltaJob } from './deltaJob.ts'
import { percentile } from './latencies.ts'
import { type LiveResult, type LoadChoice, runLiveLoad } from './liveLoad.ts'
import { cpuSecondsOf, MemorySampler, type ProcessInfo } from './processUsage.ts'
import type { Bench, Scenario } from './scenario.ts'
import { loadTable, writeEvents } from './streamEvents.ts'
import type { Figures, Point } from './streamResults.ts'
import { StreamStack } from './streamStack.ts'

const rates = [50, 500]
/** The measurements of the peers, and those at the higher rate, take this share of the time. */
const shortShare = 0.1
/** With this setting at 0 the job writes small batches with MERGE too. A version without it always does. */
const indexSetting = 'stream.maxIndexedRows'
const deltaJob = 'Spark, Delta MERGE (probed by delta-rs)'
/** Events before the measurement warm up the job, the server and the probe. */
const warmUpMinutes = 0.25

const figuresOf = (result: LiveResult): Figures => ({
  p50: percentile(result.latencies, 0.5),
  p95: percentile(result.latencies, 0.95),
  p99: percentile(result.latencies, 0.99),
  max: percentile(result.latencies, 1),
  perSecond: result.sent / result.seconds,
  queryMs: percentile(result.queryMs, 0.5),
  queriesPerSecond: result.queries / result.seconds,
  probeCpuPerSecond: result.probeCpuSeconds / result.seconds,
  ...(result.invisible > 0 ? { invisible: result.invisible } : {}),
})

/** What a load measures: the table, by its address for probe.py, and the processes of the writer. */
interface Target {
  readonly contender: string
  readonly broker: string
  readonly table: string
  readonly processes: () => Promise<readonly ProcessInfo[]>
}

const measureLoad = async (bench: Bench, target: Target, load: LoadChoice): Promise<void> => {
  const name = `${target.contender}, ${load.products} rows, ${load.rate} events a second`
  await runLiveLoad(bench, target.broker, target.table, {
    ...load,
    minutes: Math.min(warmUpMinutes, load.minutes),
  })
  await bench.results.attempt(name, async () => {
    using memory = new MemorySampler(target.processes)
    const cpuBefore = await cpuSecondsOf(await target.processes())
    const result = await runLiveLoad(bench, target.broker, target.table, load)
    const cpuSeconds = (await cpuSecondsOf(await target.processes())) - cpuBefore
    await bench.results.addPoints(distributionOf(name, result.latencies))
    return {
      ...figuresOf(result),
      cpuPerSecond: cpuSeconds / result.seconds,
      megabytes: memory.peakMegabytes,
    }
  })
}

/** The latency at each percent. */
const distributionOf = (series: string, latencies: readonly number[]): readonly Point[] =>
  Array.from({ length: 100 }, (_, index) => ({
    series,
    x: index + 1,
    y: percentile(latencies, (index + 1) / 100),
  }))

const measureJob = async (
  bench: Bench,
  stack: StreamStack,
  contender: string,
  load: Omit<LoadChoice, 'rate'>,
) => {
  const { host, port } = stack.thrift
  const target = {
    contender,
    broker: stack.broker,
    table: `thrift:${host}:${port}`,
    processes: () => stack.job(),
  }
  await measureRates(bench, target, load)
}

const measureRates = async (bench: Bench, target: Target, load: Omit<LoadChoice, 'rate'>): Promise<void> => {
  for (const rate of rates) {
    const minutes =
      rate === rates[0] ? load.minutes : Math.min(load.minutes, bench.sizes.minutes * shortShare)
    await measureLoad(bench, target, { ...load, minutes, rate })
  }
}

const measureDelta = async (bench: Bench, stack: StreamStack, load: Omit<LoadChoice, 'rate'>) => {
  const startOffset = await stack.endOffset()
  await using job = await startDeltaJob(bench, stack.broker, { rows: load.products, startOffset })
  const target = { contender: deltaJob, broker: stack.broker, table: job.table, processes: job.processes }
  await measureRates(bench, target, load)
}

const measureTable = async (bench: Bench, rows: number): Promise<void> => {
  const { sizes, checkouts, results } = bench
  const control = { minutes: sizes.minutes * shortShare, products: rows }
  const base = await writeEvents(bench, { events: rows, products: rows, once: true })
  for (const checkout of checkouts) {
    const of = checkouts.length > 1 ? ` of ${checkout.name}` : ''
    await using stack = await StreamStack.start(checkout)
    await loadTable(bench, stack, base, rows)
    await measureJob(bench, stack, `offstream${of}`, { minutes: sizes.minutes, products: rows })
    if (checkout !== checkouts[0]) continue
    if (settingPaths.some(path => path === indexSetting)) {
      await stack.down()
      await stack.up({ [indexSetting]: 0 })
      await stack.submit()
      await measureJob(bench, stack, 'offstream with MERGE only', control)
    }
    await stack.down()
    await stack.up()
    await results.continueAfter(deltaJob, () => measureDelta(bench, stack, control))
  }
}

/** From an event to its appearance in the result of a query. */
export const latency: Scenario = {
  title: 'From an event to a query',
  description: `Updates of products at random, at a fixed rate. Ten times a second one of them updates a marker product; the
latency is the time from sending it to the query result that shows it. The probe queries at most five times a second, so it adds 0.1 s on
average; its own processor time is a column. The probe of offstream is PyHive on the Thrift server. The table of the Delta job
is probed by delta-rs, without a server, so that the probe does not load the job. The processor time is that of the job. The upkeep of the
table is included. Each measurement starts after 15 seconds of the same load; those of the peers, and those at the higher rate, take a tenth
of the time.`,
  defaultMinutes: 10,
  defaultRepeats: 1,
  columns: [
    { key: 'p50', title: 'p50, s', digits: 2 },
    { key: 'p95', title: 'p95, s', digits: 2 },
    { key: 'p99', title: 'p99, s', digits: 2 },
    { key: 'max', title: 'max, s', digits: 1 },
    { key: 'perSecond', title: 'events a second', digits: 0 },
    { key: 'cpuPerSecond', title: 'cores used', digits: 2 },
    { key: 'megabytes', title: 'MB, peak', digits: 0 },
    { key: 'queryMs', title: 'query, ms, p50', digits: 0 },
    { key: 'queriesPerSecond', title: 'queries a second', digits: 1 },
    { key: 'probeCpuPerSecond', title: 'cores used by the probe', digits: 3 },
    { key: 'invisible', title: 'events never seen', digits: 0 },
  ],
  chart: { kind: 'lines', x: 'percent of the events', y: 'seconds to visible' },
  run: async bench => {
    for (let repeat = 0; repeat < bench.repeats; repeat += 1)
      for (const rows of [bench.sizes.products, bench.sizes.largeRows]) await measureTable(bench, rows)
  },
}
