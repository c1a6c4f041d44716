import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings'
import type { Context } from './context.ts'

/** `settings` (`spark.worker.cores=4`) count like those of `--set`. */
export type MakeContext = (settings?: readonly string[]) => Context

/** The program with the definitions of all commands: to be read, not to be run. */
export type DescribeProgram = () => Promise<CommandUnknownOpts>

/** Adds options, help and action to a command. The context is made when the command runs. */
export type DefineCommand = (command: Command, context: MakeContext, program: DescribeProgram) => void

/** A command before its file is loaded. */
export interface CommandEntry {
  readonly summary: string
  readonly load: () => Promise<{ readonly default: DefineCommand }>
  readonly hidden?: boolean
}

/** Adds a command to the program by its name and summary, which is all that the help of the program needs. */
export const addCommand = (
  program: CommandUnknownOpts,
  name: string,
  { summary, hidden = false }: CommandEntry,
): Command => {
  const description = summary.charAt(0).toUpperCase() + summary.slice(1)
  const command = new Command(name).copyInheritedSettings(program).summary(summary).description(description)
  program.addCommand(command, { hidden })
  return command
}
