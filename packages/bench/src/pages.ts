import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { findChromium, normaliseCode } from '@offstream/pipeline'
import { type Contender, contenders } from './contenders.ts'
import type { Extract } from './extract.ts'
import { figureOf, machine, print, shown, table } from './figures.ts'
import { type Measured, measured } from './measured.ts'
import { startSite } from './siteProcess.ts'

/**
 * offstream, plain Playwright, crawlee and Scrapy with scrapy-playwright read all products of the stand-in site, lists
 * first. The runs are interleaved, use the same Chromium and no rate limit, and are measured from the start to the exit of
 * the process. All must print the same products. `node dist/pages.js [runs] [--pages N]`
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { pages: { type: 'string', default: '300' } },
})
const runs = Number(positionals[0] ?? 3)
const pages = Number(values.pages)

/** The printed products in order of their codes. Other lines, such as logs, are ignored. */
const productsIn = (stdout: string): string => {
  const lines = stdout.split('\n').filter(line => line.startsWith('{"code"'))
  const extracts = lines.map(line => extractOf(JSON.parse(line)))
  return extracts
    .sort((one, other) => (one.code < other.code ? -1 : 1))
    .map(each => JSON.stringify(each))
    .join('\n')
}

/** offstream prints whole records, the others only the compared fields. */
const extractOf = (line: Readonly<Record<string, unknown>>): Extract => ({
  code: normaliseCode(String(line['code'])) ?? '',
  name: textOf(line['product_name'] ?? line['name']),
  grade: textOf(line['nutriscore_grade'] ?? line['grade']),
  nova: Number(line['nova_group'] ?? line['nova']) || null,
  brands: textOf(line['brands']),
})

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null)

const race = async (all: readonly Contender[], folder: string): Promise<readonly Measured[][]> => {
  const results = all.map((): Measured[] => [])
  let expected: string | null = null
  for (let run = 0; run < runs; run += 1) {
    for (const [index, { name, command }] of all.entries()) {
      const scratch = await mkdtemp(join(folder, 'run-'))
      const result = await measured(command, {
        cwd: scratch,
        env: { CRAWLEE_STORAGE_DIR: join(scratch, 'storage') },
      })
      const products = productsIn(result.stdout)
      expected ??= products
      if (products.split('\n').length !== pages || products !== expected)
        throw new Error(`the output of ${name} differs: ${firstDifference(products, expected)}`)
      results[index]?.push(result)
    }
  }
  return results
}

const firstDifference = (products: string, expected: string): string => {
  const [lines, others] = [products.split('\n'), expected.split('\n')]
  const at = lines.findIndex((line, index) => line !== others[index])
  return `${lines.length} products of ${others.length}; ${lines[at]} instead of ${others[at]}`
}

const chromium = await findChromium()
if (chromium === null) throw new Error('this machine has no Chrome or Chromium')
const folder = await mkdtemp(join(tmpdir(), 'offstream-pages-'))
try {
  await using site = await startSite(pages)
  const all = await contenders(site.address, chromium, pages)
  print(machine())
  const results = await race(all, folder)
  const head = [
    `pages per second, median of ${runs} (min–max)`,
    'processor ms per page',
    'MB, peak of all processes',
  ]
  print(
    table(
      ['', ...head],
      all.map(({ name }, index) => {
        const figure = (of: (run: Measured) => number, digits: number) =>
          shown(figureOf((results[index] ?? []).map(of)), digits)
        return [
          name,
          figure(({ seconds }) => pages / seconds, 1),
          figure(({ cpuSeconds }) => (cpuSeconds / pages) * 1_000, 0),
          figure(({ peakMegabytes }) => peakMegabytes, 0),
        ]
      }),
    ),
  )
} finally {
  await rm(folder, { recursive: true, force: true })
}
