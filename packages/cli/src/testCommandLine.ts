import type { CommandUnknownOpts } from '@commander-js/extra-typings'

/** The calls of offstream in a text: between back-ticks, and in the indented lines of examples. */
export const callsIn = (text: string): string[] => [
  ...[...text.matchAll(/`(offstream [^`\\]*)\\?`/g)].map(([, call = '']) => call),
  // A remark starts after two blanks, or with a parenthesis.
  ...[...text.matchAll(/^ {2}(?:.*(?:&&|\|) )?(?:npx )?(offstream .+?)(?:`.*| {2}.*| \(.*)?$/gm)].map(
    ([, call = '']) => call,
  ),
]

/** A word at which the call ends in a shell, or after which the text is not known here: `--` begins arguments of a job. */
const ends = /^(?:--|&&|\|\|?|;|>>?|<|…|\$\{.*)$/

/**
 * The words of a call that the program does not accept: commands, options, and arguments of commands without arguments.
 * A placeholder (`<name>`) matches anything.
 */
export const unknownIn = (call: string, program: CommandUnknownOpts): string[] => {
  const [, ...words] = [...call.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)].map(([word]) => word)
  const end = words.findIndex(word => ends.test(word))
  const unknown: string[] = []
  let command = program
  let valueFollows = false
  for (const word of end === -1 ? words : words.slice(0, end)) {
    const inner = command.commands.find(other => other.name() === word)
    if (valueFollows) valueFollows = false
    else if (word.startsWith('-') && word !== '-') {
      const [flag = '', value] = word.split(/=(.*)/s)
      const option = optionOf(flag, command)
      if (option === 'unknown') unknown.push(flag)
      valueFollows = option === 'takes a value' && value === undefined
    } else if (inner !== undefined) command = inner
    else if (command.commands.length > 0 && /^<.*>$/.test(word)) break
    else if (command.registeredArguments.length === 0) unknown.push(word)
  }
  return unknown
}

const optionOf = (flag: string, command: CommandUnknownOpts): 'unknown' | 'takes a value' | 'takes none' => {
  if (flag === '--help') return 'takes none'
  for (let at: CommandUnknownOpts | null = command; at !== null; at = at.parent) {
    const option = at.options.find(({ long, short }) => flag === long || flag === short)
    if (option !== undefined) return option.required ? 'takes a value' : 'takes none'
  }
  return 'unknown'
}
