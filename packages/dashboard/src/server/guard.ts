import { timingSafeEqual } from 'node:crypto'
import type { Context, MiddlewareHandler } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'

/** Who may use the dashboard. */
export interface GuardOptions {
  /** The host and port that it listens on. */
  readonly host: string
  readonly port: number
  readonly token: string
}

/**
 * Allows nothing inline and nothing from another host. A picture of a product is a link: the browser loads it from its site,
 * in a new tab, if the user follows the link.
 */
const contentPolicy = [
  "default-src 'none'",
  ...["script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'"],
  ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
].join('; ')

const headers: Readonly<Record<string, string>> = {
  'Content-Security-Policy': contentPolicy,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
}

/**
 * Rejects requests that name another host (a web page could point its own name to 127.0.0.1) or come from a page of
 * another origin, and adds the security headers to every response.
 */
export const guard = ({ host, port }: GuardOptions): MiddlewareHandler => {
  const hosts = new Set([host, '127.0.0.1', 'localhost'].map(name => `${name}:${port}`))
  return async (context, next) => {
    const origin = context.req.header('origin')
    const site = context.req.header('sec-fetch-site')
    const isForeign =
      (origin !== undefined && ![...hosts].some(own => origin === `http://${own}`)) ||
      // A link in another page may open the dashboard, but a page may not load parts of it.
      (site !== undefined &&
        !['same-origin', 'none'].includes(site) &&
        context.req.header('sec-fetch-mode') !== 'navigate')
    for (const [name, value] of Object.entries(headers)) context.header(name, value)
    context.header('Cache-Control', 'no-store')
    if (!hosts.has(context.req.header('host') ?? '')) return context.text('Unknown host\n', 403)
    if (isForeign) return context.text('Requests from other origins are rejected\n', 403)
    return next()
  }
}

/** Cookies do not distinguish ports, and each of several stacks has a dashboard. */
const cookieName = (port: number): string => `offstream-${port}`

const isEqual = (given: string | undefined, token: string): boolean => {
  const [one, other] = [Buffer.from(given ?? ''), Buffer.from(token)]
  return one.length === other.length && timingSafeEqual(one, other)
}

/** Whether the browser has the token. */
export const mayAct = (context: Context, { port, token }: GuardOptions): boolean =>
  isEqual(getCookie(context, cookieName(port)), token)

/** `/?token=…` exchanges the token, which `offstream dashboard` prints, for the cookie. */
export const signIn = ({ port, token }: GuardOptions): MiddlewareHandler => {
  return async (context, next) => {
    const given = context.req.query('token')
    if (given === undefined) return next()
    if (isEqual(given, token))
      setCookie(context, cookieName(port), token, { httpOnly: true, sameSite: 'Strict', path: '/' })
    return context.redirect('/', 303)
  }
}
