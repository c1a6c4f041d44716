import { PipelineError } from '../../errors.ts'
import { Refused, VisitError } from './visitError.ts'

/** How much a crawl bears before it leaves a site alone. */
export interface RetryPolicy {
  /** Of the first pause, in milliseconds; each further one is twice as long. From half to all of it is taken, by chance. */
  readonly firstPauseMs: number
  /** So many pauses without a good answer between them; then the crawl ends. */
  readonly pauses: number
  /** So many failures in a row are no fault of a page. */
  readonly failures: number
}

/** Half a minute, then one, two and four. */
export const remoteRetryPolicy: RetryPolicy = { firstPauseMs: 30_000, pauses: 4, failures: 5 }
/** On a site of this machine nobody is disturbed. */
export const loopbackRetryPolicy: RetryPolicy = { ...remoteRetryPolicy, firstPauseMs: 500 }

/** A site that asks for more is left alone; a scrape later goes on. */
const maxRequestedPauseMs = 60 * 60_000
const longestPauseMs = 10 * 60_000

/** Why a crawl holds still, and for how long. */
export interface PauseNews {
  readonly ms: number
  readonly reason: string
  /** Whether the site itself named the time. */
  readonly asked: boolean
}

/**
 * The circuit breaker through which all visits of a crawl go; it lets them wait where others reject. A refusal, a site
 * that is gone, or some failures in a row open it for everybody; then one visit tries (half-open). Its good answer
 * closes it, a bad one keeps it open for longer, and after `pauses` the crawl ends.
 */
export class CircuitBreaker {
  private readonly patience: RetryPolicy
  private readonly onPause: (news: PauseNews) => void
  /** Null while it is closed, and visits pass. */
  private openUntilMs: number | null = null
  /** The one visit that tries, while it is half-open. */
  private trial: Promise<void> | null = null
  private hasAnswered = false
  private failuresInRow = 0
  private pausesInRow = 0

  constructor(patience: RetryPolicy, onPause: (news: PauseNews) => void) {
    this.patience = patience
    this.onPause = onPause
  }

  /**
   * Visits when the site may be asked; where it refuses, or is gone, again after a pause.
   * @param signal ends the waiting, not the visit
   * @throws what `visit` threw where that is the page's fault; the reason of `signal`
   * @throws OffstreamError SOURCE_BLOCKED, SITE_UNREACHABLE when the patience is at its end
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
        if (!this.isSitesFault(error)) throw error
        // What was under way when it opened is no news, but a longer wait that it was asked for.
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
      else return { openUntilMs, leave: this.beginTrial() }
    }
  }

  private readonly beginTrial = (): (() => void) => {
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

  /** Whether an error says something of the site, and so holds up every page. */
  private readonly isSitesFault = (error: unknown): error is Refused | VisitError => {
    if (error instanceof Refused) return true
    if (!(error instanceof VisitError) || error.isFinal) return false
    // An address that nobody ever answered at is a mistake: no minutes are spent on it.
    if (error.kind === 'unreachable') return this.hasAnswered
    this.failuresInRow += 1
    return this.failuresInRow >= this.patience.failures || this.trial !== null
  }

  private readonly open = (address: string, error: Refused | VisitError, refusals: number): void => {
    const { firstPauseMs, pauses } = this.patience
    const askedMs = error instanceof Refused ? error.retryAfterMs : 0
    if (error instanceof Refused && error.forGood) throw blocked(address, error.message)
    if (askedMs > maxRequestedPauseMs)
      throw blocked(address, `it asks to wait ${Math.ceil(askedMs / 60_000)} minutes`)
    // One page that is always refused, among others that are not, is a refusal too.
    if (Math.max(this.pausesInRow, refusals) >= pauses)
      throw error instanceof Refused ? blocked(address, error.message) : unreachable(address, error)
    const most = Math.min(longestPauseMs, firstPauseMs * 2 ** this.pausesInRow)
    const ownMs = most * (0.5 + Math.random() / 2)
    const ms = Math.ceil(Math.max(askedMs, ownMs))
    this.pausesInRow += 1
    this.failuresInRow = 0
    this.openUntilMs = Date.now() + ms
    this.onPause({ ms, reason: error.message, asked: askedMs >= ownMs })
  }

  private readonly keepOpen = (error: Refused | VisitError): void => {
    const askedMs = error instanceof Refused ? Math.min(error.retryAfterMs, maxRequestedPauseMs) : 0
    if (this.openUntilMs !== null) this.openUntilMs = Math.max(this.openUntilMs, Date.now() + askedMs)
  }
}

/** Returns early when `signal` is aborted. */
const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end, { once: true })
  })

/** The site does not want us, or nobody, now. */
export const blocked = (address: string, reason: string) =>
  new PipelineError('SOURCE_BLOCKED', `The site refused to show \`${address}\`: ${reason}`, {
    hint: 'wait some hours and ask for fewer pages a minute; for many products use `--source export`',
  })

/** Nobody answers, or not with what could be read. */
export const unreachable = (address: string, error: VisitError) =>
  new PipelineError(
    'SITE_UNREACHABLE',
    `No ${error.kind === 'unreachable' ? 'answer' : 'page'} from \`${new URL(address).host}\`: ${error.message}`,
    {
      hint: 'check the address and the network; `offstream site` serves a stand-in on this machine',
      cause: error,
    },
  )
