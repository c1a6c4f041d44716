/** The rate limits of the real site: product reads (pages and API), searches, and lists by facet. */
export type LimitedKind = 'productReads' | 'searches' | 'facetPages'

/** The maximum number of requests of each kind per client and minute. */
export type Limits = Readonly<Record<LimitedKind, number>>

/** @see Open Food Facts' API documentation, "Rate limits" (read 2026) */
export const officialLimits: Limits = { productReads: 100, searches: 10, facetPages: 2 }

const minuteMs = 60_000

/** Counts the requests of each client in the last minute. */
export class RequestCounter {
  private readonly limits: Limits
  private readonly times = new Map<string, readonly number[]>()

  constructor(limits: Limits) {
    this.limits = limits
  }

  /**
   * Counts a request and returns true, or returns false if it exceeds the limit.
   * @param now milliseconds of a monotonic clock
   */
  readonly allows = (client: string, kind: LimitedKind, now: number): boolean => {
    const key = `${client} ${kind}`
    const recent = (this.times.get(key) ?? []).filter(time => now - time < minuteMs)
    const allowed = recent.length < this.limits[kind]
    this.times.set(key, allowed ? [...recent, now] : recent)
    return allowed
  }
}
