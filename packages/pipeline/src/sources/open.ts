import { randomUUID } from 'node:crypto'
import { join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import type { OffstreamError } from '@offstream/runtime'
import { PipelineError } from '../errors.ts'
import type { PublishRules } from '../product/productOf.ts'
import type { Config } from '../project/config.ts'
import type { Project } from '../project/project.ts'
import { brokersOf, clusterOf } from '../services/kafkaCluster.ts'
import { addressesOf, configuredCluster } from '../topic/cluster.ts'
import { type ApiQuery, apiLimits, apiSource } from './api.ts'
import { DeltaPosition } from './export/deltas.ts'
import { deltaSource, exportSource } from './export/export.ts'
import { isWebAddress } from './export/input.ts'
import { loopbackPausePolicy, remotePausePolicy } from './guest/circuitBreaker.ts'
import { Host, isLoopback } from './guest/host.ts'
import type { Source } from './source.ts'
import { stdinSource } from './stdin.ts'
import { topicSource } from './topic.ts'
import { type ListChoice, listAddress } from './web/lists.ts'
import { webSource } from './web/web.ts'

/** What the user requests of a source. The configuration has the defaults. */
export type SourceRequest =
  | ({ readonly kind: 'web' } & WebRequest)
  | ({ readonly kind: 'api'; readonly query: ApiQuery } & Limited)
  | ({ readonly kind: 'export' } & ExportRequest)
  | ({ readonly kind: 'topic' } & TopicRequest)
  | ({ readonly kind: 'stdin' } & Limited)

interface Limited {
  /** The maximum number of products. */
  readonly limit?: number | undefined
}

/** A request to the source `web`. */
export interface WebRequest extends Limited, ListChoice {
  /** A list of products, or the page of one product; with a `ListChoice` the home page of the site. */
  readonly address?: string | undefined
  /** The maximum number of list pages to read. */
  readonly pages?: number | undefined
  /** How many pages are open at the same time. */
  readonly concurrency?: number | undefined
  readonly pagesPerMinute?: number | undefined
  /** Start from the beginning instead of resuming an unfinished scrape of the same address. */
  readonly fresh?: boolean | undefined
}

/** A request to the source `export`. */
export interface ExportRequest extends Limited {
  /** The path or address of an export. */
  readonly file?: string | undefined
  /** Read the daily changes that this index lists instead; true for the configured index. */
  readonly deltas?: string | true | undefined
  /** Only products sold in this country: a tag (`en:france`), an English name, or a code of two letters. */
  readonly country?: string | undefined
  /** Only products that changed at this moment or later. */
  readonly since?: Date | undefined
}

/** A request to the source `topic`. */
export interface TopicRequest extends Limited {
  /** `host:port` of one or more brokers of the cluster. */
  readonly brokers?: readonly string[] | undefined
  readonly topic?: string | undefined
  readonly group?: string | undefined
  readonly from?: 'beginning' | 'latest' | undefined
  /** Stop after the messages that exist now, instead of waiting for more. */
  readonly untilEnd?: boolean | undefined
}

/** What sources need in addition to the request. */
export interface SourceSurroundings {
  readonly project: Pick<Project, 'config' | 'directory' | 'state'>
  /** The environment variables, which contain the secrets. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The input of the source `stdin`. */
  readonly input: Readable
  /** Whether the run saves its position in pages, deltas and topics. A dry run does not. */
  readonly remembers: boolean
}

/**
 * The requested source with the settings of the project: with a rate limit for a remote site, without one for a site on
 * this machine. Opens nothing yet.
 * @throws OffstreamError ADDRESS_INVALID, OPTION_MISSING, SECRET_MISSING
 */
export const openSource = (request: SourceRequest, surroundings: SourceSurroundings): Source => {
  const { config, state } = surroundings.project
  const { remembers } = surroundings
  switch (request.kind) {
    case 'web':
      return openWebSource(state, config, request, { remembers })
    case 'api':
      return openApiSource(config, request.query, request.limit)
    case 'export':
      return openExportSource(request, surroundings)
    case 'topic':
      return openTopicSource(request, surroundings)
    case 'stdin':
      return stdinSource({ input: surroundings.input, limit: request.limit, rules: rulesOf(config) })
  }
}

/** How many pages of a site on this machine are open at the same time; enough to use two cores. */
const loopbackConcurrency = 2

/**
 * The source `web`.
 * @param state the state folder of the stack
 * @throws OffstreamError ADDRESS_INVALID
 */
export const openWebSource = (
  state: string,
  config: Config,
  request: WebRequest,
  { remembers }: Pick<SourceSurroundings, 'remembers'> = { remembers: true },
): Source => {
  const { web, browser } = config
  const { limit, pages, concurrency, pagesPerMinute, lang, list, search } = request
  const { address: site = web.url } = request
  if (!URL.canParse(site) || !isWebAddress(site))
    throw invalid(site, 'https://fr.openfoodfacts.org/facets/categories/chocolats')
  const address = listAddress(site, { lang, list, search })
  const isLocal = isOnThisMachine(address)
  return webSource({
    address,
    ...(limit === undefined ? {} : { limit }),
    ...(pages === undefined ? {} : { pages }),
    concurrency: concurrency ?? (isLocal ? loopbackConcurrency : web.concurrency),
    pagesPerMinute: pagesPerMinute ?? (isLocal ? null : web.pagesPerMinute),
    pausePolicy: isLocal ? loopbackPausePolicy : remotePausePolicy,
    userAgent: userAgent(web.contact),
    chromium: browser.executablePath === null ? {} : { executablePath: browser.executablePath },
    // `offstream reset` deletes it together with the topic, whose products must then be fetched again.
    storageDirectory: join(state, 'crawl'),
    resume: remembers ? { destination: brokersOf(config).join(','), fresh: request.fresh ?? false } : null,
  })
}

const openApiSource = (config: Config, query: ApiQuery, limit: number | undefined): Source =>
  apiSource({
    ...{
      address: config.api.url,
      query,
      limit,
      userAgent: userAgent(config.web.contact),
      rules: rulesOf(config),
    },
    ...(isOnThisMachine(config.api.url) ? { productsPerMinute: null, searchesPerMinute: null } : apiLimits),
  })

const openExportSource = (
  { file, deltas, country, since, limit }: ExportRequest,
  { project: { config, directory, state }, remembers }: SourceSurroundings,
): Source => {
  const choice = { country, since, limit, userAgent: userAgent(config.web.contact), rules: rulesOf(config) }
  const configured = (location: string) => (isWebAddress(location) ? location : resolve(directory, location))
  if (deltas === undefined) {
    const from = valid(file ?? configured(config.export.file))
    return exportSource({ ...choice, file: from, storage: storageOf(from) })
  }
  // `offstream reset` deletes it together with the topic, whose products must then be read again.
  const position = new DeltaPosition(join(state, 'crawl'))
  const index = valid(deltas === true ? configured(config.export.deltas) : deltas)
  return deltaSource({
    ...{ ...choice, index, storage: storageOf(index) },
    position: remembers ? position : { read: position.read, write: async () => undefined },
  })
}

/**
 * The storage of the large exports of Open Food Facts; its own addresses redirect there.
 * @see https://github.com/openfoodfacts/openfoodfacts-server/blob/main/conf/nginx/snippets/off.locations-redirects.include
 */
const officialStorage = 'https://openfoodfacts-ds.s3.eu-west-3.amazonaws.com'
/** http covers https too. */
const officialSite = new Host('http://world.openfoodfacts.org')

/** The hosts that the exports at `location` may redirect to. */
const storageOf = (location: string): readonly string[] =>
  officialSite.covers(location) ? [officialStorage] : []

/** Checks a path or an address. @throws OffstreamError ADDRESS_INVALID */
const valid = (location: string): string => {
  if (!isWebAddress(location) || URL.canParse(location)) return location
  throw invalid(location, 'https://static.openfoodfacts.org/data/openfoodfacts-products.jsonl.gz')
}

const openTopicSource = (
  request: TopicRequest,
  { project: { config, directory, state }, environment, remembers }: SourceSurroundings,
): Source => {
  const { mapping, ...configured } = config.topic
  const ownBrokers = brokersOf(config)
  const named = (broker: string) => ownBrokers.find(own => isSameBroker(broker, own)) ?? broker
  const brokers = request.brokers?.join(',') ?? configured.brokers
  const topic = request.topic ?? configured.topic
  if (addressesOf(brokers).length === 0)
    throw missing('the brokers of the topic', '--brokers', 'topic.brokers')
  if (topic === '') throw missing('the name of the topic', '--topic', 'topic.topic')
  const cluster = configuredCluster({ ...config.topic, brokers }, { directory, environment })
  const group = request.group ?? configured.group
  return topicSource({
    ...{ ...cluster, brokers: cluster.brokers.map(named), topic, mapping, ownBrokers, limit: request.limit },
    // A dry run cannot cause a loop, and needs no password of the own cluster.
    ...(remembers ? { ownCluster: () => clusterOf(config, state, environment).catch(() => null) } : {}),
    // Another group leaves the position of the configured one unchanged.
    group: remembers ? group : `${group}-dry-run-${randomUUID().slice(0, 8)}`,
    temporaryGroup: !remembers,
    suggestsMapping: !remembers,
    rules: rulesOf(config),
    from: request.from ?? configured.from,
    untilEnd: request.untilEnd ?? false,
  })
}

const rulesOf = ({ scrape: { productTypes, partial } }: Config): PublishRules => ({
  productTypes: productTypes.split(',').map(type => type.trim()),
  partial,
})

/** Whether two addresses mean the same broker; all names of this machine are equal. */
const isSameBroker = (one: string, other: string): boolean => {
  const [[host, port], [otherHost, otherPort]] = [hostAndPort(one), hostAndPort(other)]
  return port === otherPort && (host === otherHost || (isLoopback(host) && isLoopback(otherHost)))
}

const hostAndPort = (broker: string): readonly [host: string, port: string] => {
  const colon = broker.lastIndexOf(':')
  return [broker.slice(0, colon), broker.slice(colon + 1)]
}

/**
 * The user agent of offstream.
 * @see https://openfoodfacts.github.io/openfoodfacts-server/api/ which requires name, version and a contact
 */
const userAgent = (contact: string | null): string =>
  contact === null ? 'offstream/0.1.0' : `offstream/0.1.0 (${contact})`

const isOnThisMachine = (address: string): boolean => isLoopback(new URL(address).hostname)

const invalid = (address: string, example: string): OffstreamError =>
  new PipelineError('ADDRESS_INVALID', `\`${address}\` is not a web address`, {
    hint: `use one such as \`${example}\``,
  })

const missing = (what: string, option: string, setting: string): OffstreamError =>
  new PipelineError('OPTION_MISSING', `Missing: ${what}`, {
    hint: `use \`${option}\`, or set \`${setting}\` in \`offstream.yaml\``,
  })
