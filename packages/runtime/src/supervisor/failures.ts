import { messageOf, type OffstreamError, RuntimeError } from '../errors.ts'
import { lastLines } from '../log.ts'
import type { Service } from './service.ts'

const lastLogLineCount = 20
/** The cause of a stack trace is far above its end. */
const diagnosedLineCount = 400

/** A service exited before it was ready. @param since the position in its log at which this start began */
export const serviceExited = async (
  service: Service,
  how: string,
  since: number,
): Promise<OffstreamError> => {
  const { message, ...rest } = await explained(service, since, `${service.name} ${how} before it was ready`)
  return new RuntimeError('SERVICE_EXITED', message, rest)
}

/** A service did not become ready in time. @param since the position in its log at which this start began */
export const serviceNotReady = async (
  service: Service,
  error: unknown,
  since: number,
): Promise<OffstreamError> => {
  const what = `${service.name} did not become ready: ${messageOf(error)}`
  const { message, ...rest } = await explained(service, since, what)
  return new RuntimeError('SERVICE_NOT_READY', message, { ...rest, cause: error })
}

/** Adds what the log says: its last lines and, if one of them has a known cause, that cause and its fix. */
const explained = async (
  { logFile, permanentFailure, diagnose }: Service,
  since: number,
  what: string,
): Promise<{ readonly message: string; readonly hint: string; readonly lastLogLines: readonly string[] }> => {
  const lines = await lastLines(logFile, diagnosedLineCount, since)
  // How it exited is diagnosed too: a process that was killed for lack of memory could not log anything.
  const diagnosis = (await permanentFailure?.()) ?? diagnose?.([...lines, what]) ?? null
  return {
    message: diagnosis === null ? what : `${what}: ${diagnosis.cause}`,
    hint: diagnosis === null ? `read \`${logFile}\`` : `${diagnosis.hint}; the full log is in \`${logFile}\``,
    lastLogLines: lines.slice(-lastLogLineCount),
  }
}
