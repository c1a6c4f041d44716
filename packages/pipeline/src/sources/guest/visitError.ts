/** Why a page could not be read. */
export type VisitFailure =
  /** No connection, or no response. */
  | 'unreachable'
  /** It redirects to another site. */
  | 'elsewhere'
  /** It redirects too often. */
  | 'endless'
  /** It is larger than `maxPageBytes`. */
  | 'too large'
  /** Anything else, such as an HTTP status or a crash of the browser. */
  | 'failed'

/** A page that could not be read. This says nothing about the product behind it. */
export class VisitError extends Error {
  override readonly name = 'VisitError'
  readonly kind: VisitFailure
  /** Whether another visit would fail in the same way. */
  readonly isFinal: boolean

  constructor(kind: VisitFailure, message: string, cause?: unknown) {
    super(message, { cause })
    this.kind = kind
    this.isFinal = kind === 'elsewhere' || kind === 'endless' || kind === 'too large'
  }
}

/** A page that redirects to another site. No request was sent to that site. */
export class RedirectedAway extends VisitError {
  /** The address on the other site. */
  readonly to: string

  constructor(to: string, cause?: unknown) {
    super('elsewhere', `it redirects to another site: \`${to}\``, cause)
    this.to = to
  }
}

/** The site responded, but currently refuses to serve offstream or anyone. */
export class Refused extends Error {
  override readonly name = 'Refused'
  /** The pause that its `Retry-After` requests; 0 without one. */
  readonly retryAfterMs: number
  /** Whether the site wants no further requests. */
  readonly isFinal: boolean

  constructor(reason: string, { retryAfterMs, isFinal }: Pick<Refused, 'retryAfterMs' | 'isFinal'>) {
    super(reason)
    this.retryAfterMs = retryAfterMs
    this.isFinal = isFinal
  }
}
