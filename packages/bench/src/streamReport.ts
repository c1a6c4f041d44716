import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { print } from './figures.ts'
import type { Scenario } from './scenario.ts'
import { scenarios } from './scenarios.ts'
import { drawResults } from './streamChart.ts'
import { insertSection, readResults, resultTable, type StoredResults } from './streamResults.ts'

/**
 * Writes the stored results of the stream into docs/performance.md, with a chart for each scenario.
 * `node dist/streamReport.js [--results <folder>] [--docs <folder>]`
 */
const root = join(import.meta.dirname, '../../..')
const { values } = parseArgs({
  options: {
    results: { type: 'string', default: join(root, '.bench') },
    docs: { type: 'string', default: join(root, 'docs') },
  },
})

const sectionOf = (name: string, scenario: Scenario, results: StoredResults): string =>
  [
    `### ${scenario.title}`,
    scenario.description,
    `\`stream.js ${name}\` on ${results.startedAt.slice(0, 10)}: ${sizesText(results)}. ${results.machine}.`,
    resultTable(results.runs, scenario.columns),
    ...results.failures.map(
      ({ contender, reason }) => `A run of ${contender} failed: ${reason.split('\n')[0]}`,
    ),
    `![${scenario.title}](performance/${name}.svg)`,
  ].join('\n\n')

const sizesText = ({ sizes }: StoredResults): string =>
  Object.entries(sizes)
    .filter(([, value]) => value > 0)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')

const charts = join(values.docs, 'performance')
await mkdir(charts, { recursive: true })
const sections: string[] = []
for (const [name, scenario] of Object.entries(scenarios)) {
  const results = await readResults(join(values.results, `${name}.json`)).catch(() => null)
  if (results === null) {
    print(`no results of ${name}`)
    continue
  }
  sections.push(sectionOf(name, scenario, results))
  await writeFile(join(charts, `${name}.svg`), await drawResults(results, scenario.chart))
}
const document = join(values.docs, 'performance.md')
await writeFile(document, insertSection(await readFile(document, 'utf8'), sections.join('\n\n')))
print(`wrote ${sections.length} sections to ${document}`)
