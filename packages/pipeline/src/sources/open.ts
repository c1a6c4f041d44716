import { isIP } from 'node:net'
import { join } from 'node:path'
import { OffstreamError } from '@offstream/runtime'
import type { Config } from '../config.ts'
import type { Source } from './source.ts'
import { webSource } from './web/web.ts'

/** What the person asks of the web source; what is left out comes from the configuration. */
export interface WebRequest {
  /** A list of products or one product's page. */
  readonly address?: string | undefined
  /** How many products at most. */
  readonly limit?: number | undefined
  /** Pages open at once. */
  readonly concurrency?: number | undefined
  readonly pagesPerMinute?: number | undefined
}

/** Pages open at once on a site of this machine, where nobody is disturbed: as many as keep two cores busy. */
const concurrencyOnLoopback = 2

/**
 * The web source as the configuration and the person want it: polite on a real site, as fast as it goes on one of this
 * machine.
 * @param state the state folder of the stack, for what the crawl has to keep
 * @throws OffstreamError ADDRESS_INVALID
 */
export const openWebSource = (
  state: string,
  { web, browser }: Config,
  { address = web.url, limit, concurrency, pagesPerMinute }: WebRequest,
): Source => {
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol)) throw invalid(address)
  const near = isLoopback(new URL(address).hostname)
  return webSource({
    address,
    ...(limit === undefined ? {} : { limit }),
    concurrency: concurrency ?? (near ? concurrencyOnLoopback : web.concurrency),
    pagesPerMinute: pagesPerMinute ?? (near ? null : web.pagesPerMinute),
    userAgent: userAgent(web.contact),
    chromium: browser.executablePath === null ? {} : { executablePath: browser.executablePath },
    storageDirectory: join(state, 'crawl'),
  })
}

/**
 * The name that offstream goes by on other people's machines.
 * @see https://openfoodfacts.github.io/openfoodfacts-server/api/ which asks for name, version and a contact
 */
export const userAgent = (contact: string | null): string =>
  contact === null ? 'offstream/0.1.0' : `offstream/0.1.0 (${contact})`

/** Whether a host name means this machine. @see RFC 6761 §6.3 for `localhost` and the names below it */
export const isLoopback = (hostname: string): boolean => {
  const name = hostname.replace(/^\[|\]$/g, '')
  return isIP(name) === 0 ? /(^|\.)localhost\.?$/.test(name) : /^127\./.test(name) || name === '::1'
}

const invalid = (address: string): OffstreamError =>
  new OffstreamError('ADDRESS_INVALID', `\`${address}\` is no web address`, {
    outcome: 'usage',
    hint: 'give one such as `https://fr.openfoodfacts.org/categorie/chocolats`',
  })
