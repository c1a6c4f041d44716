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
      'the condition to wait for, see below; can be repeated',
      (text: string, earlier: readonly Condition[] = []): readonly Condition[] => [
        ...earlier,
        parseCondition(text),
      ],
    )
    .addOption(
      new Option('--timeout <time>', 'maximum time to wait: 500ms, 30s, 5m, 2h; seconds without a unit')
        .argParser(duration)
        .default(60_000, '60s'),
    )
    .addHelpText(
      'after',
      `
Checks the status repeatedly until all conditions are true at the same time. For
scripts and CI. Put conditions with > or < in quotes: the shell interprets these
characters.

Conditions:${conditionForms}

Exit status: 0 the conditions are true, 8 timeout.

Examples:
  offstream wait --for healthy
  offstream wait --for 'visible>=200' --for lag=0 --timeout 2m

Next: \`offstream status\` shows all counts.`,
    )
    .action(async ({ for: conditions, timeout }) => {
      const { output, pipeline, signal, stack } = context()
      const { state, config } = await stack()
      const startedAt = Date.now()
      const status = await pipeline.waitFor(conditions, () => pipeline.currentStatus(state, config), {
        timeoutMs: timeout,
        onStatus: progressPrinter(output, conditions, startedAt),
        signal,
      })
      const seconds = (Date.now() - startedAt) / 1_000
      output.result(
        { kind: 'wait', conditions: conditions.map(({ text }) => text), seconds, status },
        () => '',
      )
      output.note(
        `Reached ${conditions.map(({ text }) => text).join(', ')} after ${formatDuration(seconds * 1_000)}`,
      )
    })

/** Between two lines of progress without a terminal. */
const lineIntervalMs = 5_000

const progressPrinter = (output: Output, conditions: readonly Condition[], startedAt: number) => {
  let printedAt = 0
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
      Date.now() - printedAt < lineIntervalMs ||
      states.every(({ holds }) => holds)
    )
      return
    printedAt = Date.now()
    output.event(
      { kind: 'waiting', seconds: (printedAt - startedAt) / 1_000, conditions: states },
      `waiting for ${line}`,
    )
  }
}

export default define
