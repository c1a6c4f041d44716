import { setTimeout as pause } from 'node:timers/promises'
import { messageOf } from './errors.ts'

/** A wait that came to its end without the answer; `cause` is the last thing that stood in the way. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
}

export interface UntilOptions {
  /** What is waited for, as it should read in "gave up waiting for …". */
  readonly what: string
  readonly withinMs: number
  /** Pause between two questions. */
  readonly everyMs?: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Asks again and again until `ask` resolves, and returns its answer.
 * `ask` gets a signal that is aborted at the deadline, so that a question that hangs ends too.
 *
 * @throws DeadlineError after `withinMs`; the reason of `signal` when that is aborted.
 */
export const until = async <T>(
  ask: (signal: AbortSignal) => Promise<T>,
  { what, withinMs, everyMs = 100, signal }: UntilOptions,
): Promise<T> => {
  const deadline = AbortSignal.timeout(withinMs)
  const either = signal === undefined ? deadline : AbortSignal.any([deadline, signal])
  let lastError: unknown
  for (;;) {
    try {
      return await abortable(ask(either), either)
    } catch (error) {
      signal?.throwIfAborted()
      if (!deadline.aborted) lastError = error
      else throw gaveUp(what, withinMs, lastError)
    }
    await pause(everyMs, undefined, { signal: either }).catch(() => undefined)
    signal?.throwIfAborted()
    if (deadline.aborted) throw gaveUp(what, withinMs, lastError)
  }
}

/**
 * One question with a deadline: the answer of `ask`, or a DeadlineError after `withinMs`, even when `ask` ignores
 * its signal and never settles.
 */
export const withDeadline = async <T>(
  ask: (signal: AbortSignal) => Promise<T>,
  { what, withinMs, signal }: Omit<UntilOptions, 'everyMs'>,
): Promise<T> => {
  const deadline = AbortSignal.timeout(withinMs)
  const either = signal === undefined ? deadline : AbortSignal.any([deadline, signal])
  try {
    return await abortable(ask(either), either)
  } catch (error) {
    signal?.throwIfAborted()
    if (deadline.aborted) throw gaveUp(what, withinMs, undefined)
    throw error
  }
}

const gaveUp = (what: string, withinMs: number, cause: unknown): DeadlineError => {
  const reason = cause === undefined ? '' : `: ${messageOf(cause)}`
  return new DeadlineError(`gave up waiting for ${what} after ${withinMs / 1000} s${reason}`, { cause })
}

/** `promise`, or the reason of `signal` as soon as it is aborted, whichever comes first. */
const abortable = <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
