import type { LimitedKind } from './limits.ts'
import type { ProductStore } from './productStore.ts'
import type { SiteResponse } from './response.ts'
import type { View } from './view.ts'

/** A request, as passed to routes. */
export interface SiteRequest {
  readonly url: URL
  readonly view: View
  readonly store: ProductStore
  /** Host name of the large exports; null if the site itself serves them. */
  readonly storage: string | null
}

/** The named groups of a route's path. */
export type PathParts = Readonly<Record<string, string | undefined>>

/** A path pattern and its response. */
export interface Route {
  readonly path: RegExp
  /** Null if the path matches but does not exist. Then the next routes are tried. */
  readonly answer: (
    request: SiteRequest,
    parts: PathParts,
  ) => SiteResponse | null | Promise<SiteResponse | null>
  /** The rate limit that the request counts against on the real site. */
  readonly counts?: LimitedKind
}

/** A positive integer; null for anything else. */
export const positive = (written: string | null | undefined): number | null =>
  written != null && /^[1-9]\d{0,8}$/.test(written) ? Number(written) : null

/** A decoded part of a path; null if its escapes are invalid. */
export const decoded = (part: string): string | null => {
  try {
    return decodeURIComponent(part)
  } catch {
    return null
  }
}
