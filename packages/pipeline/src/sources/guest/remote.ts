import { isUtf8 } from 'node:buffer'
import { OffstreamError } from '@offstream/runtime'
import pRetry from 'p-retry'
import { Host } from './host.ts'
import { maxAnswerBytes, maxRedirects } from './limits.ts'
import { pause } from './pause.ts'
import type { RateLimiter } from './rateLimiter.ts'
import { asksToWait, retryAfterMs } from './retryAfter.ts'
import { blocked, redirectedElsewhere, responseTooLarge, unreachable } from './siteErrors.ts'

/** Options of `Remote`. */
export interface RemoteOptions {
  /** Any address of the site. Only its host, the siblings of that host and `storage` receive requests. */
  readonly address: string
  /** Origins of other hosts (`https://bucket.example.org`) that the site may redirect to. */
  readonly storage?: readonly string[] | undefined
  /** Names offstream and a contact. */
  readonly userAgent: string
  readonly retryPolicy?: RetryPolicy | undefined
}

/** How often a request is repeated, and its timeouts. */
export interface RetryPolicy {
  /** The maximum number of further attempts. */
  readonly retries: number
  /** The pause before the second attempt; each further pause is twice as long, plus a random part of up to as much. */
  readonly firstPauseMs: number
  /** The timeout for the response headers, and for each chunk of the body. */
  readonly chunkTimeoutMs: number
  /** The timeout for a whole answer. A file has none. */
  readonly responseTimeoutMs: number
}

const defaultRetryPolicy: RetryPolicy = {
  retries: 4,
  firstPauseMs: 1_000,
  chunkTimeoutMs: 30_000,
  responseTimeoutMs: 120_000,
}

/** Options of one request. */
export interface RequestOptions {
  readonly signal: AbortSignal
  readonly headers?: Readonly<Record<string, string>>
  /** Every attempt waits for it. */
  readonly rateLimiter?: RateLimiter | undefined
}

/** A JSON answer. `not found` is status 404 or 410; its value is null if it is not JSON. */
export type JsonAnswer =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'not found'; readonly value: unknown }

const maxPauseMs = 60_000
/** If a server requests a longer pause, no further attempt follows. */
const maxRetryAfterMs = 10 * 60_000

/**
 * HTTP requests to one site that are polite: a user agent that names offstream, `Retry-After`, backoff with
 * jitter, no redirects to hosts other than the site and its storage, and a timeout for every step.
 *
 * Its methods throw OffstreamError SITE_UNREACHABLE, SOURCE_BLOCKED, REDIRECTED_ELSEWHERE, RESPONSE_TOO_LARGE.
 */
export class Remote {
  private readonly host: Host
  private readonly storage: readonly string[]
  private readonly userAgent: string
  private readonly retryPolicy: RetryPolicy

  constructor({ address, storage = [], userAgent, retryPolicy = defaultRetryPolicy }: RemoteOptions) {
    this.host = new Host(address)
    this.storage = storage
    this.userAgent = userAgent
    this.retryPolicy = retryPolicy
  }

  /** The JSON at `address`. A page instead of JSON counts as a refusal: Open Food Facts blocks like that, also with status 200. */
  readonly json = (address: string, options: RequestOptions): Promise<JsonAnswer> =>
    this.withRetries(address, options, () =>
      within(this.retryPolicy.responseTimeoutMs, options.signal, async signal => {
        const response = await this.request(address, { accept: 'application/json' }, signal)
        const value = parsed(await this.whole(response, address, signal))
        if (response.status === 404 || response.status === 410)
          return { kind: 'not found', value: value ?? null }
        if (response.status >= 400) throw blocked(address, `it responded with status ${response.status}`)
        if (value === undefined) throw blocked(address, 'it responded with a page instead of data')
        return { kind: 'value', value }
      }),
    )

  /**
   * The response of `address`, whose body the caller reads with `chunks`; null for status 404 or 410. The body has the
   * bytes of the file itself (no content encoding), so that a download can be resumed.
   */
  readonly open = (address: string, options: RequestOptions): Promise<Response | null> =>
    this.withRetries(address, options, async () => {
      const headers = { ...options.headers, 'accept-encoding': 'identity' }
      const response = await this.request(address, headers, options.signal)
      if (response.status === 404 || response.status === 410) return null
      if (response.status >= 400) throw blocked(address, `it responded with status ${response.status}`)
      return response
    })

  /** The body of a response, chunk by chunk. @throws Error if a chunk takes too long or the connection breaks */
  readonly chunks = (response: Response, signal: AbortSignal): AsyncGenerator<Buffer> =>
    chunksOf(response, signal, this.retryPolicy.chunkTimeoutMs)

  private readonly withRetries = async <T>(
    address: string,
    { signal, rateLimiter }: RequestOptions,
    attempt: () => Promise<T>,
  ): Promise<T> => {
    try {
      return await pRetry(
        async () => {
          await rateLimiter?.turn(signal)
          signal.throwIfAborted()
          return attempt()
        },
        {
          retries: this.retryPolicy.retries,
          minTimeout: this.retryPolicy.firstPauseMs,
          maxTimeout: maxPauseMs,
          randomize: true,
          signal,
          shouldRetry: ({ error }) => !(error instanceof OffstreamError),
          onFailedAttempt: async ({ error, retriesLeft }) => {
            if (error instanceof Busy && retriesLeft > 0) await pause(error.retryAfterMs, signal)
          },
        },
      )
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof OffstreamError) throw error
      throw error instanceof Busy ? blocked(address, error.message) : unreachable(address, error)
    }
  }

  /** One attempt, with its redirects. @throws Busy if the site may serve it later */
  private readonly request = async (
    address: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Response> => {
    let at = address
    for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
      if (!this.covers(at)) throw redirectedElsewhere(address, at)
      const response = await within(this.retryPolicy.chunkTimeoutMs, signal, inTime =>
        fetch(at, {
          headers: { ...headers, 'user-agent': this.userAgent },
          redirect: 'manual',
          signal: inTime,
        }),
      )
      const location = response.headers.get('location')
      if (response.status < 300 || response.status >= 400 || location === null)
        return this.unlessBusy(response, address)
      await response.body?.cancel()
      if (!URL.canParse(location, at)) throw blocked(address, `it redirects to \`${location}\``)
      at = new URL(location, at).href
    }
    throw blocked(address, `it redirects more than ${maxRedirects} times`)
  }

  private readonly covers = (address: string): boolean =>
    this.host.covers(address) || this.storage.includes(new URL(address).origin)

  private readonly unlessBusy = async (response: Response, address: string): Promise<Response> => {
    if (response.status !== 429 && response.status < 500) return response
    await response.body?.cancel()
    const ms = retryAfterMs(response.headers.get('retry-after'), Date.now())
    if (ms > maxRetryAfterMs) throw blocked(address, asksToWait(ms))
    throw new Busy(`it responded with status ${response.status}`, ms)
  }

  private readonly whole = async (
    response: Response,
    address: string,
    signal: AbortSignal,
  ): Promise<Buffer> => {
    const parts: Buffer[] = []
    let bytes = 0
    for await (const chunk of this.chunks(response, signal)) {
      bytes += chunk.length
      if (bytes > maxAnswerBytes) throw responseTooLarge(address, maxAnswerBytes)
      parts.push(chunk)
    }
    return Buffer.concat(parts)
  }
}

async function* chunksOf(response: Response, signal: AbortSignal, timeoutMs: number): AsyncGenerator<Buffer> {
  if (response.body === null) return
  const reader = response.body.getReader()
  let isLate = false
  const leave = () => void reader.cancel().catch(() => undefined)
  signal.addEventListener('abort', leave, { once: true })
  try {
    for (;;) {
      const timer = setTimeout(() => {
        isLate = true
        leave()
      }, timeoutMs)
      const { done, value } = await reader.read().finally(() => clearTimeout(timer))
      // A cancelled body looks like a complete one.
      signal.throwIfAborted()
      if (isLate) throw new Error(`no data for ${timeoutMs / 1000} s`)
      if (done) return
      yield Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    }
  } finally {
    signal.removeEventListener('abort', leave)
    leave()
  }
}

/** Runs `step` with a signal that is aborted after `timeoutMs`. */
const within = async <T>(
  timeoutMs: number,
  signal: AbortSignal,
  step: (inTime: AbortSignal) => Promise<T>,
): Promise<T> => {
  const deadline = new AbortController()
  const timer = setTimeout(
    () => deadline.abort(new Error(`it did not respond within ${timeoutMs / 1000} s`)),
    timeoutMs,
  )
  try {
    return await step(AbortSignal.any([signal, deadline.signal]))
  } finally {
    clearTimeout(timer)
  }
}

/** The site does not serve the request now, but may later. */
class Busy extends Error {
  readonly retryAfterMs: number

  constructor(message: string, retryAfterMs: number) {
    super(message)
    this.retryAfterMs = retryAfterMs
  }
}

/** undefined if the bytes are not valid JSON in UTF-8; other encodings would give wrong names. */
const parsed = (bytes: Buffer): unknown => {
  try {
    return isUtf8(bytes) ? JSON.parse(bytes.toString('utf8')) : undefined
  } catch {
    return undefined
  }
}
