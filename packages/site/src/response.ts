import type { Readable } from 'node:stream'

/** A response before it is sent. */
export interface SiteResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** A stream is created when the response is sent, and destroyed when the client disconnects. */
  readonly body: string | Buffer | (() => Readable)
  /** The number of bytes after which the connection is closed, whatever `content-length` says. */
  readonly cutOffAfter?: number
}

/** No response: the connection stays open until the client closes it, or is closed immediately. */
export interface NoResponse {
  readonly noResponse: 'hang' | 'close'
}

/** An HTML page. */
export const page = (body: string, status = 200): SiteResponse => ({
  status,
  headers: {
    'content-type': 'text/html; charset=utf-8',
    // The browser must load nothing from other hosts.
    'content-security-policy': "default-src 'self'; script-src 'self' 'unsafe-inline'",
  },
  body,
})

/** A text file, an image or a script. */
export const file = (type: string, body: string): SiteResponse => ({
  status: 200,
  headers: { 'content-type': type },
  body,
})

export const plainText = (
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): SiteResponse => ({ status, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers }, body })

export const json = (value: unknown, status = 200): SiteResponse => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8', 'access-control-allow-origin': '*' },
  body: JSON.stringify(value),
})

/** @param location a URL, or a path of this site */
export const redirect = (location: string): SiteResponse => ({ status: 302, headers: { location }, body: '' })
