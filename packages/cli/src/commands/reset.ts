import type { ResetChoice, ResetItem } from '@offstream/pipeline'
import type { OffstreamError } from '@offstream/runtime/errors'
import type { DefineCommand } from '../command.ts'
import { CliError } from '../errors.ts'
import { formatBytes } from '../format.ts'
import type { Output } from '../output.ts'
import { canPrompt, prompt } from '../prompts.ts'

const define: DefineCommand = (command, context) =>
  command
    .option('--table', 'the rows of the table; the job fills it again from the topic')
    .option('--checkpoint', 'the job’s note of how far it has read the topic; reading again changes no row')
    .option('--topic', 'the messages, and all notes of how far they were read or scraped; the rows stay')
    .option('--all', 'all of these, logs and work folders')
    .option('--dry-run', 'only tell what would go, and how much it is')
    .option('--yes', 'wipe without a question')
    .addHelpText(
      'after',
      `
Wipes data for good. Settings, charts and the fetched Spark and Kafka stay. What
makes sense together only goes together. Nothing may run meanwhile: call
\`offstream down\` before. A reset that is killed in the middle is ended by the
next \`offstream reset\` or \`offstream up\`.

Exit status: 0 done, 2 it was not told what to wipe, or nobody can be asked, 13
services run.

Examples:
  offstream reset --all --dry-run
  offstream down && offstream reset --table && offstream up
  offstream reset --all --yes      (in a script, where nobody can be asked)

Next: \`offstream up\` begins with what is left.`,
    )
    .action(async ({ dryRun = false, yes = false, ...options }) => {
      const { output, pipeline, signal, project } = context()
      const choices = pipeline.resetChoices.filter(choice => options[choice])
      if (choices.length === 0) throw nothingChosen()
      const { state } = await project()
      // What a killed reset had begun counts as wiped; a plan made before it is ended would leave that out.
      if (!dryRun) await pipeline.finishReset(state)
      const { items } = await pipeline.planReset(state, choices)
      if (dryRun || items.length === 0) {
        output.result(resultOf(choices, [], items), () => (items.length === 0 ? '' : listOf(items, output)))
        if (items.length === 0) output.note('There is nothing to wipe.')
        else if ((await pipeline.requestedServices(state)).length > 0)
          output.note('Services run: `offstream down` comes first.')
        return
      }
      if (!yes) {
        if (!canPrompt({ output })) throw needsConfirmation(items)
        output.note(`${listOf(items, output)}\n`)
        if (!/^y(es)?$/i.test(await prompt('Wipe this for good? [y/N] ', signal))) throw notConfirmed()
      }
      output.live('wiping')
      const wiped = await pipeline.wipe(state, choices)
      output.result(resultOf(choices, wiped.items, []), () => '')
      output.note(`${formatBytes(sizeOf(wiped.items))} wiped. Next: \`offstream up\``)
    })

const resultOf = (
  choices: readonly ResetChoice[],
  wiped: readonly ResetItem[],
  planned: readonly ResetItem[],
): Record<string, unknown> => ({
  kind: 'reset',
  choices,
  wiped,
  planned,
  bytes: sizeOf([...wiped, ...planned]),
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

const nothingChosen = (): OffstreamError =>
  new CliError('NOTHING_SELECTED', 'It was not said what is to be wiped', {
    hint: 'choose `--table`, `--checkpoint`, `--topic` or `--all`; with `--dry-run` nothing is touched',
  })

const needsConfirmation = (items: readonly ResetItem[]): OffstreamError =>
  new CliError(
    'CONFIRMATION_REQUIRED',
    `${formatBytes(sizeOf(items))} would be wiped for good, and there is no terminal to ask on`,
    { hint: 'look with `--dry-run`, then say `--yes`' },
  )

const notConfirmed = (): OffstreamError =>
  new CliError('NOT_CONFIRMED', 'Nothing was wiped', {
    hint: 'answer `y` to go on',
  })

export default define
