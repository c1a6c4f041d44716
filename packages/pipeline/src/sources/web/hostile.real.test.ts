import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { describe, expect, test } from 'vitest'
import { Host } from '../guest/host.ts'
import { taken } from '../testRun.ts'
import { SharedBrowser } from './browser.ts'
import { chromiums, listPage, pathOf, productPage, serve } from './testSite.ts'
import { webSource } from './web.ts'

/** A host that pages must not reach; records all connections to it. */
const bystander = async () => {
  const came: string[] = []
  const tcp = createServer(socket => {
    socket.once('data', data => came.push(String(data).split('\r\n')[0] ?? ''))
    socket.once('error', () => undefined)
    came.push('a connection')
  })
  tcp.listen(0, '0.0.0.0')
  await once(tcp, 'listening')
  const { port } = tcp.address() as { port: number }
  const udp = createSocket('udp4', () => came.push('a datagram'))
  udp.bind(port)
  await once(udp, 'listening')
  return {
    port,
    came,
    [Symbol.asyncDispose]: async () => {
      udp.close()
      tcp.close()
    },
  }
}

/** All ways in which a page can reach another host `to` (host and port). If one fails, the others are still tried. */
const attempts = (to: string): string => `
  <link rel="preconnect" href="http://${to}"><link rel="dns-prefetch" href="http://${to}">
  <link rel="prefetch" href="http://${to}/prefetch"><link rel="preload" as="fetch" href="http://${to}/preload">
  <link rel="stylesheet" href="http://${to}/style"><link rel="manifest" href="http://${to}/manifest">
  <style>@font-face { font-family: x; src: url(http://${to}/font) } body { font-family: x; background: url(http://${to}/css) }</style>
  <img src="http://${to}/img"><video src="http://${to}/video"></video><object data="http://${to}/object"></object>
  <embed src="http://${to}/embed"><iframe src="http://${to}/iframe"></iframe><script src="http://${to}/script"></script>
  <iframe srcdoc="<script>fetch('http://${to}/srcdoc')</script>"></iframe>
  <form id="blank" action="http://${to}/form" target="_blank" method="post"><input name="a" value="b"></form>
  <a id="ping" href="#" ping="http://${to}/ping">x</a><a id="blank-link" target="_blank" rel="noopener" href="http://${to}/link">x</a>
  <script type="speculationrules">{"prerender":[{"source":"list","urls":["http://${to}/prerender"]}],"prefetch":[{"source":"list","urls":["http://${to}/speculated"]}]}</script>
  <script>
  const to = ${JSON.stringify(to)}
  const script = (source) => URL.createObjectURL(new Blob([source], { type: 'text/javascript' }))
  const inWorker = "fetch('http://" + to + "/worker'); new WebSocket('ws://" + to + "/worker')"
  const call = (Peer) => {
    const peer = new Peer({ iceServers: [{ urls: 'stun:' + to }, { urls: 'turn:' + to + '?transport=tcp', username: 'a', credential: 'b' }] })
    peer.createDataChannel('x')
    peer.createOffer().then(offer => peer.setLocalDescription(offer))
  }
  const frame = () => document.body.appendChild(document.createElement('iframe')).contentWindow
  const tries = [
    () => fetch('http://' + to + '/fetch', { mode: 'no-cors' }),
    () => { const requested = new XMLHttpRequest(); requested.open('GET', 'http://' + to + '/xhr'); requested.send() },
    () => navigator.sendBeacon('http://' + to + '/beacon', 'x'),
    () => new EventSource('http://' + to + '/events'),
    () => new WebSocket('ws://' + to + '/socket'),
    () => new WebTransport('https://' + to + '/transport'),
    () => new Worker(script(inWorker)),
    () => new SharedWorker(script(inWorker)),
    () => navigator.serviceWorker.register('/worker.js'),
    () => window.open('http://' + to + '/popup'),
    () => window.open('/popup').eval("fetch('http://" + to + "/from-popup')"),
    () => document.getElementById('blank').submit(),
    () => document.getElementById('blank-link').click(),
    () => document.getElementById('ping').click(),
    () => call(RTCPeerConnection),
    () => call(webkitRTCPeerConnection),
    () => call(frame().RTCPeerConnection),
    () => new (frame().WebSocket)('ws://' + to + '/frame-socket'),
    () => new (frame().Worker)(script(inWorker)),
    () => new (frame().SharedWorker)(script(inWorker)),
    () => window.open('').eval('(' + call + ')(RTCPeerConnection)'),
  ]
  for (const each of tries) { try { Promise.resolve(each()).catch(() => undefined) } catch {} }
  // Gives the attempts time to succeed.
  setTimeout(() => document.body.insertAdjacentHTML('beforeend', '<p id="tried">'), 2000)
  </script>`

// Tested with each kind of browser, because they start and open windows in different ways.
describe.each(await chromiums())('a hostile page, %s', (_, executablePath) => {
  describe.skipIf(executablePath === null)('(needs that browser)', () => {
    test.each(['127.0.0.1', '127.0.0.2', 'localhost'])(
      'reaches no other host, here %s, and its windows are closed',
      async hostname => {
        await using other = await bystander()
        await using site = await serve(() => ({
          '/': listPage(['40000001']) + attempts(`${hostname}:${other.port}`),
          '/worker.js': `fetch('http://${hostname}:${other.port}/service-worker')`,
          '/popup': '<h1>popup</h1>',
        }))
        await using browser = new SharedBrowser({
          ...{
            executablePath: executablePath ?? '',
            userAgent: 'offstream-test',
            host: new Host(site.origin),
          },
        })
        const windows = await browser.visit({
          address: site.origin,
          loadScripts: true,
          read: async page => {
            await page?.waitForSelector('#tried', { state: 'attached' })
            return page?.context().pages().length
          },
          signal: new AbortController().signal,
        })
        expect([other.came, windows]).toEqual([[], 1])
      },
    )

    test('does not stop a scrape', async () => {
      await using other = await bystander()
      const codes = ['40000001', '40000002', '40000003', '40000004']
      const [list = '', byName = '', byAddress = '', away = ''] = codes
      await using site = await serve(() => ({
        '/': listPage(codes) + attempts(`127.0.0.1:${other.port}`),
        '/worker.js': `fetch('http://127.0.0.1:${other.port}/service-worker')`,
        '/popup': '<h1>popup</h1>',
        [pathOf(list)]: productPage(list, 'Honest'),
        [pathOf(byName)]: productPage(byName, 'Hostile') + attempts(`localhost:${other.port}`),
        [pathOf(byAddress)]: productPage(byAddress, 'Hostile') + attempts(`127.0.0.2:${other.port}`),
        [pathOf(away)]: { status: 302, headers: { location: `http://127.0.0.1:${other.port}/redirect` } },
      }))
      const { products, skipped, error } = await taken(
        webSource({
          ...{ address: site.origin, concurrency: 1, pagesPerMinute: null },
          pausePolicy: { firstPauseMs: 20, maxPauses: 2, maxFailures: 5 },
          userAgent: 'offstream-test',
          chromium: { executablePath: executablePath ?? '' },
          ...{ storageDirectory: tmpdir(), resume: null },
        }),
      )
      expect(other.came).toEqual([])
      expect(products.map(({ code }) => code)).toEqual([list, byName, byAddress])
      expect(skipped.map(([, reason]) => reason)).toEqual([
        `it redirects to another site: \`http://127.0.0.1:${other.port}/redirect\``,
      ])
      expect(error).toBe(null)
    })
  })
})
