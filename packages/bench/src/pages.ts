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
 * All products of the stand-in site, lists first, read by offstream, by plain Playwright, by crawlee and by Scrapy with
 * scrapy-playwright: interleaved, with one Chromium and without any pace, each from the start of its process to the
 * end of the last. All must tell the same of every product. `node dist/pages.js [runs] [--pages N]`
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { pages: { type: 'string', default: '300' } },
})
const runs = Number(positionals[0] ?? 3)
const pages = Number(values.pages)

/** What a contender told, by code, as one text: lines of anything else, such as a log, are left out. */
const told = (stdout: string): string => {
  const lines = stdout.split('\n').filter(line => line.startsWith('{"code"'))
  const extracts = lines.map(line => extractOf(JSON.parse(line)))
  return extracts
    .sort((one, other) => (one.code < other.code ? -1 : 1))
    .map(each => JSON.stringify(each))
    .join('\n')
}

/** offstream writes whole records; the others write what is compared. */
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
  let truth: string | null = null
  for (let run = 0; run < runs; run += 1) {
    for (const [index, { name, command }] of all.entries()) {
      const scratch = await mkdtemp(join(folder, 'run-'))
      const result = await measured(command, {
        cwd: scratch,
        env: { CRAWLEE_STORAGE_DIR: join(scratch, 'storage') },
      })
      const got = told(result.stdout)
      truth ??= got
      if (got.split('\n').length !== pages || got !== truth)
        throw new Error(`${name} tells something else: ${firstDifference(got, truth)}`)
      results[index]?.push(result)
    }
  }
  return results
}

const firstDifference = (got: string, truth: string): string => {
  const [lines, others] = [got.split('\n'), truth.split('\n')]
  const at = lines.findIndex((line, index) => line !== others[index])
  return `${lines.length} products of ${others.length}; ${lines[at]} instead of ${others[at]}`
}

const chromium = await findChromium()
if (chromium === null) throw new Error('there is no Chrome or Chromium on this machine')
const folder = await mkdtemp(join(tmpdir(), 'offstream-pages-'))
try {
  await using site = await startSite(pages)
  const all = await contenders(site.address, chromium, pages)
  print(machine())
  const results = await race(all, folder)
  const head = [
    `pages a second, median of ${runs} (least–most)`,
    'processor ms a page',
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
