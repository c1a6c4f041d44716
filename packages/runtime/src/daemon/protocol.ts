import { fileErrorOf, OffstreamError, type Outcome } from '../errors.ts'
import type { ServiceEvent } from '../supervisor/service.ts'

/** A request to the daemon: HTTP over its unix socket, `POST /start` or `POST /stop` with this as JSON. */
export interface DaemonRequest {
  /** Names of services; without it all services (`start`) or all running ones (`stop`). */
  readonly names?: readonly string[]
  /** The services are built from it; its form is the business of `DaemonOptions.build`. Only for `start`. */
  readonly settings?: unknown
}

/** Its response, one JSON object a line: events as they happen, then the outcome. */
export type DaemonResponse =
  | { readonly kind: 'event'; readonly event: ServiceEvent }
  /** Another request is in progress; this one follows it. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'done' }
  | { readonly kind: 'error'; readonly error: WireError }

/** An error on its way from one process to another; `code` is null for a bug. */
export interface WireError {
  readonly code: string | null
  readonly message: string
  readonly outcome: Outcome
  readonly hint: string
  readonly lastLogLines: readonly string[]
  readonly stack: string | null
}

/** The error as data. */
export const toWire = (error: unknown): WireError => {
  const known = error instanceof OffstreamError ? error : fileErrorOf(error)
  return known !== null
    ? {
        code: known.code,
        message: known.message,
        outcome: known.outcome,
        hint: known.hint,
        lastLogLines: known.lastLogLines,
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

/** The error that the data was made from. */
export const fromWire = ({ code, message, outcome, hint, lastLogLines, stack }: WireError): Error => {
  if (code !== null) return new OffstreamError(code, message, { outcome, hint, lastLogLines })
  const error = new Error(message)
  if (stack !== null) error.stack = stack
  return error
}
