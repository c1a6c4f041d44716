import { join } from 'node:path'
import { query } from '@offstream/pipeline'
import { execa } from 'execa'
import type { Checkout } from './checkout.ts'
import { figureOf } from './figures.ts'
import { cpuSecondsOf } from './processUsage.ts'
import type { Bench, Scenario } from './scenario.ts'
import { loadTable, verifyFrom, writeEvents } from './streamEvents.ts'
import { runningJob } from './streamJob.ts'
import { type Figures, note } from './streamResults.ts'
import { type Settings, StreamStack } from './streamStack.ts'

/** The table grows to this multiple of its rows, twice. */
const factor = 10

/** Who writes the batches: the index in the driver's memory, or MERGE, as above `stream.maxIndexedRows`. */
type Writer = 'index' | 'MERGE'

const settingsFor = (writer: Writer, rows: number): Settings => ({
  'stream.maxIndexedRows': writer === 'index' ? rows + 1 : 0,
  'stream.driverMemory': '2g',
  // It copies the rows.
  'thrift.memory': '2g',
})

/** Copies all products under new codes, by a statement of the Thrift server. The job must not run. */
const copyRows = async (stack: StreamStack, rows: number): Promise<Figures> => {
  const copies = Array.from(
    { length: factor - 1 },
    (_, index) =>
      `SELECT string(bigint(code) + ${(index + 1) * rows}) AS code, * EXCEPT (code) FROM lake.off.products`,
  )
  const cpuBefore = await cpuSecondsOf(await stack.thriftServer())
  const startedAt = performance.now()
  await query(stack.thrift, `INSERT INTO lake.off.products BY NAME ${copies.join(' UNION ALL ')}`)
  return {
    copySeconds: (performance.now() - startedAt) / 1_000,
    cpuSeconds: (await cpuSecondsOf(await stack.thriftServer())) - cpuBefore,
  }
}

const medianMs = async ({ thrift }: StreamStack, sql: string): Promise<number> => {
  const durations: number[] = []
  for (let run = 0; run < 3; run += 1) {
    const startedAt = performance.now()
    await query(thrift, sql)
    durations.push(performance.now() - startedAt)
  }
  return figureOf(durations).median
}

/** @throws if the table has another number of products */
const verifyCount = async ({ thrift }: StreamStack, rows: number): Promise<void> => {
  const found = await query(thrift, 'SELECT count(*) FROM Products')
  if (Number(found.rows[0]?.[0]) !== rows)
    throw new Error(`the table has ${found.rows[0]?.[0]} of ${rows} rows`)
}

/** What a query costs that reads all rows, and one that needs a single row. */
const figuresOfQueries = async (stack: StreamStack): Promise<Figures> => ({
  countMs: await medianMs(stack, 'SELECT count(*) FROM Products'),
  lookupMs: await medianMs(stack, "SELECT * FROM Products WHERE code = '3000000000007'"),
})

/** The objects in the driver that are in use, which Java counts after a full collection. */
const usedHeapMegabytes = async ({ peers }: Bench, stack: StreamStack): Promise<number> => {
  const driver = (await stack.job()).find(({ command }) => command.includes('deploy.SparkSubmit'))
  const { stdout } = await execa(join(peers.runtimes.java, '../jcmd'), [
    String(driver?.pid),
    'GC.class_histogram',
  ])
  return usedMegabytesIn(stdout)
}

/** The last line has the number of all objects and their bytes. */
export const usedMegabytesIn = (histogram: string): number =>
  Number(/^Total\s+\d+\s+(\d+)\s*$/m.exec(histogram)?.[1]) / 1_000_000

/** One checkout, and its messages so far. */
class GrowingTable {
  readonly #bench: Bench
  readonly #stack: StreamStack
  readonly #of: string
  #round = 0

  constructor(bench: Bench, stack: StreamStack, checkout: Checkout) {
    this.#bench = bench
    this.#stack = stack
    this.#of = bench.checkouts.length > 1 ? ` of ${checkout.name}` : ''
  }

  async grow(rows: number): Promise<void> {
    const copies = (factor - 1) * rows
    await this.#bench.results.measure(`offstream${this.#of}, ${copies} copies of rows by SQL`, () =>
      copyRows(this.#stack, rows),
    )
  }

  /** Measures the start of the job and batches of updates, then compares the updated rows with the messages. */
  async measure(rows: number, writer: Writer, batches: number): Promise<void> {
    const [bench, stack] = [this.#bench, this.#stack]
    const ofQueries = await figuresOfQueries(stack)
    const readySeconds = await stack.submit()
    const start = await stack.endOffset()
    const files: string[] = []
    const update = async () => {
      const { batch: events } = bench.sizes
      this.#round += 1
      files.push(await writeEvents(bench, { events, products: rows, round: this.#round }))
      const addition = { file: files.at(-1) ?? '', start: start + (files.length - 1) * events, events }
      return runningJob(bench, stack, addition)
    }
    note('a first batch, which is not measured')
    await update()
    const heapMegabytes = await usedHeapMegabytes(bench, stack)
    for (let batch = 0; batch < batches; batch += 1)
      await bench.results.measure(`offstream${this.#of}, ${rows} rows, ${writer}`, async () => ({
        ...(batch === 0 ? { readySeconds, heapMegabytes, ...ofQueries } : {}),
        ...(await update()),
      }))
    await verifyCount(stack, rows)
    await verifyFrom(bench, stack.table, start, ...files)
  }
}

const runCheckout = async (bench: Bench, checkout: Checkout): Promise<void> => {
  const { sizes, repeats } = bench
  const { products } = sizes
  const base = await writeEvents(bench, { events: products, products, once: true })
  await using stack = await StreamStack.start(checkout)
  await loadTable(bench, stack, base, products)
  await stack.down()
  const table = new GrowingTable(bench, stack, checkout)
  for (const rows of [products, factor * products, factor * factor * products]) {
    await stack.up(settingsFor('index', rows))
    if (rows > products) await table.grow(rows / factor)
    await table.measure(rows, 'index', repeats)
    await stack.down()
    await stack.up(settingsFor('MERGE', rows))
    await table.measure(rows, 'MERGE', Math.ceil(repeats / 2))
    await stack.down()
  }
}

/** What a batch, the start and a query cost, by the size of the table. */
export const growth: Scenario = {
  title: 'The size of the table',
  description: `A running job writes batches of random updates. It is suspended while the messages are published. The index and MERGE write the same
table in turn, each with a separate job and after a first batch that is not measured. The processor seconds are those of the job or,
for the copies, of the Thrift server. The larger tables are copies of the smallest one under other codes, made by a SQL statement of
the Thrift server. The heap in use is that of the driver after a full collection: the difference between the two writers is the
index. The queries run on an idle table and include the connection (median of three). At the end of each job the rows are counted,
and those that it updated are compared with the messages.`,
  defaultMinutes: 0,
  defaultRepeats: 5,
  columns: [
    { key: 'batchSeconds', title: 'seconds of a batch', digits: 2 },
    { key: 'copySeconds', title: 'seconds of the copy', digits: 0 },
    { key: 'cpuSeconds', title: 'processor seconds', digits: 1 },
    { key: 'readySeconds', title: 'submit → ready, seconds', digits: 1 },
    { key: 'heapMegabytes', title: 'MB of the heap in use', digits: 0 },
    { key: 'megabytes', title: 'MB of the job, peak', digits: 0 },
    { key: 'countMs', title: 'count of all rows, ms', digits: 0 },
    { key: 'lookupMs', title: 'row of one code, ms', digits: 0 },
  ],
  chart: { kind: 'bars', column: 'batchSeconds', title: 'seconds of a batch, median' },
  run: async bench => {
    for (const checkout of bench.checkouts) await runCheckout(bench, checkout)
  },
}
