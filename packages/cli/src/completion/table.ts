import type { Argument, CommandUnknownOpts, Option } from '@commander-js/extra-typings'

/** What may stand at a place of a command line. */
export type Values =
  | { readonly kind: 'words'; readonly words: readonly string[]; readonly goOn: boolean }
  | { readonly kind: 'files' }
  | { readonly kind: 'folders' }
  | { readonly kind: 'anything' }

export interface KnownOption {
  /** `-h`, `--help`. */
  readonly names: readonly string[]
  readonly description: string
  /** Null where it takes none. */
  readonly value: Values | null
}

/** A command as a shell has to know it. */
export interface KnownCommand {
  /** The words that lead to it: empty for `offstream` alone, `config show`. */
  readonly path: string
  readonly commands: readonly { readonly name: string; readonly summary: string }[]
  /** Its own; not those that every command has. */
  readonly options: readonly KnownOption[]
  /** What stands behind it, where it has no commands. */
  readonly argument: Values | null
}

export interface KnownProgram {
  readonly commands: readonly KnownCommand[]
  /** Options that every command has. */
  readonly everywhere: readonly KnownOption[]
}

/** The values that commander can't tell: those of a placeholder such as `<service>`, wherever it stands. */
export type Placeholders = Readonly<Record<string, Values>>

/** A program and all of its commands, as its help shows them; none that is hidden. */
export const knownProgram = (program: CommandUnknownOpts, placeholders: Placeholders): KnownProgram => {
  const everywhere = program.options.filter(({ long, hidden }) => !hidden && long !== '--version')
  const below = (
    command: CommandUnknownOpts,
    path: string,
    siblings: readonly string[],
  ): readonly KnownCommand[] => {
    const help = command.createHelp()
    // `help` is worth a word once; that of `config` only says the same.
    const commands = help
      .visibleCommands(command)
      .filter(inner => command === program || inner.name() !== 'help')
    const options = help.visibleOptions(command).filter(option => !everywhere.includes(option))
    const [argument] = command.registeredArguments
    const known = {
      path,
      commands: commands.map(inner => ({ name: inner.name(), summary: help.subcommandDescription(inner) })),
      options: options.map(option => knownOption(option, placeholders)),
      argument:
        argument === undefined
          ? null
          : argumentValues(argument, command.name() === 'help' ? siblings : undefined, placeholders),
    }
    const names = commands.map(inner => inner.name())
    return [known, ...commands.flatMap(inner => below(inner, `${path} ${inner.name()}`.trimStart(), names))]
  }
  return {
    commands: below(program, '', []),
    everywhere: everywhere.map(option => knownOption(option, placeholders)),
  }
}

const knownOption = (option: Option, placeholders: Placeholders): KnownOption => ({
  names: [option.short, option.long].filter(name => name !== undefined),
  description: option.description,
  value:
    option.required || option.optional
      ? valuesOf(/[<[](.+?)(?:\.\.\.)?[>\]]/.exec(option.flags)?.[1] ?? '', option.argChoices, placeholders)
      : null,
})

/** @param siblings for commander's own `help [command]`: the commands that it can explain */
const argumentValues = (
  argument: Argument,
  siblings: readonly string[] | undefined,
  placeholders: Placeholders,
): Values => valuesOf(argument.name(), argument.argChoices ?? siblings, placeholders)

const valuesOf = (
  placeholder: string,
  choices: readonly string[] | undefined,
  placeholders: Placeholders,
): Values =>
  choices === undefined
    ? (placeholders[placeholder] ?? { kind: 'anything' })
    : { kind: 'words', words: choices, goOn: false }
