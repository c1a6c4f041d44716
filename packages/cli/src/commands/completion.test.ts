import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { commands } from '../commands.ts'
import { runCommand } from '../testCommand.ts'

const directory = mkdtempSync(join(tmpdir(), 'offstream-completion-'))
afterAll(() => rmSync(directory, { recursive: true }))
writeFileSync(join(directory, 'two words.jsonl'), '')
mkdirSync(join(directory, 'two folders'))

/** Instead of offstream in a shell: the names of a job, and of the topics of the stack `tests`. */
mkdirSync(join(directory, 'bin'))
writeFileSync(
  join(directory, 'bin', 'offstream'),
  `#!/bin/sh
case "$*" in
  'completion names jobs') echo sessions ;;
  'completion names topics --stack tests') printf 'clicks\\ncustomers\\n' ;;
esac
`,
  { mode: 0o755 },
)
const env = { ...process.env, PATH: `${join(directory, 'bin')}:${process.env['PATH']}` }

const visible = Object.entries(commands).flatMap(([name, { hidden }]) => (hidden ? [] : [name]))
const shows = (shell: string): boolean => spawnSync(shell, ['-c', 'exit 0']).status === 0

const scriptOf = async (shell: string): Promise<string> => {
  const file = join(directory, `offstream.${shell}`)
  writeFileSync(file, (await runCommand(['completion', shell])).stdout)
  return file
}

/** What is expected of every shell: the words so far, the last of them unfinished, and what it may become. */
const cases: readonly [words: readonly string[], offered: readonly string[]][] = [
  [[''], [...visible, 'help']],
  [['con'], ['config', 'connect']],
  [['config', ''], ['show']],
  [['config', 'show', '--so'], ['--sources']],
  [['help', 'sub'], ['submit']],
  [['up', '--fore'], ['--foreground']],
  [['up', '--verb'], ['--verbose']],
  [
    ['query', '--format', ''],
    ['csv', 'json', 'ndjson', 'parquet', 'table'],
  ],
  [
    ['logs', 'spark-'],
    ['spark-master', 'spark-worker', 'spark-worker-2', 'spark-worker-3'],
  ],
  [['restart', 'zoo'], ['zookeeper']],
  [['restart', 'se'], ['sessions']],
  [['jobs', 'stop', ''], ['sessions']],
  [
    ['--stack', 'tests', 'topic', 'delete', ''],
    ['clicks', 'customers'],
  ],
  [['topic', 'peek', '--stack', 'tests', '--topic', 'cu'], ['customers']],
  [['topic', 'delete', ''], []],
  [['submit', 'two w'], ['two words.jsonl']],
  [['init', '--template', ''], ['clickstream']],
  [['explain', 'PORT'], ['PORT_TAKEN']],
  // The value of an option may be the name of a command.
  [['--stack', 'up', 'stat'], ['status']],
  [['--profile', 'up', 'stat'], ['status']],
  [['--prof'], ['--profile']],
  [['up', '--set', 'thrift.p'], ['thrift.port=']],
  [['site', '--catalogue', 'two w'], ['two words.jsonl']],
  [['--daemon'], []],
  [['keep'], []],
]

describe('completion in bash', async () => {
  const script = await scriptOf('bash')
  const complete = (words: readonly string[]): string[] =>
    execFileSync(
      'bash',
      [
        '-c',
        `source "$0"; COMP_WORDS=(offstream "$@"); COMP_CWORD=$#; _offstream; printf '%s\\n' "\${COMPREPLY[@]}"`,
        script,
        ...words,
      ],
      { cwd: directory, encoding: 'utf8', env },
    )
      .split('\n')
      .filter(line => line !== '')

  test.each(cases)('%j', (words, offered) => {
    expect(complete(words).sort()).toEqual([...offered].sort())
  })

  test('a value behind `=`, which bash treats as a separate word', () => {
    expect([complete(['query', '--format', '=', 'c']), complete(['query', '--format', '='])]).toEqual([
      ['csv'],
      ['table', 'json', 'ndjson', 'csv', 'parquet'],
    ])
  })
})

describe.skipIf(!shows('fish'))('completion in fish (skipped where fish is not installed)', async () => {
  const script = await scriptOf('fish')
  const complete = (words: readonly string[]): string[] => {
    const line = ['offstream', ...words.map(word => word.replaceAll(' ', '\\ '))].join(' ')
    return execFileSync(
      'fish',
      ['--no-config', '-c', 'source $argv[1]; complete -C $argv[2]', script, line],
      {
        cwd: directory,
        encoding: 'utf8',
        env,
      },
    )
      .split('\n')
      .flatMap(answer => answer.split('\t')[0] || [])
  }

  test.each(cases)('%j', (words, offered) => {
    expect(complete(words).sort()).toEqual([...offered].sort())
  })
})

/** Types each line and Tab in an interactive zsh, and waits until it shows what the line becomes. */
const zshCompletes = (script: string, lines: readonly (readonly [typed: string, shown: string])[]): void => {
  const waits = lines.map(
    ([typed, shown]) =>
      `zpty -w -n z $'\\x15'${JSON.stringify(typed)}$'\\t'; zpty -r z out '*${shown}*' || exit 1`,
  )
  const ready = `autoload -Uz compinit; compinit -u -d ${directory}/dump; source ${script}; print ready-$((1 + 1))`
  const program = `zmodload zsh/zpty; zpty z 'TERM=dumb exec zsh -f -i'
zpty -w z '${ready}'; zpty -r z out '*ready-2*'
${waits.join('\n')}
zpty -d z`
  execFileSync('zsh', ['-f', '-c', program], { encoding: 'utf8', env, timeout: 50_000 })
}

test.skipIf(!shows('zsh'))(
  'zsh completes words, jobs and topics, also after global options (skipped where zsh is not installed)',
  async () => {
    const script = await scriptOf('zsh')
    zshCompletes(script, [
      ['offstream query --format nd', 'ndjson'],
      ['offstream query --stack tests --format parq', 'parquet'],
      ['offstream jobs stop se', 'sessions'],
      ['offstream restart --stack other zoo', 'zookeeper'],
      ['offstream topic peek --stack tests --topic cu', 'customers'],
    ])
  },
)

test.skipIf(!shows('zsh'))(
  'zsh reads its script without complaint (skipped where zsh is not installed)',
  async () => {
    const { status, stderr } = spawnSync('zsh', ['-f', '-n', await scriptOf('zsh')], { encoding: 'utf8' })
    expect([status, stderr]).toEqual([0, ''])
  },
)
