import type { ChartTheme } from '../names.ts'
import type { QueryResult } from '../table.ts'
import { type Chart, sourceOf } from './charts.ts'
import { escapeXml } from './escapeXml.ts'
import { numericTypes, renderChart, titleOf } from './render.ts'
import { fontFamily, palettes } from './theme.ts'

/**
 * A chart as one HTML page that loads nothing: the drawing, its rows as a table, and its SQL.
 * @throws OffstreamError CHART_INVALID as `renderChart`
 */
export const chartPage = async (chart: Chart, result: QueryResult, theme: ChartTheme): Promise<string> => {
  const { paper, ink, muted, line } = palettes[theme]
  const title = escapeXml(titleOf(chart))
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; background: ${paper}; color: ${ink}; font: 1rem/1.5 ${fontFamily} }
svg { max-width: 100%; height: auto }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums }
th, td { padding: .25rem 1rem .25rem 0; border-bottom: 1px solid ${line}; text-align: left }
.number { text-align: right }
summary { cursor: pointer; padding: .5rem 0 }
pre { overflow-x: auto; font-size: .8125rem }
footer { color: ${muted}; font-size: .8125rem }
a { color: inherit }
</style>
<main>
${await renderChart(chart, result, theme)}<details>
<summary>Rows</summary>
${rowsTable(result)}
</details>
<details>
<summary>SQL</summary>
<pre>${escapeXml(chart.sql)}</pre>
</details>
</main>
<footer>Data: ${sourceText(sourceOf(chart))}</footer>
</html>
`
}

const sourceText = (source: string | null): string =>
  source === null
    ? '© <a href="https://world.openfoodfacts.org">Open Food Facts</a> contributors, <a href="https://opendatacommons.org/licenses/odbl/1-0/">Open Database License</a>'
    : escapeXml(source)

const rowsTable = ({ columns, rows }: QueryResult): string => {
  const classes = columns.map(({ type }) => (numericTypes.has(type) ? ' class="number"' : ''))
  const line = (tag: string, cells: readonly unknown[]): string =>
    `<tr>${cells.map((cell, at) => `<${tag}${classes[at]}>${escapeXml(String(cell ?? ''))}</${tag}>`).join('')}</tr>`
  return [
    '<table>',
    line(
      'th',
      columns.map(({ name }) => name),
    ),
    ...rows.map(row => line('td', row)),
    '</table>',
  ].join('\n')
}
