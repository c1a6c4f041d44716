import { relative, resolve } from 'node:path'
import type { DefineCommand } from '../command.ts'
import { plural } from '../format.ts'
import { canPrompt, confirm, prompt } from '../prompts.ts'

const define: DefineCommand = (command, context) =>
  command
    .argument('[folder]', 'where the project is made (default: this folder)')
    .option(
      '--contact <address>',
      'who you are, a web or e-mail address: told to Open Food Facts, which asks for it',
    )
    .option('--bare', 'only the settings and the Tableau workbook, no views, charts and Spark programs')
    .option('--yes', 'ask nothing')
    .addHelpText(
      'after',
      `
Writes \`offstream.yaml\` with every setting and its default, and copies of all
that can be changed: the SQL views, the charts, the Spark programs, the
templates of the services' settings, the Tableau workbook. Commands that are
called in this folder then use these. Nothing that is there is overwritten.
Questions are asked on a terminal only.

Exit status: 0 written, 10 the folder holds such files already, or can't be
written.

Examples:
  offstream init
  offstream init shop --bare --contact me@example.org

Next: \`offstream doctor\` and \`offstream up\` in that folder.`,
    )
    .action(async (folder = '.', options) => {
      const { output, pipeline, signal } = context()
      const asks = canPrompt({ output }) && options.yes !== true
      const contact =
        options.contact ??
        (asks ? await prompt('Your web or e-mail address, for Open Food Facts (Enter: none): ', signal) : '')
      const bare =
        options.bare ??
        (asks && !(await confirm('Copy views, charts and Spark programs, to change them?', signal)))
      const project = await pipeline.initProject({
        folder: resolve(folder),
        contact: contact === '' ? null : contact,
        bare,
      })
      output.result({ kind: 'init', ...project }, () => project.files.join('\n'))
      const where = relative(process.cwd(), project.folder)
      if (project.kept.length > 0)
        output.note(
          `Yours already, and left as it is: ${project.kept.join(', ')}. \`.offstream/\` and \`offstream-report-*.md\` belong in \`.gitignore\`.`,
        )
      output.note(
        `${plural(project.files.length, 'file')} written. Next: ${where === '' ? '' : `\`cd ${where}\`, then `}\`offstream doctor\` and \`offstream up\``,
      )
    })

export default define
