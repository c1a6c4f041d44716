/** What the real site counts apart: product reads (pages and API), searches, and lists by facet. */
export type LimitedKind = 'productReads' | 'searches' | 'facetPages'

/** How many requests of each kind a client may make within a minute. */
export type Limits = Readonly<Record<LimitedKind, number>>

/** @see Open Food Facts' API documentation, "Rate limits" (read 2026) */
export const officialLimits: Limits = { productReads: 100, searches: 10, facetPages: 2 }

const minuteMs = 60_000

/** Counts requests of each client over the last minute. */
export class RequestCounter {
  private readonly limits: Limits
  private readonly times = new Map<string, readonly number[]>()

  constructor(limits: Limits) {
    this.limits = limits
  }

  /**
   * Counts a request, unless it is one too many.
   * @param now milliseconds, of a clock that never goes back
   */
  readonly allows = (client: string, kind: LimitedKind, now: number): boolean => {
    const key = `${client} ${kind}`
    const recent = (this.times.get(key) ?? []).filter(time => now - time < minuteMs)
    const allowed = recent.length < this.limits[kind]
    this.times.set(key, allowed ? [...recent, now] : recent)
    return allowed
  }
}
