import type { OffstreamError } from '@offstream/runtime'
import { PipelineError } from '../../errors.ts'
import { slug } from '../../product/slug.ts'
import { countryTag } from '../../product/tags.ts'
import { isLoopback } from '../guest/host.ts'
import { codeInAddress } from './pages.ts'

/** What the site keeps lists about. */
export type Facet = 'category' | 'brand' | 'label' | 'country'

/** Which list of a site is meant. */
export interface ListChoice {
  /** Country or `world`, and a language where it is not the country's own: `fr`, `world`, `world-fr`, `be-nl`. */
  readonly lang?: string | undefined
  /** A list of one facet: by its name in the language of the site, or by its tag such as `en:spreads`. */
  readonly list?: { readonly facet: Facet; readonly name: string } | undefined
  /** A search for words, in the place of a list. */
  readonly search?: string | undefined
}

/**
 * The address of a list on the site at `site`: the whole catalogue, the products of one facet, or those that a search finds.
 * The search has two addresses; robots are kept off the better known one, `/cgi/search.pl`.
 *
 * A language is the first part of Open Food Facts' host name. The stand-in knows the same names below `localhost`; other
 * sites have no such thing.
 *
 * @throws OffstreamError ADDRESS_INVALID where `site` leads to a list or a product itself, or has no languages
 */
export const listAddress = (site: string, { lang, list, search }: ListChoice): string => {
  if (lang === undefined && list === undefined && search === undefined) return site
  const address = new URL(site)
  if (address.pathname !== '/' || address.search !== '') throw leadsFurther(site)
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
 * Whether there are products under an address by its form alone, be it a list or one product: on Open Food Facts, or on
 * this machine, where the stand-in for it runs.
 */
export const isPlaceOfProducts = (address: string): boolean => {
  const { hostname, pathname } = new URL(address)
  if (siteOf(hostname) === null && !isLoopback(hostname)) return false
  return (
    /^\/(?:\d+|search|facets\/[^/]+\/[^/]+(?:\/\d+)?)?$/.test(pathname) || codeInAddress(address) !== null
  )
}

/** The site that a host name is a part of, without country and language; null where it is not Open Food Facts. */
const siteOf = (hostname: string): string | null =>
  /^(?:[a-z-]+\.)?(openfoodfacts\.(?:org|net))$/.exec(hostname)?.[1] ?? null

const hostIn = (lang: string, hostname: string): string | null => {
  const site = siteOf(hostname)
  if (site !== null) return `${lang}.${site}`
  return isLoopback(hostname) ? `${lang}.localhost` : null
}

// Read on saved pages of 2026; English names lead to the lists on hosts in other languages too, as far as is known.
const words: Readonly<Record<'fr' | 'en', Readonly<Record<Facet, string>>>> = {
  fr: { category: 'categories', brand: 'marques', label: 'labels', country: 'pays' },
  en: { category: 'categories', brand: 'brands', label: 'labels', country: 'countries' },
}

const pathWord = (facet: Facet, hostname: string): string =>
  words[/^(?:[a-z]+-)?fr\./.test(hostname) ? 'fr' : 'en'][facet]

/** As the site makes ids of names: `Pâtes à tartiner` is filed as `pates-a-tartiner`. */
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

const leadsFurther = (site: string): OffstreamError =>
  new PipelineError('ADDRESS_INVALID', `\`${site}\` leads to one page, of which there are no lists`, {
    hint: 'give the address of the site alone, such as `https://fr.openfoodfacts.org`, or leave the list away',
  })

const withoutLanguages = (site: string): OffstreamError =>
  new PipelineError(
    'ADDRESS_INVALID',
    `\`${site}\` is not Open Food Facts, which has a host for each language`,
    {
      hint: 'leave `--lang` away, and give the address in the language that you want',
    },
  )

const nameless = (facet: Facet, name: string): OffstreamError =>
  new PipelineError('ADDRESS_INVALID', `\`${name}\` is no name of a ${facet}`, {
    hint: 'give it as the site shows it, such as `Pâtes à tartiner`, or its tag such as `en:spreads`',
  })
