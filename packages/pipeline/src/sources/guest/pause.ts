/**
 * Waits. Resolves early, without an error, when `signal` is aborted. The `pause` of `runtime` does the same with
 * `node:timers/promises`, which the fake clock of the tests of the circuit breaker cannot control.
 */
export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal.aborted) return resolve()
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end, { once: true })
  })
