import { relative } from 'node:path'
import { configYaml, type Project, type SettingOrigin, settingsOf } from '@offstream/pipeline'
import type { DefineCommand } from '../commands.ts'
import { type Cell, table } from '../output.ts'

const define: DefineCommand = (command, context) => {
  command
    .addHelpText(
      'after',
      `
Settings are changed in \`offstream.yaml\`, which \`offstream init\` writes with all of them and their defaults, or for one
call with \`--set\`.

Example:
  offstream config show --sources`,
    )
    .command('show')
    .description('show every setting as it holds now')
    .option('--sources', 'a table instead: each setting, its value, and the place that it comes from')
    .addHelpText(
      'after',
      `
A setting comes from the first of these that has it: \`--set\` on the command line; the running stack, which keeps what it
was started with; the environment, such as OFFSTREAM_KAFKA_PORT; \`offstream.yaml\`; its default. What is written can be
used as an \`offstream.yaml\`.

Examples:
  offstream config show
  offstream config show --sources
  offstream config show --set thrift.cores=4 > copy.yaml`,
    )
    .action(async ({ sources = false }) => {
      const { output, project, written } = context()
      const shown = await project()
      const { file, config, origins } = shown
      output.result(
        { kind: 'config', file, config, ...(sources ? { sources: Object.fromEntries(origins) } : {}) },
        () => (sources ? sourcesTable(shown) : configYaml(config).trimEnd()),
      )
      const others = differing(shown, await written())
      if (others.length > 0)
        output.note(
          `The running stack was started with other values of ${others.map(path => `\`${path}\``).join(', ')} than are written now. After \`offstream down\`, the next \`offstream up\` takes what is written.`,
        )
    })
}

const sourcesTable = ({ config, origins }: Project): string =>
  table(
    ['setting', 'value', 'from'],
    [...settingsOf(config)].map(([path, value]) => [path, shown(value), originCell(origins.get(path))]),
  )

/** Lists and maps as one line. */
const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

const originCell = (origin: SettingOrigin | undefined): Cell => {
  if (origin === undefined || origin.kind === 'default') return { text: 'default', tone: 'quiet' }
  const near = relative(process.cwd(), origin.place)
  return origin.kind === 'file' && !near.startsWith('..') ? near : origin.place
}

/** The settings whose values differ. */
const differing = (one: Project, other: Project): string[] => {
  const others = settingsOf(other.config)
  return [...settingsOf(one.config)].flatMap(([path, value]) =>
    shown(others.get(path)) === shown(value) ? [] : [path],
  )
}

export default define
