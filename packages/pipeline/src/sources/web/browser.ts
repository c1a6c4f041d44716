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
import { sandboxFix } from './sandbox.ts'

/** Options of `SharedBrowser`. */
export interface BrowserOptions {
  readonly executablePath: string
  readonly userAgent: string
  /** The only site that the browser can reach. */
  readonly host: Host
  /** The timeout of a visit; by default 45 s. */
  readonly pageTimeoutMs?: number | undefined
}

/** One visit of a page. */
export interface Visit<T> {
  readonly address: string
  /** Whether script files may be loaded; inline scripts always run. */
  readonly loadScripts: boolean
  /**
   * Reads the page, which is reused afterwards. It must only call the browser: each error that it throws counts as a
   * failure of the page. `page` is null for an error status without a body.
   */
  readonly read: (page: Page | null, response: Response) => Promise<T>
  readonly signal: AbortSignal
}

/**
 * One Chromium with a few pages that are reused, because a new page for each product would halve the speed. A page that
 * failed is closed. If Chromium has crashed, the next visit starts another one.
 */
export class SharedBrowser implements AsyncDisposable {
  private readonly options: BrowserOptions
  private readonly idle: Tab[] = []
  private running: Promise<Running> | null = null

  constructor(options: BrowserOptions) {
    this.options = options
  }

  /**
   * Opens an address and reads it, with limits of time, size and redirects. Visits may run at the same time.
   * @throws VisitError, or what `read` threw; the reason of `signal`, whose abort stops the visit at once
   * @throws OffstreamError CHROMIUM_FAILED if the browser does not start
   */
  readonly visit = async <T>({ address, loadScripts, read, signal }: Visit<T>): Promise<T> => {
    signal.throwIfAborted()
    const { pageTimeoutMs = defaultPageTimeoutMs } = this.options
    const what = `\`${address}\``
    // The start of the browser does not count towards the timeout of the page.
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

  /** Closes the browser with all its processes, and kills it if that takes too long. */
  readonly close = async (): Promise<void> => {
    const running = await this.running?.catch(() => null)
    this.running = null
    this.idle.length = 0
    if (running === null || running === undefined) return
    const closing = running.browser.close()
    await closed(closing).catch(() => running.kill())
    await closed(closing).catch(() => undefined)
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
    // Another visit may have started it meanwhile.
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
  /** Our own tabs. Windows that a page opens may not load anything. */
  readonly tabs: WeakMap<Page, Tab>
  /** The folder of its profile. */
  readonly folder: string
  /** Kills it with all its processes. */
  readonly kill: () => void
}

interface Tab {
  readonly page: Page
  loadScripts: boolean
  /** An address of another site that the page navigated to, by a redirect or a script. */
  left: string | null
  /** How much the visit has loaded, unpacked. */
  bytes: number
  /** Makes the visit fail at once. */
  fail: (error: Error) => void
  /** Whether the page cannot be reused. */
  spent: boolean
}

const defaultPageTimeoutMs = 45_000
/** A busy machine needs a second or two; after this the browser is killed. */
const closeTimeoutMs = 10_000

const closed = (closing: Promise<void>): Promise<void> =>
  withDeadline(() => closing, { what: 'Chromium to exit', timeoutMs: closeTimeoutMs })

// Not awaited, because closing a page during a navigation may never resolve.
const discard = ({ page }: Tab): void => void page.close().catch(() => undefined)

// Pages are opened in a second context, like a private window. The persistent one exists only because Playwright has no
// other way to choose the folder of a browser. Playwright's flags already stop the background networking of Chromium;
// `--host-resolver-rules` makes sure of it.
const launch = async (
  { executablePath, userAgent, host }: BrowserOptions,
  left?: string,
): Promise<Running> => {
  // The folder of a browser that has crashed.
  if (left !== undefined) await removeFolder(left)
  const folder = await browserFolder()
  let browser: Browser | null = null
  try {
    const persistent = await chromium.launchPersistentContext(join(folder, 'profile'), {
      executablePath,
      artifactsDir: folder,
      // Chromium cannot run its sandbox as root. For all other users it stays on.
      chromiumSandbox: process.getuid?.() !== 0,
      args: [
        `--host-resolver-rules=${host.resolverRules()}`,
        '--blink-settings=imagesEnabled=false',
        '--disable-domain-reliability',
        '--no-pings',
        // Otherwise WebRTC could send UDP to any address, which host rules do not prevent.
        '--webrtc-ip-handling-policy=disable_non_proxied_udp',
      ],
      // The command handles signals: it aborts the crawl, which closes the browser.
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
    await restrictToSite(context, tabs, host)
    return { browser, context, tabs, folder, kill: await killerOf(browser) }
  } catch (error) {
    await browser?.close()
    await removeFolder(folder)
    throw failedToStart(executablePath, error)
  }
}

const failedToStart = (executablePath: string, cause: unknown): PipelineError => {
  const output = messageOf(cause)
  const fix = sandboxFix(output)
  const reason = fix === null ? '' : ': its sandbox does not work on this system'
  return new PipelineError('CHROMIUM_FAILED', `\`${executablePath}\` does not start${reason}`, {
    hint: fix ?? 'run it manually to see why, or set `browser.executablePath` to another browser',
    lastLogLines: output.split('\n').slice(-20),
    cause,
  })
}

/**
 * Playwright does not show the pid of the browser, but Chromium does. Its process group is that of the started program:
 * the browser, or a script that runs it, as on Debian.
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
      // It has exited meanwhile.
    }
  }
}

/**
 * Lets tabs load only their pages, and lists their scripts. The rule applies to the whole context, so also to windows
 * that a page opens.
 */
const restrictToSite = async (
  context: BrowserContext,
  tabs: WeakMap<Page, Tab>,
  host: Host,
): Promise<void> => {
  await context.addInitScript(removeApis, networkApis)
  await context.route('**/*', (route, request) => {
    const tab = tabOf(tabs, request)
    const type = request.resourceType()
    const isScript = tab?.loadScripts === true && (type === 'script' || type === 'xhr' || type === 'fetch')
    const isAllowed = tab !== null && (isPageOf(tab.page, request) || isScript) && host.covers(request.url())
    // The page may have been closed meanwhile.
    return (isAllowed ? route.continue() : route.abort('blockedbyclient')).catch(() => undefined)
  })
}

/** APIs that reach the network without a request that Playwright shows. No page of the site needs them. */
const networkApis = [
  ...['RTCPeerConnection', 'webkitRTCPeerConnection', 'WebSocket', 'WebTransport'],
  ...['Worker', 'SharedWorker'],
]

/** Runs inside the page, before its own scripts. */
const removeApis = (names: readonly string[]): void => {
  for (const name of names) Reflect.deleteProperty(globalThis, name)
}

/** The tab of a request; null for a request of another window. */
const tabOf = (tabs: WeakMap<Page, Tab>, request: Request): Tab | null => {
  try {
    return tabs.get(request.frame().page()) ?? null
  } catch {
    // A window without a frame is new, so it is not one of our tabs.
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
  // Playwright stores the bodies itself.
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
  // Chromium shows the received part of a page whose connection broke, without an error.
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
        // Chromium still shows its own error page, which would disturb the next visit.
        tab.spent = true
        return answer
      })
    const response = await Promise.race([going, broken])
    if (response === null) throw new Error('it did not respond')
    return await Promise.race([read(tab.spent ? null : page, response), broken])
  } finally {
    tab.fail = () => undefined
    page.off('response', keepAnswer)
    page.off('requestfailed', noticeBreak)
  }
}

/** Chromium reports an error status without a body as a failed navigation, although it is an answer. */
const isEmptyErrorAnswer = (error: unknown): boolean =>
  messageOf(error).includes('net::ERR_HTTP_RESPONSE_CODE_FAILURE')

const unreachable =
  /net::ERR_(?:CONNECTION_\w+|NAME_\w+|ADDRESS_\w+|INTERNET_DISCONNECTED|NETWORK_\w+|TIMED_OUT|EMPTY_RESPONSE|SSL_\w+|CERT_\w+|PROXY_\w+)/

const visitError = (error: unknown, left: string | null): VisitError | Refused | OffstreamError => {
  if (error instanceof OffstreamError) return error
  if (left !== null) return new RedirectedAway(left, error)
  // Thrown by `read`, or by a limit.
  if (error instanceof VisitError || error instanceof Refused) return error
  const message = messageOf(error).split('\n')[0] ?? ''
  const network = unreachable.exec(message)?.[0]
  if (network !== undefined) return new VisitError('unreachable', network, error)
  if (error instanceof DeadlineError) return new VisitError('failed', 'it took too long', error)
  return new VisitError('failed', message, error)
}
