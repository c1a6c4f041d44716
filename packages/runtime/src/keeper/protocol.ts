import { fileNews, OffstreamError, type Outcome } from '../errors.ts'
import type { ServiceEvent } from '../supervisor/service.ts'

/** What the keeper is asked: HTTP over its unix socket, `POST /start` and `POST /stop` with this as JSON. */
export interface KeeperRequest {
  /** Names of services; all that there are (`start`) or that run (`stop`) where it is absent. */
  readonly names?: readonly string[]
  /** What the services are to be built from; the keeper's owner knows its form. `start` only. */
  readonly settings?: unknown
}

/** What it answers, one JSON object a line: events as they happen, then how it ended. */
export type KeeperAnswer =
  | { readonly kind: 'event'; readonly event: ServiceEvent }
  /** Another request is being carried out; this one comes after it. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'done' }
  | { readonly kind: 'error'; readonly error: WireError }

/** An error that crosses from one process to another; `code` is null for a bug. */
export interface WireError {
  readonly code: string | null
  readonly message: string
  readonly outcome: Outcome
  readonly hint: string
  readonly lastWords: readonly string[]
  readonly stack: string | null
}

export const toWire = (error: unknown): WireError => {
  const news = error instanceof OffstreamError ? error : fileNews(error)
  return news !== null
    ? {
        code: news.code,
        message: news.message,
        outcome: news.outcome,
        hint: news.hint,
        lastWords: news.lastWords,
        stack: null,
      }
    : {
        code: null,
        message: error instanceof Error ? error.message : String(error),
        outcome: 'unexpected',
        hint: '',
        lastWords: [],
        stack: error instanceof Error ? (error.stack ?? null) : null,
      }
}

export const fromWire = ({ code, message, outcome, hint, lastWords, stack }: WireError): Error => {
  if (code !== null) return new OffstreamError(code, message, { outcome, hint, lastWords })
  const error = new Error(message)
  if (stack !== null) error.stack = stack
  return error
}
