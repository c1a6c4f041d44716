import { setTimeout as pause } from 'node:timers/promises'

/**
 * Spreads visits evenly over the minute. crawlee's own `maxRequestsPerMinute` lets the whole minute's share go at
 * once and then waits, which is the pattern that sites block; its `sameDomainDelaySecs` knows no IP addresses.
 */
export class RateLimiter {
  private readonly intervalMs: number
  private nextAtMs = 0

  /** @param perMinute null for no limit */
  constructor(perMinute: number | null) {
    this.intervalMs = perMinute === null ? 0 : 60_000 / perMinute
  }

  /** How long a visit asked for at `nowMs` has to wait; takes the next free moment for it. */
  readonly reserve = (nowMs: number): number => {
    const atMs = Math.max(nowMs, this.nextAtMs)
    this.nextAtMs = atMs + this.intervalMs
    return atMs - nowMs
  }

  /** Waits for its turn; returns at once, out of turn, when `signal` is aborted. */
  readonly turn = async (signal: AbortSignal): Promise<void> => {
    const waitMs = this.reserve(Date.now())
    if (waitMs > 0) await pause(waitMs, undefined, { signal }).catch(() => undefined)
  }
}
