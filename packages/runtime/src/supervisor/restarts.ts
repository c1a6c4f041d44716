/** When a crashed service is restarted, and when it will not be restarted. */
export interface RestartPolicy {
  /** Pause before the restart after the first crash within the window, the second, …; the last one repeats. */
  readonly backoffMs: readonly number[]
  readonly maxCrashes: number
  readonly windowMs: number
}

/** A service with more than five crashes in ten minutes would only continue to crash. */
export const defaultRestartPolicy: RestartPolicy = {
  backoffMs: [500, 1_000, 2_000, 4_000, 8_000],
  maxCrashes: 5,
  windowMs: 10 * 60_000,
}

/** What follows a crash. `crashes`: the times of all crashes within the window, to be passed on at the next crash. */
export type CrashDecision =
  | { readonly kind: 'restart'; readonly crashes: readonly number[]; readonly inMs: number }
  | { readonly kind: 'give up'; readonly crashes: readonly number[]; readonly reason: string }

/**
 * Decides what follows a crash.
 * @param earlier times of earlier crashes, in milliseconds, oldest first
 * @param now the time of this crash, by the same clock
 */
export const afterCrash = (
  earlier: readonly number[],
  now: number,
  { backoffMs, maxCrashes, windowMs }: RestartPolicy,
): CrashDecision => {
  const crashes = [...earlier.filter(time => time >= now - windowMs), now]
  if (crashes.length > maxCrashes) {
    const minutes = windowMs / 60_000
    const reason = `crashed ${crashes.length} times within ${minutes} minutes and will not be restarted`
    return { kind: 'give up', crashes, reason }
  }
  return { kind: 'restart', crashes, inMs: backoffMs[Math.min(crashes.length, backoffMs.length) - 1] ?? 0 }
}
