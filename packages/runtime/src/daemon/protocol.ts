import { fileErrorOf, OffstreamError, type Outcome } from '../errors.ts'
import type { ServiceEvent } from '../supervisor/service.ts'

/** What the daemon is asked: HTTP over its unix socket, `POST /start` and `POST /stop` with this as JSON. */
export interface DaemonRequest {
  /** Names of services; all that there are (`start`) or that run (`stop`) where it is absent. */
  readonly names?: readonly string[]
  /** What the services are to be built from; the daemon's owner knows its form. `start` only. */
  readonly settings?: unknown
}

/** What it answers, one JSON object a line: events as they happen, then how it ended. */
export type DaemonResponse =
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
  readonly lastLogLines: readonly string[]
  readonly stack: string | null
}

export const toWire = (error: unknown): WireError => {
  const news = error instanceof OffstreamError ? error : fileErrorOf(error)
  return news !== null
    ? {
        code: news.code,
        message: news.message,
        outcome: news.outcome,
        hint: news.hint,
        lastLogLines: news.lastLogLines,
        stack: null,
      }
    : {
        code: null,
        message: error instanceof Error ? error.message : String(error),
        outcome: 'unexpected',
        hint: '',
        lastLogLines: [],
        stack: error instanceof Error ? (error.stack ?? null) : null,
      }
}

export const fromWire = ({ code, message, outcome, hint, lastLogLines, stack }: WireError): Error => {
  if (code !== null) return new OffstreamError(code, message, { outcome, hint, lastLogLines })
  const error = new Error(message)
  if (stack !== null) error.stack = stack
  return error
}
