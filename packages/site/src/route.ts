import type { Answer } from './answer.ts'
import type { LimitedKind } from './limits.ts'
import type { Shelf } from './shelf.ts'
import type { View } from './view.ts'

/** One request as the routes see it. */
export interface SiteRequest {
  readonly url: URL
  readonly view: View
  readonly shelf: Shelf
  /** Host name under which the large exports lie; null where they lie on the site itself. */
  readonly storage: string | null
}

/** The named groups of a route's path, as far as they matched. */
export type PathParts = Readonly<Record<string, string | undefined>>

/** A form of path, and what it comes to. */
export interface Route {
  readonly path: RegExp
  /** Null where a path, though of this form, leads nowhere; then the routes after this one are tried. */
  readonly answer: (request: SiteRequest, parts: PathParts) => Answer | null | Promise<Answer | null>
  /** What the real site counts it as, where it lets a client ask only so often. */
  readonly counts?: LimitedKind
}

/** A whole number above zero; null for anything else. */
export const positive = (written: string | null | undefined): number | null =>
  written != null && /^[1-9]\d{0,8}$/.test(written) ? Number(written) : null

/** A part of a path without its escapes; null where they mean nothing. */
export const decoded = (part: string): string | null => {
  try {
    return decodeURIComponent(part)
  } catch {
    return null
  }
}
