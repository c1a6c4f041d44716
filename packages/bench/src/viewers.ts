import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { readStreamBatches, type StreamBatch } from '@offstream/pipeline'
import { pause } from '@offstream/runtime'
import { percentile } from './latencies.ts'
import { lastJson } from './peers.ts'
import { cpuSecondsOf, processesWith } from './processUsage.ts'
import type { Bench, Scenario } from './scenario.ts'
import { loadTable, writeEvents } from './streamEvents.ts'
import type { Figures } from './streamResults.ts'
import { StreamStack } from './streamStack.ts'
import { openViewers } from './viewer.ts'

const rate = 50
const viewers = 10
const markerEvery = 10
/** Before each measurement the same load and the same viewers, so that caches fill. */
const warmUpMinutes = 0.25
/** The job remembers its last 100 batches. */
const pollIntervalMs = 5_000

/** The batches with messages that the job reports until `stop` is aborted. */
const batchesUntil = async (stack: StreamStack, stop: AbortSignal): Promise<readonly StreamBatch[]> => {
  const file = stack.directories.streamBatches
  const last = (await readStreamBatches(file)).at(-1)?.batchId ?? -1
  const found = new Map<number, StreamBatch>()
  const read = async () => {
    for (const batch of await readStreamBatches(file))
      if (batch.batchId > last && batch.rows > 0) found.set(batch.batchId, batch)
  }
  while (!stop.aborted) {
    await pause(pollIntervalMs, stop)
    await read()
  }
  return [...found.values()]
}

const runLoad = (bench: Bench, stack: StreamStack, minutes: number, products: number): Promise<unknown> =>
  bench.peers.run(
    ...(['load.py', stack.broker, join(bench.scratch, randomUUID())] as const),
    ...['--rate', rate, '--seconds', minutes * 60, '--keys', products, '--marker-every', markerEvery].map(
      String,
    ),
  )

/** The processor seconds of the Thrift server and of the dashboard. */
const cpuOf = async (stack: StreamStack) => ({
  thrift: await cpuSecondsOf(await stack.thriftServer()),
  dashboard: await cpuSecondsOf(
    (await processesWith(stack.project)).filter(({ command }) => command.includes('dashboard/dist/main.js')),
  ),
})

const measureViewers = async (
  bench: Bench,
  stack: StreamStack,
  address: string,
  count: number,
): Promise<Figures> => {
  const { minutes, largeRows } = bench.sizes
  const stop = new AbortController()
  const watching = openViewers(address, count, stop.signal)
  await runLoad(bench, stack, Math.min(warmUpMinutes, minutes), largeRows)
  const collecting = batchesUntil(stack, stop.signal)
  const [before, cpuBefore] = [watching.loads(), await cpuOf(stack)]
  await runLoad(bench, stack, minutes, largeRows)
  const [loads, cpu] = [watching.loads() - before, await cpuOf(stack)]
  stop.abort()
  const batches = await collecting
  await watching.closed
  const durations = batches.map(({ durationMs }) => durationMs['triggerExecution'] ?? Number.NaN)
  return {
    p50: percentile(durations, 0.5),
    p95: percentile(durations, 0.95),
    mean: durations.reduce((sum, each) => sum + each, 0) / durations.length,
    batches: batches.length,
    loadsPerMinute: loads / minutes,
    thriftCores: (cpu.thrift - cpuBefore.thrift) / (minutes * 60),
    dashboardCores: (cpu.dashboard - cpuBefore.dashboard) / (minutes * 60),
  }
}

/** Whether people who look at the dashboard slow down the job. */
export const viewersOfDashboard: Scenario = {
  title: 'Viewers of the dashboard',
  description: `${rate} updates a second of a table of a million rows, without viewers and with ${viewers}, in turn. A viewer
requests what the page requests in a browser, and has one of the views open: pipeline, services with a log, topic, stream, table,
products in three orders, one product, charts. It follows the state, and loads its data again after a commit to the
table. The duration is that of the job's batches with messages.`,
  defaultMinutes: 2,
  defaultRepeats: 3,
  columns: [
    { key: 'p50', title: 'batch, ms, p50', digits: 0 },
    { key: 'mean', title: 'batch, ms, mean', digits: 0 },
    { key: 'p95', title: 'batch, ms, p95', digits: 0 },
    { key: 'batches', title: 'batches', digits: 0 },
    { key: 'loadsPerMinute', title: 'loads by viewers a minute', digits: 0 },
    { key: 'thriftCores', title: 'cores used by the Thrift server', digits: 2 },
    { key: 'dashboardCores', title: 'cores used by the dashboard', digits: 2 },
  ],
  chart: { kind: 'bars', column: 'p50', title: 'ms of a batch, median' },
  run: async bench => {
    const { sizes, checkouts, results, repeats } = bench
    const rows = sizes.largeRows
    const base = await writeEvents(bench, { events: rows, products: rows, once: true })
    for (const checkout of checkouts) {
      const of = checkouts.length > 1 ? ` of ${checkout.name}` : ''
      await using stack = await StreamStack.start(checkout)
      await loadTable(bench, stack, base, rows)
      const { address } = lastJson<{ readonly address: string }>(await stack.offstream('dashboard', '--json'))
      for (let repeat = 0; repeat < repeats; repeat += 1)
        for (const count of [0, viewers])
          await results.measure(`${count} viewers${of}`, () =>
            measureViewers(bench, stack, new URL(address).origin, count),
          )
    }
  },
}
