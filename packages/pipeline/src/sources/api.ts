import { OffstreamError } from '@offstream/runtime'
import { PipelineError } from '../errors.ts'
import { normaliseCode } from '../names.ts'
import { productsIn } from '../product/answer.ts'
import { askedFields } from '../product/fields.ts'
import { objectOf, textOf } from '../product/json.ts'
import { numberOf } from '../product/normalise.ts'
import { Deliveries, unlessAborted } from './deliveries.ts'
import { RateLimiter } from './guest/rateLimiter.ts'
import { type JsonAnswer, Remote, type RetryPolicy } from './guest/remote.ts'
import { type Found, resultsOf } from './reader.ts'
import type { Source, SourceRun } from './source.ts'

export interface ApiSourceOptions {
  /** The site, such as `https://world.openfoodfacts.org`; its host decides language and country, as for pages. */
  readonly address: string
  readonly ask: ApiQuestion
  /** How many products to deliver at most. */
  readonly limit?: number | undefined
  /** null: as fast as it goes; only for a site on this machine. Open Food Facts allows `apiLimits`. */
  readonly productsPerMinute: number | null
  readonly searchesPerMinute: number | null
  /** Names offstream and a contact: Open Food Facts asks for it. */
  readonly userAgent: string
  readonly retryPolicy?: RetryPolicy | undefined
}

export type ApiQuestion =
  /** One question for each barcode. Version 3 answers with warnings and errors of its own, and the newer nutrition. */
  | { readonly kind: 'codes'; readonly codes: readonly string[]; readonly version: 2 | 3 }
  /**
   * A search, by the parameters of `/api/v2/search`, such as `categories_tags_en` → `chocolates`. `page` is the one to
   * begin with, `page_size` how many products are asked for at once, 100 by default; `fields` are those of the record.
   */
  | { readonly kind: 'search'; readonly parameters: Readonly<Record<string, string>> }

/** Questions a minute that Open Food Facts allows. @see https://openfoodfacts.github.io/openfoodfacts-server/api/ */
export const apiLimits = { productsPerMinute: 100, searchesPerMinute: 10 } as const

/** More on a page are not given. */
const largestPage = 100

const fields = askedFields.join(',')

/**
 * Products from Open Food Facts' API: of given barcodes, or of a search with all its pages.
 *
 * A barcode that the site says it does not have is removed. `run` throws OffstreamError SITE_UNREACHABLE,
 * SOURCE_BLOCKED, REDIRECTED_ELSEWHERE, RESPONSE_TOO_LARGE, NOT_A_SOURCE (there is no API at the address).
 */
export const apiSource = (options: ApiSourceOptions): Source => ({
  name: 'api',
  run: run =>
    unlessAborted(run, async () => {
      const { address, userAgent, retryPolicy, limit } = options
      const site = new URL(address).origin
      const remote = new Remote({ address, userAgent, retryPolicy })
      const results = async function* () {
        for await (const found of answers(options, remote, run))
          yield resultsOf(found, { source: 'api', site })
      }
      await new Deliveries(run, limit).takeAll(results())
    }),
})

const answers = (
  options: ApiSourceOptions,
  remote: Remote,
  run: SourceRun,
): AsyncGenerator<readonly Found[]> =>
  options.ask.kind === 'codes'
    ? productsByCode({ ...options, ...options.ask }, remote, run)
    : productsBySearch({ ...options, ...options.ask }, remote, run)

async function* productsByCode(
  { address, codes, version, productsPerMinute }: ApiSourceOptions & Extract<ApiQuestion, { kind: 'codes' }>,
  remote: Remote,
  { signal }: SourceRun,
): AsyncGenerator<readonly Found[]> {
  const rateLimiter = new RateLimiter(productsPerMinute)
  for (const written of codes) {
    const code = /^[\d\s-]+$/.test(written) ? normaliseCode(written) : null
    if (code === null) {
      yield [{ address: written, problem: 'it is no barcode' }]
      continue
    }
    const product = new URL(`/api/v${version}/product/${code}`, address).href
    const asked = `${product}?${new URLSearchParams({ fields })}`
    yield [await foundIn(product, code, () => remote.json(asked, { signal, rateLimiter }))]
  }
}

const foundIn = async (address: string, code: string, ask: () => Promise<JsonAnswer>): Promise<Found> => {
  try {
    const { kind, value } = await ask()
    const answer = objectOf(value)
    const says = [answer?.['status_verbose'], objectOf(answer?.['result'])?.['id']].map(textOf).join(' ')
    // Cosmetics, pet food and other products are filed on sites of their own.
    if (/different[ _]product[ _]type/.test(says)) return { address, problem: 'it is filed on another site' }
    if (isUnknown(answer?.['status'], says)) return { address, gone: code }
    if (kind === 'not found') return { address, problem: 'the site knows no such address' }
    if (objectOf(answer?.['product']) === null)
      return { address, problem: 'its answer has another form than is known' }
    return { address, value: productsIn(value)[0] }
  } catch (error) {
    // What leads one barcode to another site leads no other there.
    if (error instanceof OffstreamError && error.code === 'REDIRECTED_ELSEWHERE')
      return { address, problem: 'it leads to another site' }
    throw error
  }
}

/** Version 2 says `status: 0`, version 3 `result: { id: 'product_not_found' }`. */
const isUnknown = (status: unknown, says: string): boolean =>
  status === 0 || /product[ _]not[ _]found/.test(says)

async function* productsBySearch(
  { address, parameters, searchesPerMinute }: ApiSourceOptions & Extract<ApiQuestion, { kind: 'search' }>,
  remote: Remote,
  { signal }: SourceRun,
): AsyncGenerator<readonly Found[]> {
  const rateLimiter = new RateLimiter(searchesPerMinute)
  const seen = new Set<unknown>()
  const { page: first = '1', page_size = String(largestPage), fields: _, ...chosen } = parameters
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
    // A product that changes between two pages can stand on both.
    const fresh = products.filter(product => !seen.has(objectOf(product)?.['code']))
    for (const product of fresh) seen.add(objectOf(product)?.['code'])
    yield fresh.map(product => ({
      address: `${search}#${textOf(objectOf(product)?.['code']) ?? ''}`,
      value: product,
    }))
    // A page without anything new would be followed by others for ever.
    const onAPage =
      numberOf(answer?.['page_size']) ?? Math.min(numberOf(page_size) ?? largestPage, largestPage)
    if (fresh.length === 0 || products.length < onAPage) return
  }
}

const notAnApi = (address: string) =>
  new PipelineError('NOT_A_SOURCE', `No API of products at \`${address}\``, {
    hint: 'give the address of the site, such as `https://world.openfoodfacts.org`',
  })
