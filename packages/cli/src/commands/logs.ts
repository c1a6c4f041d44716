import { once } from 'node:events'
import { InvalidArgumentError, Option } from '@commander-js/extra-typings'
import type { LogEntry } from '@offstream/pipeline'
import { logLevels, logNames } from '@offstream/pipeline/names'
import { jsonText } from '@offstream/runtime/controls'
import type { DefineCommand } from '../command.ts'
import { selectServices } from '../selectServices.ts'

const defaultTail = 200

const define: DefineCommand = (command, context) =>
  command
    .argument('[services...]', `whose logs: ${logNames.join(', ')} (default: all)`)
    .option('-f, --follow', 'go on with what is written from now on, until Ctrl-C')
    .option('--since <moment>', 'nothing older, see below (default: no bound)', text =>
      momentOf(text, new Date()),
    )
    .option(
      '-n, --tail <lines>',
      `the newest so many, or \`all\` (default: ${defaultTail}; with --since: all)`,
      lineCount,
    )
    .addOption(
      new Option('--level <level>', 'this level and what is graver')
        .choices(logLevels)
        .default('debug' as const),
    )
    .option(
      '--grep <regex>',
      'only what a JavaScript regular expression finds, stack traces included',
      regularExpression,
    )
    .option('--full', 'stack traces unfolded')
    .addHelpText(
      'after',
      `
Shows what the services wrote, in the order of time, the newest last. A stack
trace (the lines by which a program tells where it failed) stays with the line
that it belongs to, folded to those that say what happened.

\`--since\` takes a span (\`10m\`, \`1h30m\`), a time of day (\`21:40\`) or a moment
(\`2026-11-24T21:40\`), in local time. With \`--json\` each line is an object:
service, at (UTC), level, logger, message and stack.

Examples:
  offstream logs --since 10m --level warn
  offstream logs kafka daemon --follow
  offstream logs products-stream --grep "batch \\d+" --tail all --json

Next: \`offstream report\` gathers all of it for a bug report.`,
    )
    .action(async (services, { follow = false, since, tail, level, grep, full = false }) => {
      const { textFor } = await import('../logText.ts')
      const { output, pipeline, anyProject, signal } = context()
      const names = selectServices(logNames, services)
      const { state } = await anyProject()
      const written = await pipeline.writtenLogs(state, names)
      if (written.length === 0) output.note('There is no log yet. Next: `offstream up`')
      else if (services.length > 0) {
        for (const name of names) if (!written.includes(name)) output.note(`${name} has no log yet.`)
      }
      const line = output.mode === 'json' ? jsonOf : textFor(names, full)
      let none = true
      for await (const entries of pipeline.readLogs(state, {
        names,
        since: since ?? null,
        tail: tail ?? (since === undefined ? defaultTail : Number.POSITIVE_INFINITY),
        level,
        grep: grep ?? null,
        follow,
        signal,
      })) {
        none = false
        output.data(entries.map(line).join('\n'))
        await taken(process.stdout, signal)
      }
      if (none && written.length > 0 && tail !== 0 && !follow)
        output.note('There is nothing like that in the logs.')
    })

/**
 * Until whoever reads has taken what was written: a pager that waits for its person would else have us hold all the
 * rest of the log for it.
 */
const taken = async (stream: NodeJS.WriteStream, signal: AbortSignal): Promise<void> => {
  if (stream.writableNeedDrain) await once(stream, 'drain', { signal }).catch(() => undefined)
}

const unitMs: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 }

/**
 * The moment that a person means: so long ago (`10m`, `1h30m`), the last time that the clock showed it (`21:40`), or a
 * date with or without a time. Local time, unless it tells its zone.
 */
export const momentOf = (text: string, now: Date): Date => {
  if (/^(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?$/.test(text) && text !== '') {
    const parts = [...text.matchAll(/(\d+)([dhms])/g)]
    const ago = parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (unitMs[unit] ?? 0), 0)
    return new Date(now.getTime() - ago)
  }
  const [, hours, minutes, seconds = 0] = /^(\d\d?):(\d\d)(?::(\d\d))?$/.exec(text) ?? []
  if (Number(hours) < 24 && Number(minutes) < 60 && Number(seconds) < 60) {
    const moment = new Date(now)
    moment.setHours(Number(hours), Number(minutes), Number(seconds), 0)
    if (moment > now) moment.setDate(moment.getDate() - 1)
    return moment
  }
  const [, date, time = '00:00', zone = ''] =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?)?$/.exec(text) ?? []
  const moment = new Date(`${date}T${time}${zone}`)
  if (!Number.isNaN(moment.getTime())) return moment
  throw new InvalidArgumentError(
    'It must be a duration such as 10m or 2h, or a moment such as 21:40 or 2026-11-24T21:40.',
  )
}

const lineCount = (text: string): number => {
  // Not null: commander would take that for an option without a value.
  if (text === 'all') return Number.POSITIVE_INFINITY
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number, or `all`.')
  return Number(text)
}

const regularExpression = (text: string): RegExp => {
  try {
    return new RegExp(text)
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`)
  }
}

const jsonOf = (entry: LogEntry): string => jsonText({ version: 1, ...entry })

export default define
