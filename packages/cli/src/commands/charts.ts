import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Chart } from '@offstream/pipeline'
import type { DefineCommand } from '../command.ts'
import { CliError } from '../errors.ts'

const define: DefineCommand = (command, context) =>
  command
    .argument('[names...]', 'names of charts (default: all charts in the folder `charts`)')
    .option(
      '--output <folder>',
      'where to write the files (default: next to the charts of the project, or the current folder if it has none)',
    )
    .addHelpText(
      'after',
      `
A chart has two files: a SQL query (\`charts/<name>.sql\`) and a Vega-Lite
specification (\`charts/<name>.json\`). The Thrift server runs the query; the
chart is written as \`<name>.svg\`, which any browser displays.

Exit status: 0 drawn, 5 a chart is invalid, 9 could not connect to the Thrift
server.

Examples:
  offstream charts
  offstream charts nova-distribution --output /tmp

Next: \`offstream init\` copies the charts into your project, to edit them.`,
    )
    .action(async (names, options) => {
      const { output, pipeline, stack, signal } = context()
      const { directory, config } = await stack()
      const folder = pipeline.assetPath(directory, 'charts')
      const charts = selectCharts(await pipeline.listCharts(folder), names)
      // The charts of an installed offstream are in `node_modules`, where no drawings belong.
      const defaultFolder = folder === join(directory, 'charts') ? folder : '.'
      const target = resolve(options.output ?? defaultFolder)
      await mkdir(target, { recursive: true })
      const files: string[] = []
      for (const chart of charts) {
        output.live(`drawing ${chart.name}`)
        const result = await pipeline.query({ host: config.host, port: config.thrift.port }, chart.sql, {
          signal,
        })
        const file = join(target, `${chart.name}.svg`)
        await writeFile(file, await pipeline.renderChart(chart, result))
        files.push(file)
      }
      output.result({ kind: 'charts', files }, () => files.join('\n'))
      output.note('Next: open these files in a browser')
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
