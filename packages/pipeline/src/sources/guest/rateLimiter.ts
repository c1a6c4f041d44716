import { pause } from './pause.ts'

/** Spreads requests evenly over the minute. A burst followed by a pause is the pattern that sites block. */
export class RateLimiter {
  private readonly intervalMs: number
  private nextAtMs = 0

  /** @param perMinute null for no limit */
  constructor(perMinute: number | null) {
    this.intervalMs = perMinute === null ? 0 : 60_000 / perMinute
  }

  /** Reserves the next free moment for a request made at `nowMs`. @returns how long the request has to wait */
  readonly reserve = (nowMs: number): number => {
    const atMs = Math.max(nowMs, this.nextAtMs)
    this.nextAtMs = atMs + this.intervalMs
    return atMs - nowMs
  }

  /** Waits for the next free moment. Resolves early when `signal` is aborted. */
  readonly turn = async (signal: AbortSignal): Promise<void> => {
    const waitMs = this.reserve(Date.now())
    if (waitMs > 0) await pause(waitMs, signal)
  }
}
