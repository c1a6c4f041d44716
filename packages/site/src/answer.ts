/** What the site answers to a request, before it is sent. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
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

/** @param location a path of this site */
export const redirect = (location: string): Answer => ({ status: 302, headers: { location }, body: '' })
