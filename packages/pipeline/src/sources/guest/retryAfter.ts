/** The pause in milliseconds that a `Retry-After` header requests, in seconds or as a date. @see RFC 9110 §10.2.3 */
export const retryAfterMs = (header: string | null, nowMs: number): number => {
  if (header === null) return 0
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - nowMs
  return Number.isFinite(ms) && ms > 0 ? ms : 0
}

/** The reason for leaving a site that requests too long a pause. */
export const asksToWait = (ms: number): string => `it requests a pause of ${Math.ceil(ms / 60_000)} minutes`
