import { type KnownCommand, type KnownOption, type KnownProgram, stackOptions, type Values } from './table.ts'

/**
 * A completion script for bash 3.2 (macOS) and newer. It does not need the package bash-completion, and runs offstream only
 * for the names of jobs and topics.
 */
export const bashScript = ({ commands, everywhere }: KnownProgram): string => {
  const read = [...commands.flatMap(readLines), ...awaitingLines('*:', everywhere)]
  const expect = [
    ...commands.flatMap(command => expectLines(command, everywhere)),
    ...valueLines('*:', everywhere),
  ]
  return `# bash completion for offstream; load it with \`eval "$(offstream completion bash)"\`

# Sets path to the command before the cursor, option to an option that expects its value at the cursor, and chosen to the
# options that choose the stack.
_offstream_read() {
  local index word
  path='' option='' chosen=()
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    # bash splits \`--name=value\` into three words.
    [[ $word == '=' ]] && continue
    if [[ -n $option ]]; then
      case $option in
        ${stackOptions.join(' | ')}) chosen+=("$option" "$word") ;;
      esac
      option=''
      continue
    fi
    case "$path:$word" in
${read.join('\n')}
    esac
  done
}

# Sets kind, words and named to what can be completed at the cursor.
_offstream_expect() {
  kind=words words='' named=''
  case "$path:$option" in
${expect.join('\n')}
  esac
}

_offstream() {
  local path option chosen kind words named current=\${COMP_WORDS[COMP_CWORD]} IFS=$'\\n'
  [[ $current == '=' ]] && current=''
  _offstream_read
  [[ -z $option && $current == -* ]] && option=--
  _offstream_expect
  # These names are not in this script.
  [[ -n $named ]] && words+=" $("\${COMP_WORDS[0]}" completion names "$named" "\${chosen[@]}" 2>/dev/null | tr '\\n' ' ')"
  case $kind in
    files) COMPREPLY=($(compgen -f -- "$current")) ;;
    folders) COMPREPLY=($(compgen -d -- "$current")) ;;
    *) COMPREPLY=($(IFS=' ' && compgen -W "$words" -- "$current")) ;;
  esac
  case $kind in
    files | folders) compopt -o filenames 2>/dev/null ;;
    unfinished) compopt -o nospace 2>/dev/null ;;
  esac
  return 0
}

complete -F _offstream offstream
`
}

/** How the words after `path` are read: as a subcommand, or as an option that expects a value. */
const readLines = ({ path, commands, options }: KnownCommand): string[] => [
  ...commands.map(({ name }) => `      '${path}:${name}') path='${`${path} ${name}`.trimStart()}' ;;`),
  ...awaitingLines(`'${path}:'`, options),
]

/** @param at a shell pattern for the text before the name of the option */
const awaitingLines = (at: string, options: readonly KnownOption[]): string[] =>
  options
    .filter(({ value }) => value !== null)
    .map(({ names }) => `      ${names.map(name => `${at}${name}`).join(' | ')}) option=$word ;;`)

const expectLines = (
  { path, commands, options, argument }: KnownCommand,
  everywhere: readonly KnownOption[],
): string[] => {
  const optionNames = [...options, ...everywhere].flatMap(({ names }) => names)
  const inner = commands.map(({ name }) => name)
  const next =
    inner.length > 0 ? { kind: 'words' as const, words: inner, unfinished: false, named: null } : argument
  return [
    ...valueLines(`'${path}:'`, options),
    `    '${path}:--') words='${optionNames.join(' ')}' ;;`,
    ...(next === null ? [] : [`    '${path}:') ${assigned(next)} ;;`]),
  ]
}

const valueLines = (at: string, options: readonly KnownOption[]): string[] =>
  options.flatMap(({ names, value }) =>
    value === null ? [] : [`    ${names.map(name => `${at}${name}`).join(' | ')}) ${assigned(value)} ;;`],
  )

const assigned = (values: Values): string => {
  if (values.kind === 'words') {
    const { words, unfinished, named } = values
    const more = `${unfinished ? 'kind=unfinished ' : ''}${named === null ? '' : `named=${named} `}`
    return `${more}words='${words.join(' ')}'`
  }
  return values.kind === 'anything' ? ':' : `kind=${values.kind}`
}
