import { setTimeout as pause } from 'node:timers/promises'
import { Option } from '@commander-js/extra-typings'
import type { Project, Sample, Status } from '@offstream/pipeline'
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
    .option('--watch', 'repeat until Ctrl-C')
    .addOption(
      new Option('--interval <seconds>', 'seconds between two checks with `--watch`')
        .argParser(positiveNumber)
        .default(2),
    )
    .addHelpText(
      'after',
      `
Checks every running service with a real request, and counts the products at
each step:

  fetched → acknowledged by Kafka → consumed by the job → rows of the table
  → visible to SQL clients, in \`Products\`

\`lag\` is the number of messages that the job has not read yet. A count that does
not change shows where the products are stuck; ? means that the count is
unknown.

With \`--watch\`, a terminal shows the latest status, and how the rates and
the lag have changed. In a file or a pipe, every status is printed; with
\`--json\` as one object per line, with the time in \`at\`. Ctrl-C stops it, with
exit status 130.

Exit status: 0 healthy, 3 stopped, 4 degraded: a service crashed or does not
respond.

Examples:
  offstream status
  offstream status --json
  offstream status --watch --interval 5

Next: \`offstream logs <service>\` for a service that is not healthy.`,
    )
    .action(async ({ watch = false, interval }) => {
      const [{ statusText }, { trendsText }] = await Promise.all([
        import('../statusText.ts'),
        import('../trends.ts'),
      ])
      const { output, pipeline, anyStack, signal, setOutcome, noteOtherServices } = context()
      const { state, config, origins, problem } = await anyStack()
      if (problem !== null) output.note(`${problem.message}\n${settingsUsed(origins)}`)
      const check = () => pipeline.currentStatus(state, config)
      const selection = pipeline.optionsFor(state)
      const text = (status: Status, samples: readonly Sample[]) =>
        [statusText(status, selection), trendsText(samples)].filter(part => part !== '').join('\n\n')
      const { sampleOf } = pipeline
      if (watch) return watchStatus(check, { output, text, sampleOf, intervalMs: interval * 1_000, signal })
      const status = await check()
      output.result({ ...status }, () => statusText(status, selection))
      if (status.state === 'stopped') {
        output.note('Nothing is running. Next: `offstream up`')
        await noteOtherServices()
      }
      setOutcome(outcomeOf[status.state])
    })

const settingsUsed = (origins: Project['origins']): string =>
  origins.get('host')?.kind === 'stack'
    ? 'This status uses the settings of the running stack.'
    : 'This status uses the default settings.'

/** More samples than a terminal can show. */
const maxSamples = 200

interface WatchOptions {
  readonly output: Output
  readonly text: (status: Status, samples: readonly Sample[]) => string
  readonly sampleOf: (status: Status, at: number) => Sample
  readonly intervalMs: number
  readonly signal: AbortSignal
}

/**
 * Prints the status repeatedly until `signal` is aborted. The exit status is then that of Ctrl-C, as with `tail -f` and
 * `kubectl get --watch`: a script must not mistake an interrupted watch for a healthy stack.
 */
const watchStatus = async (
  check: () => Promise<Status>,
  { output, text, sampleOf, intervalMs, signal }: WatchOptions,
): Promise<void> => {
  const { abortable } = await import('@offstream/runtime')
  const redraws = output.mode === 'terminal' && process.stdout.isTTY
  let samples: readonly Sample[] = []
  let last: string | null = null
  while (!signal.aborted) {
    // A check takes seconds if a service does not respond.
    const status = await abortable(check(), signal).catch(error => {
      if (!signal.aborted) throw error
      return null
    })
    if (status === null) break
    const at = new Date()
    samples = [...samples, sampleOf(status, at.getTime())].slice(-maxSamples)
    // A file contains every status, so a reader can see the changes there.
    last = `${at.toISOString()}  ${text(status, redraws ? samples : [])}\n`
    if (redraws) output.live(last)
    else output.result({ ...status, at: at.toISOString() }, () => last ?? '')
    await pause(intervalMs, undefined, { signal }).catch(() => undefined)
  }
  // The live text disappears with the spinner. Print the last status again, so that it stays.
  output.endLive()
  if (redraws && last !== null) output.data(last.trimEnd())
}

export default define
