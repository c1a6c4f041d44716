import { type Answer, file, page, redirect } from './answer.ts'
import { searchAnswer, sisterAddress } from './api.ts'
import { type Asset, badge, favicon, listScript, productPicture, styleSheet } from './assets.ts'
import { noSuchProductPage } from './pages/errors.ts'
import { listPage, tagsPage } from './pages/list.ts'
import { productPage } from './pages/product.ts'
import { robotsTxt } from './robots.ts'
import { decoded, type PathParts, positive, type Route, type SiteRequest } from './route.ts'
import { otherType, type Query } from './shelf.ts'
import { type Facet, languages } from './taxonomy.ts'
import { productPath } from './view.ts'
import { words } from './words.ts'

const listPageSize = 100
const searchPageSize = 50

const home = (request: SiteRequest, { number }: PathParts): Answer | null =>
  list(request, { query: {}, title: words[request.view.language].siteTitle, path: '/', number })

const product = ({ url, view, shelf }: SiteRequest, { code = '' }: PathParts): Answer => {
  const found = shelf.get(code)
  if (found === null) return page(noSuchProductPage(view, code), 404)
  const path = productPath(found, view)
  const type = otherType(found)
  if (type !== null) return redirect(sisterAddress(type, path.replace(/^\/[^/]+/, '/product')))
  return url.pathname === path ? page(productPage(found, view)) : redirect(path + url.search)
}

const facetList = (request: SiteRequest, { word = '', id = '', number }: PathParts): Answer | null => {
  const { view, shelf } = request
  const facet = facetNamed(word)
  const tag = decoded(id)
  if (facet === null || tag === null) return null
  const path = `/facets/${words[view.language].facets[facet].plural}/${encodeURIComponent(tag)}`
  const name = shelf.tagName(facet, tag, view.language)
  if (name === null) return null
  return list(request, {
    query: { tags: [{ facet, ids: [tag] }] },
    title: name,
    path,
    number,
    tag: { facet, name },
  })
}

const facetTags = ({ view, shelf }: SiteRequest, { word = '' }: PathParts): Answer | null => {
  const facet = facetNamed(word)
  return facet === null ? null : page(tagsPage(view, facet, shelf.tags(facet, view.language)))
}

/** A search by words (`search_terms`), by tags (`tagtype_0`, `tag_contains_0`, `tag_0` …), or both. */
const search = (request: SiteRequest): Answer | null => {
  const { url, view } = request
  const query = searchQuery(url.searchParams)
  const title = query.terms || words[view.language].searchResults
  return list(request, { query, title, path: url.pathname, number: undefined, isSearch: true })
}

interface Listing {
  readonly query: Query
  readonly title: string
  /** Of the first page. */
  readonly path: string
  /** The page, where the path names it. */
  readonly number: string | undefined
  readonly tag?: { readonly facet: Facet; readonly name: string }
  readonly isSearch?: boolean
}

/** One page of a list; null for one that lies beyond its end, except that an empty list has a first page. */
const list = (
  { url, view, shelf }: SiteRequest,
  { query, title, path, number, tag, isSearch = false }: Listing,
): Answer | null => {
  const pageNumber = positive(number ?? url.searchParams.get('page')) ?? 1
  const defaultSize = isSearch ? searchPageSize : listPageSize
  const pageSize = Math.min(positive(url.searchParams.get('page_size')) ?? defaultSize, listPageSize)
  const sortBy = query.sortBy ?? url.searchParams.get('sort_by')
  const found = shelf.find({ ...query, country: view.country, sortBy })
  if (isSearch && url.searchParams.get('json') === '1')
    return searchAnswer(found, { asked: url.searchParams, page: pageNumber, pageSize })
  const products = found.slice((pageNumber - 1) * pageSize, pageNumber * pageSize)
  if (pageNumber > 1 && products.length === 0) return null
  // A list that is asked for with a query goes on with it; a plain one has its pages in its path.
  const addressOf = (wanted: number): string => {
    if (url.search === '') return `${path === '/' ? '' : path}/${wanted}`.replace(/\/1$/, '') || '/'
    const query = new URLSearchParams(url.searchParams)
    query.set('page', String(wanted))
    return `${path}?${query}`
  }
  return page(
    listPage({
      ...{ view, title, path, products, count: found.length, page: pageNumber, pageSize, addressOf },
      ...(tag === undefined ? {} : { tag }),
    }),
  )
}

const picture = ({ url, shelf }: SiteRequest): Answer | null => {
  const product = shelf.pictured(url.pathname)
  return product === null ? null : asset(productPicture(product.code))
}

const asset = ({ type, body }: Asset): Answer => file(type, body)

const productWords = languages.map(each => words[each].productPath).join('|')
const facetsByWord: ReadonlyMap<string, Facet> = new Map(
  languages.flatMap(language =>
    (Object.keys(words[language].facets) as readonly Facet[]).flatMap(facet => {
      const { singular, plural } = words[language].facets[facet]
      return [[singular, facet] as const, [plural, facet] as const]
    }),
  ),
)
const facetWords = [...facetsByWord.keys()].join('|')
const searchWords = languages.map(each => words[each].searchPath).join('|')

/** Pages, and the small files that they need. */
export const pageRoutes: readonly Route[] = [
  { path: /^\/(?<number>[1-9]\d*)?$/, answer: home },
  {
    path: new RegExp(`^/(?:${productWords})/(?<code>\\d+)(?:/[^/]*)?/?$`),
    answer: product,
    counts: 'productReads',
  },
  { path: new RegExp(`^/(?:cgi/search\\.pl|${searchWords})/?$`), answer: search, counts: 'searches' },
  {
    path: new RegExp(`^/(?:facets/)?(?<word>${facetWords})/(?<id>[^/]+)(?:/(?<number>[1-9]\\d*))?$`),
    answer: facetList,
    counts: 'facetPages',
  },
  { path: new RegExp(`^/(?:facets/)?(?<word>${facetWords})/?$`), answer: facetTags, counts: 'facetPages' },
  {
    path: /^\/robots\.txt$/,
    answer: ({ view }) => file('text/plain; charset=utf-8', robotsTxt(view.language)),
  },
  { path: /^\/favicon\.ico$/, answer: () => asset(favicon) },
  { path: /^\/js\/dist\/product-search\.js$/, answer: () => asset(listScript) },
  { path: /^\/css\/dist\/app\.css$/, answer: () => asset(styleSheet) },
  { path: /^\/images\/products\//, answer: picture },
  {
    path: /^\/images\/attributes\/dist\/(?<name>[a-z\d-]+)\.svg$/,
    answer: (_request, { name = '' }) => {
      const found = badge(name)
      return found === null ? null : asset(found)
    },
  },
]

/** The facet that a part of a path names, in any language, singular or plural. */
const facetNamed = (word: string): Facet | null => facetsByWord.get(word) ?? null

/** What a search is for, as the addresses of the real site's advanced search tell it. */
const searchQuery = (asked: URLSearchParams): Query & { readonly terms: string } => {
  const tags = Array.from({ length: 20 }, (_, index) => index).flatMap(index => {
    const facet = facetNamed(asked.get(`tagtype_${index}`) ?? '')
    const id = asked.get(`tag_${index}`) ?? ''
    const excluded = asked.get(`tag_contains_${index}`) === 'does_not_contain'
    return facet === null || id === '' ? [] : [{ facet, ids: [id], excluded }]
  })
  return { terms: asked.get('search_terms') ?? asked.get('q') ?? '', tags }
}
