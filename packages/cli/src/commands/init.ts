import { relative, resolve } from 'node:path'
import type { DefineCommand } from '../command.ts'
import { plural } from '../format.ts'
import { canPrompt, confirm, prompt } from '../prompts.ts'

const define: DefineCommand = (command, context) =>
  command
    .argument('[folder]', 'folder of the project (default: the current folder)')
    .option(
      '--contact <address>',
      'your web or e-mail address, which Open Food Facts requires; sent in the User-Agent header',
    )
    .option('--bare', 'write only the settings and the Tableau workbook')
    .option('--yes', 'do not prompt')
    .addHelpText(
      'after',
      `
Writes \`offstream.yaml\` with every setting and its default, and copies of the
files that you can change: SQL views, charts, Spark programs, configuration
templates of the services, Tableau workbook. Commands in that folder use these
files. \`init\` does not overwrite files, and prompts only on a terminal.

Exit status: 0 written, 10 files would be overwritten, or the folder cannot
be written.

Examples:
  offstream init
  offstream init shop --bare --contact me@example.org

Next: \`offstream doctor\` and \`offstream up\` in that folder.`,
    )
    .action(async (folder = '.', options) => {
      const { output, pipeline, signal } = context()
      const prompts = canPrompt({ output }) && options.yes !== true
      const contact =
        options.contact ??
        (prompts
          ? await prompt('Your web or e-mail address, for Open Food Facts (press Enter to skip): ', signal)
          : '')
      const bare =
        options.bare ??
        (prompts &&
          !(await confirm('Copy views, charts and Spark programs, so that you can change them?', signal)))
      const project = await pipeline.initProject({
        folder: resolve(folder),
        contact: contact === '' ? null : contact,
        bare,
      })
      output.result({ kind: 'init', ...project }, () => project.files.join('\n'))
      const where = relative(process.cwd(), project.folder)
      if (project.unchanged.length > 0)
        output.note(
          `Not overwritten: ${project.unchanged.join(', ')}. Add \`.offstream/\` and \`offstream-report-*.md\` to \`.gitignore\`.`,
        )
      output.note(
        `${plural(project.files.length, 'file')} written. Next: ${where === '' ? '' : `\`cd ${where}\`, then `}\`offstream doctor\` and \`offstream up\``,
      )
    })

export default define
