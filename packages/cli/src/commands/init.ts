import { relative, resolve } from 'node:path'
import { Option } from '@commander-js/extra-typings'
import { templateNames } from '@offstream/pipeline/names'
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
    .addOption(
      new Option('--template <name>', 'start a project for data other than products')
        .choices(templateNames)
        .conflicts('bare'),
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

\`--template clickstream\` starts a project for the clicks of a website: sample
events, a Spark program that reads them from a topic and writes them to a table,
views, charts and tests. Its README has the next commands.

Exit status: 0 written, 10 files would be overwritten, or the folder cannot
be written.

Examples:
  offstream init
  offstream init shop --bare --contact me@example.org
  offstream init --template clickstream shop

Next: \`offstream doctor\` and \`offstream up\` in that folder.`,
    )
    .action(async (folder = '.', options) => {
      const { output, pipeline, signal } = context()
      const { template } = options
      // The questions are about products.
      const prompts = canPrompt({ output }) && options.yes !== true && template === undefined
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
        ...(template === undefined ? {} : { template }),
      })
      output.result({ kind: 'init', ...project }, () => project.files.join('\n'))
      const where = relative(process.cwd(), project.folder)
      if (project.unchanged.length > 0)
        output.note(
          `Not overwritten: ${project.unchanged.join(', ')}. Add \`.offstream/\` and \`offstream-report-*.md\` to \`.gitignore\`.`,
        )
      const next =
        template === undefined
          ? '`offstream doctor` and `offstream up`'
          : '`offstream up`, and see `README.md`'
      output.note(
        `${plural(project.files.length, 'file')} written. Next: ${where === '' ? '' : `\`cd ${where}\`, then `}${next}`,
      )
    })

export default define
