import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Option } from '@commander-js/extra-typings'
import type { Chart, QueryResult } from '@offstream/pipeline'
import { chartFormats, chartThemes } from '@offstream/pipeline/names'
import type { DefineCommand } from '../command.ts'
import { CliError } from '../errors.ts'

const define: DefineCommand = (command, context) =>
  command
    .argument('[names...]', 'names of charts (default: all charts in the folder `charts`)')
    .addOption(
      new Option('--format <format>', 'the format of the charts')
        .choices(chartFormats)
        .default('svg' as const),
    )
    .addOption(
      new Option('--theme <theme>', 'for a light or a dark background')
        .choices(chartThemes)
        .default('light' as const),
    )
    .option(
      '--output <folder>',
      'where to write the files (default: next to the charts of the project, or the current folder if it has none; --format text is printed)',
    )
    .addHelpText(
      'after',
      `
A chart has two files: a SQL query (\`charts/<name>.sql\`) and a Vega-Lite
specification (\`charts/<name>.json\`). The Thrift server runs the query; the
chart is written as \`<name>.svg\`, which any browser displays; with
\`--theme dark\` as \`<name>-dark.svg\`.

Formats: \`png\` for slides and messages, with the font Inter; \`html\` is a page
with the chart, its rows and its SQL; \`vega\` is the specification with the
rows, for the Vega editor; \`text\` is a bar chart in the terminal.

Exit status: 0 drawn, 5 a chart is invalid, 9 could not connect to the Thrift
server.

Examples:
  offstream charts
  offstream charts nova-distribution --format text
  offstream charts nutri-score-by-nova --format png --theme dark --output /tmp

Next: \`offstream init\` copies the charts into your project, to edit them.`,
    )
    .action(async (names, { format, theme, output: folder }) => {
      const { output, pipeline, stack, signal } = context()
      const { directory, config, state } = await stack()
      const source = pipeline.assetPath(directory, 'charts')
      const charts = selectCharts(await pipeline.listCharts(source), names)
      const thrift = await pipeline.thriftOf(config, state)
      const rowsOf = (chart: Chart): Promise<QueryResult> => {
        output.live(`querying the rows of ${chart.name}`)
        return pipeline.query(thrift, chart.sql, { signal })
      }

      if (format === 'text' && folder === undefined) {
        const drawn: { readonly value: object; readonly text: string }[] = []
        for (const chart of charts) {
          const result = await rowsOf(chart)
          const text = pipeline.textChart(chart, result, Math.min(output.dataWidth ?? 80, 120))
          drawn.push({ value: jsonOf(chart.name, pipeline.titleOf(chart), result), text })
        }
        output.result({ kind: 'charts', charts: drawn.map(({ value }) => value) }, () =>
          drawn.map(({ text }) => text).join('\n\n'),
        )
        return
      }

      // The charts of an installed offstream are in `node_modules`, where no drawings belong.
      const target = resolve(folder ?? (source === join(directory, 'charts') ? source : '.'))
      await mkdir(target, { recursive: true })
      const files: string[] = []
      for (const chart of charts) {
        const result = await rowsOf(chart)
        output.live(`drawing ${chart.name}`)
        const file = join(target, pipeline.chartFile(chart.name, { format, theme }))
        await writeFile(file, await pipeline.drawChart(chart, result, { format, theme }))
        files.push(file)
      }
      output.result({ kind: 'charts', files }, () => files.join('\n'))
      output.note(format === 'vega' ? 'Next: open these files in vega.github.io/editor' : nextStep)
    })

const nextStep = 'Next: open these files in a browser'

const jsonOf = (name: string, title: string, { columns, rows }: QueryResult): object => ({
  name,
  title,
  rows: rows.map(row => Object.fromEntries(columns.map((column, at) => [column.name, row[at]]))),
})

const selectCharts = (charts: readonly Chart[], names: readonly string[]): readonly Chart[] =>
  names.length === 0
    ? charts
    : names.map(name => charts.find(chart => chart.name === name) ?? unknown(name, charts))

const unknown = (name: string, charts: readonly Chart[]): never => {
  throw new CliError('CHART_UNKNOWN', `Chart \`${name}\` does not exist`, {
    hint: `use one of ${charts.map(chart => `\`${chart.name}\``).join(', ')}`,
  })
}

export default define
