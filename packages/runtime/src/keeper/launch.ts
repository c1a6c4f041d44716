import { spawn } from 'node:child_process'
import { open } from 'node:fs/promises'
import { messageOf, OffstreamError } from '../errors.ts'
import { endOfLog, lastLines } from '../log.ts'
import { DeadlineError, withDeadline } from '../until.ts'
import { fromWire, type KeeperAnswer, toWire } from './protocol.ts'

/** The program of a keeper, as a process of its own. */
export interface KeeperProgram {
  readonly file: string
  readonly args: readonly string[]
  readonly cwd: string
  /** Where it writes; appended to. Its folder must exist. */
  readonly logFile: string
}

const lastWordCount = 12

/** On a machine that has much to do, a process takes its time to begin. */
export const startWithinMs = 30_000

/**
 * Starts a keeper with its terminal let go; resolves once it says (`tellLauncher`) that it can be asked. One that says
 * nothing within `withinMs` is asked to end.
 * @throws what it said that it failed of, and OffstreamError KEEPER_FAILED where it ended without a word, or said none
 */
export const launchKeeper = async (
  { file, args, cwd, logFile }: KeeperProgram,
  withinMs = startWithinMs,
): Promise<void> => {
  const log = await open(logFile, 'a')
  try {
    const firstWord = await endOfLog(logFile)
    // The fourth is a channel for the one answer. A full disk takes no log, and then the log tells no reason.
    const child = spawn(file, [...args], { detached: true, stdio: ['ignore', log.fd, log.fd, 'ipc'], cwd })
    const answer = new Promise<string | null>((resolve, reject) => {
      child.once('message', (told: KeeperAnswer) =>
        told.kind === 'error' ? reject(failed(fromWire(told.error))) : resolve(null),
      )
      child.once('error', error => resolve(`could not be run: ${messageOf(error)}`))
      child.once('exit', (status, signal) =>
        resolve(`ended with ${signal ?? `status ${status}`} before it could be asked`),
      )
    })
    try {
      const how = await withDeadline(() => answer, { what: 'its first word', withinMs })
      if (how !== null) throw keeperFailed(how, await lastLines(logFile, lastWordCount, firstWord))
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

/** For the keeper's own process: says that it can be asked now (null), or what it fails of. */
export const tellLauncher = async (error: unknown = null): Promise<void> => {
  const told: KeeperAnswer = error === null ? { kind: 'done' } : { kind: 'error', error: toWire(error) }
  // Whoever launched it may be gone.
  await new Promise<void>(resolve => {
    if (process.connected) process.send?.(told, undefined, undefined, () => resolve())
    else resolve()
  })
}

/** A keeper could not be started for a reason that is no news by itself. */
export const failed = (error: unknown): OffstreamError =>
  error instanceof OffstreamError
    ? error
    : keeperFailed(`could not be started: ${messageOf(error)}`, [], error)

const keeperFailed = (how: string, lastWords: readonly string[], cause?: unknown): OffstreamError =>
  new OffstreamError('KEEPER_FAILED', `The keeper, which runs the services, ${how}`, {
    outcome: 'failed',
    hint: 'call `offstream up --foreground`, where it tells more; `offstream down` ends what runs, also without a keeper',
    lastWords,
    cause,
  })
