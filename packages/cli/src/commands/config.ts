import { relative } from 'node:path'
import type { Project, SettingOrigin } from '@offstream/pipeline'
import type { DefineCommand } from '../command.ts'
import type { Cell } from '../output.ts'

const define: DefineCommand = (command, context) => {
  command
    .addHelpText(
      'after',
      `
Settings are changed in \`offstream.yaml\`, which \`offstream init\` writes with all
of them, each with its default and a word on what it is for; or for one call
with \`--set kafka.port=9093\`.

Examples:
  offstream config show
  offstream config show --sources`,
    )
    .command('show')
    .description('show every setting as it holds now')
    .option('--sources', 'a table of settings, values, and the place that each comes from')
    .addHelpText(
      'after',
      `
A setting comes from the first of these that has it:

  1. \`--set\` on the command line
  2. the running services, which keep what they were started with
  3. the environment, such as OFFSTREAM_KAFKA_PORT
  4. \`offstream.yaml\`
  5. its default

What is written can be used as an \`offstream.yaml\`.

Exit status: 0, or 5 where a setting is wrong; each is told with its line.

Examples:
  offstream config show
  offstream config show --sources
  offstream config show --set thrift.cores=4 > copy.yaml

Next: \`offstream up\`; services that run keep their settings until \`offstream
down\`.`,
    )
    .action(async ({ sources = false }) => {
      const { output, pipeline, project, written } = context()
      const shownOf = ({ config }: Project): Shown[] =>
        [...pipeline.settingsOf(config)].map(([path, value]) => [path, oneLine(value)])
      const now = await project()
      const { file, config, origins } = now
      output.result(
        { kind: 'config', file, config, ...(sources ? { sources: Object.fromEntries(origins) } : {}) },
        () =>
          sources
            ? output.table(
                ['setting', 'value', 'from'],
                shownOf(now).map(([path, value]) => [path, value, originCell(origins.get(path))]),
              )
            : pipeline.configYaml(config).trimEnd(),
      )
      const then = new Map(shownOf(await written()))
      const others = shownOf(now).flatMap(([path, value]) => (then.get(path) === value ? [] : [path]))
      if (others.length > 0)
        output.note(
          `The running stack was started with other values of ${others.map(path => `\`${path}\``).join(', ')} than are written now. After \`offstream down\`, the next \`offstream up\` takes what is written.`,
        )
    })
}

/** A setting's path and value. */
type Shown = readonly [path: string, value: string]

/** Lists and maps as one line. */
const oneLine = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

const originCell = (origin: SettingOrigin | undefined): Cell => {
  if (origin === undefined || origin.kind === 'default') return { text: 'default', tone: 'dim' }
  const near = relative(process.cwd(), origin.place)
  return origin.kind === 'file' && !near.startsWith('..') ? near : origin.place
}

export default define
