import { OffstreamError } from '@offstream/runtime'
import { PipelineError } from '../errors.ts'
import { productsIn, refusalIn } from '../product/answer.ts'
import { requestedFields } from '../product/fields.ts'
import { objectOf, textOf } from '../product/json.ts'
import { numberOf } from '../product/normalise.ts'
import { codeOf, type PublishRules } from '../product/productOf.ts'
import type { Skip } from '../product/skip.ts'
import { Deliveries, unlessAborted } from './deliveries.ts'
import { RateLimiter } from './guest/rateLimiter.ts'
import { type JsonAnswer, Remote, type RetryPolicy } from './guest/remote.ts'
import { type Found, resultsOf } from './reader.ts'
import type { Source, SourceRun } from './source.ts'

/** Options of `apiSource`. */
export interface ApiSourceOptions {
  /** The site, such as `https://world.openfoodfacts.org`. Its host determines language and country, as for pages. */
  readonly address: string
  readonly query: ApiQuery
  /** The maximum number of products to deliver. */
  readonly limit?: number | undefined
  /** Rate limits; null for none, which is only for a site on this machine. Open Food Facts allows `apiLimits`. */
  readonly productsPerMinute: number | null
  readonly searchesPerMinute: number | null
  /** Names offstream and a contact, as Open Food Facts requires. */
  readonly userAgent: string
  readonly retryPolicy?: RetryPolicy | undefined
  readonly rules?: PublishRules | undefined
}

/** What to request from the API. */
export type ApiQuery =
  /** One request for each barcode. Version 3 has its own warnings and errors, and the newer nutrition schema. */
  | { readonly kind: 'codes'; readonly codes: readonly string[]; readonly version: 2 | 3 }
  /**
   * A search with the parameters of `/api/v2/search`, such as `categories_tags_en` → `chocolates`. It starts at `page`,
   * requests `page_size` products at a time (by default 100), and replaces `fields` by those of the record.
   */
  | { readonly kind: 'search'; readonly parameters: Readonly<Record<string, string>> }

/** The requests a minute that Open Food Facts allows. @see https://openfoodfacts.github.io/openfoodfacts-server/api/ */
export const apiLimits = { productsPerMinute: 100, searchesPerMinute: 10 } as const

/** The maximum page size of the API. */
const maxPageSize = 100

const fields = requestedFields.join(',')

/**
 * Products from the API of Open Food Facts: of given barcodes, or of all pages of a search.
 *
 * A product is deleted if the site reports that it does not exist. `run` throws OffstreamError SITE_UNREACHABLE,
 * SOURCE_BLOCKED, REDIRECTED_ELSEWHERE, RESPONSE_TOO_LARGE, NOT_A_SOURCE (the address has no API).
 */
export const apiSource = (options: ApiSourceOptions): Source => ({
  name: 'api',
  run: run =>
    unlessAborted(run, async () => {
      const { address, userAgent, retryPolicy, limit, rules } = options
      const site = new URL(address).origin
      const remote = new Remote({ address, userAgent, retryPolicy })
      const results = async function* () {
        for await (const found of answers(options, remote, run))
          yield resultsOf(found, { source: 'api', site, rules })
      }
      await new Deliveries(run, limit).deliverAll(results())
    }),
})

const answers = (
  options: ApiSourceOptions,
  remote: Remote,
  run: SourceRun,
): AsyncGenerator<readonly Found[]> =>
  options.query.kind === 'codes'
    ? productsByCode({ ...options, ...options.query }, remote, run)
    : productsBySearch({ ...options, ...options.query }, remote, run)

async function* productsByCode(
  { address, codes, version, productsPerMinute }: ApiSourceOptions & Extract<ApiQuery, { kind: 'codes' }>,
  remote: Remote,
  { signal }: SourceRun,
): AsyncGenerator<readonly Found[]> {
  const rateLimiter = new RateLimiter(productsPerMinute)
  for (const written of codes) {
    const code = codeOf(written)
    if (code === null) {
      yield [{ address: written, skippedBy: 'invalid-code', reason: 'it is not a barcode' }]
      continue
    }
    const product = new URL(`/api/v${version}/product/${code}`, address).href
    const request = `${product}?${new URLSearchParams({ fields })}`
    yield [await foundIn(product, code, () => remote.json(request, { signal, rateLimiter }))]
  }
}

const foundIn = async (address: string, code: string, send: () => Promise<JsonAnswer>): Promise<Found> => {
  try {
    const { kind, value } = await send()
    const answer = objectOf(value)
    const refusal = refusalIn(answer ?? {})
    if (refusal?.skippedBy === 'not-found') return { address, gone: code, as_of: null }
    if (refusal !== null) return { address, ...refusal }
    if (kind === 'not found')
      return { address, skippedBy: 'not-found', reason: 'the address does not exist on the site' }
    const [candidate] = objectOf(answer?.['product']) === null ? [] : productsIn(value)
    return { address, ...(candidate ?? unknownForm) }
  } catch (error) {
    // A redirect of one barcode says nothing about the others.
    if (error instanceof OffstreamError && error.code === 'REDIRECTED_ELSEWHERE')
      return { address, skippedBy: 'redirected', reason: 'it redirects to another site' }
    throw error
  }
}

const unknownForm: Skip = {
  skippedBy: 'no-product-in-response',
  reason: 'its response has an unknown format',
}

async function* productsBySearch(
  { address, parameters, searchesPerMinute }: ApiSourceOptions & Extract<ApiQuery, { kind: 'search' }>,
  remote: Remote,
  { signal }: SourceRun,
): AsyncGenerator<readonly Found[]> {
  const rateLimiter = new RateLimiter(searchesPerMinute)
  const seen = new Set<unknown>()
  const { page: first = '1', page_size = String(maxPageSize), fields: _, ...chosen } = parameters
  for (let page = Math.max(1, Math.trunc(numberOf(first) ?? 1)); ; page += 1) {
    const query = new URLSearchParams({ ...chosen, page_size, page: String(page) })
    const search = new URL(`/api/v2/search?${query}`, address).href
    const { value } = await remote.json(`${search}&${new URLSearchParams({ fields })}`, {
      signal,
      rateLimiter,
    })
    const answer = objectOf(value)
    const products = answer?.['products']
    if (!Array.isArray(products)) throw notAnApi(search)
    // A product that changes between two requests may be on both pages.
    const fresh = products.filter(product => !seen.has(objectOf(product)?.['code']))
    for (const product of fresh) seen.add(objectOf(product)?.['code'])
    yield fresh.map(product => ({
      address: `${search}#${textOf(objectOf(product)?.['code']) ?? ''}`,
      value: product,
    }))
    // After a page without new products, all others would have none either.
    const pageSize =
      numberOf(answer?.['page_size']) ?? Math.min(numberOf(page_size) ?? maxPageSize, maxPageSize)
    if (fresh.length === 0 || products.length < pageSize) return
  }
}

const notAnApi = (address: string) =>
  new PipelineError('NOT_A_SOURCE', `No product API was found at \`${address}\``, {
    hint: 'use the address of the site, such as `https://world.openfoodfacts.org`',
  })
