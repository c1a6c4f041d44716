import { open, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Report } from '@offstream/pipeline'
import { messageOf, type OffstreamError } from '@offstream/runtime/errors'
import type { DefineCommand } from '../command.ts'
import { CliError } from '../errors.ts'
import { plural } from '../format.ts'
import { version } from '../version.ts'

const define: DefineCommand = (command, context) =>
  command
    .option(
      '--output <file>',
      'where it is written; `-` is standard output (default: `offstream-report-<time>.md` here)',
    )
    .addHelpText(
      'after',
      `
Writes one file for a bug report, as text (Markdown): versions, what \`offstream
doctor\` finds, the settings and where they come from, the status, and the last
200 lines of each log. Passwords, tokens, contacts, e-mail addresses and the
names of you and your machine are taken out. Nothing is sent anywhere.

Exit status: 0 written, 10 it would overwrite a file, or can't be written.

Examples:
  offstream report
  offstream report --output - | less

Next: read the file, since no rule knows every secret, then share it yourself.`,
    )
    .action(async ({ output: target }) => {
      const { output, pipeline, project } = context()
      const at = new Date()
      const make = async () =>
        pipeline.makeReport({ project: await project(), environment: process.env, version, at })
      if (target === '-') {
        const { text } = await make()
        output.result({ kind: 'report', text }, () => text.trimEnd())
        return
      }
      const file = resolve(target ?? `offstream-report-${at.toISOString().replace(/[-:]|\.\d+/g, '')}.md`)
      const report = await writtenTo(file, make)
      const { sections, removals } = report
      output.result({ kind: 'report', file, sections, removals }, () =>
        output.table(
          ['what is inside', 'lines'],
          sections.map(({ title, lines }) => [title, String(lines)]),
        ),
      )
      output.note(
        `\nWritten to \`${file}\`; ${plural(removals, 'value')} taken out. No rule knows every secret: read it before you share it.`,
      )
    })

/** Makes the report once it is sure that it can be written, and leaves no empty file where it can't be made. */
const writtenTo = async (file: string, make: () => Promise<Report>): Promise<Report> => {
  const handle = await open(file, 'wx', 0o600).catch(error => {
    throw unwritable(error)
  })
  try {
    const report = await make()
    await handle.writeFile(report.text)
    return report
  } catch (error) {
    await rm(file, { force: true })
    throw error
  } finally {
    await handle.close()
  }
}

const unwritable = (error: unknown): OffstreamError =>
  new CliError('REPORT_UNWRITABLE', `The report can't be written: ${messageOf(error)}`, {
    hint: 'choose a file that is not there yet, in a folder that you may write to: `offstream report --output <file>`',
    cause: error,
  })

export default define
