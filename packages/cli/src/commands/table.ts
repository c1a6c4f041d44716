import { type Command, InvalidArgumentError, Option } from '@commander-js/extra-typings'
import type { RollbackPlan, Snapshot, TableOverview } from '@offstream/pipeline'
import type { OffstreamError } from '@offstream/runtime/errors'
import type { DefineCommand, MakeContext } from '../command.ts'
import { CliError } from '../errors.ts'
import { formatBytes, plural } from '../format.ts'
import { positiveInteger } from '../optionValues.ts'
import type { Output } from '../output.ts'
import { canPrompt, confirmLoss } from '../prompts.ts'
import { offsetsOf, offsetsText } from './repair.ts'

const define: DefineCommand = (command, context) => {
  command
    .addHelpText(
      'after',
      `
Without a subcommand it shows the size of the tables: \`lake.off.products\` has
a row for each product, including deleted ones, and \`lake.off.rejected\` one
for each message that is not a product.

Each batch of the stream adds files, and a snapshot, which is a version of the
table. While it writes, the stream also merges small files and deletes old
snapshots.

Exit status: 0 ok, 9 could not connect to the Thrift server, 12 a table was
dropped.

Examples:
  offstream table
  offstream table history --limit 5

Next: \`offstream table history\` lists the snapshots.`,
    )
    .action(async () => {
      const { output, pipeline, thrift, signal } = await withThrift(context)
      const tables = await pipeline.describeTables(thrift, { signal })
      output.result({ kind: 'table', tables }, () => tablesText(tables, output))
    })
  addHistory(command, context)
  addRollback(command, context)
  addOptimize(command, context)
}

const addHistory = (command: Command, context: MakeContext) =>
  command
    .command('history')
    .description('list the snapshots of the table of products')
    .addOption(new Option('--limit <number>', 'number of snapshots').argParser(positiveInteger).default(20))
    .addHelpText(
      'after',
      `
Shows the newest snapshots first. \`*\` marks the current one. \`batch\` is the
batch of the stream that wrote it, and \`offsets\` are those of Kafka after it:
all messages before them are in the table. Snapshots of SQL statements have
none. All but the newest snapshots expire after a few minutes.

Example:
  offstream table history --limit 5

Next: \`offstream table rollback --to <snapshot>\` makes one current again.`,
    )
    .action(async ({ limit }) => {
      const { output, pipeline, thrift, signal } = await withThrift(context)
      const { snapshots, current } = await pipeline.readHistory(thrift, { signal })
      const ancestors = new Set(current.map(({ id }) => id))
      const shown = snapshots.slice(0, limit).map(snapshot => ({
        ...snapshot,
        isCurrent: snapshot.id === current[0]?.id,
        isInHistory: ancestors.has(snapshot.id),
      }))
      output.result({ kind: 'history', snapshots: shown, total: snapshots.length }, () =>
        output.table(
          ['', 'snapshot', 'committed', 'operation', 'batch', 'offsets', 'added', 'deleted'],
          shown.map(snapshot => [
            snapshot.isCurrent ? '*' : '',
            snapshot.isInHistory ? snapshot.id : { text: snapshot.id, tone: 'dim' },
            ...[snapshot.committedAt, snapshot.operation, String(snapshot.batchId ?? '')],
            ...[offsetsOfSnapshot(snapshot), String(snapshot.addedRows), String(snapshot.deletedRows)],
          ]),
        ),
      )
    })

const addRollback = (command: Command, context: MakeContext) =>
  command
    .command('rollback')
    .description('make an older snapshot of the table of products the current one')
    .requiredOption('--to <snapshot>', 'the id of a snapshot, from `offstream table history`', snapshotId)
    .option('--dry-run', 'only show what would be undone')
    .option('--yes', 'do not prompt for confirmation')
    .addHelpText(
      'after',
      `
The rows of newer snapshots disappear, and the checkpoint of the stream is
rewound to the offsets of that snapshot: the next \`offstream submit\` reads the
messages after them again. So this undoes changes by SQL statements and by a
faulty version of the stream; products that are wrong in the topic return. The
table of rejected messages stays as it is.

The Thrift server must be running, and the stream must not.

Exit status: 0 rolled back, 2 unknown snapshot, or no terminal for the
confirmation, 13 the stream is running, 130 not confirmed.

Examples:
  offstream table rollback --to 5937117119577207000 --dry-run
  offstream table rollback --to 5937117119577207000 --yes

Next: \`offstream submit\` starts the stream.`,
    )
    .action(async ({ to, dryRun = false, yes = false }) => {
      const { output, pipeline, project, signal } = await withThrift(context)
      const plan = await pipeline.planRollback(project, to, signal)
      if (!dryRun && !yes) {
        if (!canPrompt({ output })) throw needsConfirmation(plan)
        output.note(`${undoneText(plan)}\n`)
        if (!(await confirmLoss('Roll the table back?', signal))) throw notConfirmed()
      }
      const done = dryRun ? plan : await pipeline.rollBack(project, plan, signal)
      output.result(
        {
          ...{ kind: 'rollback', dryRun, snapshot: plan.target.id, undone: plan.undone.map(({ id }) => id) },
          ...offsetsOf(done),
        },
        () => offsetsText(done, output),
      )
      output.note(
        dryRun
          ? `${undoneText(plan)} Nothing was changed.`
          : 'The table is rolled back, and the checkpoint is rewound. Next: `offstream submit`',
      )
    })

const addOptimize = (command: Command, context: MakeContext) =>
  command
    .command('optimize')
    .description('rewrite all files of the tables into few large ones')
    .addHelpText(
      'after',
      `
Queries are faster with few files, and without files that mark rows as deleted.
The stream only merges small files; this command rewrites all of them.

If the stream is running, it rewrites the files between two batches, and the
next batch waits. Otherwise the Thrift server does it; do not start the stream
until it has finished.

Exit status: 0 done, 9 could not connect to the Thrift server, 12 it failed;
then the tables are as before.

Example:
  offstream table optimize

Next: \`offstream table\` shows the number of files.`,
    )
    .action(async () => {
      const { output, pipeline, project, thrift, signal } = await withThrift(context)
      const before = await pipeline.describeTables(thrift, { signal })
      output.live('rewriting')
      const by = await pipeline.optimizeTables(project, signal)
      const after = await pipeline.describeTables(thrift, { signal })
      output.result({ kind: 'optimize', by, before, after }, () => tablesText(after, output))
      output.note(`${filesOf(before)} before, ${filesOf(after)} now. Next: \`offstream table\``)
    })

const filesOf = (tables: readonly TableOverview[]): string =>
  plural(
    tables.reduce((sum, { dataFiles, deleteFiles }) => sum + dataFiles + deleteFiles, 0),
    'file',
  )

/** Parts of the context, and the address of the Thrift server. */
const withThrift = async (context: MakeContext) => {
  const { output, pipeline, signal, stack } = context()
  const project = await stack()
  const thrift = await pipeline.thriftOf(project.config, project.state)
  return { output, pipeline, signal, project, thrift }
}

const tablesText = (tables: readonly TableOverview[], output: Output): string =>
  output.table(
    ['table', 'rows', 'data files', 'delete files', 'size', 'snapshots', 'last commit'],
    tables.map(({ name, rows, dataFiles, deleteFiles, bytes, snapshots, lastCommitAt }) => [
      ...[name, String(rows), String(dataFiles), String(deleteFiles), formatBytes(bytes)],
      ...[String(snapshots), lastCommitAt ?? 'never'],
    ]),
  )

const offsetsOfSnapshot = ({ offsets }: Snapshot): string =>
  Object.values(offsets ?? {})
    .flatMap(partitions => Object.entries(partitions).map(([partition, offset]) => `${partition}:${offset}`))
    .join(' ')

const undoneText = ({ target, undone }: RollbackPlan): string =>
  `${plural(undone.length, 'snapshot')} after ${target.committedAt} would be undone.`

const snapshotId = (text: string): string => {
  if (!/^\d{1,19}$/.test(text)) throw new InvalidArgumentError('It must be the id of a snapshot.')
  return text
}

const needsConfirmation = (plan: RollbackPlan): OffstreamError =>
  new CliError('CONFIRMATION_REQUIRED', `${undoneText(plan)} Confirmation requires a terminal`, {
    hint: 'check with `--dry-run`, then add `--yes`',
  })

const notConfirmed = (): OffstreamError =>
  new CliError('NOT_CONFIRMED', 'Not confirmed; the table was not changed', {
    hint: 'answer `y` to roll it back, or use `--yes`',
  })

export default define
