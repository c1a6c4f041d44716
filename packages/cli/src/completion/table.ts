import type { Argument, CommandUnknownOpts, Option } from '@commander-js/extra-typings'

/** What has names that only the stack knows. */
export const namedKinds = ['jobs', 'topics'] as const
export type NamedKind = (typeof namedKinds)[number]

/** The values that can be completed at a position of the command line. */
export type Values =
  | {
      readonly kind: 'words'
      readonly words: readonly string[]
      /** The user continues each word, for example `kafka.port=`. */
      readonly unfinished: boolean
      /** Also the names of these, which `offstream completion names` prints; null: none. */
      readonly named: NamedKind | null
    }
  | { readonly kind: 'files' }
  | { readonly kind: 'folders' }
  | { readonly kind: 'anything' }

/** An option that a shell can complete. */
export interface KnownOption {
  /** `-h`, `--help`. */
  readonly names: readonly string[]
  readonly description: string
  /** Null if the option has no value. */
  readonly value: Values | null
}

/** What a shell needs to know about a command. */
export interface KnownCommand {
  /** The words of the command, for example `config show`; empty for `offstream` itself. */
  readonly path: string
  readonly commands: readonly { readonly name: string; readonly summary: string }[]
  /** Its own options, without the global ones. */
  readonly options: readonly KnownOption[]
  /** Its argument, if it has no subcommands. */
  readonly argument: Values | null
}

/** What a shell needs to know about `offstream`. */
export interface KnownProgram {
  readonly commands: readonly KnownCommand[]
  /** The global options. */
  readonly everywhere: readonly KnownOption[]
}

/** The global options that choose a stack: the scripts pass them to `offstream completion names`. */
export const stackOptions = ['--project', '--stack', '--profile'] as const

/** The values of a placeholder such as `<service>`, which commander does not know. */
export type Placeholders = Readonly<Record<string, Values>>

/** The program and all commands that its help shows. Hidden commands are omitted. */
export const knownProgram = (program: CommandUnknownOpts, placeholders: Placeholders): KnownProgram => {
  const everywhere = program.options.filter(({ long, hidden }) => !hidden && long !== '--version')
  const below = (
    command: CommandUnknownOpts,
    path: string,
    siblings: readonly string[],
  ): readonly KnownCommand[] => {
    const help = command.createHelp()
    // `help` is completed once, not again below every group of commands.
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

/** @param siblings the commands that commander's own `help [command]` accepts */
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
    : { kind: 'words', words: choices, unfinished: false, named: null }
