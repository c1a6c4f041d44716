import { randomUUID } from 'node:crypto'
import { join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import type { OffstreamError } from '@offstream/runtime'
import { PipelineError } from '../errors.ts'
import type { Config } from '../project/config.ts'
import type { Project } from '../project/project.ts'
import { brokerOf } from '../services/kafka.ts'
import { type ApiQuestion, apiLimits, apiSource } from './api.ts'
import { DeltaPosition } from './export/deltas.ts'
import { deltaSource, exportSource } from './export/export.ts'
import { isWebAddress } from './export/input.ts'
import { loopbackPausePolicy, remotePausePolicy } from './guest/circuitBreaker.ts'
import { Host, isLoopback } from './guest/host.ts'
import type { Source } from './source.ts'
import { stdinSource } from './stdin.ts'
import { saslOf, topicSource } from './topic.ts'
import { type ListChoice, listAddress } from './web/lists.ts'
import { webSource } from './web/web.ts'

/** What the person asks of a source; what is left out comes from the configuration. */
export type SourceRequest =
  | ({ readonly kind: 'web' } & WebRequest)
  | ({ readonly kind: 'api'; readonly ask: ApiQuestion } & Limited)
  | ({ readonly kind: 'export' } & ExportRequest)
  | ({ readonly kind: 'topic' } & TopicRequest)
  | ({ readonly kind: 'stdin' } & Limited)

interface Limited {
  /** How many products at most. */
  readonly limit?: number | undefined
}

export interface WebRequest extends Limited, ListChoice {
  /** A list of products or one product's page; where a list is chosen, the address of its site. */
  readonly address?: string | undefined
  /** Pages of the list to walk at most. */
  readonly pages?: number | undefined
  /** Pages open at once. */
  readonly concurrency?: number | undefined
  readonly pagesPerMinute?: number | undefined
  /** Begin anew instead of going on where an unfinished scrape of the same address was. */
  readonly fresh?: boolean | undefined
}

export interface ExportRequest extends Limited {
  /** Path or address of an export. */
  readonly file?: string | undefined
  /** Read the daily changes instead, by this list of them; true: by the configured one. */
  readonly deltas?: string | true | undefined
  /** Only products sold there: a tag (`en:france`), a name in English, or a code of two letters. */
  readonly country?: string | undefined
  /** Only products that changed then or later. */
  readonly since?: Date | undefined
}

export interface TopicRequest extends Limited {
  /** `host:port` of some of the cluster's brokers. */
  readonly brokers?: readonly string[] | undefined
  readonly topic?: string | undefined
  readonly group?: string | undefined
  readonly from?: 'beginning' | 'latest' | undefined
  /** End at the messages that are there now, instead of waiting for more. */
  readonly untilEnd?: boolean | undefined
}

export interface SourceSurroundings {
  readonly project: Pick<Project, 'config' | 'directory' | 'state'>
  /** Where secrets are. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** What the source `stdin` reads. */
  readonly input: Readable
  /**
   * Whether the run moves positions on: how far pages, deltas and topics were taken. A dry run leaves them where they are.
   */
  readonly remembers: boolean
}

/**
 * A source as the configuration and the person want it: polite on a real site, as fast as it goes on one of this
 * machine. Nothing is opened yet.
 * @throws OffstreamError ADDRESS_INVALID, OPTION_MISSING, SECRET_MISSING
 */
export const openSource = (request: SourceRequest, surroundings: SourceSurroundings): Source => {
  const { config, state } = surroundings.project
  const { remembers } = surroundings
  switch (request.kind) {
    case 'web':
      return openWebSource(state, config, request, { remembers })
    case 'api':
      return openApiSource(config, request.ask, request.limit)
    case 'export':
      return openExportSource(request, surroundings)
    case 'topic':
      return openTopicSource(request, surroundings)
    case 'stdin':
      return stdinSource({ input: surroundings.input, limit: request.limit })
  }
}

/** Pages open at once on a site of this machine, where nobody is disturbed: as many as keep two cores busy. */
const concurrencyOnLoopback = 2

/**
 * The web source alone.
 * @param state the state folder of the stack, for what the crawl has to keep
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
  const near = isNear(address)
  return webSource({
    address,
    ...(limit === undefined ? {} : { limit }),
    ...(pages === undefined ? {} : { pages }),
    concurrency: concurrency ?? (near ? concurrencyOnLoopback : web.concurrency),
    pagesPerMinute: pagesPerMinute ?? (near ? null : web.pagesPerMinute),
    pausePolicy: near ? loopbackPausePolicy : remotePausePolicy,
    userAgent: userAgent(web.contact),
    chromium: browser.executablePath === null ? {} : { executablePath: browser.executablePath },
    // Goes with the topic in `offstream reset`: what is no longer there must be fetched anew.
    storageDirectory: join(state, 'crawl'),
    resume: remembers ? { destination: brokerOf(config), fresh: request.fresh ?? false } : null,
  })
}

const openApiSource = ({ api, web }: Config, ask: ApiQuestion, limit: number | undefined): Source =>
  apiSource({
    ...{ address: api.url, ask, limit, userAgent: userAgent(web.contact) },
    ...(isNear(api.url) ? { productsPerMinute: null, searchesPerMinute: null } : apiLimits),
  })

const openExportSource = (
  { file, deltas, country, since, limit }: ExportRequest,
  { project: { config, directory, state }, remembers }: SourceSurroundings,
): Source => {
  const choice = { country, since, limit, userAgent: userAgent(config.web.contact) }
  const configured = (location: string) => (isWebAddress(location) ? location : resolve(directory, location))
  if (deltas === undefined) {
    const from = whole(file ?? configured(config.export.file))
    return exportSource({ ...choice, file: from, storage: storageOf(from) })
  }
  // Goes with the topic in `offstream reset`: what is no longer there must be taken anew.
  const position = new DeltaPosition(join(state, 'crawl'))
  const index = whole(deltas === true ? configured(config.export.deltas) : deltas)
  return deltaSource({
    ...{ ...choice, index, storage: storageOf(index) },
    position: remembers ? position : { read: position.read, write: async () => undefined },
  })
}

/**
 * Where Open Food Facts keeps its large exports: its own addresses lead there.
 * @see https://github.com/openfoodfacts/openfoodfacts-server/blob/main/conf/nginx/snippets/off.locations-redirects.include
 */
const officialStorage = 'https://openfoodfacts-ds.s3.eu-west-3.amazonaws.com'
/** Over http too: it leads to https by itself. */
const officialSite = new Host('http://world.openfoodfacts.org')

/** The storage of Open Food Facts for its own files; others lead nowhere else. */
const storageOf = (location: string): readonly string[] =>
  officialSite.covers(location) ? [officialStorage] : []

/**
 * @returns a path, or an address that is one
 * @throws OffstreamError ADDRESS_INVALID
 */
const whole = (location: string): string => {
  if (!isWebAddress(location) || URL.canParse(location)) return location
  throw invalid(location, 'https://static.openfoodfacts.org/data/openfoodfacts-products.jsonl.gz')
}

const openTopicSource = (
  request: TopicRequest,
  { project: { config, directory }, environment, remembers }: SourceSurroundings,
): Source => {
  const { tls, sasl, mapping, ...configured } = config.topic
  const own = brokerOf(config)
  const brokers = (request.brokers ?? configured.brokers.split(','))
    .map(broker => broker.trim())
    .filter(broker => broker !== '')
    .map(broker => (isSameBroker(broker, own) ? own : broker))
  const topic = request.topic ?? configured.topic
  if (brokers.length === 0) throw missing('the brokers of the topic', '--brokers', 'topic.brokers')
  if (topic === '') throw missing('the name of the topic', '--topic', 'topic.topic')
  const group = request.group ?? configured.group
  return topicSource({
    ...{ brokers, topic, mapping, ownBroker: own, limit: request.limit },
    // A group of its own leaves the position of the other where it is.
    group: remembers ? group : `${group}-dry-run-${randomUUID().slice(0, 8)}`,
    passing: !remembers,
    from: request.from ?? configured.from,
    untilEnd: request.untilEnd ?? false,
    tls: tls.enabled ? { caFile: tls.caFile === null ? null : resolve(directory, tls.caFile) } : null,
    sasl:
      sasl.mechanism === null || sasl.username === null
        ? null
        : saslOf({ ...sasl, mechanism: sasl.mechanism, username: sasl.username }, environment),
  })
}

/** Whether two addresses mean the same broker: of this machine by any of its names, on one port. */
const isSameBroker = (one: string, other: string): boolean => {
  const [[host, port], [otherHost, otherPort]] = [hostAndPort(one), hostAndPort(other)]
  return port === otherPort && (host === otherHost || (isLoopback(host) && isLoopback(otherHost)))
}

const hostAndPort = (broker: string): readonly [host: string, port: string] => {
  const colon = broker.lastIndexOf(':')
  return [broker.slice(0, colon), broker.slice(colon + 1)]
}

/**
 * The name that offstream goes by on other people's machines.
 * @see https://openfoodfacts.github.io/openfoodfacts-server/api/ which asks for name, version and a contact
 */
const userAgent = (contact: string | null): string =>
  contact === null ? 'offstream/0.1.0' : `offstream/0.1.0 (${contact})`

const isNear = (address: string): boolean => isLoopback(new URL(address).hostname)

const invalid = (address: string, example: string): OffstreamError =>
  new PipelineError('ADDRESS_INVALID', `\`${address}\` is no web address`, {
    hint: `give one such as \`${example}\``,
  })

const missing = (what: string, option: string, setting: string): OffstreamError =>
  new PipelineError('OPTION_MISSING', `Nothing says ${what}`, {
    hint: `give \`${option}\`, or set \`${setting}\` in \`offstream.yaml\``,
  })
