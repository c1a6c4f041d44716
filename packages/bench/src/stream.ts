import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { checkoutsOf } from './checkout.ts'
import { print } from './figures.ts'
import { ensurePeers } from './peers.ts'
import { sizesOf } from './scenario.ts'
import { scenarios } from './scenarios.ts'
import { note, Results, resultTable } from './streamResults.ts'
import { disposeStacks } from './streamStack.ts'

/**
 * Compares the stream with its peers. Results go to `.bench/<scenario>.json` after each run.
 * `node dist/stream.js <scenario> [repeats] [--against <folder>] [--events N] [--minutes N] [--quick] [--results <folder>]`
 */
const fullEvents = 300_000

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    against: { type: 'string' },
    events: { type: 'string' },
    help: { type: 'boolean', default: false },
    minutes: { type: 'string' },
    quick: { type: 'boolean', default: false },
    results: { type: 'string', default: join(import.meta.dirname, '../../../.bench') },
  },
})
const [name = '', repeats] = positionals
const scenario = scenarios[name]
if (scenario === undefined || values.help) {
  print(
    `usage: stream.js <${Object.keys(scenarios).join('|')}> [repeats]
       [--against <folder>] [--events N] [--minutes N] [--quick] [--results <folder>]`,
  )
  process.exit(values.help ? 0 : 2)
}
const sizes = sizesOf(
  Number(values.events ?? (values.quick ? 30_000 : fullEvents)),
  Number(values.minutes ?? (values.quick ? 0.5 : scenario.defaultMinutes)),
)
const scratch = await mkdtemp(join(tmpdir(), 'offstream-stream-bench-'))
// The daemon of a stack does not get the signal of a terminal.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, async () => {
    note(`stopping after ${signal}`)
    await disposeStacks()
    await rm(scratch, { recursive: true, force: true })
    process.exit(1)
  })
try {
  const results = new Results(
    join(values.results, `${name}.json`),
    name,
    sizes,
    sizes.events < fullEvents ? 1 : 30,
  )
  note('installing the peers')
  const peers = await ensurePeers()
  print(results.stored.machine)
  await scenario.run({
    repeats: Number(repeats ?? (values.quick ? 1 : scenario.defaultRepeats)),
    sizes,
    checkouts: checkoutsOf(values.against),
    peers,
    results,
    scratch,
  })
  print(`\n${resultTable(results.stored.runs, scenario.columns)}`)
  for (const { contender, reason } of results.stored.failures) print(`\n${contender} failed: ${reason}`)
  if (results.stored.failures.length > 0) process.exitCode = 1
} finally {
  await rm(scratch, { recursive: true, force: true })
}
