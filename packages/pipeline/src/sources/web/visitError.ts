/** An address that could not be read, which says nothing about the product behind it. */
export class VisitError extends Error {
  override readonly name = 'VisitError'
  /** `unreachable`: nobody answered; `elsewhere`: led off the site; `failed`: anything else, such as a crash. */
  readonly kind: 'unreachable' | 'elsewhere' | 'failed'

  constructor(kind: VisitError['kind'], message: string, cause?: unknown) {
    super(message, { cause })
    this.kind = kind
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
