import { Argument, type Command } from '@commander-js/extra-typings'
import { serviceNames } from '@offstream/pipeline/names'
import type { DefineCommand, MakeContext } from '../command.ts'
import { bashScript } from '../completion/bash.ts'
import { fishScript } from '../completion/fish.ts'
import {
  type KnownProgram,
  knownProgram,
  type NamedKind,
  namedKinds,
  type Placeholders,
  type Values,
} from '../completion/table.ts'
import { zshScript } from '../completion/zsh.ts'
import type { Context } from '../context.ts'
import { withKafka } from '../withKafka.ts'

const shells: readonly {
  readonly name: string
  readonly script: (program: KnownProgram) => string
  readonly install: string
}[] = [
  { name: 'bash', script: bashScript, install: `echo 'eval "$(offstream completion bash)"' >> ~/.bashrc` },
  { name: 'zsh', script: zshScript, install: `echo 'eval "$(offstream completion zsh)"' >> ~/.zshrc` },
  {
    name: 'fish',
    script: fishScript,
    install: 'offstream completion fish > ~/.config/fish/completions/offstream.fish',
  },
]

const define: DefineCommand = (command, context, program) => {
  command.addHelpText(
    'after',
    `
Prints a script that lets the shell complete commands, options, services,
settings and error codes when you press Tab. For the names of jobs and topics it
runs offstream. Install it again after an update.

Examples:
${shells.map(({ install }) => `  ${install}`).join('\n')}

Next: open a new terminal, and press Tab after \`offstream \`.`,
  )
  for (const { name, script, install } of shells) {
    command
      .command(name)
      .description(`print the script for ${name}`)
      .addHelpText('after', `\nExample:\n  ${install}`)
      .action(async () => {
        const { output, pipeline } = context()
        const { errorCodes } = await import('../errorCodes.ts')
        const placeholders = placeholdersWith(pipeline.settingPaths, [...errorCodes.keys()])
        const text = script(knownProgram(await program(), placeholders))
        output.result({ kind: 'completion', shell: name, script: text }, () => text.trimEnd())
      })
  }
  addNames(command, context)
}

/** What the scripts run for names that they do not contain. */
const addNames = (command: Command, context: MakeContext) =>
  command
    .command('names', { hidden: true })
    .description('print the names of the jobs or the topics of the stack')
    .addArgument(new Argument('<kind>').choices(namedKinds))
    .addHelpText('after', '\nExample:\n  offstream completion names jobs')
    .action(async kind => {
      const made = context()
      const names = await (kind === 'jobs' ? jobNames(made) : topicNames(made))
      made.output.result({ kind: 'names', names }, () => names.join('\n'))
    })

const jobNames = async ({ pipeline, anyProject }: Context): Promise<readonly string[]> =>
  (await pipeline.readJobs((await anyProject()).state)).map(({ name }) => name)

const topicNames = async (made: Context): Promise<readonly string[]> => {
  const { pipeline, cluster, signal } = await withKafka(() => made)
  return (await pipeline.listTopics(cluster, signal)).map(({ name }) => name)
}

const words = (
  list: readonly string[],
  {
    unfinished = false,
    named = null,
  }: { readonly unfinished?: boolean; readonly named?: NamedKind | null } = {},
): Values => ({ kind: 'words', words: list, unfinished, named })

const placeholdersWith = (settingPaths: readonly string[], codes: readonly string[]): Placeholders => ({
  code: words(codes),
  file: { kind: 'files' },
  folder: { kind: 'folders' },
  job: words([], { named: 'jobs' }),
  program: { kind: 'files' },
  service: words(serviceNames),
  services: words(serviceNames, { named: 'jobs' }),
  'setting=value': words(
    settingPaths.map(path => `${path}=`),
    { unfinished: true },
  ),
  topic: words([], { named: 'topics' }),
})

export default define
