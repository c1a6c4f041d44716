import { CommanderError } from '@commander-js/extra-typings'
import { exitStatus, OffstreamError, type Outcome } from '@offstream/runtime/errors'
import { addCommand } from './command.ts'
import { commands } from './commands.ts'
import type { Context } from './context.ts'
import { newProgram } from './program.ts'
import { ignoreStreamErrors } from './streams.ts'

// Node warns about its own experimental features, which is of no use to users.
process.removeAllListeners('warning')

/**
 * The first Ctrl-C or SIGTERM asks the command to stop, the second one exits at once. After that the exit status names
 * the signal, whatever the command returns.
 */
const stopRequest = new AbortController()
const forceRequest = new AbortController()
let interruptedBy: 'interrupted' | 'terminated' | null = null
const onSignal = (outcome: 'interrupted' | 'terminated') => (): void => {
  if (interruptedBy !== null) {
    forceRequest.abort()
    process.exit(exitStatus[outcome])
  }
  interruptedBy = outcome
  stopRequest.abort(new Error(outcome))
}
process.on('SIGINT', onSignal('interrupted'))
process.on('SIGTERM', onSignal('terminated'))
// The terminal was closed. `up --foreground` must stop its services: without a daemon, nothing would restart them. The
// signal can come twice, from the system and from the shell.
process.on('SIGHUP', () => {
  ignoreStreamErrors()
  if (interruptedBy === null) onSignal('terminated')()
})
process.stdout.on('error', error => {
  // The reader of our output has exited (`offstream logs | head`).
  if ('code' in error && error.code === 'EPIPE') process.exit(exitStatus.ok)
  // Our output goes to a file on a full disk.
  void report(error).then(status => process.exit(status))
})

/** Errors that a user without the right `--profile` sees. */
const ofStoppedServices = new Set(['NOT_RUNNING', 'KAFKA_UNREACHABLE', 'THRIFT_UNREACHABLE'])

const program = newProgram()

// Loaded when a command runs: help waits neither for the configuration nor for what a terminal needs.
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
    { signal: stopRequest.signal, force: forceRequest.signal, onOutcome: setExitStatus },
  )
  return context
}

const setExitStatus = (outcome: Outcome): void => {
  process.exitCode = exitStatus[outcome]
}

// Load only the called command: the help of the program must not wait for a Kafka client.
const describeProgram = async () => (await import('./allCommands.ts')).programWithAllCommands()
for (const [name, entry] of Object.entries(commands)) {
  const command = addCommand(program, name, entry)
  if (process.argv.includes(name)) (await entry.load()).default(command, makeContext, describeProgram)
}

try {
  await program.parseAsync(process.argv.map(notAnOption))
} catch (error) {
  process.exitCode = await report(error)
}
if (interruptedBy !== null) process.exitCode = exitStatus[interruptedBy]

/** Text that starts like an option but cannot be one, for example SQL that starts with a comment. */
function notAnOption(word: string): string {
  return /^-[^=\s]*\s/.test(word) ? ` ${word}` : word
}

/** Prints an error. @returns the exit status */
async function report(thrown: unknown): Promise<number> {
  const error = thrown instanceof CommanderError ? await usageError(thrown) : thrown
  if (error === null) return exitStatus.ok
  if (error === 'help') return exitStatus.usage
  contextModule ??= await loadContext()
  const { output } = context ?? makeContext()
  if (interruptedBy !== null && !(error instanceof OffstreamError)) {
    output.endLive()
    return exitStatus[interruptedBy]
  }
  const { errorForUser } = await import('./errorForUser.ts')
  const printed = errorForUser(error)
  output.error(printed, program.opts().verbose ?? false)
  if (printed instanceof OffstreamError && ofStoppedServices.has(printed.code))
    await context?.noteOtherServices().catch(() => undefined)
  return printed instanceof OffstreamError ? exitStatus[printed.outcome] : exitStatus.unexpected
}

/** Commander also throws after it has printed help: on request (null), or because the command is incomplete. */
async function usageError(error: CommanderError): Promise<OffstreamError | 'help' | null> {
  if (error.exitCode === 0) return null
  if (error.code === 'commander.help') return 'help'
  const { usageErrorOf } = await import('./usageError.ts')
  return usageErrorOf(
    error,
    process.argv.slice(2).find(word => Object.hasOwn(commands, word)),
  )
}
