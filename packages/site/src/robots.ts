import { type Facet, type Language, languages } from './taxonomy.ts'
import { translations } from './translations.ts'

/** Some of the robots that the real file bans (2026). */
const banned = [
  'Bingbot',
  'SEOkicks-Robot',
  'DotBot',
  'dotbot',
  'SearchmetricsBot',
  'MJ12bot',
  'SEOdiver',
  'spbot',
  'wotbox',
  'SeekportBot',
  'Scrapy/1.5.0',
  'Scrapy',
  'VelenPublicWebCrawler',
  'SemrushBot',
  'MegaIndex.ru',
  'YandexMarket',
  'Amazonbot',
  'DataForSeoBot',
  'AhrefsBot',
  'ClaudeBot',
]

/** The facets whose lists robots may read: the real site's `index_tag_types` that exist here. */
const indexed: ReadonlySet<Facet> = new Set(['categories', 'brands', 'labels'])

/**
 * The rules for robots in the format of the real site. They disallow search, the API, addresses by code, the tags of every
 * facet, and the product lists of most facets, by their names in English and in the site's language.
 */
export const robotsTxt = (language: Language): string => {
  const facets = Object.keys(translations.en.facets) as readonly Facet[]
  const namedIn = languages.filter(each => each === 'en' || each === language)
  const disallowed = facets.flatMap(facet =>
    namedIn.flatMap(each => {
      const { singular, plural } = translations[each].facets[facet]
      return indexed.has(facet) ? [plural] : [singular, plural]
    }),
  )
  return [
    'User-agent: *',
    'Allow: /cgi/product_image.pl',
    'Allow: /cgi/opensearch.pl',
    'Disallow: /cgi',
    'Disallow: /code',
    'Disallow: /api',
    ...[...new Set(disallowed)].sort().map(path => `Disallow: /${path}`),
    ...banned.flatMap(name => ['', `User-agent: ${name}`, 'Disallow: /']),
    '',
  ].join('\n')
}
