import { isIP } from 'node:net'
import { getDomain } from 'tldts'

/** Whether a host name means this machine. @see RFC 6761 §6.3 for `localhost` and the names below it */
export const isLoopback = (hostname: string): boolean => {
  const name = hostname.replace(/^\[|\]$/g, '')
  return isIP(name) === 0 ? /(^|\.)localhost\.?$/.test(name) : /^127\./.test(name) || name === '::1'
}

/**
 * The part of the network that a crawl may touch: the host it was sent to and its siblings under the same registrable
 * name (`fr.` and `world.openfoodfacts.org`), on the same port. Names without a registrable part, such as IP addresses
 * and `localhost`, have no siblings.
 */
export class Host {
  private readonly start: URL
  private readonly registrable: string | null

  /** @param address any address of the site */
  constructor(address: string) {
    this.start = new URL(address)
    this.registrable = getDomain(this.start.hostname, { allowPrivateDomains: true })
  }

  /** Whether an address belongs to the site; a step up from http to https does. */
  readonly covers = (address: string): boolean => {
    if (!URL.canParse(address)) return false
    const { protocol, hostname, port } = new URL(address)
    const sameProtocol = protocol === this.start.protocol || protocol === 'https:'
    return sameProtocol && port === this.start.port && this.coversName(hostname)
  }

  /**
   * Chromium's `--host-resolver-rules` that leave it no other host to speak to, whatever a page, a redirect or the
   * browser itself asks for. Needed beside `covers`: Playwright shows no redirects before they are followed, and not all
   * that a page can ask for. A host without siblings is left its one port; names with siblings can't be told by port.
   */
  readonly resolverRules = (): string => {
    const { hostname, port, protocol } = this.start
    if (this.registrable !== null)
      return `MAP * ~NOTFOUND, EXCLUDE ${this.registrable}, EXCLUDE *.${this.registrable}`
    // As in `covers`: a step up to https goes to the port of that.
    const ports = port !== '' ? [port] : protocol === 'https:' ? ['443'] : ['80', '443']
    const open = ports.map(each => `MAP ${hostname}:${each} ${hostname}:${each}`)
    return [...open, 'MAP * ~NOTFOUND'].join(', ')
  }

  private readonly coversName = (hostname: string): boolean =>
    hostname === this.start.hostname ||
    (this.registrable !== null &&
      (hostname === this.registrable || hostname.endsWith(`.${this.registrable}`)))
}
