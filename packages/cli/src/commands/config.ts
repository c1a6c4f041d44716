import { relative } from 'node:path'
import type { Project, SettingOrigin } from '@offstream/pipeline'
import type { DefineCommand } from '../command.ts'
import type { Cell } from '../output.ts'

const define: DefineCommand = (command, context) => {
  command
    .addHelpText(
      'after',
      `
Change settings in \`offstream.yaml\`, or for one command with
\`--set kafka.port=9093\`. \`offstream init\` writes an \`offstream.yaml\` with every
setting, its default and a description.

Examples:
  offstream config show
  offstream config show --sources`,
    )
    .command('show')
    .description('show the value of every setting')
    .option('--sources', 'print a table of settings, values and where each value comes from')
    .addHelpText(
      'after',
      `
The value of a setting comes from the first of these that sets it:

  1. \`--set\` on the command line
  2. the running services, which keep the settings that they were started with
  3. the environment, for example OFFSTREAM_KAFKA_PORT
  4. the profile in \`offstream.yaml\` that \`--profile\` selects
  5. \`offstream.yaml\`, outside of profiles
  6. the default

The output is a valid \`offstream.yaml\`.

Exit status: 0 ok, 2 the profile does not exist, 5 a setting is invalid; the
error lists each with its line.

Examples:
  offstream config show
  offstream config show --sources
  offstream config show --sources --profile prod
  offstream config show --set thrift.cores=4 > copy.yaml

Next: \`offstream up\`. Running services keep their settings until
\`offstream down\`.`,
    )
    .action(async ({ sources = false }) => {
      const { output, pipeline, project, written } = context()
      const valuesOf = ({ config }: Project): PathAndValue[] =>
        [...pipeline.settingsOf(config)].map(([path, value]) => [path, oneLine(value)])
      const current = await project()
      const { file, profile, config, origins } = current
      output.result(
        {
          ...{ kind: 'config', file, ...(profile === null ? {} : { profile }), config },
          ...(sources ? { sources: Object.fromEntries(origins) } : {}),
        },
        () =>
          sources
            ? output.table(
                ['setting', 'value', 'from'],
                valuesOf(current).map(([path, value]) => [
                  path,
                  value,
                  originCell(origins.get(path), profile),
                ]),
              )
            : pipeline.configYaml(config).trimEnd(),
      )
      const configured = new Map(valuesOf(await written()))
      const others = valuesOf(current).flatMap(([path, value]) =>
        configured.get(path) === value ? [] : [path],
      )
      if (others.length > 0)
        output.note(
          `The running stack was started with different values for ${others.map(path => `\`${path}\``).join(', ')}. Run \`offstream down\`, then \`offstream up\`, to apply the changes.`,
        )
    })
}

type PathAndValue = readonly [path: string, value: string]

/** Lists and maps on one line. */
const oneLine = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

const originCell = (origin: SettingOrigin | undefined, profile: string | null): Cell => {
  if (origin === undefined || origin.kind === 'default') return { text: 'default', tone: 'dim' }
  if (origin.kind !== 'file' && origin.kind !== 'profile') return origin.place
  const path = relative(process.cwd(), origin.place)
  const place = path.startsWith('..') ? origin.place : path
  return origin.kind === 'profile' ? `${place} (profile ${profile})` : place
}

export default define
