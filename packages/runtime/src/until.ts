import { setTimeout as timer } from 'node:timers/promises'
import { messageOf } from './errors.ts'

/** A wait that timed out; `cause` is the last error of an attempt. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
}

export interface UntilOptions {
  /** What is waited for, as it follows "timed out after 10 s waiting for". */
  readonly what: string
  readonly timeoutMs: number
  /** Pause between two attempts. */
  readonly intervalMs?: number
  readonly signal?: AbortSignal | undefined
}

/** Resolves after `ms`, or as soon as `signal` is aborted; never rejects. Check the signal afterwards. */
export const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  timer(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined)

/**
 * Calls `attempt` until it resolves, and returns its result. The signal of `attempt` is aborted at the deadline, so an
 * attempt that hangs ends too.
 *
 * @throws DeadlineError after `timeoutMs`; the reason of `signal` when that is aborted
 */
export const until = async <T>(
  attempt: (signal: AbortSignal) => Promise<T>,
  { what, timeoutMs, intervalMs = 100, signal }: UntilOptions,
): Promise<T> => {
  const deadline = AbortSignal.timeout(timeoutMs)
  const either = signal === undefined ? deadline : AbortSignal.any([deadline, signal])
  let lastError: unknown
  for (;;) {
    try {
      return await abortable(attempt(either), either)
    } catch (error) {
      signal?.throwIfAborted()
      if (!deadline.aborted) lastError = error
      else throw timedOut(what, timeoutMs, lastError)
    }
    await pause(intervalMs, either)
    signal?.throwIfAborted()
    if (deadline.aborted) throw timedOut(what, timeoutMs, lastError)
  }
}

/**
 * Calls `attempt` once, with a deadline: returns its result, or throws a DeadlineError after `timeoutMs`, even if
 * `attempt` ignores its signal and never settles.
 */
export const withDeadline = async <T>(
  attempt: (signal: AbortSignal) => Promise<T>,
  { what, timeoutMs, signal }: Omit<UntilOptions, 'intervalMs'>,
): Promise<T> => {
  const deadline = AbortSignal.timeout(timeoutMs)
  const either = signal === undefined ? deadline : AbortSignal.any([deadline, signal])
  try {
    return await abortable(attempt(either), either)
  } catch (error) {
    signal?.throwIfAborted()
    if (deadline.aborted) throw timedOut(what, timeoutMs, undefined)
    throw error
  }
}

/**
 * Calls `attempt` for all candidates at the same time, each with a deadline, and returns the first result. Then the signal of
 * the other attempts is aborted.
 * @throws AggregateError with the errors in the order of the candidates if all attempts fail; the reason of `signal` when that
 *   is aborted
 */
export const firstOf = async <C, T>(
  candidates: readonly C[],
  attempt: (candidate: C, signal: AbortSignal) => Promise<T>,
  { what, timeoutMs, signal }: Omit<UntilOptions, 'intervalMs'>,
): Promise<T> => {
  const found = new AbortController()
  const either = signal === undefined ? found.signal : AbortSignal.any([found.signal, signal])
  const start = (candidate: C): Promise<T> =>
    withDeadline(aborted => attempt(candidate, aborted), { what, timeoutMs, signal: either })
  try {
    return await Promise.any(candidates.map(start))
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  } finally {
    found.abort()
  }
}

const timedOut = (what: string, timeoutMs: number, cause: unknown): DeadlineError => {
  const reason = cause === undefined ? '' : `: ${messageOf(cause)}`
  return new DeadlineError(`timed out after ${timeoutMs / 1000} s waiting for ${what}${reason}`, { cause })
}

/**
 * `promise`, or the reason of `signal` as soon as it is aborted, whichever comes first. `Promise.race` with a promise that
 * stays pending would keep each result in memory until that promise settles.
 */
export const abortable = <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
