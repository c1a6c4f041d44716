import { serviceNames } from '@offstream/pipeline/names'
import type { DefineCommand } from '../command.ts'
import { bashScript } from '../completion/bash.ts'
import { fishScript } from '../completion/fish.ts'
import { type KnownProgram, knownProgram, type Placeholders } from '../completion/table.ts'
import { zshScript } from '../completion/zsh.ts'

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
settings and error codes when you press Tab. Install it again after an update.

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
}

const words = (list: readonly string[], unfinished = false) => ({
  kind: 'words' as const,
  words: list,
  unfinished,
})

const placeholdersWith = (settingPaths: readonly string[], codes: readonly string[]): Placeholders => ({
  code: words(codes),
  file: { kind: 'files' },
  folder: { kind: 'folders' },
  service: words(serviceNames),
  services: words(serviceNames),
  'setting=value': words(
    settingPaths.map(path => `${path}=`),
    true,
  ),
})

export default define
