import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { localCluster, normaliseCode, peekTopic } from '@offstream/pipeline'
import { type ScratchBroker, scratchBroker } from './broker.ts'
import { figureOf, machine, print, shown, table } from './figures.ts'
import { type Measured, measured } from './measured.ts'
import { offstream, startSite } from './siteProcess.ts'
import { type ExportChoice, writeExport } from './syntheticExport.ts'

/**
 * Measures `offstream scrape --source export` with a synthetic export of 1 GB until Kafka's acknowledgement, and kafkajs
 * alone with the same messages, interleaved. After each run the topic must contain exactly the products of the file in
 * order. It measures lines as long as in the real export, then short lines, then each other format once with smaller
 * files. `node dist/export.js [runs] [--size-mb N] [--seed N]`
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'size-mb': { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' } },
})
const runs = Number(positionals[0] ?? 3)
const [megabytes, seed] = [Number(values['size-mb']), Number(values.seed)]

interface Run extends Measured {
  readonly productsPerSecond: number
}

/** The last line of both contenders is JSON with the number of acknowledged products and the seconds. */
const runOf = async (args: readonly string[], cwd: string, expected: number): Promise<Run> => {
  const run = await measured([process.execPath, ...args], { cwd })
  const { delivered, seconds } = JSON.parse(run.stdout.trim().split('\n').at(-1) ?? '{}')
  if (delivered !== expected) throw new Error(`${delivered} of ${expected} products were delivered`)
  return { ...run, productsPerSecond: delivered / seconds }
}

/** Throws unless the topic contains exactly `keys` in order after its first `before` messages. */
const verify = async (broker: string, keys: readonly string[], before: number): Promise<void> => {
  const read: (string | null)[] = []
  await peekTopic(
    localCluster(broker),
    { from: 'beginning', limit: null, follow: false, signal: new AbortController().signal },
    ({ key }) => read.push(key),
  )
  const found = read.slice(before)
  if (found.length !== keys.length)
    throw new Error(`the topic contains ${found.length} of ${keys.length} messages`)
  const wrong = found.findIndex((key, index) => key !== keys[index])
  if (wrong >= 0) throw new Error(`message ${wrong} has the key ${found[wrong]}, not ${keys[wrong]}`)
}

/** The number of messages in the topic. */
let messages = 0

const compare = async (
  broker: ScratchBroker,
  folder: string,
  lines: ExportChoice['lines'],
): Promise<void> => {
  const [file, records] = [join(folder, `${lines}.jsonl`), join(folder, 'records.jsonl')]
  const codes = await writeExport(file, { megabytes, lines, seed })
  const keys = codes.map(code => normaliseCode(code) ?? '')
  const scrape = [offstream, 'scrape', '--source', 'export', '--file', file]
  const { stdout } = await measured([process.execPath, ...scrape, '--dry-run'], { cwd: broker.project })
  await writeFile(records, stdout)

  const contenders = [
    ['`offstream scrape --source export`', [...scrape, '--json']],
    [
      'kafkajs alone, messages in memory',
      [join(import.meta.dirname, 'kafkajsAlone.js'), broker.address, records],
    ],
  ] as const
  const results = contenders.map((): Run[] => [])
  for (let run = 0; run < runs; run += 1) {
    for (const [index, [, args]] of contenders.entries()) {
      results[index]?.push(await runOf(args, broker.project, keys.length))
      await verify(broker.address, keys, messages)
      messages += keys.length
    }
  }
  const { size } = await stat(file)
  print(
    `\n${(size / 1e6).toFixed(0)} MB, ${codes.length} products: ${(size / codes.length / 1_000).toFixed(1)} KB per line, ${(stdout.length / codes.length).toFixed(0)} bytes per message\n`,
  )
  print(
    table(
      ['', `products per second, median of ${runs} (min–max)`, 'processor seconds', 'peak resident MB'],
      contenders.map(([name], index) => {
        const all = results[index] ?? []
        return [
          name,
          shown(figureOf(all.map(({ productsPerSecond }) => productsPerSecond)), 0),
          shown(figureOf(all.map(({ cpuSeconds }) => cpuSeconds))),
          shown(figureOf(all.map(({ largestMegabytes }) => largestMegabytes)), 0),
        ]
      }),
    ),
  )
  await rm(file)
}

const productsOfOtherFormats = 20_000
const otherFormats = [
  'openfoodfacts-products.jsonl.gz',
  'en.openfoodfacts.org.products.csv.gz',
  'food.parquet',
]

/** The other formats of the stand-in site, with short lines, from disk. */
const measureOtherFormats = async (broker: ScratchBroker, folder: string): Promise<void> => {
  await using site = await startSite(productsOfOtherFormats)
  const rows: string[][] = []
  for (const name of otherFormats) {
    const file = join(folder, name)
    const { body } = await fetch(`${site.address}/data/${name}`)
    if (body === null) throw new Error(`the site has no \`${name}\``)
    await writeFile(file, body)
    const scrape = [offstream, 'scrape', '--source', 'export', '--file', file, '--json']
    const run = await runOf(scrape, broker.project, productsOfOtherFormats)
    const { size } = await stat(file)
    rows.push([
      `\`${name}\``,
      `${(size / 1e6).toFixed(1)} MB`,
      ...[run.productsPerSecond.toFixed(0), run.cpuSeconds.toFixed(1), run.largestMegabytes.toFixed(0)],
    ])
  }
  print(`\nOther formats, ${productsOfOtherFormats} products each, one run\n`)
  print(table(['', 'size', 'products per second', 'processor seconds', 'peak resident MB'], rows))
}

const folder = await mkdtemp(join(tmpdir(), 'offstream-export-'))
try {
  await using broker = await scratchBroker()
  print(machine())
  await compare(broker, folder, 'whole')
  await compare(broker, folder, 'short')
  await measureOtherFormats(broker, folder)
} finally {
  await rm(folder, { recursive: true, force: true })
}
