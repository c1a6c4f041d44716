import { spawn } from 'node:child_process'
import { open } from 'node:fs/promises'
import { messageOf, OffstreamError, RuntimeError } from '../errors.ts'
import { endOfLog, lastLines } from '../log.ts'
import { DeadlineError, withDeadline } from '../until.ts'
import { type DaemonResponse, fromWire, toWire } from './protocol.ts'

/** The program of a daemon, as a separate process. */
export interface DaemonProgram {
  readonly file: string
  readonly args: readonly string[]
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** Its output is appended to this file; the folder must exist. */
  readonly logFile: string
}

const lastLogLineCount = 12

/** On a busy machine a process starts slowly. */
export const startTimeoutMs = 30_000

/**
 * Starts a daemon without a terminal; resolves when it reports (`notifyLauncher`) that it accepts requests. If it reports
 * nothing within `timeoutMs`, it gets SIGTERM.
 * @throws the error that it reports; OffstreamError DAEMON_FAILED if it exits or times out without a report
 */
export const launchDaemon = async (
  { file, args, env, cwd, logFile }: DaemonProgram,
  timeoutMs = startTimeoutMs,
): Promise<void> => {
  const log = await open(logFile, 'a')
  try {
    const since = await endOfLog(logFile)
    // The fourth is a channel for the report: on a full disk the log cannot contain the reason.
    const child = spawn(file, [...args], {
      ...{ detached: true, stdio: ['ignore', log.fd, log.fd, 'ipc'], env: { ...env }, cwd },
    })
    const answer = new Promise<string | null>((resolve, reject) => {
      child.once('message', (report: DaemonResponse) =>
        report.kind === 'error' ? reject(failed(fromWire(report.error))) : resolve(null),
      )
      child.once('error', error => resolve(`could not be started: ${messageOf(error)}`))
      child.once('exit', (status, signal) =>
        resolve(
          `${signal === null ? `exited with status ${status}` : `was killed by ${signal}`} before it accepted requests`,
        ),
      )
    })
    try {
      const how = await withDeadline(() => answer, { what: 'its report', timeoutMs })
      if (how !== null) throw daemonFailed(how, await lastLines(logFile, lastLogLineCount, since))
    } catch (error) {
      if (error instanceof DeadlineError) child.kill()
      throw failed(error)
    } finally {
      // It must not keep this process from exiting.
      if (child.connected) child.disconnect()
      child.unref()
    }
  } finally {
    await log.close()
  }
}

/** For the process of the daemon: reports that it accepts requests now (null), or why it failed. */
export const notifyLauncher = async (error: unknown = null): Promise<void> => {
  const report: DaemonResponse = error === null ? { kind: 'done' } : { kind: 'error', error: toWire(error) }
  // The launcher may have exited.
  await new Promise<void>(resolve => {
    if (process.connected) process.send?.(report, undefined, undefined, () => resolve())
    else resolve()
  })
}

/** An error for the user, whatever kept a daemon from starting. */
export const failed = (error: unknown): OffstreamError =>
  error instanceof OffstreamError
    ? error
    : daemonFailed(`could not be started: ${messageOf(error)}`, [], error)

const daemonFailed = (how: string, lastLogLines: readonly string[], cause?: unknown): OffstreamError =>
  new RuntimeError('DAEMON_FAILED', `The daemon, which runs the services, ${how}`, {
    hint: 'run `offstream up --foreground`, which shows more output; `offstream down` stops the services without a daemon',
    lastLogLines,
    cause,
  })
