import type { Readable } from 'node:stream'

/** What the site answers to a request, before it is sent. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** A stream is made when it is sent, and destroyed when the client leaves. */
  readonly body: string | Buffer | (() => Readable)
  /** Where the connection ends, whatever `content-length` promised. */
  readonly brokenOffAfter?: number
}

/** No answer: the client waits for one until it leaves, or is left at once. */
export interface Silence {
  readonly silence: 'for ever' | 'closed'
}

/** A page of HTML. */
export const page = (body: string, status = 200): Answer => ({
  status,
  headers: {
    'content-type': 'text/html; charset=utf-8',
    // Nothing from outside is ever loaded: a browser enforces it.
    'content-security-policy': "default-src 'self'; script-src 'self' 'unsafe-inline'",
  },
  body,
})

/** Plain text, a picture, a script. */
export const file = (type: string, body: string): Answer => ({
  status: 200,
  headers: { 'content-type': type },
  body,
})

export const plainText = (
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Answer => ({ status, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers }, body })

export const json = (value: unknown, status = 200): Answer => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8', 'access-control-allow-origin': '*' },
  body: JSON.stringify(value),
})

/** @param location an address, or a path of this site */
export const redirect = (location: string): Answer => ({ status: 302, headers: { location }, body: '' })
