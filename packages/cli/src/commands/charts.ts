import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Chart } from '@offstream/pipeline'
import type { DefineCommand } from '../command.ts'
import { CliError } from '../errors.ts'

const define: DefineCommand = (command, context) =>
  command
    .argument('[names...]', 'the charts to draw (default: all of the folder `charts`)')
    .option(
      '--output <folder>',
      'where the drawings go (default: beside the charts of the project, else here)',
    )
    .addHelpText(
      'after',
      `
A chart is a SQL question (\`charts/<name>.sql\`) and a drawing of its answer in
the language Vega-Lite (\`charts/<name>.json\`). The Thrift server answers the
question; the drawing is written as \`<name>.svg\`, which every browser shows.

Exit status: 0 drawn, 5 a chart's files are wrong, 9 no Thrift server answers.

Examples:
  offstream charts
  offstream charts nova-distribution --output /tmp

Next: \`offstream init\` copies the charts, for you to change.`,
    )
    .action(async (names, options) => {
      const { output, pipeline, stack, signal } = context()
      const { directory, config } = await stack()
      const folder = pipeline.assetPath(directory, 'charts')
      const charts = chosen(await pipeline.listCharts(folder), names)
      // Charts that come with an installed offstream lie in `node_modules`.
      const beside = folder === join(directory, 'charts') ? folder : '.'
      const target = resolve(options.output ?? beside)
      await mkdir(target, { recursive: true })
      const files: string[] = []
      for (const chart of charts) {
        output.live(`drawing ${chart.name}`)
        const answer = await pipeline.query({ host: config.host, port: config.thrift.port }, chart.sql, {
          signal,
        })
        const file = join(target, `${chart.name}.svg`)
        await writeFile(file, await pipeline.renderChart(chart, answer))
        files.push(file)
      }
      output.result({ kind: 'charts', files }, () => files.join('\n'))
    })

const chosen = (charts: readonly Chart[], names: readonly string[]): readonly Chart[] =>
  names.length === 0
    ? charts
    : names.map(name => charts.find(chart => chart.name === name) ?? unknown(name, charts))

const unknown = (name: string, charts: readonly Chart[]): never => {
  throw new CliError('CHART_UNKNOWN', `There is no chart \`${name}\``, {
    hint: `there are ${charts.map(chart => `\`${chart.name}\``).join(', ')}`,
  })
}

export default define
