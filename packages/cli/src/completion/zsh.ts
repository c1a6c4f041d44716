import { type KnownCommand, type KnownOption, type KnownProgram, stackOptions, type Values } from './table.ts'

/** A completion script for zsh 5, with the descriptions of commands and options. */
export const zshScript = ({ commands, everywhere }: KnownProgram): string => `#compdef offstream
# zsh completion for offstream; load it after compinit with: eval "$(offstream completion zsh)"

_offstream_everywhere=(
${everywhere
  .flatMap(specificationsOf)
  .map(line => `  ${line}`)
  .join('\n')}
)

# The names of the jobs or the topics of the chosen stack, which are not in this script.
_offstream_names() {
  local index
  local -a chosen
  for ((index = 2; index < $#_offstream_words; index++)); do
    case $_offstream_words[index] in
      ${stackOptions.join(' | ')}) chosen+=("$_offstream_words[index]" "$_offstream_words[index + 1]") ;;
    esac
  done
  "$_offstream_words[1]" completion names $1 $chosen 2>/dev/null
}

${commands.map(functionOf).join('\n')}
# Loaded by eval, or from a folder of $fpath, where zsh runs it as the function itself.
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _offstream "$@"
else
  compdef _offstream offstream
fi
`

/** The function that completes the words after a path. */
const functionOf = ({ path, commands, options, argument }: KnownCommand): string => {
  const own = options.flatMap(specificationsOf)
  if (commands.length > 0) return functionOfGroup(path, own, commands)
  const values = argument === null ? [] : [quoted(`*:value:${action(argument)}`)]
  return `${functionName(path)}() {
  _arguments -s -S $_offstream_everywhere${continued([...own, ...values])}
}
`
}

const functionOfGroup = (
  path: string,
  own: readonly string[],
  commands: KnownCommand['commands'],
): string => `${functionName(path)}() {
${path === '' ? '  local -a _offstream_words=("$words[@]")\n' : ''}  local context state state_descr line
  typeset -A opt_args
  _arguments -s -S -A '-*' -C $_offstream_everywhere${continued([...own, "'1: :->command'", "'*:: :->rest'"])}
  case $state in
    command)
      local -a known=(
${commands.map(({ name, summary }) => `        ${quoted(`${name}:${summary}`)}`).join('\n')}
      )
      _describe command known
      ;;
    rest)
      case $line[1] in
${commands.map(({ name }) => `        ${name}) ${functionName(`${path} ${name}`.trimStart())} ;;`).join('\n')}
      esac
      ;;
  esac
}
`

const functionName = (path: string): string => ['_offstream', ...path.split(' ')].join('_').replace(/_$/, '')

const continued = (lines: readonly string[]): string => lines.map(line => ` \\\n    ${line}`).join('')

/** One specification for each name of an option; it excludes the other names. */
const specificationsOf = ({ names, description, value }: KnownOption): string[] => {
  // Options whose values are unfinished words, such as `--set kafka.port=`, can be repeated.
  const repeated = value?.kind === 'words' && value.unfinished
  const before = repeated ? '*' : names.length > 1 ? `(${names.join(' ')})` : ''
  const takes = value === null ? '' : `:value:${action(value)}`
  const text = description.replace(/[[\]\\]/g, '\\$&')
  // With `=`, the value of a long option can follow the sign or be the next word.
  const sign = (name: string): string => (value !== null && name.startsWith('--') ? '=' : '')
  return names.map(name => quoted(`${before}${name}${sign(name)}[${text}]${takes}`))
}

const action = (values: Values): string => {
  if (values.kind === 'files') return '_files'
  if (values.kind === 'folders') return '_files -/'
  if (values.kind === 'anything') return ' '
  const { words, unfinished, named } = values
  if (unfinished) return `{compadd -S "" -- ${words.join(' ')}}`
  return named === null
    ? `(${words.join(' ')})`
    : `{compadd -- ${[...words, `\${(f)"$(_offstream_names ${named})"}`].join(' ')}}`
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
