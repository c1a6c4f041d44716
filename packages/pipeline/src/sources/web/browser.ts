import { join } from 'node:path'
import { DeadlineError, groupOf, messageOf, OffstreamError, withDeadline } from '@offstream/runtime'
import {
  type Browser,
  type BrowserContext,
  chromium,
  type Page,
  type Request,
  type Response,
} from 'playwright'
import { PipelineError } from '../../errors.ts'
import type { Host } from '../guest/host.ts'
import { maxPageBytes, maxRedirects, megabytes } from '../guest/limits.ts'
import { RedirectedAway, Refused, VisitError } from '../guest/visitError.ts'
import { browserFolder, removeFolder } from './browserFolder.ts'

export interface BrowserOptions {
  readonly executablePath: string
  readonly userAgent: string
  /** All that the browser may reach. */
  readonly host: Host
  /** How long a visit may take, in milliseconds; 45 s where it is left out. */
  readonly pageTimeoutMs?: number | undefined
}

export interface Visit<T> {
  readonly address: string
  /** Whether scripts of the page may be loaded; those inside it run either way. */
  readonly loadScripts: boolean
  /**
   * Takes from the page what is wanted; the page goes on to the next visit afterwards. It is null where an error status
   * came with nothing: then only the response tells something.
   */
  readonly read: (page: Page | null, response: Response) => Promise<T>
  readonly signal: AbortSignal
}

/**
 * One Chromium and a few pages of it, used again and again: a new page for each product would halve the speed. A page
 * that misbehaved is closed and never used again; a Chromium that died is started anew by the next visit.
 */
export class SharedBrowser implements AsyncDisposable {
  private readonly options: BrowserOptions
  private readonly idle: Tab[] = []
  private running: Promise<Running> | null = null

  constructor(options: BrowserOptions) {
    this.options = options
  }

  /**
   * Opens an address and reads it, within bounds of time, bytes and redirects. As many visits at once as are asked for.
   * @throws VisitError, Refused; the reason of `signal` when that is aborted, which ends the visit at once
   * @throws OffstreamError CHROMIUM_FAILED where the browser can't be started.
   */
  readonly visit = async <T>({ address, loadScripts, read, signal }: Visit<T>): Promise<T> => {
    signal.throwIfAborted()
    const { pageTimeoutMs = defaultPageTimeoutMs } = this.options
    const what = `\`${address}\``
    // The page has no part in the time that a browser takes to start.
    const tab = await withDeadline(() => this.takeTab(), {
      what,
      timeoutMs: defaultPageTimeoutMs,
      signal,
    }).catch(error => {
      throw error instanceof DeadlineError ? visitError(error, null) : error
    })
    tab.loadScripts = loadScripts
    tab.left = null
    tab.bytes = 0
    try {
      const result = await withDeadline(() => open(tab, address, read), {
        what,
        timeoutMs: pageTimeoutMs,
        signal,
      })
      if (tab.left !== null) throw new Error('it redirects to another site')
      if (tab.spent) discard(tab)
      else this.idle.push(tab)
      return result
    } catch (error) {
      discard(tab)
      signal.throwIfAborted()
      throw visitError(error, tab.left)
    }
  }

  /** Ends the browser with all its processes: by asking it, or, where it does not end within some seconds, by force. */
  readonly close = async (): Promise<void> => {
    const running = await this.running?.catch(() => null)
    this.running = null
    this.idle.length = 0
    if (running === null || running === undefined) return
    const closing = running.browser.close()
    await endOf(closing).catch(() => running.kill())
    await endOf(closing).catch(() => undefined)
    await removeFolder(running.folder)
  }

  readonly [Symbol.asyncDispose] = (): Promise<void> => this.close()

  private readonly takeTab = async (): Promise<Tab> => {
    const running = await this.ensureRunning()
    const tab = this.idle.pop()
    if (tab !== undefined && !tab.page.isClosed()) return tab
    try {
      return await openTab(running, this.options.host)
    } catch (error) {
      throw visitError(error, null)
    }
  }

  private readonly ensureRunning = async (): Promise<Running> => {
    const running = await this.running
    if (running?.browser.isConnected() === true) return running
    // Another visit may have begun the new start while this one waited.
    if (this.running === null || (await this.running) === running) {
      this.idle.length = 0
      this.running = launch(this.options, running?.folder)
    }
    return this.running
  }
}

interface Running {
  readonly browser: Browser
  readonly context: BrowserContext
  /** The tabs that are ours; all else that a page opens is loaded nothing for. */
  readonly tabs: WeakMap<Page, Tab>
  /** Where its profile is. */
  readonly folder: string
  /** Ends it at once, with all its processes. */
  readonly kill: () => void
}

interface Tab {
  readonly page: Page
  loadScripts: boolean
  /** An address off the site that the page went to, by a redirect or by itself. */
  left: string | null
  /** What the visit has loaded until now, unpacked. */
  bytes: number
  /** Ends the visit at once. */
  fail: (error: Error) => void
  /** Whether the page is no good for another visit. */
  spent: boolean
}

const defaultPageTimeoutMs = 45_000
/** A busy machine takes a second or two; a browser that hangs would keep the whole command from ending. */
const closeWithinMs = 10_000

const endOf = (closing: Promise<void>): Promise<void> =>
  withDeadline(() => closing, { what: 'Chromium to end', timeoutMs: closeWithinMs })

// Not waited for: a page that is closed in the middle of a navigation may never say that it is.
const discard = ({ page }: Tab): void => void page.close().catch(() => undefined)

// A context of its own, as a private window; the persistent one is there only since Playwright lets nobody choose the
// folder of a browser otherwise. Playwright's own flags already stop Chromium's background networking;
// `--host-resolver-rules` makes sure of it.
const launch = async (
  { executablePath, userAgent, host }: BrowserOptions,
  left?: string,
): Promise<Running> => {
  // Of a browser that died.
  if (left !== undefined) await removeFolder(left)
  const folder = await browserFolder()
  let browser: Browser | null = null
  try {
    const persistent = await chromium.launchPersistentContext(join(folder, 'profile'), {
      executablePath,
      artifactsDir: folder,
      // Chromium refuses to run its sandbox as root; anyone else keeps it.
      chromiumSandbox: process.getuid?.() !== 0,
      args: [
        `--host-resolver-rules=${host.resolverRules()}`,
        '--blink-settings=imagesEnabled=false',
        '--disable-domain-reliability',
        '--no-pings',
        // Else it would speak to any address by UDP, which no rule for host names holds up.
        '--webrtc-ip-handling-policy=disable_non_proxied_udp',
      ],
      // Signals are the command's to answer: it ends the crawl, and the crawl ends the browser.
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
    })
    browser = persistent.browser()
    if (browser === null) throw new Error('it has no browser')
    const context = await browser.newContext({
      userAgent,
      acceptDownloads: false,
      serviceWorkers: 'block',
      permissions: [],
    })
    const tabs = new WeakMap<Page, Tab>()
    await closeToOthers(context, tabs, host)
    return { browser, context, tabs, folder, kill: await killerOf(browser) }
  } catch (error) {
    await browser?.close()
    await removeFolder(folder)
    throw new PipelineError('CHROMIUM_FAILED', `\`${executablePath}\` does not start`, {
      hint: 'run it by hand to see why, or name another browser in `browser.executablePath`',
      lastLogLines: messageOf(error).split('\n').slice(-20),
      cause: error,
    })
  }
}

/**
 * Playwright keeps the pid of what it starts to itself. Chromium tells its own, whose process group is what was started:
 * the browser, or a script that calls it, as Debian's is.
 */
const killerOf = async (browser: Browser): Promise<() => void> => {
  const session = await browser.newBrowserCDPSession()
  const { processInfo } = await session.send('SystemInfo.getProcessInfo')
  await session.detach()
  const pid = processInfo.find(({ type }) => type === 'browser')?.id
  const group = pid === undefined ? null : await groupOf(pid)
  const isOwn = group === (await groupOf(process.pid))
  return () => {
    try {
      if (group !== null && !isOwn) process.kill(-group, 'SIGKILL')
    } catch {
      // It has ended after all.
    }
  }
}

/**
 * Lets the tabs load their pages, and lists their scripts; nothing else. The rules hold for the whole context: for what a
 * page opens beside itself too, before anybody has seen it.
 */
const closeToOthers = async (
  context: BrowserContext,
  tabs: WeakMap<Page, Tab>,
  host: Host,
): Promise<void> => {
  await context.addInitScript(takeAway, unseenWays)
  await context.route('**/*', (route, request) => {
    const tab = tabOf(tabs, request)
    const type = request.resourceType()
    const isScript = tab?.loadScripts === true && (type === 'script' || type === 'xhr' || type === 'fetch')
    const wanted = tab !== null && (isPageOf(tab.page, request) || isScript) && host.covers(request.url())
    // A page that was closed meanwhile needs no answer.
    return (wanted ? route.continue() : route.abort('blockedbyclient')).catch(() => undefined)
  })
}

/** Ways onto the network of which no request is shown to us, and that no page of the site has use for. */
const unseenWays = [
  ...['RTCPeerConnection', 'webkitRTCPeerConnection', 'WebSocket', 'WebTransport'],
  ...['Worker', 'SharedWorker'],
]

/** Runs inside the page, before its own scripts. */
const takeAway = (names: readonly string[]): void => {
  for (const name of names) Reflect.deleteProperty(globalThis, name)
}

/** The tab that a request is made for; null where it is no one's, such as that of a window which a page has opened. */
const tabOf = (tabs: WeakMap<Page, Tab>, request: Request): Tab | null => {
  try {
    return tabs.get(request.frame().page()) ?? null
  } catch {
    // The window is so new that it has no frame yet, so it is none of ours.
    return null
  }
}

const isPageOf = (page: Page, request: Request): boolean =>
  request.isNavigationRequest() && request.frame() === page.mainFrame()

const openTab = async ({ context, tabs }: Running, host: Host): Promise<Tab> => {
  const page = await context.newPage()
  const tab: Tab = { page, loadScripts: false, left: null, bytes: 0, fail: () => undefined, spent: false }
  tabs.set(page, tab)
  page.on('popup', popup => void popup.close().catch(() => undefined))
  page.on('request', request => {
    if (!isPageOf(page, request)) return
    if (!host.covers(request.url())) tab.left = request.url()
    else if (redirectsBefore(request) > maxRedirects)
      tab.fail(new VisitError('endless', `it redirects more than ${maxRedirects} times`))
  })
  const session = await context.newCDPSession(page)
  session.on('Network.dataReceived', ({ dataLength }) => {
    tab.bytes += dataLength
    if (tab.bytes > maxPageBytes)
      tab.fail(new VisitError('too large', `it is larger than ${megabytes(maxPageBytes)}`))
  })
  // Playwright keeps the bodies by itself.
  await session.send('Network.enable', { maxTotalBufferSize: 0, maxResourceBufferSize: 0 })
  return tab
}

const redirectsBefore = (request: Request): number => {
  const before = request.redirectedFrom()
  return before === null ? 0 : 1 + redirectsBefore(before)
}

const open = async <T>(tab: Tab, address: string, read: Visit<T>['read']): Promise<T> => {
  const { page } = tab
  let answer: Response | null = null
  const broken = new Promise<never>((_, reject) => {
    tab.fail = reject
  })
  const keepAnswer = (response: Response): void => {
    if (isPageOf(page, response.request())) answer = response
  }
  // Chromium shows what has come of a page whose connection broke, and never says that this is all.
  const noticeBreak = (request: Request): void => {
    if (isPageOf(page, request) && answer?.ok() === true) tab.fail(new Error('the response was cut off'))
  }
  page.on('response', keepAnswer)
  page.on('requestfailed', noticeBreak)
  try {
    const going = page
      .goto(address, { waitUntil: 'domcontentloaded', timeout: 0 })
      .catch((error): Response | null => {
        if (!isEmptyErrorAnswer(error)) throw error
        // Chromium still has an error page of its own to show, which would get in the way of the next visit.
        tab.spent = true
        return answer
      })
    const response = await Promise.race([going, broken])
    if (response === null) throw new Error('it gave no answer')
    return await Promise.race([read(tab.spent ? null : page, response), broken])
  } finally {
    tab.fail = () => undefined
    page.off('response', keepAnswer)
    page.off('requestfailed', noticeBreak)
  }
}

/** An error status without a body counts as a failed navigation in Chromium, though it is an answer. */
const isEmptyErrorAnswer = (error: unknown): boolean =>
  messageOf(error).includes('net::ERR_HTTP_RESPONSE_CODE_FAILURE')

const unreachable =
  /net::ERR_(?:CONNECTION_\w+|NAME_\w+|ADDRESS_\w+|INTERNET_DISCONNECTED|NETWORK_\w+|TIMED_OUT|EMPTY_RESPONSE|SSL_\w+|CERT_\w+|PROXY_\w+)/

const visitError = (error: unknown, left: string | null): VisitError | Refused | OffstreamError => {
  if (error instanceof OffstreamError) return error
  if (left !== null) return new RedirectedAway(left, error)
  // What `read` says of the page.
  if (error instanceof VisitError || error instanceof Refused) return error
  const message = messageOf(error).split('\n')[0] ?? ''
  const network = unreachable.exec(message)?.[0]
  if (network !== undefined) return new VisitError('unreachable', network, error)
  if (error instanceof DeadlineError) return new VisitError('failed', 'it took too long', error)
  return new VisitError('failed', message, error)
}
