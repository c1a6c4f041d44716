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
      'file to write; `-` is standard output (default: `offstream-report-<time>.md` in the current folder)',
    )
    .addHelpText(
      'after',
      `
Writes a Markdown file to attach to an issue: versions, the results of
\`offstream doctor\`, the settings and where each comes from, the status, and the
last 200 lines of each log. It removes passwords, tokens, contacts, e-mail
addresses, your name and the name of your machine. It sends nothing.

Exit status: 0 written, 10 the file exists already, or cannot be written.

Examples:
  offstream report
  offstream report --output - | less

Next: read the file, because it may still contain secrets, then attach it to an
issue.`,
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
          ['section', 'lines'],
          sections.map(({ title, lines }) => [title, String(lines)]),
        ),
      )
      output.note(
        `\nWritten to \`${file}\`; ${plural(removals, 'value')} removed. Next: read it before you share it, because it may still contain secrets`,
      )
    })

/** Opens the file before making the report, which takes long. Removes the file if the report fails. */
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
  new CliError('REPORT_UNWRITABLE', `Cannot write the report: ${messageOf(error)}`, {
    hint: 'use a new file in a folder that you can write to: `offstream report --output <file>`',
    cause: error,
  })

export default define
