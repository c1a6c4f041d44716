import { isUtf8 } from 'node:buffer'
import { setTimeout as pause } from 'node:timers/promises'
import { messageOf, OffstreamError } from '@offstream/runtime'
import pRetry from 'p-retry'
import { PipelineError } from '../../errors.ts'
import { Host } from './host.ts'
import type { RateLimiter } from './rateLimiter.ts'

export interface RemoteOptions {
  /** Any address of the site: its host, the siblings of that and `storage` are all that is ever asked. */
  readonly address: string
  /** Origins (`https://bucket.example.org`) of others, to which the site may redirect. */
  readonly storage?: readonly string[] | undefined
  /** Names offstream and a contact. */
  readonly userAgent: string
  readonly patience?: RetryPolicy | undefined
}

/** How often and how long a site is waited for; times are milliseconds. */
export interface RetryPolicy {
  /** How often it is asked again. */
  readonly retries: number
  /** Before the second attempt; each further pause is twice as long, plus up to as much by chance. */
  readonly firstPauseMs: number
  /** Until an answer begins, and between two parts of it. */
  readonly chunkTimeoutMs: number
  /** Until a whole answer is there; a file has no such bound. */
  readonly responseTimeoutMs: number
}

const defaultRetryPolicy: RetryPolicy = {
  retries: 4,
  firstPauseMs: 1_000,
  chunkTimeoutMs: 30_000,
  responseTimeoutMs: 120_000,
}

export interface Asking {
  readonly signal: AbortSignal
  readonly headers?: Readonly<Record<string, string>>
  /** Waited for before each attempt. */
  readonly rateLimiter?: RateLimiter | undefined
}

/** What an address gave: a value, or nothing under this address. */
export type JsonAnswer =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'not found'; readonly value: unknown }

const longestPauseMs = 60_000
/** A server that asks for more patience is left alone. */
const longestRetryAfterMs = 10 * 60_000
/** More lead nowhere. */
export const maxRedirects = 5
/** A hundred whole products are some 3 MB. */
const largestAnswer = 32 * 1024 * 1024

/**
 * Asks one site over HTTP as a polite guest: names itself, obeys `Retry-After`, backs off with jitter, never follows a
 * redirect to anywhere but the site and its storage, and gives every step a deadline.
 *
 * Its methods throw OffstreamError SITE_UNREACHABLE, SOURCE_BLOCKED (the site does not want us, or nobody, now),
 * REDIRECTED_ELSEWHERE, RESPONSE_TOO_LARGE.
 */
export class Remote {
  private readonly host: Host
  private readonly storage: readonly string[]
  private readonly userAgent: string
  private readonly patience: RetryPolicy

  constructor({ address, storage = [], userAgent, patience = defaultRetryPolicy }: RemoteOptions) {
    this.host = new Host(address)
    this.storage = storage
    this.userAgent = userAgent
    this.patience = patience
  }

  /** The JSON under `address`. A page where data should be is how Open Food Facts blocks, with status 200 too. */
  readonly json = (address: string, asking: Asking): Promise<JsonAnswer> =>
    this.patiently(address, asking, () =>
      within(this.patience.responseTimeoutMs, asking.signal, async signal => {
        const response = await this.ask(address, { accept: 'application/json' }, signal)
        const value = parsed(await this.whole(response, address, signal))
        if (response.status === 404 || response.status === 410)
          return { kind: 'not found', value: value ?? null }
        if (response.status >= 400) throw blocked(address, `it answered with status ${response.status}`)
        if (value === undefined) throw blocked(address, 'it answered with a page instead of data')
        return { kind: 'value', value }
      }),
    )

  /**
   * The answer of `address` whose body is yet to be read with `chunks`; null where there is none. Its body is that of
   * the file as it lies there, so that bytes can be counted and a download can go on.
   */
  readonly open = (address: string, asking: Asking): Promise<Response | null> =>
    this.patiently(address, asking, async () => {
      const headers = { ...asking.headers, 'accept-encoding': 'identity' }
      const response = await this.ask(address, headers, asking.signal)
      if (response.status === 404 || response.status === 410) return null
      if (response.status >= 400) throw blocked(address, `it answered with status ${response.status}`)
      return response
    })

  /** The body of an answer as it comes. @throws Error where nothing comes for too long, or the connection breaks */
  readonly chunks = (response: Response, signal: AbortSignal): AsyncGenerator<Buffer> =>
    chunksOf(response, signal, this.patience.chunkTimeoutMs)

  private readonly patiently = async <T>(
    address: string,
    { signal, rateLimiter }: Asking,
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
          retries: this.patience.retries,
          minTimeout: this.patience.firstPauseMs,
          maxTimeout: longestPauseMs,
          randomize: true,
          signal,
          shouldRetry: ({ error }) => !(error instanceof OffstreamError),
          onFailedAttempt: async ({ error, retriesLeft }) => {
            if (error instanceof Busy && retriesLeft > 0)
              await pause(error.retryAfterMs, undefined, { signal })
          },
        },
      )
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof OffstreamError) throw error
      throw error instanceof Busy ? blocked(address, error.message) : unreachable(address, error)
    }
  }

  /** One question, its redirects followed. @throws Busy where the site asks to come later */
  private readonly ask = async (
    address: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Response> => {
    let at = address
    for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
      if (!this.covers(at)) throw redirectedElsewhere(address, at)
      const response = await within(this.patience.chunkTimeoutMs, signal, inTime =>
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
    const retryAfterMs = retryAfter(response.headers.get('retry-after'), Date.now())
    if (retryAfterMs > longestRetryAfterMs)
      throw blocked(address, `it asks to wait ${Math.ceil(retryAfterMs / 60_000)} minutes`)
    throw new Busy(`it answered with status ${response.status}`, retryAfterMs)
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
      if (bytes > largestAnswer) throw answerTooLarge(address, largestAnswer)
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
      // A body that was left looks like one that has ended.
      signal.throwIfAborted()
      if (isLate) throw new Error(`nothing came for ${timeoutMs / 1000} s`)
      if (done) return
      yield Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    }
  } finally {
    signal.removeEventListener('abort', leave)
    leave()
  }
}

/** Gives `step` some time: the signal that it gets is aborted when that is over. */
const within = async <T>(
  timeoutMs: number,
  signal: AbortSignal,
  step: (inTime: AbortSignal) => Promise<T>,
): Promise<T> => {
  const deadline = new AbortController()
  const timer = setTimeout(
    () => deadline.abort(new Error(`it did not answer within ${timeoutMs / 1000} s`)),
    timeoutMs,
  )
  try {
    return await step(AbortSignal.any([signal, deadline.signal]))
  } finally {
    clearTimeout(timer)
  }
}

/** The site can't or won't answer now; it may later. */
class Busy extends Error {
  readonly retryAfterMs: number

  constructor(message: string, retryAfterMs: number) {
    super(message)
    this.retryAfterMs = retryAfterMs
  }
}

/** What a `Retry-After` asks for in milliseconds; it holds seconds, or a date. @see RFC 9110 §10.2.3 */
export const retryAfter = (header: string | null, nowMs: number): number => {
  if (header === null) return 0
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - nowMs
  return Number.isFinite(ms) && ms > 0 ? ms : 0
}

/** Undefined where the bytes are no JSON; text that is no UTF-8 would become names that nobody wrote. */
const parsed = (bytes: Buffer): unknown => {
  try {
    return isUtf8(bytes) ? JSON.parse(bytes.toString('utf8')) : undefined
  } catch {
    return undefined
  }
}

/** As much of an address as tells where it leads: a question to the API has 600 characters. */
const shown = (address: string): string => (address.length > 120 ? `${address.slice(0, 119)}…` : address)

const blocked = (address: string, reason: string) =>
  new PipelineError('SOURCE_BLOCKED', `The site refused \`${shown(address)}\`: ${reason}`, {
    hint: 'wait some hours and ask for less; for many products use the site’s exports (`--source export`)',
  })

const unreachable = (address: string, cause: unknown) =>
  new PipelineError(
    'SITE_UNREACHABLE',
    `No answer from \`${new URL(address).host}\`: ${rootMessage(cause)}`,
    {
      hint: 'check the address and the network; `offstream site` serves a stand-in on this machine',
      cause,
    },
  )

/** `fetch failed` says nothing; its cause does. */
const rootMessage = (error: unknown): string =>
  error instanceof Error && error.cause !== undefined ? rootMessage(error.cause) : messageOf(error)

/** Nothing is asked there: who trusts it says so. */
export const redirectedElsewhere = (address: string, to: string) =>
  new PipelineError('REDIRECTED_ELSEWHERE', `\`${shown(address)}\` leads to another site: \`${to}\``, {
    hint: 'give that address instead, if you trust it',
  })

export const answerTooLarge = (address: string, maxBytes: number) =>
  new PipelineError(
    'RESPONSE_TOO_LARGE',
    `\`${shown(address)}\` answers with more than ${maxBytes / 1024 / 1024} MB`,
    {
      hint: 'check the address; exports are read with `--source export`',
    },
  )
