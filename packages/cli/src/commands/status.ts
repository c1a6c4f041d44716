import { setTimeout as pause } from 'node:timers/promises'
import { Option } from '@commander-js/extra-typings'
import type { Project, Status } from '@offstream/pipeline'
import type { Outcome } from '@offstream/runtime/errors'
import type { DefineCommand } from '../command.ts'
import { positiveNumber } from '../optionValues.ts'
import type { Output } from '../output.ts'

const outcomeOf: Readonly<Record<Status['state'], Outcome>> = {
  healthy: 'ok',
  stopped: 'notRunning',
  degraded: 'degraded',
}

const define: DefineCommand = (command, context) =>
  command
    .option('--watch', 'look again and again, until Ctrl-C')
    .addOption(
      new Option('--interval <seconds>', 'seconds between two looks of `--watch`')
        .argParser(positiveNumber)
        .default(2),
    )
    .addHelpText(
      'after',
      `
Asks every service that runs a real question, and counts the products at each
step of their way:

  fetched → acknowledged by Kafka → consumed by the job → rows of the table
  → visible to SQL, in \`Products\`

\`lag\` is how many messages the job has not read yet. The count that does not
move tells where the way is blocked; ? stands where nobody could be asked.

With \`--watch\` a terminal shows the newest answer; a file or a pipe gets them
all, one after the other, and with \`--json\` one object a line, with the moment
\`at\` of the look. It ends with Ctrl-C alone, exit status 130, whatever the
state.

Exit status: 0 healthy, 3 nothing runs, 4 something that should run does not, or
does not answer.

Examples:
  offstream status
  offstream status --json
  offstream status --watch --interval 5

Next: \`offstream logs\` for a service that is not healthy.`,
    )
    .action(async ({ watch = false, interval }) => {
      const { statusText } = await import('../statusText.ts')
      const { output, pipeline, anyStack, signal, setOutcome } = context()
      const { state, config, origins, problem } = await anyStack()
      if (problem !== null) output.note(`${problem.message}\n${settingsUsed(origins)}`)
      const look = () => pipeline.lookAt(state, config)
      if (watch) return watchStatus(look, { output, text: statusText, intervalMs: interval * 1_000, signal })
      const status = await look()
      output.result({ ...status }, () => statusText(status))
      if (status.state === 'stopped') output.note('Nothing is running. Next: `offstream up`')
      setOutcome(outcomeOf[status.state])
    })

const settingsUsed = (origins: Project['origins']): string =>
  origins.get('host')?.kind === 'stack'
    ? 'This status uses the settings of the running stack.'
    : 'This status uses the default settings.'

interface WatchOptions {
  readonly output: Output
  readonly text: (status: Status) => string
  readonly intervalMs: number
  readonly signal: AbortSignal
}

/**
 * Shows the status again and again until `signal` is aborted. That it was Ctrl-C is what the exit status then says, as
 * with `tail -f` and `kubectl get --watch`: a script must not take an interrupted watch for a healthy stack.
 */
const watchStatus = async (
  look: () => Promise<Status>,
  { output, text, intervalMs, signal }: WatchOptions,
): Promise<void> => {
  const redraws = output.mode === 'terminal' && process.stdout.isTTY
  const aborted = new Promise<null>(resolve => signal.addEventListener('abort', () => resolve(null)))
  let last: string | null = null
  while (!signal.aborted) {
    // A look may take seconds, where somebody does not answer.
    const status = await Promise.race([look(), aborted])
    if (status === null) break
    const at = new Date().toISOString()
    last = `${at}  ${text(status)}\n`
    if (redraws) output.live(last)
    else output.result({ ...status, at }, () => last ?? '')
    await pause(intervalMs, undefined, { signal }).catch(() => undefined)
  }
  // What was drawn is taken away with the spinner; the last look stays.
  output.endLive()
  if (redraws && last !== null) output.data(last.trimEnd())
}

export default define
