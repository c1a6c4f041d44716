import { type KnownCommand, type KnownOption, type KnownProgram, stackOptions, type Values } from './table.ts'

/** A completion script for fish 3, with the descriptions of commands and options. */
export const fishScript = ({ commands, everywhere }: KnownProgram): string => {
  const read = [...commands.flatMap(readLines), ...awaitingLines('*', everywhere)]
  return `# fish completion for offstream: ~/.config/fish/completions/offstream.fish

# Whether the command before the cursor is this one.
function __offstream_at
    set -l path ''
    set -l skip no
    for word in (commandline -opc)[2..]
        if test $skip = yes
            set skip no
            continue
        end
        switch "$path:$word"
${read.map(line => `            ${line}`).join('\n')}
        end
    end
    test "$path" = "$argv"
end

# The names of the jobs or the topics of the chosen stack, which are not in this script.
function __offstream_names
    set -l words (commandline -opc)
    set -l chosen
    for index in (seq (count $words))
        contains -- $words[$index] ${stackOptions.join(' ')}
        and set -a chosen $words[$index] $words[(math $index + 1)]
    end
    command $words[1] completion names $argv $chosen 2>/dev/null
end

complete -c offstream -f
${everywhere.map(option => `complete -c offstream ${optionFlags(option)}`).join('\n')}
${commands.flatMap(completeLines).join('\n')}
`
}

/** How the words after `path` are read: as a subcommand, or as an option that expects a value. */
const readLines = ({ path, commands, options }: KnownCommand): string[] => [
  ...commands.flatMap(({ name }) => [
    `case '${path}:${name}'`,
    `    set path '${`${path} ${name}`.trimStart()}'`,
  ]),
  ...awaitingLines(path, options),
]

const awaitingLines = (path: string, options: readonly KnownOption[]): string[] => {
  const names = options.flatMap(({ names, value }) => (value === null ? [] : names))
  const patterns = names.map(name => `'${path}:${name}'`).join(' ')
  return names.length === 0 ? [] : [`case ${patterns}`, '    set skip yes']
}

const completeLines = ({ path, commands, options, argument }: KnownCommand): string[] => {
  const at = `complete -c offstream -n ${quoted(`__offstream_at ${path}`.trimEnd())}`
  const values = commands.length > 0 || argument === null ? '' : valueFlags(argument)
  return [
    ...commands.map(({ name, summary }) => `${at} -a ${name} -d ${quoted(summary)}`),
    ...(values === '' ? [] : [`${at} ${values}`]),
    ...options.map(option => `${at} ${optionFlags(option)}`),
  ]
}

const optionFlags = ({ names, description, value }: KnownOption): string =>
  [
    ...names.map(name => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`)),
    // -x: do not complete file names.
    ...(value === null ? [] : [value.kind === 'files' ? '-r' : '-x', valueFlags(value)]),
    `-d ${quoted(description)}`,
  ]
    .filter(flag => flag !== '')
    .join(' ')

const valueFlags = (values: Values): string => {
  if (values.kind === 'files') return '-F'
  if (values.kind === 'folders') return `-a '(__fish_complete_directories)'`
  if (values.kind === 'anything') return ''
  const { words, named } = values
  return `-a ${quoted([...words, ...(named === null ? [] : [`(__offstream_names ${named})`])].join(' '))}`
}

const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`
