import { otherSiteAddress, searchResponse } from './apiRoutes.ts'
import { type Asset, badge, favicon, listScript, productPicture, styleSheet } from './assets.ts'
import { noSuchProductPage } from './pages/errors.ts'
import { listPage, tagsPage } from './pages/list.ts'
import { productPage } from './pages/product.ts'
import { otherType, type Query } from './productStore.ts'
import { file, page, redirect, type SiteResponse } from './response.ts'
import { robotsTxt } from './robots.ts'
import { decoded, type PathParts, positive, type Route, type SiteRequest } from './route.ts'
import { type Facet, languages } from './taxonomy.ts'
import { translations } from './translations.ts'
import { productPath } from './view.ts'

const listPageSize = 100
const searchPageSize = 50

const home = (request: SiteRequest, { number }: PathParts): SiteResponse | null =>
  list(request, { query: {}, title: translations[request.view.language].siteTitle, path: '/', number })

const product = ({ url, view, store }: SiteRequest, { code = '' }: PathParts): SiteResponse => {
  const found = store.get(code)
  if (found === null) return page(noSuchProductPage(view, code), 404)
  const path = productPath(found, view)
  const type = otherType(found)
  if (type !== null) return redirect(otherSiteAddress(type, path.replace(/^\/[^/]+/, '/product')))
  return url.pathname === path ? page(productPage(found, view)) : redirect(path + url.search)
}

const facetList = (request: SiteRequest, { word = '', id = '', number }: PathParts): SiteResponse | null => {
  const { view, store } = request
  const facet = facetNamed(word)
  const tag = decoded(id)
  if (facet === null || tag === null) return null
  const path = `/facets/${translations[view.language].facets[facet].plural}/${encodeURIComponent(tag)}`
  const name = store.tagName(facet, tag, view.language)
  if (name === null) return null
  return list(request, {
    query: { tags: [{ facet, ids: [tag] }] },
    title: name,
    path,
    number,
    tag: { facet, name },
  })
}

const facetTags = ({ view, store }: SiteRequest, { word = '' }: PathParts): SiteResponse | null => {
  const facet = facetNamed(word)
  return facet === null ? null : page(tagsPage(view, facet, store.tags(facet, view.language)))
}

/** A search by terms (`search_terms`), by tags (`tagtype_0`, `tag_contains_0`, `tag_0` …), or both. */
const search = (request: SiteRequest): SiteResponse | null => {
  const { url, view } = request
  const query = searchQuery(url.searchParams)
  const title = query.terms || translations[view.language].searchResults
  return list(request, { query, title, path: url.pathname, number: undefined, isSearch: true })
}

interface Listing {
  readonly query: Query
  readonly title: string
  /** Path of the first page. */
  readonly path: string
  /** The page number if it is part of the path. */
  readonly number: string | undefined
  readonly tag?: { readonly facet: Facet; readonly name: string }
  readonly isSearch?: boolean
}

/** One page of a list; null after the last page. An empty list has one page. */
const list = (
  { url, view, store }: SiteRequest,
  { query, title, path, number, tag, isSearch = false }: Listing,
): SiteResponse | null => {
  const pageNumber = positive(number ?? url.searchParams.get('page')) ?? 1
  const defaultSize = isSearch ? searchPageSize : listPageSize
  const pageSize = Math.min(positive(url.searchParams.get('page_size')) ?? defaultSize, listPageSize)
  const sortBy = query.sortBy ?? url.searchParams.get('sort_by')
  const found = store.find({ ...query, country: view.country, sortBy })
  if (isSearch && url.searchParams.get('json') === '1')
    return searchResponse(found, { parameters: url.searchParams, page: pageNumber, pageSize })
  const products = found.slice((pageNumber - 1) * pageSize, pageNumber * pageSize)
  if (pageNumber > 1 && products.length === 0) return null
  // A list with a query has its page number in the query, a list without one in the path.
  const addressOf = (page: number): string => {
    if (url.search === '') return `${path === '/' ? '' : path}/${page}`.replace(/\/1$/, '') || '/'
    const query = new URLSearchParams(url.searchParams)
    query.set('page', String(page))
    return `${path}?${query}`
  }
  return page(
    listPage({
      ...{ view, title, path, products, count: found.length, page: pageNumber, pageSize, addressOf },
      ...(tag === undefined ? {} : { tag }),
    }),
  )
}

const picture = ({ url, store }: SiteRequest): SiteResponse | null => {
  const product = store.withPicture(url.pathname)
  return product === null ? null : asset(productPicture(product.code))
}

const asset = ({ type, body }: Asset): SiteResponse => file(type, body)

const productWords = languages.map(each => translations[each].productPath).join('|')
const facetsByWord: ReadonlyMap<string, Facet> = new Map(
  languages.flatMap(language =>
    (Object.keys(translations[language].facets) as readonly Facet[]).flatMap(facet => {
      const { singular, plural } = translations[language].facets[facet]
      return [[singular, facet] as const, [plural, facet] as const]
    }),
  ),
)
const facetWords = [...facetsByWord.keys()].join('|')
const searchWords = languages.map(each => translations[each].searchPath).join('|')

/** Pages, and the small files that they load. */
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

/** The facet with this name, singular or plural, in any language. */
const facetNamed = (word: string): Facet | null => facetsByWord.get(word) ?? null

/** Parses the parameters of the real site's advanced search. */
const searchQuery = (parameters: URLSearchParams): Query & { readonly terms: string } => {
  const tags = Array.from({ length: 20 }, (_, index) => index).flatMap(index => {
    const facet = facetNamed(parameters.get(`tagtype_${index}`) ?? '')
    const id = parameters.get(`tag_${index}`) ?? ''
    const excluded = parameters.get(`tag_contains_${index}`) === 'does_not_contain'
    return facet === null || id === '' ? [] : [{ facet, ids: [id], excluded }]
  })
  return { terms: parameters.get('search_terms') ?? parameters.get('q') ?? '', tags }
}
