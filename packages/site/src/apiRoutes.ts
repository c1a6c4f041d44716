import { type CatalogueProduct, normalisedCode } from './catalogue.ts'
import { otherType, type Query } from './productStore.ts'
import { json, redirect, type SiteResponse } from './response.ts'
import { type PathParts, positive, type Route, type SiteRequest } from './route.ts'
import type { Facet } from './taxonomy.ts'

/** A product of API versions 0 to 2: `status` is a number, and an unknown product has HTTP status 404. */
const productV2 = ({ url, store }: SiteRequest, { code = '' }: PathParts): SiteResponse => {
  const normalised = normalisedCode(code)
  if (normalised === null) return json({ code, status: 0, status_verbose: 'no code or invalid code' })
  const product = store.get(normalised)
  const type = product === null ? null : otherType(product)
  if (product === null) return json({ code: normalised, status: 0, status_verbose: 'product not found' }, 404)
  if (type !== null) return otherFlavour(url, type) ?? json(foundElsewhereV2(normalised, type), 404)
  const fields = chosenFields(product, url.searchParams)
  return json({ code: product.code, product: fields, status: 1, status_verbose: 'product found' })
}

const foundElsewhereV2 = (code: string, type: string) => ({
  code,
  status: 0,
  status_verbose: `product found with a different product type: ${type}`,
})

/** A product of API version 3: `status` is a word, with lists of errors and warnings. */
const productV3 = ({ url, store }: SiteRequest, { code = '' }: PathParts): SiteResponse => {
  const normalised = normalisedCode(code)
  if (normalised === null) return failureV3(code, 'invalid_code', 'code', code)
  const product = store.get(normalised)
  const type = product === null ? null : otherType(product)
  if (product === null) return failureV3(normalised, 'product_not_found', 'code', normalised)
  if (type !== null)
    return (
      otherFlavour(url, type) ??
      failureV3(normalised, 'product_found_with_a_different_product_type', 'product_type', type)
    )
  const warnings =
    code === product.code ? [] : [problem('different_normalized_product_code', 'none', 'code', code)]
  return json({
    code: product.code,
    errors: [],
    product: chosenFields(product, url.searchParams),
    result: named('product_found'),
    status: warnings.length > 0 ? 'success_with_warnings' : 'success',
    warnings,
  })
}

const failureV3 = (code: string, id: string, field: string, value: string): SiteResponse =>
  json(
    {
      code,
      errors: [problem(id, 'failure', field, value)],
      result: named(id),
      status: 'failure',
      warnings: [],
    },
    404,
  )

const problem = (id: string, impact: string, field: string, value: string) => ({
  field: { id: field, value },
  impact: named(impact),
  // The real site has no names for these messages.
  message: { id, lc_name: '', name: '' },
})

const named = (id: string) => {
  const name = id.charAt(0).toUpperCase() + id.slice(1).replaceAll('_', ' ')
  return { id, lc_name: name, name }
}

/** A redirect to the site of another product type, if the client requests `product_type=all`. */
const otherFlavour = (url: URL, type: string): SiteResponse | null =>
  url.searchParams.get('product_type') === 'all'
    ? redirect(otherSiteAddress(type, url.pathname + url.search))
    : null

/** The address of a path on the real site of another product type. */
export const otherSiteAddress = (type: string, path: string): string => {
  const sites: Readonly<Record<string, string>> = {
    beauty: 'beauty',
    petfood: 'petfood',
    product: 'products',
  }
  return `https://world.open${sites[type] ?? 'products'}facts.org${path}`
}

const searchPageSize = 50
const maxPageSize = 100

const search = ({ url, view, store }: SiteRequest): SiteResponse => {
  const parameters = url.searchParams
  const page = positive(parameters.get('page')) ?? 1
  const pageSize = Math.min(positive(parameters.get('page_size')) ?? searchPageSize, maxPageSize)
  return searchResponse(store.find({ ...tagQuery(parameters), country: view.country }), {
    parameters,
    page,
    pageSize,
  })
}

/** One page of search results. `page_count` is the number of products on the page, as on the real site. */
export const searchResponse = (
  found: readonly CatalogueProduct[],
  {
    parameters,
    page,
    pageSize,
  }: { readonly parameters: URLSearchParams; readonly page: number; readonly pageSize: number },
): SiteResponse => {
  const skip = (page - 1) * pageSize
  const products = found.slice(skip, skip + pageSize).map(product => chosenFields(product, parameters))
  return json({ count: found.length, page, page_count: products.length, page_size: pageSize, products, skip })
}

const facets: readonly Facet[] = ['categories', 'brands', 'countries', 'labels']

/**
 * Parses `categories_tags=en:teas`. A comma means *and*, `|` means *or*, and `-` before a tag excludes it. `code=1,2`
 * selects products by code.
 */
const tagQuery = (parameters: URLSearchParams): Query => {
  const tags = facets.flatMap(facet =>
    [`${facet}_tags`, `${facet}_tags_en`, `${facet}_tags_fr`]
      .flatMap(name => parameters.getAll(name))
      .flatMap(value => value.split(','))
      .filter(value => value !== '')
      .map(value => ({
        facet,
        ids: value.replace(/^-/, '').split('|'),
        excluded: value.startsWith('-'),
      })),
  )
  const codes = parameters.get('code')
  return { tags, sortBy: parameters.get('sort_by'), ...(codes === null ? {} : { codes: codes.split(',') }) }
}

/** The fields of a product that `fields` selects, by default `all`. */
const chosenFields = (
  product: CatalogueProduct,
  parameters: URLSearchParams,
): Readonly<Record<string, unknown>> => {
  const whole = { _id: product.code, ...product }
  const fields = parameters.get('fields') ?? 'all'
  if (fields === 'all' || fields === '') return whole
  const selected = new Set(fields.split(','))
  return Object.fromEntries(Object.entries(whole).filter(([name]) => selected.has(name)))
}

/** The read API in all its versions. */
export const apiRoutes: readonly Route[] = [
  {
    path: /^\/api\/v[012](?:\.\d+)?\/product\/(?<code>[^/]+?)(?:\.json)?$/,
    answer: productV2,
    counts: 'productReads',
  },
  {
    path: /^\/api\/v3(?:\.\d+)?\/product\/(?<code>[^/]+?)(?:\.json)?$/,
    answer: productV3,
    counts: 'productReads',
  },
  { path: /^\/api\/v2(?:\.\d+)?\/search(?:\.json)?$/, answer: search, counts: 'searches' },
]
