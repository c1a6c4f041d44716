import { join } from 'node:path'
import { Argument } from '@commander-js/extra-typings'
import type { Config, Guide, Place } from '@offstream/pipeline'
import { connectTools } from '@offstream/pipeline/names'
import type { DefineCommand } from '../command.ts'

const define: DefineCommand = (command, context) =>
  command
    .addArgument(new Argument('[tool]', 'the tool to connect').choices(connectTools))
    .addHelpText(
      'after',
      `
Prints the settings, the steps and complete scripts for a tool, with the
addresses and the folders of this stack. Without a tool, lists the tools. They
name the environment variable with the password, never the password itself.

duckdb, polars and one of the scripts for python read the Iceberg table without
Spark. The others connect to the Thrift server, which must be running.

Exit status: 0 printed, 2 unknown tool.

Examples:
  offstream connect
  offstream connect python
  offstream connect dbt --json

Next: docs/sql.md lists the tested tools and versions.`,
    )
    .action(async tool => {
      const { output, pipeline, project } = context()
      const { state, config } = await project()
      const directories = pipeline.directoriesOf(state)
      const running = await pipeline.readStack(state)
      const rest = pipeline.readerLogin(config, state)
      const place = {
        ...{ host: pipeline.thriftHost(config), port: config.thrift.port },
        warehouse: pipeline.warehouseOf(config, directories),
        catalog: pipeline.catalogAddress(config, directories),
        catalogUser: rest === null ? config.lake.catalog.user : null,
        rest,
        store: pipeline.readerProperties(config),
        login: loginOf(config),
        tls: pipeline.thriftTls(config, state),
        beeline: running === null ? null : join(running.runtimes.sparkHome, 'bin', 'beeline'),
      }
      if (tool === undefined) {
        const guides = connectTools.map(name => pipeline.guideFor(name, place))
        output.result({ kind: 'connect', guides }, () =>
          output.table(
            ['tool', 'connects to'],
            guides.map(({ tool, settings }) => [tool, Object.values(settings)[0] ?? '']),
          ),
        )
        output.note('Next: `offstream connect <tool>` prints the steps')
        return
      }
      const guide = pipeline.guideFor(tool, place)
      output.result({ kind: 'connect', ...guide }, () => textOf(guide))
    })

const loginOf = ({ thrift: { auth } }: Config): Place['login'] =>
  auth.username === null ? null : { username: auth.username, passwordVariable: auth.passwordVariable }

const textOf = ({ title, settings, steps, samples }: Guide): string =>
  [
    title,
    '',
    ...columns(Object.entries(settings)),
    '',
    ...steps.map((step, at) => `${at + 1}. ${step}`),
    ...samples.flatMap(({ name, text }) => ['', `# ${name}`, text.trimEnd()]),
  ].join('\n')

const columns = (settings: readonly (readonly [string, string])[]): string[] => {
  const width = Math.max(...settings.map(([label]) => label.length))
  return settings.map(([label, value]) => `${label.padEnd(width)}  ${value}`)
}

export default define
