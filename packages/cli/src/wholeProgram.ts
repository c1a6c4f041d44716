import { Command } from '@commander-js/extra-typings'
import { commands } from './commands.ts'
import { newProgram } from './program.ts'

/** The program with the definitions of all commands, to be read and not to be run. */
export const wholeProgram = async () => {
  const program = newProgram()
  for (const [name, { summary, load, hidden }] of Object.entries(commands)) {
    const command = new Command(name).copyInheritedSettings(program).summary(summary).description(summary)
    program.addCommand(command, { hidden: hidden ?? false })
    ;(await load()).default(command, () => {
      throw new Error('a command that is only described has no context')
    })
  }
  return program
}
