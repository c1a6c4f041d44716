import type { Product, SourceRequest } from '@offstream/pipeline'
import { PipelineError } from '@offstream/pipeline/errors'
import type { OffstreamError } from '@offstream/runtime/errors'
import { CliError } from './errors.ts'

/** The options of `scrape` that choose what is fetched, as they were given. */
export interface ScrapeOptions {
  readonly limit?: number | undefined
  readonly url?: string | undefined
  readonly category?: string | undefined
  readonly brand?: string | undefined
  readonly label?: string | undefined
  readonly country?: string | undefined
  readonly lang?: string | undefined
  readonly pages?: number | undefined
  readonly concurrency?: number | undefined
  readonly rate?: number | undefined
  readonly fresh?: true | undefined
  readonly codes?: readonly string[] | undefined
  readonly search?: readonly string[] | undefined
  readonly apiVersion?: '2' | '3' | undefined
  readonly file?: string | undefined
  readonly deltas?: string | true | undefined
  readonly since?: Date | undefined
  readonly brokers?: readonly string[] | undefined
  readonly topic?: string | undefined
  readonly group?: string | undefined
  readonly from?: 'beginning' | 'latest' | undefined
  readonly untilEnd?: true | undefined
}

type SourceName = Product['source']

/** Whose options they are. */
const sourcesOf: Readonly<Record<Exclude<keyof ScrapeOptions, 'limit'>, readonly SourceName[]>> = {
  url: ['web'],
  category: ['web'],
  brand: ['web'],
  label: ['web'],
  country: ['web', 'export'],
  lang: ['web'],
  pages: ['web'],
  concurrency: ['web'],
  rate: ['web'],
  fresh: ['web'],
  codes: ['api'],
  search: ['web', 'api'],
  apiVersion: ['api'],
  file: ['export'],
  deltas: ['export'],
  since: ['export'],
  brokers: ['topic'],
  topic: ['topic'],
  group: ['topic'],
  from: ['topic'],
  untilEnd: ['topic'],
}

/**
 * What is asked of a source by the options of the command line.
 * @throws OffstreamError OPTIONS_CONFLICT (an option of another source, or two that exclude each other), OPTION_INVALID,
 *   OPTION_MISSING
 */
export const scrapeRequest = (source: SourceName, options: ScrapeOptions): SourceRequest => {
  refuseOthers(source, options)
  return requests[source](options)
}

/** The options that leave products out, as they are written. */
export const choiceOf = ({ country, since }: ScrapeOptions): string =>
  [
    ...(country === undefined ? [] : [`\`--country ${country}\``]),
    ...(since === undefined ? [] : [`\`--since ${since.toISOString()}\``]),
  ].join(' and ')

const requests: Readonly<Record<SourceName, (options: ScrapeOptions) => SourceRequest>> = {
  web: options => {
    const { url: address, lang, limit, pages, concurrency, rate: pagesPerMinute, fresh } = options
    const request = { address, lang, limit, pages, concurrency, pagesPerMinute, fresh }
    chosen(options, ['category', 'brand', 'label', 'country', 'search'])
    const list = listOf(chosen(options, ['category', 'brand', 'label', 'country']))
    return { kind: 'web', ...request, list, search: wordsOf(options.search) }
  },

  api: options => {
    const { codes, search, apiVersion, limit } = options
    chosen(options, ['codes', 'search'])
    // The search is version 2's alone.
    if (apiVersion === '3') chosen(options, ['search', 'apiVersion'])
    if (search !== undefined)
      return { kind: 'api', ask: { kind: 'search', parameters: parametersOf(search) }, limit }
    if (codes === undefined) throw nothingAsked
    const version = apiVersion === '3' ? 3 : 2
    return { kind: 'api', ask: { kind: 'codes', codes, version }, limit }
  },

  export: options => {
    const { file, deltas, country, since, limit } = options
    chosen(options, ['file', 'deltas'])
    return { kind: 'export', file, deltas, country, since, limit }
  },

  topic: ({ brokers, topic, group, from, untilEnd, limit }) => ({
    ...{ kind: 'topic', brokers, topic, group, from, untilEnd, limit },
  }),

  stdin: ({ limit }) => ({ kind: 'stdin', limit }),
}

type Option = keyof typeof sourcesOf

/** The one of some options that exclude one another that was given, and its value. */
const chosen = <Name extends Option>(
  options: ScrapeOptions,
  names: readonly Name[],
): readonly [name: Name, value: NonNullable<ScrapeOptions[Name]>] | null => {
  const given = names.flatMap(name => {
    const value = options[name]
    return value === undefined ? [] : [[name, value as NonNullable<ScrapeOptions[Name]>] as const]
  })
  const [first, second] = given
  if (first === undefined) return null
  if (second === undefined) return first
  throw conflict(
    `${given.map(([name]) => flagOf(name)).join(' and ')} exclude each other`,
    'choose one of them; run the command again for the other',
  )
}

const listOf = <Facet extends string>(list: readonly [facet: Facet, name: string] | null) =>
  list === null ? undefined : { facet: list[0], name: list[1] }

/** What a search of the site's pages is for: the words of all that was given. */
const wordsOf = (search: readonly string[] | undefined): string | undefined => {
  if (search === undefined) return undefined
  const words = search.join(' ').trim()
  if (words === '')
    throw invalid('`--search` names no words', 'give some, such as `--search "tarte aux pommes"`')
  return words
}

/** The parameters of a search of the API; of one name the last. */
const parametersOf = (search: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    search.map(parameter => {
      const [, name, value] = /^([\w.-]+)=(.*)$/s.exec(parameter) ?? []
      if (name !== undefined && value !== undefined) return [name, value]
      throw invalid(
        `\`--search ${parameter}\` has not the form key=value, which the API takes`,
        'give such as `--search categories_tags_en=chocolates`, or search for words with `--source web`',
      )
    }),
  )

const invalid = (message: string, hint: string): OffstreamError =>
  new CliError('OPTION_INVALID', message, { hint })

const refuseOthers = (source: SourceName, options: ScrapeOptions): void => {
  const misplaced = (Object.keys(sourcesOf) as Option[]).filter(
    name => options[name] !== undefined && !sourcesOf[name].includes(source),
  )
  const [first] = misplaced
  if (first === undefined) return
  const belongs = misplaced.map(
    name => `${flagOf(name)} belongs to ${sourcesOf[name].map(named).join(' or ')}`,
  )
  throw conflict(
    `${belongs.join(', ')}; this is ${named(source)}`,
    `leave it away, or fetch with ${named(sourcesOf[first][0] ?? source)}`,
  )
}

const named = (source: SourceName): string => `\`--source ${source}\``

/** As it is written: `apiVersion` is `--api-version`. */
const flagOf = (option: Option): string => `\`--${option.replace(/[A-Z]/g, '-$&').toLowerCase()}\``

const conflict = (message: string, hint: string): OffstreamError =>
  new CliError('OPTIONS_CONFLICT', message, { hint })

const nothingAsked = new PipelineError('OPTION_MISSING', 'Nothing says which products the API is asked for', {
  hint: 'give `--codes 3017620422003,…` or `--search categories_tags_en=chocolates`',
})
