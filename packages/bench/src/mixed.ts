import { pause } from '@offstream/runtime'
import { percentile, slopeOf } from './latencies.ts'
import { runLiveLoad } from './liveLoad.ts'
import { cpuSecondsOf, megabytesOf } from './processUsage.ts'
import type { Bench, Scenario } from './scenario.ts'
import { publish, writeEvents } from './streamEvents.ts'
import type { Figures, Point } from './streamResults.ts'
import { StreamStack } from './streamStack.ts'
import { readCommits } from './tableHistory.ts'

const rate = 100
const sampleIntervalMs = 5_000

/** The figures that must not grow while the load runs. */
interface Sample {
  readonly minute: number
  readonly files: number
  readonly jobMegabytes: number
  readonly thriftMegabytes: number
  readonly triggerMs: number
}

const takeSample = async (stack: StreamStack, startedAt: number): Promise<Sample> => {
  const newest = (await readCommits(stack.directories.warehouse)).at(-1)
  return {
    minute: (performance.now() - startedAt) / 60_000,
    files: (newest?.dataFiles ?? 0) + (newest?.deleteFiles ?? 0),
    jobMegabytes: await megabytesOf(await stack.job()),
    thriftMegabytes: await megabytesOf(await stack.thriftServer()),
    triggerMs: (await stack.progress())?.triggerMs ?? Number.NaN,
  }
}

const samplesUntil = async (stack: StreamStack, stop: AbortSignal): Promise<readonly Sample[]> => {
  const startedAt = performance.now()
  const samples: Sample[] = []
  while (!stop.aborted) {
    samples.push(await takeSample(stack, startedAt))
    await pause(sampleIntervalMs, stop).catch(() => undefined)
  }
  return samples
}

const series = {
  files: 'files of the table',
  jobMegabytes: 'MB of the job',
  thriftMegabytes: 'MB of the Thrift server',
  triggerMs: 'ms of a trigger',
} as const

const growthOf = (samples: readonly Sample[]): Figures =>
  Object.fromEntries(
    (['files', 'jobMegabytes', 'thriftMegabytes', 'triggerMs'] as const).flatMap(key => {
      const points = samples
        .filter(each => Number.isFinite(each[key]))
        .map(each => [each.minute, each[key]] as const)
      const values = points.map(([, value]) => value)
      return [
        [`${key}P50`, percentile(values, 0.5)],
        [`${key}Max`, percentile(values, 1)],
        // The first third is a warm-up: caches and the heap fill.
        [`${key}Slope`, slopeOf(points.slice(Math.floor(points.length / 3)))],
      ]
    }),
  )

const pointsOf = (samples: readonly Sample[]): readonly Point[] =>
  samples.flatMap(sample =>
    Object.entries(series).map(([key, name]) => ({
      series: name,
      x: sample.minute,
      y: sample[key as keyof typeof series],
    })),
  )

/** What account.py prints. */
interface Account {
  readonly events: number
  readonly products: number
  readonly rejected: number
  readonly missing: number
  readonly wrong: number
  readonly unexpected: number
  readonly examples: readonly string[]
}

const measureMixed = async (bench: Bench, stack: StreamStack): Promise<Figures> => {
  const { peers, sizes, results } = bench
  const { host, port } = stack.thrift
  const cpuBefore = await stack.jobCpuSeconds()
  const stop = new AbortController()
  const sampling = samplesUntil(stack, stop.signal)
  const load = { rate, minutes: sizes.minutes, products: sizes.products, mixed: true }
  const result = await runLiveLoad(bench, stack.broker, `thrift:${host}:${port}`, load).finally(() =>
    stop.abort(),
  )
  const samples = await sampling
  const cpuSeconds = (await cpuSecondsOf(await stack.job())) - cpuBefore
  await stack.written(sizes.products, sizes.products + result.sent)
  await results.addPoints(pointsOf(samples))
  const account = await peers.run<Account>(
    ...(['account.py', stack.directories.catalog, stack.directories.warehouse] as const),
    ...[String(sizes.products), result.eventsFile],
  )
  const { missing, wrong, unexpected, examples } = account
  if (missing + wrong + unexpected > 0)
    throw new Error(
      `the table differs from the acknowledged events: ${JSON.stringify(account)} ${examples.join('; ')}`,
    )
  return {
    events: account.events,
    products: account.products,
    rejected: account.rejected,
    unaccounted: missing + wrong + unexpected,
    p50: percentile(result.latencies, 0.5),
    p99: percentile(result.latencies, 0.99),
    cpuPerSecond: cpuSeconds / result.seconds,
    ...growthOf(samples),
  }
}

/** Half an hour of mixed events: whether any figure grows, and whether each event is accounted for. */
export const mixed: Scenario = {
  title: 'Mixed load',
  description: `${rate} events a second: 80 % updates, 10 % new products, 7 % deletes, 3 % invalid messages of nine kinds. At
the end pyiceberg reads the tables: each acknowledged event must be the row of its product, or replaced by a newer event, or a
row of the rejected messages with its offset, and no other row may exist. The slope is that of a line through the samples
after the first third, in units a minute.`,
  defaultMinutes: 30,
  defaultRepeats: 1,
  columns: [
    { key: 'events', title: 'events', digits: 0 },
    { key: 'unaccounted', title: 'events not accounted for', digits: 0 },
    { key: 'rejected', title: 'rejected', digits: 0 },
    { key: 'p50', title: 'seconds to visible, p50', digits: 2 },
    { key: 'p99', title: 'seconds to visible, p99', digits: 2 },
    { key: 'filesP50', title: 'files of the table, p50', digits: 0 },
    { key: 'filesMax', title: 'files of the table, max', digits: 0 },
    { key: 'filesSlope', title: 'files of the table, slope', digits: 2 },
    { key: 'jobMegabytesP50', title: 'MB of the job, p50', digits: 0 },
    { key: 'jobMegabytesMax', title: 'MB of the job, max', digits: 0 },
    { key: 'jobMegabytesSlope', title: 'MB of the job, slope', digits: 2 },
    { key: 'thriftMegabytesMax', title: 'MB of the Thrift server, max', digits: 0 },
    { key: 'thriftMegabytesSlope', title: 'MB of the Thrift server, slope', digits: 2 },
    { key: 'triggerMsP50', title: 'trigger, ms, p50', digits: 0 },
    { key: 'triggerMsMax', title: 'trigger, ms, max', digits: 0 },
    { key: 'triggerMsSlope', title: 'trigger, ms, slope', digits: 2 },
    { key: 'cpuPerSecond', title: 'cores used', digits: 2 },
  ],
  chart: { kind: 'panels', x: 'minutes' },
  run: async bench => {
    const { sizes, checkouts, results, repeats } = bench
    const base = await writeEvents(bench, { events: sizes.products, products: sizes.products, once: true })
    for (let repeat = 0; repeat < repeats; repeat += 1) {
      for (const checkout of checkouts) {
        await using stack = await StreamStack.start(checkout)
        await publish(bench, stack.broker, base)
        await stack.submit()
        await stack.written(0, sizes.products)
        const of = checkouts.length > 1 ? ` of ${checkout.name}` : ''
        await results.measure(`offstream${of}`, () => measureMixed(bench, stack))
      }
    }
  },
}
