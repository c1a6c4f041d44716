import { type Facet, type Language, languages } from './taxonomy.ts'
import { words } from './words.ts'

/** Robots that the real file names and bans (2026), among many. */
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

/** Whose lists of products robots may read; the real site's `index_tag_types`, as far as they are known here. */
const open: ReadonlySet<Facet> = new Set(['categories', 'brands', 'labels'])

/**
 * The rules for robots in the form of the real ones: search, API and addresses by code are closed; so is the list of
 * all tags of any facet, and the lists of products of facets that are not worth indexing, under their English name and
 * that of the site's language.
 */
export const robotsTxt = (language: Language): string => {
  const facets = Object.keys(words.en.facets) as readonly Facet[]
  const spoken = languages.filter(each => each === 'en' || each === language)
  const closed = facets.flatMap(facet =>
    spoken.flatMap(each => {
      const { singular, plural } = words[each].facets[facet]
      return open.has(facet) ? [plural] : [singular, plural]
    }),
  )
  return [
    'User-agent: *',
    'Allow: /cgi/product_image.pl',
    'Allow: /cgi/opensearch.pl',
    'Disallow: /cgi',
    'Disallow: /code',
    'Disallow: /api',
    ...[...new Set(closed)].sort().map(path => `Disallow: /${path}`),
    ...banned.flatMap(name => ['', `User-agent: ${name}`, 'Disallow: /']),
    '',
  ].join('\n')
}
