import type { Repair, RepairPlan } from '@offstream/pipeline'
import type { DefineCommand } from '../command.ts'
import type { Output } from '../output.ts'

const define: DefineCommand = (command, context) =>
  command
    .option('--dry-run', 'only show where the stream would continue')
    .addHelpText(
      'after',
      `
The checkpoint records how far the stream has read. If it is damaged, or belongs
to another topic or table, \`offstream submit\` fails with CHECKPOINT_DAMAGED.

Each snapshot of the table has the Kafka offsets up to which the table contains
all messages. This command writes a new checkpoint with the offsets of the
newest snapshot, so no message is skipped. Messages after them are read again,
which changes nothing. If no snapshot has offsets, the stream reads the topic
from its beginning. The previous checkpoint is moved to \`products.replaced\`.

The Thrift server must be running, and the stream must not.

Exit status: 0 rebuilt, 9 could not connect to the Thrift server, 13 the stream
is running.

Examples:
  offstream repair --dry-run
  offstream repair && offstream submit

Next: \`offstream submit\` starts the stream.`,
    )
    .action(async ({ dryRun = false }) => {
      const { output, pipeline, stack, signal } = context()
      const project = await stack()
      const done: RepairPlan | Repair = dryRun
        ? await pipeline.planRepair(project, signal)
        : await pipeline.repairCheckpoint(project, signal)
      output.result({ kind: 'repair', dryRun, snapshot: done.snapshot?.id ?? null, ...offsetsOf(done) }, () =>
        offsetsText(done, output),
      )
      output.note(
        dryRun
          ? 'Nothing was changed. Next: `offstream repair`'
          : 'The checkpoint is rebuilt; no message is skipped. Next: `offstream submit`',
      )
    })

/** The offsets of a repair, as JSON. */
export const offsetsOf = (plan: RepairPlan | Repair): Record<string, unknown> => ({
  inTable: plan.inTable,
  checkpoint: 'checkpoint' in plan ? plan.checkpoint : null,
})

/** For each partition: the offset up to which the table has all messages, and the one at which the stream continues. */
export const offsetsText = (plan: RepairPlan | Repair, output: Output): string => {
  const checkpoint = 'checkpoint' in plan ? plan.checkpoint : plan.inTable
  const rows = Object.entries(plan.inTable).flatMap(([topic, partitions]) =>
    Object.entries(partitions).map(([partition, offset]) => [
      topic,
      partition,
      String(offset),
      String(checkpoint[topic]?.[partition] ?? 0),
    ]),
  )
  if (rows.length === 0)
    return 'No snapshot of the table has offsets: the stream reads the topic from its beginning.'
  return output.table(['topic', 'partition', 'in the table up to', 'stream continues at'], rows)
}

export default define
