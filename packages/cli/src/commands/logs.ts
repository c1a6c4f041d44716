import { InvalidArgumentError, Option } from '@commander-js/extra-typings'
import { logLevels, logNames } from '@offstream/pipeline/names'
import type { DefineCommand } from '../command.ts'
import { selectServices } from '../selectServices.ts'

const defaultTail = 200

const define: DefineCommand = (command, context) =>
  command
    .argument('[services...]', `names of logs: ${logNames.join(', ')}, or of jobs (default: all)`)
    .option('-f, --follow', 'also print new entries, until Ctrl-C')
    .option('--since <time>', 'only entries from this time on, see below (default: all)', text =>
      startTimeOf(text, new Date()),
    )
    .option(
      '-n, --tail <number>',
      `the number of newest entries, or \`all\` (default: ${defaultTail}; with --since: all)`,
      entryCount,
    )
    .addOption(
      new Option('--level <level>', 'only entries of this level and more severe ones')
        .choices(logLevels)
        .default('debug' as const),
    )
    .option(
      '--grep <regex>',
      'only entries that match a JavaScript regular expression, stack traces included',
      regularExpression,
    )
    .option('--full', 'print stack traces in full')
    .addHelpText(
      'after',
      `
Prints the logs of the services and of the daemon, merged by time. A stack trace
belongs to its entry; it is shortened to the lines that say what happened.

\`--since\` takes a duration (\`10m\`, \`1h30m\`), a time of day (\`21:40\`) or a date
with a time (\`2026-11-24T21:40\`), in local time. With \`--json\` each entry is an
object: service, at (UTC), level, logger, message and stack.

Exit status: 0 ok, 2 unknown service.

Examples:
  offstream logs --since 10m --level warn
  offstream logs kafka daemon --follow
  offstream logs products-stream --grep "batch \\d+" --tail all --json

Next: \`offstream report\` collects the logs for a bug report.`,
    )
    .action(async (services, { follow = false, since, tail, level, grep, full = false }) => {
      const { textFor } = await import('../logText.ts')
      const { output, pipeline, anyProject, signal } = context()
      const { state } = await anyProject()
      const jobs = (await pipeline.readJobs(state)).map(({ name }) => name)
      const names = selectServices([...logNames, ...jobs], services)
      const existing = await pipeline.writtenLogs(state, names)
      if (existing.length === 0) output.note('No logs yet. Next: `offstream up`')
      else if (services.length > 0) {
        for (const name of names) if (!existing.includes(name)) output.note(`${name} has no log yet.`)
      }
      const text = textFor(names, full)
      let count = 0
      for await (const entries of pipeline.readLogs(state, {
        names,
        since: since ?? null,
        tail: tail ?? (since === undefined ? defaultTail : Number.POSITIVE_INFINITY),
        level,
        grep: grep ?? null,
        follow,
        signal,
      })) {
        count += entries.length
        const lines = entries.map(entry =>
          output.mode === 'json' ? output.jsonText({ version: 1, kind: 'entry', ...entry }) : text(entry),
        )
        output.data(lines.join('\n'))
        await output.drained(signal)
      }
      output.result({ kind: 'logs', entries: count }, () => '')
      if (count === 0 && existing.length > 0 && tail !== 0 && !follow)
        output.note('No entries match. Next: `offstream logs --tail all`')
    })

const unitMs: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 }

/**
 * The time from which entries are shown: a duration ago (`10m`, `1h30m`), the last occurrence of a time of day
 * (`21:40`), or a date with or without a time. In local time, unless the text has a time zone.
 */
export const startTimeOf = (text: string, now: Date): Date => {
  if (/^(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?$/.test(text) && text !== '') {
    const parts = [...text.matchAll(/(\d+)([dhms])/g)]
    const ago = parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (unitMs[unit] ?? 0), 0)
    return new Date(now.getTime() - ago)
  }
  const [, hours, minutes, seconds = 0] = /^(\d\d?):(\d\d)(?::(\d\d))?$/.exec(text) ?? []
  if (Number(hours) < 24 && Number(minutes) < 60 && Number(seconds) < 60) {
    const time = new Date(now)
    time.setHours(Number(hours), Number(minutes), Number(seconds), 0)
    if (time > now) time.setDate(time.getDate() - 1)
    return time
  }
  const [, date, timeOfDay = '00:00', zone = ''] =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?)?$/.exec(text) ?? []
  const time = new Date(`${date}T${timeOfDay}${zone}`)
  if (!Number.isNaN(time.getTime())) return time
  throw new InvalidArgumentError(
    'It must be a duration such as 10m or 2h, or a time such as 21:40 or 2026-11-24T21:40.',
  )
}

const entryCount = (text: string): number => {
  // Infinity, since commander treats null as an option without a value.
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

export default define
