import { isIP } from 'node:net'
import { getDomain } from 'tldts'

/** Whether a host name is this machine. @see RFC 6761 §6.3 for `localhost` and the names below it */
export const isLoopback = (hostname: string): boolean => {
  const name = hostname.replace(/^\[|\]$/g, '')
  return isIP(name) === 0 ? /(^|\.)localhost\.?$/.test(name) : /^127\./.test(name) || name === '::1'
}

/**
 * The hosts that a source may send requests to: the host of an address and its siblings with the same registrable domain
 * (`fr.` and `world.openfoodfacts.org`), on the same port. IP addresses and `localhost` have no siblings.
 */
export class Host {
  private readonly start: URL
  private readonly registrable: string | null

  /** @param address any address of the site */
  constructor(address: string) {
    this.start = new URL(address)
    this.registrable = getDomain(this.start.hostname, { allowPrivateDomains: true })
  }

  /** Whether an address belongs to the site. If the site is http, https addresses belong to it too. */
  readonly covers = (address: string): boolean => {
    if (!URL.canParse(address)) return false
    const { protocol, hostname, port } = new URL(address)
    const sameProtocol = protocol === this.start.protocol || protocol === 'https:'
    return sameProtocol && port === this.start.port && this.coversName(hostname)
  }

  /**
   * The `--host-resolver-rules` with which Chromium cannot reach any other host, whatever a page, a redirect or the
   * browser itself requests. `covers` is not enough: Playwright shows redirects only after they were followed, and not
   * every kind of request. For a host without siblings, other ports are closed too; for others, the rules allow all.
   */
  readonly resolverRules = (): string => {
    const { hostname, port, protocol } = this.start
    if (this.registrable !== null)
      return `MAP * ~NOTFOUND, EXCLUDE ${this.registrable}, EXCLUDE *.${this.registrable}`
    // As in `covers`, https is allowed too, on its default port.
    const ports = port !== '' ? [port] : protocol === 'https:' ? ['443'] : ['80', '443']
    const open = ports.map(each => `MAP ${hostname}:${each} ${hostname}:${each}`)
    return [...open, 'MAP * ~NOTFOUND'].join(', ')
  }

  private readonly coversName = (hostname: string): boolean =>
    hostname === this.start.hostname ||
    (this.registrable !== null &&
      (hostname === this.registrable || hostname.endsWith(`.${this.registrable}`)))
}
