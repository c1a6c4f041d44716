/** Why an address could not be read. */
export type VisitFailure =
  /** Nobody answered. */
  | 'unreachable'
  /** It led off the site. */
  | 'elsewhere'
  /** It redirects again and again. */
  | 'endless'
  /** It is larger than any page of the site. */
  | 'too large'
  /** Anything else, such as a crash. */
  | 'failed'

/** An address that could not be read, which says nothing about the product behind it. */
export class VisitError extends Error {
  override readonly name = 'VisitError'
  readonly kind: VisitFailure
  /** Whether another visit would come to the same. */
  readonly isFinal: boolean

  constructor(kind: VisitFailure, message: string, cause?: unknown) {
    super(message, { cause })
    this.kind = kind
    this.isFinal = kind === 'elsewhere' || kind === 'endless' || kind === 'too large'
  }
}

/** A visit that led off the site. */
export class LedElsewhere extends VisitError {
  /** Where to; nothing was asked there. */
  readonly to: string

  constructor(to: string, cause?: unknown) {
    super('elsewhere', `it led off the site, to \`${to}\``, cause)
    this.to = to
  }
}

/** The site answered, and does not want us, or nobody, now. */
export class Refused extends Error {
  override readonly name = 'Refused'
  /** What its `Retry-After` asks for; 0 where it says nothing. */
  readonly retryAfterMs: number
  /** Whether asking again would be what it asks us not to do. */
  readonly forGood: boolean

  constructor(reason: string, { retryAfterMs, forGood }: Pick<Refused, 'retryAfterMs' | 'forGood'>) {
    super(reason)
    this.retryAfterMs = retryAfterMs
    this.forGood = forGood
  }
}
