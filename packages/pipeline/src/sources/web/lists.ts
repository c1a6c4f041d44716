import type { OffstreamError } from '@offstream/runtime'
import { PipelineError } from '../../errors.ts'
import { countryTag } from '../../product/countries.ts'
import { slug } from '../../product/slug.ts'
import { isLoopback } from '../guest/host.ts'
import { codeInAddress } from './pages.ts'

/** The properties that the site has lists of. */
export type Facet = 'category' | 'brand' | 'label' | 'country'

/** Which list of a site to read. */
export interface ListChoice {
  /** A country or `world`, optionally with a language: `fr`, `world`, `world-fr`, `be-nl`. */
  readonly lang?: string | undefined
  /** The list of a facet, by its name in the language of the site, or by a tag such as `en:spreads`. */
  readonly list?: { readonly facet: Facet; readonly name: string } | undefined
  /** A search for these words, instead of a list. */
  readonly search?: string | undefined
}

/**
 * The address of a list of `site`: the whole catalogue, the products of one facet, or the results of a search. The
 * search has two addresses; robots.txt disallows the better known one, `/cgi/search.pl`.
 *
 * The language is the first label of the host name of Open Food Facts. The stand-in has the same names below
 * `localhost`; other sites have no languages.
 *
 * @throws OffstreamError ADDRESS_INVALID if `site` is not a home page, or has no languages
 */
export const listAddress = (site: string, { lang, list, search }: ListChoice): string => {
  if (lang === undefined && list === undefined && search === undefined) return site
  const address = new URL(site)
  if (address.pathname !== '/' || address.search !== '') throw notAHomePage(site)
  if (lang !== undefined)
    address.hostname = hostIn(lang, address.hostname) ?? throwing(withoutLanguages(site))
  if (list !== undefined)
    address.pathname = `/facets/${pathWord(list.facet, address.hostname)}/${idOf(list.facet, list.name)}`
  if (search !== undefined) {
    address.pathname = '/search'
    address.searchParams.set('search_terms', search)
  }
  return address.href
}

/**
 * Whether an address has the form of a list or a product of Open Food Facts, on its own hosts or on this machine (the
 * stand-in).
 */
export const isPlaceOfProducts = (address: string): boolean => {
  const { hostname, pathname } = new URL(address)
  if (siteOf(hostname) === null && !isLoopback(hostname)) return false
  return (
    /^\/(?:\d+|search|facets\/[^/]+\/[^/]+(?:\/\d+)?)?$/.test(pathname) || codeInAddress(address) !== null
  )
}

/** The domain of a host of Open Food Facts, without country and language; null for other hosts. */
const siteOf = (hostname: string): string | null =>
  /^(?:[a-z-]+\.)?(openfoodfacts\.(?:org|net))$/.exec(hostname)?.[1] ?? null

const hostIn = (lang: string, hostname: string): string | null => {
  const site = siteOf(hostname)
  if (site !== null) return `${lang}.${site}`
  return isLoopback(hostname) ? `${lang}.localhost` : null
}

// From pages of 2026. As far as is known, the English words work on hosts of other languages too.
const words: Readonly<Record<'fr' | 'en', Readonly<Record<Facet, string>>>> = {
  fr: { category: 'categories', brand: 'marques', label: 'labels', country: 'pays' },
  en: { category: 'categories', brand: 'brands', label: 'labels', country: 'countries' },
}

const pathWord = (facet: Facet, hostname: string): string =>
  words[/^(?:[a-z]+-)?fr\./.test(hostname) ? 'fr' : 'en'][facet]

/** The id of a facet's value in the path of its list. */
const idOf = (facet: Facet, name: string): string => {
  if (facet === 'country') return countryTag(name)
  const [, prefix = '', words = ''] = /^\s*([a-z]{2}:)?(.*)$/is.exec(name) ?? []
  const id = slug(words)
  if (id === '') throw nameless(facet, name)
  return `${prefix.toLowerCase()}${encodeURIComponent(id)}`
}

const throwing = (error: OffstreamError): never => {
  throw error
}

const notAHomePage = (site: string): OffstreamError =>
  new PipelineError('ADDRESS_INVALID', `\`${site}\` is not the home page of a site, so it has no lists`, {
    hint: 'use the home page, such as `https://fr.openfoodfacts.org`, or omit `--category` and similar options',
  })

const withoutLanguages = (site: string): OffstreamError =>
  new PipelineError(
    'ADDRESS_INVALID',
    `\`${site}\` is not Open Food Facts, which has a host for each language`,
    {
      hint: 'omit `--lang`, and use the address in that language',
    },
  )

const nameless = (facet: Facet, name: string): OffstreamError =>
  new PipelineError('ADDRESS_INVALID', `\`${name}\` is not the name of a ${facet}`, {
    hint: 'use the name that the site shows, such as `Pâtes à tartiner`, or its tag such as `en:spreads`',
  })
