import { Command } from '@commander-js/extra-typings'
import { exitStatus, type Outcome } from '@offstream/runtime/errors'
import { vi } from 'vitest'
import { programWithAllCommands } from './allCommands.ts'
import { commands } from './commands.ts'
import { contextOf, type GlobalOptions } from './context.ts'

/** What a command printed, and its exit status. */
export interface Ran {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number
}

/**
 * Runs a command in this process, as `main.ts` does, and captures its output.
 * @throws what the command throws; `main.ts` would print it and exit
 */
export const runCommand = async (
  words: readonly string[],
  { settings = [], ...options }: Partial<GlobalOptions> = {},
): Promise<Ran> => {
  const [name = ''] = words
  const command = new Command(name).exitOverride()
  const { signal } = new AbortController()
  const define = (await commands[name]?.load())?.default
  define?.(
    command,
    more =>
      contextOf(
        { ...options, settings: [...settings, ...(more ?? [])] },
        { signal, force: signal, onOutcome },
      ),
    programWithAllCommands,
  )
  const program = new Command('offstream').exitOverride().addCommand(command)
  const stdout = capture(process.stdout)
  const stderr = capture(process.stderr)
  let exitCode: number = exitStatus.ok
  const onOutcome = (outcome: Outcome): void => {
    exitCode = exitStatus[outcome]
  }
  try {
    await program.parseAsync(words, { from: 'user' })
    return { stdout: stdout.text(), stderr: stderr.text(), exitCode }
  } finally {
    stdout.end()
    stderr.end()
  }
}

const capture = (stream: NodeJS.WriteStream) => {
  let text = ''
  const spy = vi.spyOn(stream, 'write').mockImplementation(chunk => {
    text += String(chunk)
    return true
  })
  return { text: () => text, end: () => spy.mockRestore() }
}
