import { spawn } from 'node:child_process'
import { open } from 'node:fs/promises'
import { messageOf, OffstreamError, RuntimeError } from '../errors.ts'
import { endOfLog, lastLines } from '../log.ts'
import { DeadlineError, withDeadline } from '../until.ts'
import { type DaemonResponse, fromWire, toWire } from './protocol.ts'

/** The program of a daemon, as a process of its own. */
export interface DaemonProgram {
  readonly file: string
  readonly args: readonly string[]
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** Where it writes; appended to. Its folder must exist. */
  readonly logFile: string
}

const lastLogLineCount = 12

/** On a machine that has much to do, a process takes its time to begin. */
export const startTimeoutMs = 30_000

/**
 * Starts a daemon with its terminal let go; resolves once it says (`notifyLauncher`) that it can be asked. One that says
 * nothing within `timeoutMs` is asked to end.
 * @throws what it said that it failed of, and OffstreamError DAEMON_FAILED where it ended without a word, or said none
 */
export const launchDaemon = async (
  { file, args, env, cwd, logFile }: DaemonProgram,
  timeoutMs = startTimeoutMs,
): Promise<void> => {
  const log = await open(logFile, 'a')
  try {
    const firstWord = await endOfLog(logFile)
    // The fourth is a channel for the one answer. A full disk takes no log, and then the log tells no reason.
    const child = spawn(file, [...args], {
      ...{ detached: true, stdio: ['ignore', log.fd, log.fd, 'ipc'], env: { ...env }, cwd },
    })
    const answer = new Promise<string | null>((resolve, reject) => {
      child.once('message', (told: DaemonResponse) =>
        told.kind === 'error' ? reject(failed(fromWire(told.error))) : resolve(null),
      )
      child.once('error', error => resolve(`could not be run: ${messageOf(error)}`))
      child.once('exit', (status, signal) =>
        resolve(`ended with ${signal ?? `status ${status}`} before it could be asked`),
      )
    })
    try {
      const how = await withDeadline(() => answer, { what: 'its first word', timeoutMs })
      if (how !== null) throw daemonFailed(how, await lastLines(logFile, lastLogLineCount, firstWord))
    } catch (error) {
      if (error instanceof DeadlineError) child.kill()
      throw failed(error)
    } finally {
      // Nothing of it shall keep us from our own end.
      if (child.connected) child.disconnect()
      child.unref()
    }
  } finally {
    await log.close()
  }
}

/** For the daemon's own process: says that it can be asked now (null), or what it fails of. */
export const notifyLauncher = async (error: unknown = null): Promise<void> => {
  const told: DaemonResponse = error === null ? { kind: 'done' } : { kind: 'error', error: toWire(error) }
  // Whoever launched it may be gone.
  await new Promise<void>(resolve => {
    if (process.connected) process.send?.(told, undefined, undefined, () => resolve())
    else resolve()
  })
}

/** A daemon could not be started for a reason that is no news by itself. */
export const failed = (error: unknown): OffstreamError =>
  error instanceof OffstreamError
    ? error
    : daemonFailed(`could not be started: ${messageOf(error)}`, [], error)

const daemonFailed = (how: string, lastLogLines: readonly string[], cause?: unknown): OffstreamError =>
  new RuntimeError('DAEMON_FAILED', `The daemon, which runs the services, ${how}`, {
    hint: 'call `offstream up --foreground`, where it tells more; `offstream down` ends what runs, also without a daemon',
    lastLogLines,
    cause,
  })
