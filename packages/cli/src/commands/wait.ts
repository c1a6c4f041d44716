import { Option } from '@commander-js/extra-typings'
import type { Condition, Status } from '@offstream/pipeline'
import type { DefineCommand } from '../command.ts'
import { conditionForms, parseCondition } from '../condition.ts'
import { formatDuration } from '../format.ts'
import { duration } from '../optionValues.ts'
import type { Output } from '../output.ts'

const define: DefineCommand = (command, context) =>
  command
    .requiredOption(
      '--for <condition>',
      'what is waited for, see below; may be repeated',
      (text: string, earlier: readonly Condition[] = []): readonly Condition[] => [
        ...earlier,
        parseCondition(text),
      ],
    )
    .addOption(
      new Option('--timeout <time>', 'give up after this time: 500ms, 30s, 5m, 2h; seconds without a unit')
        .argParser(duration)
        .default(60_000, '60s'),
    )
    .addHelpText(
      'after',
      `
Looks as \`offstream status\` does, again and again, until every condition holds
at once. For scripts and CI. Put conditions with > or < in quotes, or the shell
takes these signs for itself.

Conditions:${conditionForms}

Exit status: 0 they hold, 8 the time was over before.

Examples:
  offstream wait --for healthy
  offstream wait --for 'visible>=200' --for lag=0 --timeout 2m

Next: \`offstream status\` explains the counts.`,
    )
    .action(async ({ for: conditions, timeout }) => {
      const { output, pipeline, signal, stack } = context()
      const { state, config } = await stack()
      const began = Date.now()
      const status = await pipeline.waitFor(conditions, () => pipeline.lookAt(state, config), {
        timeoutMs: timeout,
        onLook: waitLines(output, conditions, began),
        signal,
      })
      const seconds = (Date.now() - began) / 1_000
      output.result(
        { kind: 'wait', conditions: conditions.map(({ text }) => text), seconds, status },
        () => '',
      )
      output.note(`${conditions.map(({ text }) => text).join(', ')} after ${formatDuration(seconds * 1_000)}`)
    })

/** How often a wait that nobody watches on a terminal says what it sees. */
const plainEveryMs = 5_000

const waitLines = (output: Output, conditions: readonly Condition[], began: number) => {
  let toldAt = 0
  return (status: Status): void => {
    const states = conditions.map(({ text, holds, seen }) => ({
      condition: text,
      holds: holds(status),
      seen: seen(status),
    }))
    const line = states
      .map(({ condition, holds, seen }) => `${condition} ${holds ? '✔' : `(${seen})`}`)
      .join(' · ')
    output.live(`waiting for ${line}`)
    if (
      output.mode === 'terminal' ||
      Date.now() - toldAt < plainEveryMs ||
      states.every(({ holds }) => holds)
    )
      return
    toldAt = Date.now()
    output.event(
      { kind: 'waiting', seconds: (toldAt - began) / 1_000, conditions: states },
      `waiting for ${line}`,
    )
  }
}

export default define
