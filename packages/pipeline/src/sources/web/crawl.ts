import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { BasicCrawler, Configuration, LogLevel, log } from '@crawlee/basic'
import { messageOf, OffstreamError } from '@offstream/runtime'
import type { Response } from 'playwright'
import type { z } from 'zod'
import { PipelineError } from '../../errors.ts'
import { type Acknowledgement, serialize } from '../../product/message.ts'
import { Product } from '../../product/product.ts'
import { blocked, CircuitBreaker, unreachable } from '../guest/circuitBreaker.ts'
import { Host } from '../guest/host.ts'
import { RateLimiter } from '../guest/rateLimiter.ts'
import { answerTooLarge, redirectedElsewhere, retryAfter } from '../guest/remote.ts'
import { Robots, type RobotsAnswer } from '../guest/robots.ts'
import { LedElsewhere, Refused, VisitError } from '../guest/visitError.ts'
import type { SourceRun } from '../source.ts'
import { largestVisit, SharedBrowser, type Visit } from './browser.ts'
import { findChromium } from './chromium.ts'
import { classifyAnswer, classifyRedirect, type SitePage } from './classify.ts'
import { FillMemory, FillRates } from './fillRates.ts'
import { Journal, type ListContent } from './journal.ts'
import { isPlaceOfProducts } from './lists.ts'
import {
  codeInAddress,
  codeOfAddress,
  type ListedProduct,
  listSelectors,
  type ProductPage,
  productSelectors,
} from './pages.ts'
import type { WebSourceOptions } from './web.ts'

/** Runs one crawl to its end; see `webSource`. */
export const crawl = async (options: WebSourceOptions, run: SourceRun): Promise<void> => {
  if (run.signal.aborted) return
  const { address, resume, storageDirectory } = options
  const host = new Host(address)
  const storage = join(storageDirectory, 'web')
  await using journal =
    resume === null ? null : await Journal.open({ directory: storage, address, ...resume })
  const memory = new FillMemory(storage)
  const rates = new FillRates(await memory.read(new URL(address).host))
  await using browser = new SharedBrowser({
    executablePath: options.chromium.executablePath ?? (await requireChromium()),
    userAgent: options.userAgent,
    host,
    pageTimeoutMs: options.pageTimeoutMs,
  })
  try {
    await new Crawl(options, run, { host, browser, journal, rates }).run()
    if (resume !== null) await memory.add(new URL(address).host, rates.learnt())
  } catch (error) {
    // Whatever an abort tore apart is no news; all else is.
    if (!run.signal.aborted || error instanceof OffstreamError) throw error
  }
}

const requireChromium = async (): Promise<string> => {
  const path = await findChromium()
  if (path !== null) return path
  throw new PipelineError('CHROMIUM_MISSING', 'No Chrome or Chromium was found', {
    hint: 'install one, or name one in `browser.executablePath`',
  })
}

/** How often an address is tried again before it is given up, with a longer pause each time. */
const retries = 3
const firstPauseMs = 500

/** So many product pages in a row that make no record are no accident; of a crawl that found nothing else, so few. */
const manyWithoutRecord = 10
const fewWithoutRecord = 3

/** A site that says of so many in a row that it knows none of them does not know itself: lists name what there is. */
const manyUnknown = 10

/** What is left once refusals and failures are out of the way. */
type ReadablePage = Exclude<SitePage, { kind: 'blocked' | 'maintenance' | 'login wall' | 'failed' }>

/** What a crawl works with. */
interface Means {
  readonly host: Host
  readonly browser: SharedBrowser
  /** Null for a crawl that leaves no trace. */
  readonly journal: Journal | null
  readonly rates: FillRates
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
  private readonly rates: FillRates
  private readonly rateLimiter: RateLimiter
  private readonly circuitBreaker: CircuitBreaker
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
  /** How many pages of products have given a record, and how many in a row, until now, have not. */
  private records = 0
  private withoutRecord = 0
  /** Products that the site says it does not know, since it last showed one. */
  private unknown: Gone[] = []
  /** Ends whatever waits; a page in hand goes on. */
  private readonly over: AbortSignal
  private readonly ending = new AbortController()
  /** What ended the crawl early; the first counts. */
  private failure: { readonly error: unknown } | null = null

  constructor(options: WebSourceOptions, sourceRun: SourceRun, { host, browser, journal, rates }: Means) {
    this.options = options
    this.sourceRun = sourceRun
    this.host = host
    this.browser = browser
    this.journal = journal
    this.rates = rates
    this.expected = journal?.before?.acknowledged ?? 0
    this.rateLimiter = new RateLimiter(options.pagesPerMinute)
    this.circuitBreaker = new CircuitBreaker(options.patience, news =>
      sourceRun.report({ kind: 'waiting', ...news }),
    )
    this.over = AbortSignal.any([sourceRun.signal, this.ending.signal])
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
      await this.removeUnknown()
    } finally {
      this.sourceRun.signal.removeEventListener('abort', stop)
    }
    if (this.failure !== null) throw this.failure.error
    if (this.records === 0 && this.withoutRecord >= fewWithoutRecord)
      throw layoutChanged(address, productSelectors)
    if (!this.sourceRun.signal.aborted && !this.listMissing) this.journal?.finished()
  }

  private readonly begin = async (address: string): Promise<void> => {
    const before = this.journal?.before ?? null
    if (before !== null) {
      const { acknowledged: done, listed, startedAt } = before
      this.sourceRun.report({ kind: 'resumed', done, listed, startedAt })
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
    this.removeCrawleesSignalHandler()
    await pauseBefore(retryCount, this.over)
    if (this.over.aborted) return
    try {
      await this.take(address, await this.open(address))
      await this.askForMore()
    } catch (error) {
      if (this.over.aborted) return
      if (error instanceof OffstreamError) this.end(error)
      else if (error instanceof VisitError && error.isFinal) await this.giveUp(address, error)
      else throw error
    }
  }

  private readonly open = (address: string): Promise<ReadablePage> =>
    this.visit({
      address,
      // The site draws its lists with scripts of its own; a product's page is whole without.
      loadScripts: codeInAddress(address) === null,
      read: async (page, response) => {
        const sitePage = await classifyAnswer(page, response)
        switch (sitePage.kind) {
          case 'blocked':
          case 'maintenance':
          case 'login wall':
            throw refused(response, sitePage)
          case 'failed':
            throw new VisitError('failed', sitePage.reason)
          default:
            return sitePage
        }
      },
    }).catch(error => {
      const moved = error instanceof LedElsewhere ? classifyRedirect(address, error.to) : null
      if (moved === null) throw error
      return moved
    })

  /** Visits at the pace of the crawl, when the site may be asked. */
  private readonly visit = <T>(visit: Omit<Visit<T>, 'signal'>): Promise<T> =>
    this.circuitBreaker.run(
      visit.address,
      async () => {
        await this.rateLimiter.turn(this.over)
        this.over.throwIfAborted()
        return this.browser.visit({ ...visit, signal: this.sourceRun.signal })
      },
      this.over,
    )

  /** Does what an answer asks for. What it throws is tried again; an OffstreamError ends the crawl. */
  private readonly take = async (address: string, page: ReadablePage): Promise<void> => {
    switch (page.kind) {
      case 'product':
        return this.deliver(address, page.product)
      case 'list':
        // Another visit may see more than an empty frame.
        if (!page.list.isDrawn()) throw new VisitError('failed', 'its list was not drawn')
        return this.walkAnew(address, { products: page.list.products(), next: page.list.next() })
      case 'not found':
        return isOf(address, page.code)
          ? this.doubt(address, page.code)
          : this.skip(address, 'the site knows no such page')
      case 'obsolete':
        return isOf(address, page.code)
          ? this.remove(gone(address, page.code))
          : this.skip(address, 'it shows another product, which is no more')
      case 'moved':
        return this.skip(
          address,
          `it has moved to ${page.site}, to \`${page.to}\``,
          redirectedElsewhere(address, page.to),
        )
      case 'unknown':
        return this.passOver(address, 'it is neither a product nor a list of products')
    }
  }

  private readonly deliver = async (address: string, page: ProductPage): Promise<void> => {
    const record = Product.safeParse(page.product(new Date()))
    if (!record.success) return this.passOver(address, `its page makes no record: ${problem(record.error)}`)
    this.records += 1
    this.withoutRecord = 0
    for (const alarm of this.rates.take(record.data)) this.sourceRun.report({ kind: 'layout', ...alarm })
    await this.removeUnknown()
    const { code } = record.data
    await this.hand({ code, address }, () => this.sourceRun.deliver(serialize(record.data)))
  }

  /**
   * A product that is no more, by what its own page says. That a list names it counts for nothing: lists are older. A run
   * that takes no removals passes it over, also where nothing else was asked for: that is the answer, and no mistake.
   */
  private readonly remove = async ({ code, address, as_of }: Gone): Promise<void> => {
    const { remove } = this.sourceRun
    if (remove === undefined) this.leaveOut(address, 'the product is no more')
    else await this.hand({ code, address }, () => remove({ code, as_of, source: 'web' }))
  }

  /**
   * Removes a product that the site does not know once that shows another: a site that has lost its products says the
   * same of all of them.
   */
  private readonly doubt = async (address: string, code: string): Promise<void> => {
    const product = gone(address, code)
    this.unknown.push(product)
    if (this.unknown.length >= manyUnknown) this.end(productsLost(address))
    else if (this.sourceRun.remove === undefined) await this.remove(product)
  }

  private readonly removeUnknown = async (): Promise<void> => {
    // A page that was in hand when the crawl ended changes nothing of what it ended with.
    if (this.over.aborted) return
    const products = this.unknown.splice(0)
    if (this.sourceRun.remove === undefined) return
    for (const product of products) await this.remove(product)
  }

  private readonly hand = async (
    product: ListedProduct,
    hand: () => Promise<Acknowledgement | undefined>,
  ): Promise<void> => {
    this.sourceRun.report({ kind: 'fetched', ...product })
    const fetchedAt = new Date()
    // Not the page's fault: another visit would not mend it.
    const acknowledgement = await hand().catch(error => this.end(error))
    if (acknowledgement !== undefined) this.journal?.acknowledged(product, acknowledgement, fetchedAt)
  }

  /**
   * A whole page that is not what it should be. Another visit would show the same; several of them say that the site
   * looks otherwise now.
   */
  private readonly passOver = (address: string, reason: string): void => {
    const isList = codeInAddress(address) === null
    if (isList) this.listMissing = true
    else this.withoutRecord += 1
    const changed = layoutChanged(address, isList ? listSelectors : productSelectors)
    if (this.withoutRecord >= manyWithoutRecord) this.end(changed)
    else this.skip(address, reason, this.hadProducts(address) ? changed : notASource(address, reason))
  }

  /** Whether there were products under an address, by its form or by what an earlier crawl has seen. */
  private readonly hadProducts = (address: string): boolean =>
    isPlaceOfProducts(address) || this.journal?.wasSource === true

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
    this.skip(address, messageOf(error), error instanceof VisitError ? unreadable(address, error) : error)
    await this.askForMore()
  }

  /** @param atStart what it means where everything else was to come from this address */
  private readonly skip = (
    address: string,
    reason: string,
    atStart: Error = notASource(address, reason),
  ): void => {
    if (address === this.options.address) this.end(atStart)
    else this.leaveOut(address, reason)
  }

  private readonly leaveOut = (address: string, reason: string): void => {
    if (codeInAddress(address) !== null) this.expected -= 1
    this.sourceRun.report({ kind: 'skipped', address, reason })
  }

  /** Lets the pages in hand end, asks for no more, and makes `error` what the crawl came to. */
  private readonly end = (error: unknown): void => {
    this.failure ??= { error }
    this.ending.abort()
    this.crawler.stop()
  }

  /** The text of a small file of the site. Without it nothing may go on, so its failure ends the crawl. */
  private readonly fetchText = async (address: string): Promise<RobotsAnswer> => {
    for (let attempt = 0; ; attempt += 1) {
      await pauseBefore(attempt, this.over)
      try {
        return await this.visit({
          address,
          loadScripts: false,
          read: async (_page, response) => {
            const status = response.status()
            if (status === 429 || status >= 500)
              throw refused(response, { reason: `it answered with status ${status}`, forGood: false })
            return { status, text: response.ok() ? await response.text() : '' }
          },
        })
      } catch (error) {
        this.over.throwIfAborted()
        if (!(error instanceof VisitError)) throw error
        if (attempt === retries || error.isFinal) throw unreadable(address, error)
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

/** A product that is no more, by its page. */
interface Gone extends ListedProduct {
  /** When the page said so; ISO 8601. */
  readonly as_of: string
}

const gone = (address: string, code: string): Gone => ({
  code,
  address,
  as_of: new Date().toISOString(),
})

/** Whether a page speaks of the product that its address names. */
const isOf = (address: string, code: string | null): code is string =>
  code !== null && code === codeOfAddress(address)

/** Waits before another attempt, the longer the more there were, a part of it by chance; returns early when `signal` is aborted. */
const pauseBefore = async (attempt: number, signal: AbortSignal): Promise<void> => {
  if (attempt === 0) return
  const most = firstPauseMs * 2 ** (attempt - 1)
  await pause(most * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined)
}

const refused = (response: Response, { reason, forGood }: { reason: string; forGood: boolean }): Refused =>
  new Refused(reason, {
    retryAfterMs: retryAfter(response.headers()['retry-after'] ?? null, Date.now()),
    forGood,
  })

const problem = ({ issues }: z.ZodError): string =>
  issues.map(({ path, message }) => `${path.join('.') || 'barcode'}: ${message}`).join('; ')

const disallowed = (address: string) =>
  new PipelineError('SOURCE_DISALLOWED', `The site's robots.txt keeps robots off \`${address}\``, {
    hint: 'begin at the home page, a category or a product; to search, use `--source api --search`',
  })

/** What a crawl comes to that can't read where it was to begin. */
const unreadable = (address: string, error: VisitError): OffstreamError => {
  if (error instanceof LedElsewhere) return redirectedElsewhere(address, error.to)
  if (error.kind === 'endless') return blocked(address, error.message)
  return error.kind === 'too large' ? answerTooLarge(address, largestVisit) : unreachable(address, error)
}

const layoutChanged = (address: string, selectors: readonly string[]) =>
  new PipelineError(
    'LAYOUT_CHANGED',
    `The pages of \`${new URL(address).host}\` are not as they were: nothing is found by ${selectors.map(selector => `\`${selector}\``).join(' and ')}`,
    {
      hint: 'use `--source export` or `--source api`, which do not depend on it, until a newer offstream knows these pages',
    },
  )

const productsLost = (address: string) =>
  new PipelineError(
    'PRODUCTS_LOST',
    `\`${new URL(address).host}\` says of ${manyUnknown} products in a row that it knows none of them; they were not removed`,
    {
      hint: 'look at the site, and scrape again when it shows products; `offstream topic produce --delete <code>` removes one that is really gone',
    },
  )

const notASource = (address: string, reason: string) =>
  new PipelineError('NOT_A_SOURCE', `No products at \`${address}\`: ${reason}`, {
    hint: 'give the address of a list of products, such as the home page or a category, or of one product',
  })
