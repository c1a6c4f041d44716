import { CommanderError } from '@commander-js/extra-typings'
import { exitStatus, OffstreamError } from '@offstream/runtime/errors'
import { addCommand } from './command.ts'
import { commands } from './commands.ts'
import type { Context } from './context.ts'
import { newProgram } from './program.ts'

// Node warns of its own parts that are still experimental; that is no news for the person.
process.removeAllListeners('warning')

/**
 * Ctrl-C and TERM ask the command to come to a clean end; a second one ends it at once. The exit status then says
 * which signal it was, whatever the command came to.
 */
const interruption = new AbortController()
const insistence = new AbortController()
let interruptedBy: 'interrupted' | 'terminated' | null = null
const onSignal = (outcome: 'interrupted' | 'terminated') => (): void => {
  if (interruptedBy !== null) {
    insistence.abort()
    process.exit(exitStatus[outcome])
  }
  interruptedBy = outcome
  interruption.abort(new Error(outcome))
}
process.on('SIGINT', onSignal('interrupted'))
process.on('SIGTERM', onSignal('terminated'))
// Whoever reads our output went away (`offstream logs | head`): nobody is left to tell.
process.stdout.on('error', error => {
  if ('code' in error && error.code === 'EPIPE') process.exit(exitStatus.ok)
  // A full disk, where our output goes to a file.
  void report(error).then(status => process.exit(status))
})

const program = newProgram()

// Loaded when a command runs: help waits neither for the configuration nor for what draws on a terminal.
const loadContext = () => import('./context.ts')
let contextModule: Awaited<ReturnType<typeof loadContext>> | null = null
program.hook('preAction', async () => {
  contextModule = await loadContext()
})

let context: Context | null = null
const makeContext = (settings: readonly string[] = []): Context => {
  if (contextModule === null) throw new Error('a context is made when a command runs')
  const { set = [], ...options } = program.opts()
  context = contextModule.contextOf(
    { ...options, settings: [...set, ...settings] },
    { signal: interruption.signal, force: insistence.signal },
  )
  return context
}

// Only what was asked for is loaded: help must not wait for a Kafka client.
const describeProgram = async () => (await import('./allCommands.ts')).programWithAllCommands()
for (const [name, entry] of Object.entries(commands)) {
  const command = addCommand(program, name, entry)
  if (process.argv.includes(name)) (await entry.load()).default(command, makeContext, describeProgram)
}

try {
  await program.parseAsync(process.argv.map(unlikeOption))
} catch (error) {
  process.exitCode = await report(error)
}
if (interruptedBy !== null) process.exitCode = exitStatus[interruptedBy]

/** A text that begins like an option and can be none (SQL that begins with a comment) is not to be read as one. */
function unlikeOption(word: string): string {
  return /^-[^=\s]*\s/.test(word) ? ` ${word}` : word
}

async function report(error: unknown): Promise<number> {
  // commander has written its own message by then, and `--help` is thrown too.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitStatus.ok : exitStatus.usage
  contextModule ??= await loadContext()
  const { output } = context ?? makeContext()
  if (interruptedBy !== null && !(error instanceof OffstreamError)) {
    output.endLive()
    return exitStatus[interruptedBy]
  }
  const { errorForUser } = await import('./errorForUser.ts')
  const printed = errorForUser(error)
  output.error(printed, program.opts().verbose ?? false)
  return printed instanceof OffstreamError ? exitStatus[printed.outcome] : exitStatus.unexpected
}
