import { X509Certificate } from 'node:crypto'
import type { Finding } from './finding.ts'

/** A certificate and when it expires. */
export interface Expiry {
  /** For the user: whose certificate it is. */
  readonly of: string
  readonly at: Date
}

/** The certificates in a PEM file. @param of the setting of the file */
export const expiriesIn = (of: string, pem: string | null): Expiry[] =>
  (pem?.match(/-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----/gs) ?? []).map(text => ({
    of,
    at: new Date(new X509Certificate(text).validTo),
  }))

/** Enough for an administrator to issue a new certificate. */
const minValidDays = 30
const dayMs = 86_400_000

/** The certificate that expires first decides. */
export const certificateFindings = (name: string, expiries: readonly Expiry[], now: Date): Finding[] => {
  const [first] = expiries.toSorted((one, other) => one.at.getTime() - other.at.getTime())
  if (first === undefined) return []
  const day = first.at.toISOString().slice(0, 10)
  const days = Math.floor((first.at.getTime() - now.getTime()) / dayMs)
  const hint = `renew the certificate of ${first.of}`
  if (days < 0) return [{ name, verdict: 'problem', found: `that of ${first.of} expired on ${day}`, hint }]
  const found = `the first to expire is that of ${first.of}, on ${day}, in ${days} ${days === 1 ? 'day' : 'days'}`
  return [
    days < minValidDays
      ? { name, verdict: 'warning', found, hint }
      : { name, verdict: 'ok', found, hint: null },
  ]
}
