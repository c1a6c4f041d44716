import { setTimeout as pause } from 'node:timers/promises'
import { messageOf } from './errors.ts'

/** A wait that came to its end without the answer; `cause` is the last thing that stood in the way. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
}

export interface UntilOptions {
  /** What is waited for, as it should read in "gave up waiting for …". */
  readonly what: string
  readonly timeoutMs: number
  /** Pause between two questions. */
  readonly intervalMs?: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Asks again and again until `ask` resolves, and returns its answer.
 * `ask` gets a signal that is aborted at the deadline, so that a question that hangs ends too.
 *
 * @throws DeadlineError after `timeoutMs`; the reason of `signal` when that is aborted.
 */
export const until = async <T>(
  ask: (signal: AbortSignal) => Promise<T>,
  { what, timeoutMs, intervalMs = 100, signal }: UntilOptions,
): Promise<T> => {
  const deadline = AbortSignal.timeout(timeoutMs)
  const either = signal === undefined ? deadline : AbortSignal.any([deadline, signal])
  let lastError: unknown
  for (;;) {
    try {
      return await abortable(ask(either), either)
    } catch (error) {
      signal?.throwIfAborted()
      if (!deadline.aborted) lastError = error
      else throw gaveUp(what, timeoutMs, lastError)
    }
    await pause(intervalMs, undefined, { signal: either }).catch(() => undefined)
    signal?.throwIfAborted()
    if (deadline.aborted) throw gaveUp(what, timeoutMs, lastError)
  }
}

/**
 * One question with a deadline: the answer of `ask`, or a DeadlineError after `timeoutMs`, even when `ask` ignores
 * its signal and never settles.
 */
export const withDeadline = async <T>(
  ask: (signal: AbortSignal) => Promise<T>,
  { what, timeoutMs, signal }: Omit<UntilOptions, 'intervalMs'>,
): Promise<T> => {
  const deadline = AbortSignal.timeout(timeoutMs)
  const either = signal === undefined ? deadline : AbortSignal.any([deadline, signal])
  try {
    return await abortable(ask(either), either)
  } catch (error) {
    signal?.throwIfAborted()
    if (deadline.aborted) throw gaveUp(what, timeoutMs, undefined)
    throw error
  }
}

const gaveUp = (what: string, timeoutMs: number, cause: unknown): DeadlineError => {
  const reason = cause === undefined ? '' : `: ${messageOf(cause)}`
  return new DeadlineError(`gave up waiting for ${what} after ${timeoutMs / 1000} s${reason}`, { cause })
}

/** `promise`, or the reason of `signal` as soon as it is aborted, whichever comes first. */
const abortable = <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
