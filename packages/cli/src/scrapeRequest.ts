import type { Product, SourceRequest } from '@offstream/pipeline'
import { PipelineError } from '@offstream/pipeline/errors'
import type { OffstreamError } from '@offstream/runtime/errors'
import { CliError } from './errors.ts'

/** The options of `scrape` that select products, as the user gave them. */
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

/** The sources that have each option. */
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
 * The request to a source that the options describe.
 * @throws CliError OPTIONS_CONFLICT (an option of another source, or two that cannot be used together), OPTION_INVALID
 * @throws PipelineError OPTION_MISSING
 */
export const scrapeRequest = (source: SourceName, options: ScrapeOptions): SourceRequest => {
  rejectOthers(source, options)
  return requests[source](options)
}

/** The options that filter products, as the user wrote them. */
export const filterOf = ({ country, since }: ScrapeOptions): string =>
  [
    ...(country === undefined ? [] : [`\`--country ${country}\``]),
    ...(since === undefined ? [] : [`\`--since ${since.toISOString()}\``]),
  ].join(' and ')

const requests: Readonly<Record<SourceName, (options: ScrapeOptions) => SourceRequest>> = {
  web: options => {
    const { url: address, lang, limit, pages, concurrency, rate: pagesPerMinute, fresh } = options
    const request = { address, lang, limit, pages, concurrency, pagesPerMinute, fresh }
    oneOf(options, ['category', 'brand', 'label', 'country', 'search'])
    const list = listOf(oneOf(options, ['category', 'brand', 'label', 'country']))
    return { kind: 'web', ...request, list, search: wordsOf(options.search) }
  },

  api: options => {
    const { codes, search, apiVersion, limit } = options
    oneOf(options, ['codes', 'search'])
    // Only version 2 of the API has a search.
    if (apiVersion === '3') oneOf(options, ['search', 'apiVersion'])
    if (search !== undefined)
      return { kind: 'api', query: { kind: 'search', parameters: parametersOf(search) }, limit }
    if (codes === undefined) throw nothingRequested
    const version = apiVersion === '3' ? 3 : 2
    return { kind: 'api', query: { kind: 'codes', codes, version }, limit }
  },

  export: options => {
    const { file, deltas, country, since, limit } = options
    oneOf(options, ['file', 'deltas'])
    return { kind: 'export', file, deltas, country, since, limit }
  },

  topic: ({ brokers, topic, group, from, untilEnd, limit }) => ({
    ...{ kind: 'topic', brokers, topic, group, from, untilEnd, limit },
  }),

  stdin: ({ limit }) => ({ kind: 'stdin', limit }),
}

type Option = keyof typeof sourcesOf

/** Of options that cannot be used together: the given one with its value, or null. */
const oneOf = <Name extends Option>(
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
    `${given.map(([name]) => flagOf(name)).join(' and ')} cannot be used together`,
    'use only one of them; run the command again for the other',
  )
}

const listOf = <Facet extends string>(list: readonly [facet: Facet, name: string] | null) =>
  list === null ? undefined : { facet: list[0], name: list[1] }

/** The words to search for on the pages of the site. */
const wordsOf = (search: readonly string[] | undefined): string | undefined => {
  if (search === undefined) return undefined
  const words = search.join(' ').trim()
  if (words === '')
    throw invalid('`--search` is empty', 'use words, for example `--search "tarte aux pommes"`')
  return words
}

/** The parameters of a search with the API; the last one of each name counts. */
const parametersOf = (search: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    search.map(parameter => {
      const [, name, value] = /^([\w.-]+)=(.*)$/s.exec(parameter) ?? []
      if (name !== undefined && value !== undefined) return [name, value]
      throw invalid(
        `\`--search ${parameter}\` does not have the form key=value that the API requires`,
        'use for example `--search categories_tags_en=chocolates`, or search for words with `--source web`',
      )
    }),
  )

const invalid = (message: string, hint: string): OffstreamError =>
  new CliError('OPTION_INVALID', message, { hint })

const rejectOthers = (source: SourceName, options: ScrapeOptions): void => {
  const misplaced = (Object.keys(sourcesOf) as Option[]).filter(
    name => options[name] !== undefined && !sourcesOf[name].includes(source),
  )
  const [first] = misplaced
  if (first === undefined) return
  const required = misplaced.map(
    name => `${flagOf(name)} requires ${sourcesOf[name].map(named).join(' or ')}`,
  )
  throw conflict(
    `${required.join(', ')}, but the source is ${named(source)}`,
    `omit it, or use ${named(sourcesOf[first][0] ?? source)}`,
  )
}

const named = (source: SourceName): string => `\`--source ${source}\``

/** As on the command line: `apiVersion` is `--api-version`. */
const flagOf = (option: Option): string => `\`--${option.replace(/[A-Z]/g, '-$&').toLowerCase()}\``

const conflict = (message: string, hint: string): OffstreamError =>
  new CliError('OPTIONS_CONFLICT', message, { hint })

const nothingRequested = new PipelineError('OPTION_MISSING', '`--source api` needs `--codes` or `--search`', {
  hint: 'add `--codes 3017620422003,…` or `--search categories_tags_en=chocolates`',
})
