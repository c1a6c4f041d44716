import { join } from 'node:path'
import { fileErrorOf, OffstreamError } from '@offstream/runtime'
import PQueue from 'p-queue'
import { PipelineError } from '../../errors.ts'
import { type Acknowledgement, serialize } from '../../product/message.ts'
import type { Product } from '../../product/product.ts'
import type { Skip } from '../../product/skip.ts'
import { CircuitBreaker } from '../guest/circuitBreaker.ts'
import { Host } from '../guest/host.ts'
import { pause } from '../guest/pause.ts'
import { RateLimiter } from '../guest/rateLimiter.ts'
import { Robots, type RobotsAnswer } from '../guest/robots.ts'
import { RedirectedAway } from '../guest/visitError.ts'
import type { SourceRun } from '../source.ts'
import { SharedBrowser, type Visit } from './browser.ts'
import { findChromium } from './chromium.ts'
import { classifyRedirect, readAnswer } from './classify.ts'
import { disallowed, notASource, productsLost } from './crawlErrors.ts'
import {
  changedLayoutOf,
  decideFailure,
  decidePage,
  layoutHasChanged,
  maxUnknownInRow,
  type ReadablePage,
  type RecordTally,
  readablePage,
  refusal,
  retryPauseMs,
  unrecognisedStart,
} from './decisions.ts'
import { FillMemory, FillRates } from './fillRates.ts'
import { Frontier } from './frontier.ts'
import { Journal, type ListContent } from './journal.ts'
import { isPlaceOfProducts } from './lists.ts'
import { codeInAddress, fieldSelectors, type ListedProduct } from './pages.ts'
import type { WebSourceOptions } from './webOptions.ts'

/** A report of a nutrition table names so many of its labels. */
const maxReportedLabels = 5

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
    // After an abort, other errors are its consequences.
    if (!run.signal.aborted || error instanceof OffstreamError) throw error
  }
}

const requireChromium = async (): Promise<string> => {
  const path = await findChromium()
  if (path !== null) return path
  throw new PipelineError('CHROMIUM_MISSING', 'No Chrome or Chromium was found', {
    hint: 'install one, or set `browser.executablePath`',
  })
}

interface CrawlParts {
  readonly host: Host
  readonly browser: SharedBrowser
  /** null: this crawl leaves no trace. */
  readonly journal: Journal | null
  readonly rates: FillRates
}

/**
 * The effects of one crawl: it requests, publishes and reports what `Frontier` and `decisions.ts` decide.
 *
 * A product is done when it was delivered, or skipped with a reason that was reported. A page that crashes or hangs is
 * requested again in another tab.
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
  private readonly frontier: Frontier
  private readonly queue: PQueue

  /** Whether a list could not be read that a later crawl may read: this crawl is then not finished. */
  private listMissing = false
  private unreadTableReported = false
  private lastUnrecognised: Skip['skippedBy'] | null = null
  private tally: RecordTally = { records: 0, withoutRecord: 0 }
  /** Products that the site reported as unknown since it last showed a product. */
  private unknown: GoneProduct[] = []
  /** Aborted when no further request may start; pages in progress continue. */
  private readonly stopped: AbortSignal
  private readonly stopping = new AbortController()
  /** The first error that stopped the crawl. */
  private failure: { readonly error: unknown } | null = null

  constructor(options: WebSourceOptions, sourceRun: SourceRun, parts: CrawlParts) {
    const { concurrency, limit, pages, pagesPerMinute, pausePolicy, userAgent } = options
    const { host, browser, journal, rates } = parts
    this.options = options
    this.sourceRun = sourceRun
    this.host = host
    this.browser = browser
    this.journal = journal
    this.rates = rates
    this.rateLimiter = new RateLimiter(pagesPerMinute)
    this.circuitBreaker = new CircuitBreaker(pausePolicy, event =>
      sourceRun.report({ kind: 'paused', ...event }),
    )
    this.stopped = AbortSignal.any([sourceRun.signal, this.stopping.signal])
    this.robots = new Robots(userAgent, this.fetchText)
    this.frontier = new Frontier({
      ...{ limit, pages, delivered: journal?.before?.acknowledged ?? 0 },
      isDone: product => journal?.has(product) === true,
    })
    this.queue = new PQueue({ concurrency })
  }

  readonly run = async (): Promise<void> => {
    const { address } = this.options
    if (!(await this.robots.allows(address))) throw disallowed(address)
    const clear = () => this.queue.clear()
    this.stopped.addEventListener('abort', clear, { once: true })
    try {
      await this.start(address)
      await this.queue.onIdle()
      await this.removeUnknown()
    } finally {
      this.stopped.removeEventListener('abort', clear)
    }
    if (this.failure !== null) throw this.failure.error
    if (layoutHasChanged(this.tally, true)) throw changedLayoutOf(address, this.lastUnrecognised)
    if (!this.sourceRun.signal.aborted && !this.listMissing) this.journal?.finished()
  }

  private readonly start = async (address: string): Promise<void> => {
    const before = this.journal?.before ?? null
    if (before !== null) {
      const { acknowledged: done, listed, startedAt } = before
      this.sourceRun.report({ kind: 'resumed', done, listed, startedAt })
    }
    const code = codeInAddress(address)
    if (code === null) this.frontier.startAtList(address)
    else this.frontier.addProduct({ code, address })
    await this.requestMore().catch(this.stopUnlessStopped)
  }

  /** Requests the products that the frontier gives, and the next page of the list when they run out. */
  private readonly requestMore = async (): Promise<void> => {
    while (!this.stopped.aborted) {
      const products = this.frontier.takeProducts()
      if (products.length > 0) {
        this.sourceRun.report({ kind: 'found', count: products.length })
        for (const { address } of products) await this.request(address)
        continue
      }
      const list = this.frontier.takeList()
      if (list === null) return
      const known = this.journal?.list(list) ?? null
      if (known === null) return this.request(list)
      this.frontier.addList(known)
    }
  }

  private readonly request = async (address: string): Promise<void> => {
    const obstacle = await this.obstacle(address)
    if (obstacle === null) this.enqueue(address, 0)
    else this.skip(address, obstacle)
  }

  /** Why an address must not be requested; null if it may. */
  private readonly obstacle = async (address: string): Promise<Skip | null> => {
    if (!this.host.covers(address)) return { skippedBy: 'other-site', reason: 'it is on another site' }
    const allowed = await this.robots.allows(address)
    return allowed ? null : { skippedBy: 'disallowed', reason: 'robots.txt disallows it' }
  }

  private readonly enqueue = (address: string, attempt: number): void => {
    if (!this.stopped.aborted) void this.queue.add(() => this.process(address, attempt))
  }

  /** Visits a page and does what follows from it; never rejects. */
  private readonly process = async (address: string, attempt: number): Promise<void> => {
    await pause(retryPauseMs(attempt, Math.random()), this.stopped)
    if (this.stopped.aborted) return
    try {
      await this.apply(address, await this.read(address))
      await this.requestMore()
    } catch (error) {
      if (!this.stopped.aborted)
        await this.applyFailure(address, error, attempt).catch(this.stopUnlessStopped)
    }
  }

  private readonly read = async (address: string): Promise<ReadablePage> => {
    try {
      return await this.guarded(address, async () => {
        // Scripts render the lists of the site; the page of a product is complete without them.
        const loadScripts = codeInAddress(address) === null
        return readablePage(await this.visit({ address, loadScripts, read: readAnswer }), Date.now())
      })
    } catch (error) {
      const moved = error instanceof RedirectedAway ? classifyRedirect(address, error.to) : null
      if (moved === null) throw error
      return moved
    }
  }

  /** Runs one request within the rate limit, while the circuit breaker is closed. */
  private readonly guarded = <T>(address: string, send: () => Promise<T>): Promise<T> =>
    this.circuitBreaker.run(
      address,
      async () => {
        await this.rateLimiter.turn(this.stopped)
        this.stopped.throwIfAborted()
        return send()
      },
      this.stopped,
    )

  private readonly visit = <T>(visit: Omit<Visit<T>, 'signal'>): Promise<T> =>
    this.browser.visit({ ...visit, signal: this.sourceRun.signal })

  private readonly apply = async (address: string, page: ReadablePage): Promise<void> => {
    if (page.kind === 'product') this.reportUnreadTable(address, page.product.unreadLabels())
    const decision = decidePage(address, page, new Date())
    switch (decision.kind) {
      case 'deliver':
        return this.deliver(address, decision.product)
      case 'readList':
        return this.addList(address, decision.list)
      case 'remove':
        return this.remove(goneProduct(address, decision.code))
      case 'doubt':
        return this.doubt(goneProduct(address, decision.code))
      case 'skip':
        return this.skip(address, decision, decision.errorAtStart)
      case 'unrecognised':
        return this.skipUnrecognised(address, decision)
      case 'failed':
        throw decision.error
    }
  }

  private readonly applyFailure = async (address: string, error: unknown, attempt: number): Promise<void> => {
    const decision = decideFailure(address, error, attempt)
    if (decision.kind === 'retry') return this.enqueue(address, attempt + 1)
    if (decision.kind === 'stop') return this.stop(decision.error)
    if (codeInAddress(address) === null) this.listMissing = true
    this.skip(address, decision, decision.errorAtStart)
    await this.requestMore()
  }

  private readonly addList = (address: string, list: ListContent): void => {
    this.journal?.listRead(address, list)
    this.frontier.addList(list)
  }

  /** A table with other labels is reported at the first page: rates of fields would show it only after many pages. */
  private readonly reportUnreadTable = (address: string, labels: readonly string[]): void => {
    if (labels.length === 0 || this.unreadTableReported) return
    this.unreadTableReported = true
    const selector = fieldSelectors.proteins_100g
    const shown = labels.slice(0, maxReportedLabels)
    this.sourceRun.report({ kind: 'layout', field: 'nutriments', selector, address, labels: shown })
  }

  private readonly deliver = async (address: string, product: Product): Promise<void> => {
    this.tally = { records: this.tally.records + 1, withoutRecord: 0 }
    for (const alarm of this.rates.add(product)) this.sourceRun.report({ kind: 'layout', ...alarm })
    await this.removeUnknown()
    const { code } = product
    await this.handOver({ code, address }, () => this.sourceRun.deliver(serialize(product)))
  }

  /** Deletes a product that no longer exists. A run that takes no deletes skips it; that is not an error, even at the start. */
  private readonly remove = async ({ code, address, as_of }: GoneProduct): Promise<void> => {
    const { remove } = this.sourceRun
    if (remove === undefined)
      this.leaveOut(address, { skippedBy: 'gone', reason: 'the product no longer exists' })
    else await this.handOver({ code, address }, () => remove({ code, as_of, source: 'web' }))
  }

  /** Remembers a product that the site does not know. It is deleted only after the site has shown another product. */
  private readonly doubt = async (product: GoneProduct): Promise<void> => {
    this.unknown.push(product)
    if (this.unknown.length >= maxUnknownInRow) this.stop(productsLost(product.address, maxUnknownInRow))
    else if (this.sourceRun.remove === undefined) await this.remove(product)
  }

  private readonly removeUnknown = async (): Promise<void> => {
    // A page that was in progress when the crawl stopped must not delete anything.
    if (this.stopped.aborted) return
    const products = this.unknown.splice(0)
    if (this.sourceRun.remove === undefined) return
    for (const product of products) await this.remove(product)
  }

  /** Hands a product over and records the acknowledgement. An error of either is ours, not the page's: it stops the crawl. */
  private readonly handOver = async (
    product: ListedProduct,
    send: () => Promise<Acknowledgement | undefined>,
  ): Promise<void> => {
    this.sourceRun.report({ kind: 'fetched', ...product })
    const fetchedAt = new Date()
    try {
      const acknowledgement = await send()
      if (acknowledgement !== undefined) this.journal?.acknowledged(product, acknowledgement, fetchedAt)
    } catch (error) {
      this.stop(error)
    }
  }

  private readonly skipUnrecognised = (address: string, why: Skip): void => {
    this.lastUnrecognised = why.skippedBy
    const isList = codeInAddress(address) === null
    if (isList) this.listMissing = true
    else this.tally = { ...this.tally, withoutRecord: this.tally.withoutRecord + 1 }
    const hadProducts = isPlaceOfProducts(address) || this.journal?.wasSource === true
    if (layoutHasChanged(this.tally, false)) this.stop(changedLayoutOf(address, why.skippedBy))
    else this.skip(address, why, unrecognisedStart(address, why, hadProducts))
  }

  /** @param errorAtStart the error of the crawl if `address` is its start, where everything else would come from */
  private readonly skip = (
    address: string,
    why: Skip,
    errorAtStart: Error = notASource(address, why.reason),
  ): void => {
    if (address === this.options.address) this.stop(errorAtStart)
    else this.leaveOut(address, why)
  }

  private readonly leaveOut = (address: string, { skippedBy, reason }: Skip): void => {
    if (codeInAddress(address) !== null) this.frontier.release()
    this.sourceRun.report({ kind: 'skipped', address, skippedBy, reason })
  }

  /** Starts no further request, waits for the pages in progress, and makes `error` the result of the crawl. */
  private readonly stop = (error: unknown): void => {
    this.failure ??= { error: fileErrorOf(error) ?? error }
    this.stopping.abort()
  }

  private readonly stopUnlessStopped = (error: unknown): void => {
    if (!this.stopped.aborted) this.stop(error)
  }

  /** The text of robots.txt. Without it no page may be requested, so its failure is the failure of the crawl. */
  private readonly fetchText = async (address: string): Promise<RobotsAnswer> => {
    for (let attempt = 0; ; attempt += 1) {
      await pause(retryPauseMs(attempt, Math.random()), this.stopped)
      try {
        return await this.guarded(address, async () => {
          const answer = await this.visit({
            address,
            loadScripts: false,
            read: async (_page, response) => ({
              status: response.status(),
              retryAfter: response.headers()['retry-after'] ?? null,
              text: response.ok() ? await response.text() : '',
            }),
          })
          if (answer.status !== 429 && answer.status < 500) return answer
          const reason = `it responded with status ${answer.status}`
          throw refusal(answer, { reason, isFinal: false }, Date.now())
        })
      } catch (error) {
        this.stopped.throwIfAborted()
        const decision = decideFailure(address, error, attempt)
        if (decision.kind !== 'retry') throw decision.kind === 'skip' ? decision.errorAtStart : decision.error
      }
    }
  }
}

/** A product that no longer exists, according to its page. */
interface GoneProduct extends ListedProduct {
  /** When the page said so; ISO 8601. */
  readonly as_of: string
}

const goneProduct = (address: string, code: string): GoneProduct => ({
  ...{ code, address, as_of: new Date().toISOString() },
})
