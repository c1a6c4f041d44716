import type { Command } from '@commander-js/extra-typings'
import type { MigrationStep } from '@offstream/pipeline'
import type { DefineCommand, MakeContext } from '../command.ts'
import { plural } from '../format.ts'

const define: DefineCommand = (command, context) => {
  command.addHelpText(
    'after',
    `
The tables are files in a warehouse, and a catalog says which files are the
current ones. \`lake.catalog\` and \`lake.warehouse\` choose them.

Example:
  offstream lake migrate --to shared

Next: \`offstream table\` shows the tables.`,
  )
  addMigrate(command, context)
}

const addMigrate = (command: Command, context: MakeContext) =>
  command
    .command('migrate')
    .description('move the tables to the catalog and the warehouse of a profile, and compare all rows')
    .requiredOption('--to <profile>', 'the profile of `offstream.yaml` whose `lake` section gets the tables')
    .addHelpText(
      'after',
      `
If both have the same warehouse, the files stay, and only the entries of the
catalog move. Otherwise all rows are copied, and the old tables stay until you
delete them. The offsets of Kafka move with the tables.

Then the number of rows and a checksum of all values are compared. If they
differ, the new tables are deleted. If the command is killed, run it again
before a stream uses the tables: it continues.

Tables that your own jobs have created stay in the old catalog; the output lists
them.

No stream may write either of the tables: run \`offstream down\` first. The
command downloads jars that the new catalog needs.

Exit status: 0 moved, 9 could not connect, 10 nothing to move, or the new
catalog already has rows or denies access, 12 it failed, 13 a stream is running.

Example:
  offstream lake migrate --to shared && offstream --profile shared up

Next: \`offstream --profile <profile> up\` uses the new tables.`,
    )
    .action(async ({ to }) => {
      const { output, pipeline, project, projectOf, fetchRuntimes, signal } = context()
      const [from, target] = [await project(), await projectOf(to)]
      const onStep = ({ step, table }: MigrationStep) =>
        output.event({ kind: 'migrating', step, table }, `${doing[step]} ${table}`)
      const { tables, others } = await pipeline.migrateLake({
        ...{ from, to: target, fetchRuntimes, onStep, signal },
      })
      const places = { from: pipeline.lakePlace(from), to: pipeline.lakePlace(target) }
      output.result({ kind: 'migration', profile: to, ...places, tables, others }, () =>
        output.table(
          ['table', 'moved by', 'rows', 'checksum, equal before and after'],
          tables.map(({ name, by, rows, checksum }) => [name, by, String(rows), checksum]),
        ),
      )
      if (others.length > 0)
        output.note(
          `Tables that your own jobs have created were not moved: ${others.map(name => `\`${name}\``).join(', ')}. Run these jobs again with the profile`,
        )
      const rows = plural(
        tables.reduce((sum, table) => sum + table.rows, 0),
        'row',
      )
      output.note(
        `${rows} moved from \`${places.from.catalog}\` to \`${places.to.catalog}\`. Next: \`offstream --profile ${to} up\``,
      )
    })

const doing: Readonly<Record<MigrationStep['step'], string>> = {
  register: 'Registering',
  copy: 'Copying',
  compare: 'Comparing the rows of',
}

export default define
