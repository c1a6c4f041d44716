import { type Answer, json, redirect } from './answer.ts'
import { type CatalogueProduct, filedCode } from './catalogue.ts'
import { type PathParts, positive, type Route, type SiteRequest } from './route.ts'
import { otherType, type Query } from './shelf.ts'
import type { Facet } from './taxonomy.ts'

/** A product of the older API, versions 0 to 2: `status` is a number, and what is not there has status 404. */
const productV2 = ({ url, shelf }: SiteRequest, { code = '' }: PathParts): Answer => {
  const filed = filedCode(code)
  if (filed === null) return json({ code, status: 0, status_verbose: 'no code or invalid code' })
  const product = shelf.get(filed)
  const type = product === null ? null : otherType(product)
  if (product === null) return json({ code: filed, status: 0, status_verbose: 'product not found' }, 404)
  if (type !== null) return otherFlavour(url, type) ?? json(foundElsewhereV2(filed, type), 404)
  const told = chosenFields(product, url.searchParams)
  return json({ code: product.code, product: told, status: 1, status_verbose: 'product found' })
}

const foundElsewhereV2 = (code: string, type: string) => ({
  code,
  status: 0,
  status_verbose: `product found with a different product type: ${type}`,
})

/** A product of version 3: `status` is a word, problems are lists of errors and warnings. */
const productV3 = ({ url, shelf }: SiteRequest, { code = '' }: PathParts): Answer => {
  const filed = filedCode(code)
  if (filed === null) return failureV3(code, 'invalid_code', 'code', code)
  const product = shelf.get(filed)
  const type = product === null ? null : otherType(product)
  if (product === null) return failureV3(filed, 'product_not_found', 'code', filed)
  if (type !== null)
    return (
      otherFlavour(url, type) ??
      failureV3(filed, 'product_found_with_a_different_product_type', 'product_type', type)
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

const failureV3 = (code: string, id: string, field: string, value: string): Answer =>
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
  // The real site has no names for these.
  message: { id, lc_name: '', name: '' },
})

const named = (id: string) => {
  const name = id.charAt(0).toUpperCase() + id.slice(1).replaceAll('_', ' ')
  return { id, lc_name: name, name }
}

/** Where a product of another kind is kept, for a client that asked for `product_type=all`. */
const otherFlavour = (url: URL, type: string): Answer | null =>
  url.searchParams.get('product_type') === 'all'
    ? redirect(sisterAddress(type, url.pathname + url.search))
    : null

/** The address of a path on the real site for products that are no food. */
export const sisterAddress = (type: string, path: string): string => {
  const sisters: Readonly<Record<string, string>> = {
    beauty: 'beauty',
    petfood: 'petfood',
    product: 'products',
  }
  return `https://world.open${sisters[type] ?? 'products'}facts.org${path}`
}

const searchPageSize = 50
const largestPage = 100

const search = ({ url, view, shelf }: SiteRequest): Answer => {
  const asked = url.searchParams
  const page = positive(asked.get('page')) ?? 1
  const pageSize = Math.min(positive(asked.get('page_size')) ?? searchPageSize, largestPage)
  return searchAnswer(shelf.find({ ...tagQuery(asked), country: view.country }), { asked, page, pageSize })
}

/** One page of what a search found; `page_count` is how many products it holds, as on the real site. */
export const searchAnswer = (
  found: readonly CatalogueProduct[],
  {
    asked,
    page,
    pageSize,
  }: { readonly asked: URLSearchParams; readonly page: number; readonly pageSize: number },
): Answer => {
  const skip = (page - 1) * pageSize
  const products = found.slice(skip, skip + pageSize).map(product => chosenFields(product, asked))
  return json({ count: found.length, page, page_count: products.length, page_size: pageSize, products, skip })
}

const facets: readonly Facet[] = ['categories', 'brands', 'countries', 'labels']

/**
 * `categories_tags=en:teas`: a comma parts tags that a product must all have, `|` tags of which one will do, and `-`
 * before a tag keeps it out. `code=1,2` asks for products by code.
 */
const tagQuery = (asked: URLSearchParams): Query => {
  const tags = facets.flatMap(facet =>
    [`${facet}_tags`, `${facet}_tags_en`, `${facet}_tags_fr`]
      .flatMap(name => asked.getAll(name))
      .flatMap(value => value.split(','))
      .filter(value => value !== '')
      .map(value => ({
        facet,
        ids: value.replace(/^-/, '').split('|'),
        excluded: value.startsWith('-'),
      })),
  )
  const codes = asked.get('code')
  return { tags, sortBy: asked.get('sort_by'), ...(codes === null ? {} : { codes: codes.split(',') }) }
}

/** What `fields` asks for of a product; everything, where it asks for nothing or `all`. */
const chosenFields = (
  product: CatalogueProduct,
  asked: URLSearchParams,
): Readonly<Record<string, unknown>> => {
  const whole = { _id: product.code, ...product }
  const fields = asked.get('fields') ?? 'all'
  if (fields === 'all' || fields === '') return whole
  const wanted = new Set(fields.split(','))
  return Object.fromEntries(Object.entries(whole).filter(([name]) => wanted.has(name)))
}

/** The API for reading, under any of its versions' paths. */
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
