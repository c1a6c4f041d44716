import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { BasicCrawler, Configuration, LogLevel, log } from '@crawlee/basic'
import { messageOf, OffstreamError } from '@offstream/runtime'
import type { z } from 'zod'
import { Product } from '../../product.ts'
import type { SourceRun } from '../source.ts'
import { SharedBrowser, VisitError } from './browser.ts'
import { findChromium } from './chromium.ts'
import { classify, classifyStatus, type SitePage } from './classify.ts'
import { Host } from './host.ts'
import { Journal, type ListContent } from './journal.ts'
import { Pace } from './pace.ts'
import { codeInAddress, type ListedProduct, type ProductPage, readContent } from './pages.ts'
import { Robots, type RobotsAnswer } from './robots.ts'
import type { WebSourceOptions } from './web.ts'

/** Runs one crawl to its end; see `webSource`. */
export const crawl = async (options: WebSourceOptions, run: SourceRun): Promise<void> => {
  if (run.signal.aborted) return
  const { address, resume, storageDirectory } = options
  const host = new Host(address)
  await using journal =
    resume === null
      ? null
      : await Journal.open({ directory: join(storageDirectory, 'web'), address, ...resume })
  await using browser = new SharedBrowser({
    executablePath: options.chromium.executablePath ?? (await requireChromium()),
    userAgent: options.userAgent,
    host,
  })
  try {
    await new Crawl(options, run, { host, browser, journal }).run()
  } catch (error) {
    // Whatever an abort tore apart is no news; all else is.
    if (!run.signal.aborted || error instanceof OffstreamError) throw error
  }
}

const requireChromium = async (): Promise<string> => {
  const path = await findChromium()
  if (path !== null) return path
  throw new OffstreamError('CHROMIUM_MISSING', 'No Chrome or Chromium was found', {
    outcome: 'prerequisite',
    hint: 'install one, or name one in `browser.executablePath`',
  })
}

/** How often an address is tried again before it is given up, with a longer pause each time. */
const retries = 3
const firstPauseMs = 500

/** What a crawl works with. */
interface Means {
  readonly host: Host
  readonly browser: SharedBrowser
  /** Null for a crawl that leaves no trace. */
  readonly journal: Journal | null
}

/**
 * The state of one crawl. crawlee keeps the queue, the retries and the number of pages at once; what is asked for
 * next, and what an answer means, is decided here.
 *
 * A product leaves the queue when it was delivered, or skipped for a reason that was reported: a page that crashes or
 * hangs is opened anew, in another tab, by the retry.
 */
class Crawl {
  private readonly options: WebSourceOptions
  private readonly sourceRun: SourceRun
  private readonly host: Host
  private readonly browser: SharedBrowser
  private readonly journal: Journal | null
  private readonly pace: Pace
  private readonly robots: Robots
  private readonly crawler: BasicCrawler

  /** Every product that a list named, so that each is asked for once. */
  private readonly listed = new Set<string>()
  /** Named, but not asked for yet: the limit may be reached without them. */
  private readonly waiting: ListedProduct[] = []
  private nextList: string | null = null
  private listsWalked = 0
  /** Whether a list was given up that may be had another time: the crawl has not come to its end then. */
  private listMissing = false
  /** Products asked for, now or by the crawl that this one goes on with, less those that came to nothing. */
  private expected: number
  /** Who listened for Ctrl-C before crawlee did. */
  private othersSignalHandlers: ReadonlySet<unknown> = new Set()
  /** What ended the crawl early; the first counts. */
  private failure: { readonly error: unknown } | null = null

  constructor(options: WebSourceOptions, sourceRun: SourceRun, { host, browser, journal }: Means) {
    this.options = options
    this.sourceRun = sourceRun
    this.host = host
    this.browser = browser
    this.journal = journal
    this.expected = journal?.before?.acknowledged ?? 0
    this.pace = new Pace(options.pagesPerMinute)
    this.robots = new Robots(options.userAgent, this.fetchText)
    this.crawler = this.newCrawler()
  }

  readonly run = async (): Promise<void> => {
    const { address } = this.options
    if (!(await this.robots.allows(address))) throw disallowed(address)
    const stop = () => this.crawler.stop()
    this.sourceRun.signal.addEventListener('abort', stop, { once: true })
    this.othersSignalHandlers = new Set(process.listeners('SIGINT'))
    try {
      await this.begin(address)
      await this.crawler.run()
    } finally {
      this.sourceRun.signal.removeEventListener('abort', stop)
    }
    if (this.failure !== null) throw this.failure.error
    if (!this.sourceRun.signal.aborted && !this.listMissing) this.journal?.finished()
  }

  private readonly begin = async (address: string): Promise<void> => {
    const before = this.journal?.before ?? null
    if (before !== null) {
      const { acknowledged: done, listed, begunAt } = before
      this.sourceRun.report({ kind: 'resumed', done, listed, begunAt })
    }
    const code = codeInAddress(address)
    if (code === null) this.nextList = address
    else if (this.journal?.has({ code, address }) !== true) this.waiting.push({ code, address })
    await this.askForMore()
  }

  private readonly newCrawler = (): BasicCrawler => {
    // crawlee logs to stdout, which belongs to data; what is worth telling is told by events and errors.
    log.setLevel(LogLevel.OFF)
    const { concurrency, storageDirectory } = this.options
    return new BasicCrawler(
      {
        requestHandler: ({ request }) => this.handle(request.url, request.retryCount),
        failedRequestHandler: ({ request }, error) => this.giveUp(request.url, error),
        // The minimum too: else crawlee begins with one page at a time and takes minutes to dare more.
        minConcurrency: concurrency,
        maxConcurrency: concurrency,
        maxRequestRetries: retries,
        // Each step has its own deadline, but `deliver` may hold on for as long as Kafka is busy.
        requestHandlerTimeoutSecs: 24 * 60 * 60,
        useSessionPool: false,
        statisticsOptions: { persistenceOptions: { enable: false }, saveErrorSnapshots: false },
      },
      new Configuration({
        // In memory: a queue left over by an earlier crawl must not decide what this one fetches.
        persistStorage: false,
        storageClientOptions: { localDataDirectory: storageDirectory },
        // Measuring the machine starts a process each time, and is done once a second by default.
        systemInfoIntervalMillis: 60_000,
      }),
    )
  }

  private readonly handle = async (address: string, retryCount: number): Promise<void> => {
    const { signal } = this.sourceRun
    this.removeCrawleesSignalHandler()
    await pauseBefore(retryCount, signal)
    await this.pace.turn(signal)
    if (signal.aborted || this.failure !== null) return
    try {
      await this.take(address, await this.open(address))
      await this.askForMore()
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof OffstreamError) this.end(error)
      else if (error instanceof VisitError && error.kind === 'elsewhere') await this.giveUp(address, error)
      else throw error
    }
  }

  private readonly open = (address: string): Promise<SitePage> =>
    this.browser.visit({
      address,
      // The site draws its lists with scripts of its own; a product's page is whole without.
      loadScripts: codeInAddress(address) === null,
      read: async (page, response) => classifyStatus(response.status()) ?? classify(await readContent(page)),
      signal: this.sourceRun.signal,
    })

  /** Does what an answer asks for. What it throws is tried again; an OffstreamError ends the crawl. */
  private readonly take = async (address: string, page: SitePage): Promise<void> => {
    switch (page.kind) {
      case 'product':
        return this.deliver(address, page.product)
      case 'list':
        return this.walkAnew(address, { products: page.list.products(), next: page.list.next() })
      case 'not found':
        return this.skip(address, 'the site knows no such page')
      case 'blocked':
        throw blocked(address, page.reason)
      case 'failed':
        throw new VisitError('failed', page.reason)
      case 'unknown':
        throw new VisitError('failed', 'it is neither a product nor a list of products')
    }
  }

  private readonly deliver = async (address: string, page: ProductPage): Promise<void> => {
    const record = Product.safeParse(page.product(new Date()))
    if (!record.success) return this.skip(address, `its page makes no record: ${problem(record.error)}`)
    this.sourceRun.report({ kind: 'fetched', code: record.data.code, address })
    // Not the page's fault: another visit would not mend it.
    const fetchedAt = new Date()
    const acknowledgement = await this.sourceRun.deliver(record.data).catch(error => this.end(error))
    if (acknowledgement !== undefined)
      this.journal?.acknowledged({ code: record.data.code, address }, acknowledgement, fetchedAt)
  }

  private readonly walkAnew = (address: string, list: ListContent): void => {
    this.journal?.walked(address, list)
    this.walk(list)
  }

  private readonly walk = ({ products, next }: ListContent): void => {
    const fresh = products.filter(({ code }) => !this.listed.has(code))
    for (const { code } of fresh) this.listed.add(code)
    this.waiting.push(...fresh.filter(product => this.journal?.has(product) !== true))
    this.listsWalked += 1
    const { pages = Number.POSITIVE_INFINITY } = this.options
    // A list that only repeats itself would go on for ever.
    this.nextList = fresh.length > 0 && this.listsWalked < pages ? next : null
  }

  /** Asks for as many of the products in waiting as the limit allows, and for the next list when they run out. */
  private readonly askForMore = async (): Promise<void> => {
    const { limit = Number.POSITIVE_INFINITY } = this.options
    await this.askForProducts(limit)
    for (let list = this.nextList; this.expected < limit && list !== null; list = this.nextList) {
      this.nextList = null
      const known = this.journal?.list(list) ?? null
      if (known === null) return this.askForList(list)
      this.walk(known)
      await this.askForProducts(limit)
    }
  }

  private readonly askForProducts = async (limit: number): Promise<void> => {
    while (this.expected < limit && this.waiting.length > 0) {
      const products = this.waiting.splice(0, limit - this.expected)
      this.expected += products.length
      this.sourceRun.report({ kind: 'found', count: products.length })
      await this.askFor(products)
    }
  }

  private readonly askForList = async (list: string): Promise<void> => {
    const obstacle = await this.obstacle(list)
    if (obstacle === null) await this.crawler.addRequests([{ url: list, uniqueKey: list }])
    else this.skip(list, obstacle)
  }

  private readonly askFor = async (products: readonly ListedProduct[]): Promise<void> => {
    for (const { code, address } of products) {
      const obstacle = await this.obstacle(address)
      if (obstacle === null) await this.crawler.addRequests([{ url: address, uniqueKey: code }])
      else this.skip(address, obstacle)
    }
  }

  /** Why an address must not be visited; null where it may. */
  private readonly obstacle = async (address: string): Promise<string | null> => {
    if (!this.host.covers(address)) return 'it is on another site'
    return (await this.robots.allows(address)) ? null : 'robots.txt keeps robots off it'
  }

  /** Called when an address was tried often enough. */
  private readonly giveUp = async (address: string, error: Error): Promise<void> => {
    if (this.sourceRun.signal.aborted) return
    // Without the site every other product would come to the same, one by one.
    if (error instanceof VisitError && error.kind === 'unreachable')
      return this.end(unreachable(address, error))
    if (codeInAddress(address) === null) this.listMissing = true
    this.skip(address, messageOf(error))
    await this.askForMore()
  }

  private readonly skip = (address: string, reason: string): void => {
    if (codeInAddress(address) !== null) this.expected -= 1
    if (address === this.options.address) this.end(notASource(address, reason))
    else this.sourceRun.report({ kind: 'skipped', address, reason })
  }

  /** Lets the pages in hand end, asks for no more, and makes `error` what the crawl came to. */
  private readonly end = (error: unknown): void => {
    this.failure ??= { error }
    this.crawler.stop()
  }

  /** The text of a small file of the site. Without it nothing may go on, so its failure ends the crawl. */
  private readonly fetchText = async (address: string): Promise<RobotsAnswer> => {
    const { signal } = this.sourceRun
    for (let attempt = 0; ; attempt += 1) {
      await pauseBefore(attempt, signal)
      try {
        const answer = await this.browser.visit({
          address,
          loadScripts: false,
          read: async (_page, response) => ({
            status: response.status(),
            text: response.ok() ? await response.text() : '',
          }),
          signal,
        })
        if (answer.status < 500 && answer.status !== 429) return answer
        throw blocked(address, `it answered with status ${answer.status}`)
      } catch (error) {
        signal.throwIfAborted()
        if (!(error instanceof VisitError)) throw error
        if (attempt === retries) throw unreachable(address, error)
      }
    }
  }

  /**
   * crawlee answers Ctrl-C by itself while it runs, and can't be told not to. Ctrl-C is the command's to answer; it
   * aborts our signal.
   */
  private readonly removeCrawleesSignalHandler = (): void => {
    for (const listener of process.listeners('SIGINT'))
      if (!this.othersSignalHandlers.has(listener)) process.off('SIGINT', listener)
  }
}

/** Waits before another attempt, the longer the more there were; returns early when `signal` is aborted. */
const pauseBefore = async (attempt: number, signal: AbortSignal): Promise<void> => {
  if (attempt === 0) return
  await pause(firstPauseMs * 2 ** (attempt - 1), undefined, { signal }).catch(() => undefined)
}

const problem = ({ issues }: z.ZodError): string =>
  issues.map(({ path, message }) => `${path.join('.') || 'barcode'}: ${message}`).join('; ')

const disallowed = (address: string) =>
  new OffstreamError('SOURCE_DISALLOWED', `The site's robots.txt keeps robots off \`${address}\``, {
    outcome: 'refused',
    hint: 'begin at the home page, a category or a product; to search, use `--source api`',
  })

const blocked = (address: string, reason: string) =>
  new OffstreamError('SOURCE_BLOCKED', `The site refused to show \`${address}\`: ${reason}`, {
    outcome: 'blocked',
    hint: 'wait some hours and ask for fewer pages a minute; for many products use `--source export`',
  })

const unreachable = (address: string, error: VisitError) =>
  new OffstreamError('SITE_UNREACHABLE', `No answer from \`${new URL(address).host}\`: ${error.message}`, {
    outcome: 'unreachable',
    hint: 'check the address and the network; `offstream site` serves a stand-in on this machine',
    cause: error,
  })

const notASource = (address: string, reason: string) =>
  new OffstreamError('NOT_A_SOURCE', `No products at \`${address}\`: ${reason}`, {
    outcome: 'usage',
    hint: 'give the address of a list of products, such as the home page or a category, or of one product',
  })
