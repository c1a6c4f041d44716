import type { ResetChoice, ResetItem } from '@offstream/pipeline'
import type { OffstreamError } from '@offstream/runtime/errors'
import type { DefineCommand } from '../command.ts'
import { CliError } from '../errors.ts'
import { formatBytes } from '../format.ts'
import type { Output } from '../output.ts'
import { canPrompt, confirmLoss } from '../prompts.ts'

const define: DefineCommand = (command, context) =>
  command
    .option('--table', 'the rows of the table; the job refills it from the topic')
    .option(
      '--checkpoint',
      'the position of the job in the topic; the job reads the topic again, no row changes',
    )
    .option('--topic', 'the messages, and the positions of the job and of scrapes; the rows stay')
    .option('--all', 'all of these, plus logs and work folders')
    .option('--dry-run', 'only show what would be deleted, with sizes')
    .option('--yes', 'do not prompt')
    .addHelpText(
      'after',
      `
Deletes data permanently. Settings, charts and the downloaded Spark and Kafka
stay. Data that depends on deleted data is deleted too. The services must be
stopped: run \`offstream down\` first. With \`lake.catalog.uri\` the tables are
never deleted, because others may use them. With \`stream.checkpoint\` the next
start of the job moves that checkpoint aside. If a reset is killed, the next
\`offstream reset\` or \`offstream up\` completes it.

Exit status: 0 deleted, 2 nothing selected, or no terminal for the confirmation,
10 the tables are elsewhere, 13 services are running, 130 not confirmed.

Examples:
  offstream reset --all --dry-run
  offstream down && offstream reset --table && offstream up
  offstream reset --all --yes      (in a script, without a prompt)

Next: \`offstream up\` continues with the remaining data.`,
    )
    .action(async ({ dryRun = false, yes = false, ...options }) => {
      const { output, pipeline, signal, project } = context()
      const choices = pipeline.resetChoices.filter(choice => options[choice])
      if (choices.length === 0) throw nothingSelected()
      const { state, config } = await project()
      if (options.table && pipeline.isLakeExternal(config)) throw tableElsewhere()
      // Complete a killed reset first: the plan would not include what it has moved away.
      if (!dryRun) await pipeline.finishReset(state)
      const { items } = await pipeline.planReset(state, choices)
      const isEmpty = items.length === 0 && config.stream.checkpoint === null
      if (dryRun || isEmpty) {
        output.result(resultOf(choices, [], items), () => (isEmpty ? '' : listOf(items, output)))
        if (isEmpty) output.note('Nothing to delete.')
        else if ((await pipeline.requestedServices(state)).length > 0)
          output.note('Services are running. Next: `offstream down`')
        return
      }
      if (!yes) {
        if (!canPrompt({ output })) throw needsConfirmation(items)
        output.note(`${listOf(items, output)}\n`)
        if (!(await confirmLoss('Delete this permanently?', signal))) throw notConfirmed()
      }
      output.live('deleting')
      const deleted = await pipeline.resetStack(state, choices)
      await pipeline.beginAtStart({ state, config })
      output.result(resultOf(choices, deleted.items, []), () => '')
      output.note(`${formatBytes(sizeOf(deleted.items))} deleted. Next: \`offstream up\``)
    })

const resultOf = (
  choices: readonly ResetChoice[],
  deleted: readonly ResetItem[],
  planned: readonly ResetItem[],
): Record<string, unknown> => ({
  kind: 'reset',
  choices,
  deleted,
  planned,
  bytes: sizeOf([...deleted, ...planned]),
})

const listOf = (items: readonly ResetItem[], output: Output): string =>
  output.table(
    ['size', 'what', 'where'],
    items.map(({ bytes: size, what, paths }) => [
      formatBytes(size),
      what,
      { text: paths.join(' '), tone: 'dim' },
    ]),
  )

const sizeOf = (items: readonly ResetItem[]): number => items.reduce((sum, { bytes }) => sum + bytes, 0)

const tableElsewhere = (): OffstreamError =>
  new CliError('TABLE_ELSEWHERE', 'The tables are in a catalog that others may use, so nothing was deleted', {
    hint: 'drop them with `offstream query "DROP TABLE lake.off.products PURGE"` and the same for `lake.off.rejected`, then run `offstream down` and `offstream reset --checkpoint`',
  })

const nothingSelected = (): OffstreamError =>
  new CliError('NOTHING_SELECTED', 'Nothing is selected to delete', {
    hint: 'use `--table`, `--checkpoint`, `--topic` or `--all`; `--dry-run` only shows what would be deleted',
  })

const needsConfirmation = (items: readonly ResetItem[]): OffstreamError =>
  new CliError(
    'CONFIRMATION_REQUIRED',
    `${formatBytes(sizeOf(items))} would be deleted permanently; confirmation requires a terminal`,
    { hint: 'check with `--dry-run`, then add `--yes`' },
  )

const notConfirmed = (): OffstreamError =>
  new CliError('NOT_CONFIRMED', 'Not confirmed; nothing was deleted', {
    hint: 'answer `y` to delete, or use `--yes`',
  })

export default define
