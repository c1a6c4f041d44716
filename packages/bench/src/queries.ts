import { join } from 'node:path'
import { measured } from './measured.ts'
import type { Command } from './peers.ts'
import { cpuSecondsOf } from './processUsage.ts'
import type { Bench, Scenario } from './scenario.ts'
import { publish, writeEvents } from './streamEvents.ts'
import type { Figures } from './streamResults.ts'
import { StreamStack } from './streamStack.ts'

const sql = 'SELECT * FROM Products'

/** A client that prints the rows as CSV. */
interface Client {
  readonly name: string
  readonly command: Command
}

const offstreamClient = (stack: StreamStack, name: string): Client => ({
  name,
  command: stack.command('query', sql, '--format', 'csv'),
})

const otherClients = ({ peers }: Bench, { thrift }: StreamStack): readonly Client[] => [
  {
    name: 'beeline',
    command: [
      ...([join(peers.runtimes.sparkHome, 'bin', 'beeline'), '-u'] as const),
      ...[`jdbc:hive2://${thrift.host}:${thrift.port}`, '-n', 'offstream', '-p', 'none', '--silent=true'],
      ...['--outputformat=csv2', '--nullemptystring=true', '--incremental=true', '-e', sql],
    ],
  },
  ...(['pyhive', 'impyla'] as const).map(name => ({
    name,
    command: peers.command('rows.py', name, thrift.host, String(thrift.port), sql),
  })),
]

interface Digest {
  readonly rows: number
  readonly digest: string
}

/** Runs a client with its output in a file, and without input, from which beeline would read more statements. */
const runClient = async (
  bench: Bench,
  stack: StreamStack,
  { command }: Client,
): Promise<{ readonly figures: Figures; readonly digest: Digest }> => {
  const file = join(bench.scratch, 'rows.csv')
  const serverBefore = await cpuSecondsOf(await stack.thriftServer())
  const run = await measured(['bash', '-c', 'exec "$@" > "$0" < /dev/null', file, ...command], {
    cwd: stack.project,
    // By default beeline puts text with a comma between NUL characters, not quotes.
    env: { ...bench.peers.sparkEnvironment, SPARK_BEELINE_OPTS: '-Ddisable.quoting.for.sv=false' },
  })
  const serverCpuSeconds = (await cpuSecondsOf(await stack.thriftServer())) - serverBefore
  const digest = await bench.peers.run<Digest>('digest.py', file)
  return {
    figures: {
      seconds: run.seconds,
      perSecond: digest.rows / run.seconds,
      cpuSeconds: run.cpuSeconds,
      serverCpuSeconds,
      megabytes: Math.max(run.peakMegabytes, run.largestMegabytes),
    },
    digest,
  }
}

/** Runs each client in turn. All must print the same rows. */
const compareClients = async (
  bench: Bench,
  stack: StreamStack,
  clients: readonly Client[],
  rows: number,
  repeats: number,
): Promise<void> => {
  let expected: string | null = null
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    for (const client of clients) {
      await bench.results.attempt(`${client.name}, ${rows} rows`, async () => {
        const { figures, digest } = await runClient(bench, stack, client)
        if (digest.rows !== rows) throw new Error(`${client.name} printed ${digest.rows} of ${rows} rows`)
        expected ??= digest.digest
        if (digest.digest !== expected)
          throw new Error(`the rows of ${client.name} differ from the first client's`)
        return figures
      })
    }
  }
}

/** The whole table as CSV. */
export const queries: Scenario = {
  title: 'A whole table as CSV',
  description: `\`${sql}\` on the same Thrift server, with all rows as CSV in a file. The rows of all clients are the same
(times, numbers and nulls are compared by value). The large table shows the memory of each client. \`processor seconds\` and
memory are those of the client's processes.`,
  defaultMinutes: 0,
  defaultRepeats: 5,
  columns: [
    { key: 'seconds', title: 'seconds', digits: 1 },
    { key: 'perSecond', title: 'rows a second', digits: 0 },
    { key: 'cpuSeconds', title: 'processor seconds', digits: 1 },
    { key: 'serverCpuSeconds', title: 'of the server', digits: 1 },
    { key: 'megabytes', title: 'MB, peak', digits: 0 },
  ],
  chart: { kind: 'bars', column: 'seconds', title: 'seconds, median' },
  run: async bench => {
    const { sizes, checkouts, repeats } = bench
    const rows = sizes.products
    for (const checkout of checkouts) {
      const name = checkouts.length > 1 ? `offstream query of ${checkout.name}` : 'offstream query'
      await using stack = await StreamStack.start(checkout)
      await stack.submit()
      let before = 0
      const fill = async (until: number) => {
        const choice = { events: until - before, products: until - before, first: before, once: true }
        await publish(bench, stack.broker, await writeEvents(bench, choice))
        await stack.written(before, until)
        before = until
        // Only the Thrift server may run at the same time as the clients.
        await stack.down()
        await stack.up()
      }
      await fill(rows)
      const offstream = offstreamClient(stack, name)
      const others = checkout === checkouts[0] ? otherClients(bench, stack) : []
      await compareClients(bench, stack, [offstream, ...others], rows, repeats)
      await stack.submit()
      await fill(sizes.largeRows)
      await compareClients(bench, stack, [offstream, ...others], sizes.largeRows, 1)
    }
  },
}
