import { pause } from './pause.ts'
import { asksToWait } from './retryAfter.ts'
import { blocked, unreachable } from './siteErrors.ts'
import { Refused, VisitError } from './visitError.ts'

/** When a crawl pauses, and when it stops. */
export interface PausePolicy {
  /**
   * The first pause. Each further one is twice as long, up to ten minutes. A random part of up to half of a pause is
   * left out.
   */
  readonly firstPauseMs: number
  /** After so many pauses in a row without a good response, the crawl stops. */
  readonly maxPauses: number
  /** So many failures in a row are not the fault of single pages. */
  readonly maxFailures: number
}

/** For a remote site: pauses of up to 30 s, then 1, 2 and 4 minutes. */
export const remotePausePolicy: PausePolicy = { firstPauseMs: 30_000, maxPauses: 4, maxFailures: 5 }
/** For a site on this machine, where requests disturb no other users. */
export const loopbackPausePolicy: PausePolicy = { ...remotePausePolicy, firstPauseMs: 500 }

/** If a site requests a longer pause, the crawl stops; it can be resumed later. */
const maxRequestedPauseMs = 60 * 60_000
const maxPauseMs = 10 * 60_000

/** A pause of the whole crawl. */
export interface Pause {
  readonly ms: number
  readonly reason: string
  /** Whether the site requested this pause with `Retry-After`. */
  readonly requested: boolean
}

/**
 * The circuit breaker that all visits of a crawl go through. Visits wait while it is open; they are not rejected. A
 * refusal, a site that has become unreachable, or several failures in a row open it. After a pause, one visit tries
 * (half-open): a good response closes the breaker, a bad one opens it for longer. After `maxPauses` the crawl stops.
 */
export class CircuitBreaker {
  private readonly policy: PausePolicy
  private readonly onPause: (pause: Pause) => void
  /** null while it is closed. */
  private openUntilMs: number | null = null
  /** The one visit that tries while it is half-open. */
  private trial: Promise<void> | null = null
  private hasAnswered = false
  private failuresInRow = 0
  private pausesInRow = 0

  constructor(policy: PausePolicy, onPause: (pause: Pause) => void) {
    this.policy = policy
    this.onPause = onPause
  }

  /**
   * Waits until the breaker is closed, then visits. If the site refuses or is unreachable, visits again after a pause.
   * @param signal aborts the waiting, not the visit
   * @throws what `visit` threw, if that concerns only the page; the reason of `signal`
   * @throws OffstreamError SOURCE_BLOCKED, SITE_UNREACHABLE after the last pause
   */
  readonly run = async <T>(address: string, visit: () => Promise<T>, signal: AbortSignal): Promise<T> => {
    for (let refusals = 0; ; refusals += 1) {
      const entry = await this.enter(signal)
      try {
        const answer = await visit()
        if (this.openUntilMs === entry.openUntilMs) this.close()
        return answer
      } catch (error) {
        signal.throwIfAborted()
        if (!this.concernsSite(error)) throw error
        // A visit that was in progress when the breaker opened does not count again, but may extend the pause.
        if (this.openUntilMs === entry.openUntilMs) this.open(address, error, refusals)
        else this.keepOpen(error)
        if (error instanceof VisitError && error.kind === 'failed') throw error
      } finally {
        entry.leave()
      }
    }
  }

  private readonly enter = async (
    signal: AbortSignal,
  ): Promise<{ readonly openUntilMs: number | null; readonly leave: () => void }> => {
    for (;;) {
      signal.throwIfAborted()
      const { openUntilMs } = this
      if (openUntilMs === null) return { openUntilMs, leave: () => undefined }
      if (this.trial !== null) await this.trial
      else if (openUntilMs > Date.now()) await pause(openUntilMs - Date.now(), signal)
      else return { openUntilMs, leave: this.startTrial() }
    }
  }

  private readonly startTrial = (): (() => void) => {
    let end: () => void = () => undefined
    this.trial = new Promise(resolve => {
      end = resolve
    })
    return () => {
      this.trial = null
      end()
    }
  }

  private readonly close = (): void => {
    this.hasAnswered = true
    this.failuresInRow = 0
    this.pausesInRow = 0
    this.openUntilMs = null
  }

  /** Whether an error concerns the whole site, so that every page has to wait. */
  private readonly concernsSite = (error: unknown): error is Refused | VisitError => {
    if (error instanceof Refused) return true
    if (!(error instanceof VisitError) || error.isFinal) return false
    // A site that never responded is most likely a mistake in the address: do not wait for it.
    if (error.kind === 'unreachable') return this.hasAnswered
    this.failuresInRow += 1
    return this.failuresInRow >= this.policy.maxFailures || this.trial !== null
  }

  private readonly open = (address: string, error: Refused | VisitError, refusals: number): void => {
    const { firstPauseMs, maxPauses } = this.policy
    const requestedMs = error instanceof Refused ? error.retryAfterMs : 0
    if (error instanceof Refused && error.isFinal) throw blocked(address, error.message)
    if (requestedMs > maxRequestedPauseMs) throw blocked(address, asksToWait(requestedMs))
    // A single page that is refused every time counts too, even if other pages are served.
    if (Math.max(this.pausesInRow, refusals) >= maxPauses)
      throw error instanceof Refused ? blocked(address, error.message) : unreachable(address, error)
    const maxMs = Math.min(maxPauseMs, firstPauseMs * 2 ** this.pausesInRow)
    const ownMs = maxMs * (0.5 + Math.random() / 2)
    const ms = Math.ceil(Math.max(requestedMs, ownMs))
    this.pausesInRow += 1
    this.failuresInRow = 0
    this.openUntilMs = Date.now() + ms
    this.onPause({ ms, reason: error.message, requested: requestedMs >= ownMs })
  }

  private readonly keepOpen = (error: Refused | VisitError): void => {
    const requestedMs = error instanceof Refused ? Math.min(error.retryAfterMs, maxRequestedPauseMs) : 0
    if (this.openUntilMs !== null) this.openUntilMs = Math.max(this.openUntilMs, Date.now() + requestedMs)
  }
}
