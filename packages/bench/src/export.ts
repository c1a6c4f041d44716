import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { normaliseCode, peekTopic } from '@offstream/pipeline'
import { type ScratchBroker, scratchBroker } from './broker.ts'
import { figureOf, machine, print, shown, table } from './figures.ts'
import { type Measured, measured } from './measured.ts'
import { offstream, startSite } from './siteProcess.ts'
import { type ExportChoice, writeExport } from './syntheticExport.ts'

/**
 * A synthetic export of 1 GB goes through `offstream scrape --source export` to Kafka's acknowledgement, beside
 * kafkajs alone with the same messages: interleaved, to a broker as `offstream up` starts it. After each run the topic
 * must have got exactly the products of the file, in its order. Once with lines as long as the real export's, once
 * with short ones; then each other form of export once, from smaller files. `node dist/export.js [runs] [--size-mb N] [--seed N]`
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'size-mb': { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' } },
})
const runs = Number(positionals[0] ?? 3)
const [megabytes, seed] = [Number(values['size-mb']), Number(values.seed)]

interface Run extends Measured {
  readonly productsASecond: number
}

/** Both contenders end with a line of JSON that tells how many products were acknowledged in how many seconds. */
const runOf = async (args: readonly string[], cwd: string, expected: number): Promise<Run> => {
  const run = await measured([process.execPath, ...args], { cwd })
  const { delivered, seconds } = JSON.parse(run.stdout.trim().split('\n').at(-1) ?? '{}')
  if (delivered !== expected) throw new Error(`${delivered} of ${expected} products were delivered`)
  return { ...run, productsASecond: delivered / seconds }
}

/** Throws unless the topic holds exactly `keys`, in their order, after its first `before` messages. */
const verify = async (broker: string, keys: readonly string[], before: number): Promise<void> => {
  const got: (string | null)[] = []
  await peekTopic(
    broker,
    { from: 'beginning', limit: null, follow: false, signal: new AbortController().signal },
    ({ key }) => got.push(key),
  )
  const found = got.slice(before)
  if (found.length !== keys.length)
    throw new Error(`the topic got ${found.length} of ${keys.length} messages`)
  const wrong = found.findIndex((key, index) => key !== keys[index])
  if (wrong >= 0) throw new Error(`message ${wrong} has the key ${found[wrong]}, not ${keys[wrong]}`)
}

/** How many the topic has by now. */
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
      'kafkajs alone, the messages in memory',
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
    `\n${(size / 1e6).toFixed(0)} MB, ${codes.length} products: ${(size / codes.length / 1_000).toFixed(1)} KB a line, ${(stdout.length / codes.length).toFixed(0)} bytes a message\n`,
  )
  print(
    table(
      ['', `products a second, median of ${runs} (least–most)`, 'processor seconds', 'resident MB, peak'],
      contenders.map(([name], index) => {
        const all = results[index] ?? []
        return [
          name,
          shown(figureOf(all.map(({ productsASecond }) => productsASecond)), 0),
          shown(figureOf(all.map(({ cpuSeconds }) => cpuSeconds))),
          shown(figureOf(all.map(({ largestMegabytes }) => largestMegabytes)), 0),
        ]
      }),
    ),
  )
  await rm(file)
}

const productsOfOtherForms = 20_000
const otherForms = ['openfoodfacts-products.jsonl.gz', 'en.openfoodfacts.org.products.csv.gz', 'food.parquet']

/** The forms that the stand-in site serves, with short lines; read from the disk. */
const measureOtherForms = async (broker: ScratchBroker, folder: string): Promise<void> => {
  await using site = await startSite(productsOfOtherForms)
  const rows: string[][] = []
  for (const name of otherForms) {
    const file = join(folder, name)
    const { body } = await fetch(`${site.address}/data/${name}`)
    if (body === null) throw new Error(`the site has no \`${name}\``)
    await writeFile(file, body)
    const scrape = [offstream, 'scrape', '--source', 'export', '--file', file, '--json']
    const run = await runOf(scrape, broker.project, productsOfOtherForms)
    const { size } = await stat(file)
    rows.push([
      `\`${name}\``,
      `${(size / 1e6).toFixed(1)} MB`,
      ...[run.productsASecond.toFixed(0), run.cpuSeconds.toFixed(1), run.largestMegabytes.toFixed(0)],
    ])
  }
  print(`\nOther forms, ${productsOfOtherForms} products each, one run\n`)
  print(table(['', 'size', 'products a second', 'processor seconds', 'resident MB, peak'], rows))
}

const folder = await mkdtemp(join(tmpdir(), 'offstream-export-'))
try {
  await using broker = await scratchBroker()
  print(machine())
  await compare(broker, folder, 'whole')
  await compare(broker, folder, 'short')
  await measureOtherForms(broker, folder)
} finally {
  await rm(folder, { recursive: true, force: true })
}
