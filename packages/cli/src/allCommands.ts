import { addCommand } from './command.ts'
import { commands } from './commands.ts'
import { newProgram } from './program.ts'

/** The program with the definitions of all commands: to be read, not to be run. */
export const programWithAllCommands = async () => {
  const program = newProgram()
  for (const [name, entry] of Object.entries(commands)) {
    const define = (await entry.load()).default
    define(
      addCommand(program, name, entry),
      () => {
        throw new Error('a command that is only described has no context')
      },
      async () => program,
    )
  }
  return program
}
