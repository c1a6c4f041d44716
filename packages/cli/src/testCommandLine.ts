import type { CommandUnknownOpts } from '@commander-js/extra-typings'

/** The calls of offstream that a text advises: between back-ticks, and in the indented lines of examples. */
export const callsIn = (text: string): string[] => [
  ...[...text.matchAll(/`(offstream [^`\\]*)\\?`/g)].map(([, call = '']) => call),
  // Two blanks, or a bracket, begin a remark.
  ...[...text.matchAll(/^ {2}(?:.*(?:&&|\|) )?(?:npx )?(offstream .+?)(?:`.*| {2}.*| \(.*)?$/gm)].map(
    ([, call = '']) => call,
  ),
]

/** Where a shell would end the call, or the text is not known here. */
const ends = /^(?:&&|\|\|?|;|>>?|<|…|\$\{.*)$/

/**
 * What of a call the program does not know: a command, an option, or an argument where it takes none. Placeholders
 * (`<name>`) stand for anything.
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
