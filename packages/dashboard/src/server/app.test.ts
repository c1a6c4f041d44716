import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Config, configOf, directoriesOf } from '@offstream/pipeline'
import { until } from '@offstream/runtime'
import { expect, onTestFinished, test } from 'vitest'
import { dashboardApp } from './app.ts'
import { StackModel } from './model.ts'

const own = 'http://127.0.0.1:8686'
const token = 'open-sesame'

/** The routes of a stopped stack, and a request as a browser sends it. */
const dashboard = async (settings: readonly string[] = []) => {
  const folder = await mkdtemp(join(tmpdir(), 'offstream-dashboard-'))
  const [state, page] = [join(folder, '.offstream'), join(folder, 'page')]
  await mkdir(page)
  for (const name of ['index.html', 'page.js', 'page.css', 'icon.svg'])
    await writeFile(join(page, name), `the file ${name}`)
  const config = Config.parse(configOf(settings))
  const model = new StackModel(state, config)
  const stop = new AbortController()
  const running = model.run(stop.signal)
  onTestFinished(async () => {
    stop.abort()
    await running
    await rm(folder, { recursive: true })
  })
  const app = await dashboardApp({ project: folder, state, config, token, model, page })
  const request = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    app.request(`${own}${path}`, { method, headers: { host: '127.0.0.1:8686', ...headers } })
  return { request, state, model, stop }
}

test.each([
  [{}, 200],
  [{ host: 'localhost:8686' }, 200],
  [{ host: 'example.org:8686' }, 403],
  [{ host: '127.0.0.1:8687' }, 403],
  [{ origin: own }, 200],
  [{ origin: 'http://example.org' }, 403],
  [{ origin: 'null' }, 403],
  [{ 'sec-fetch-site': 'same-origin' }, 200],
  [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, 403],
  [{ 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' }, 403],
] as const)('a request with the headers %o gets status %i', async (headers, status) => {
  const { request } = await dashboard()
  expect((await request('/api/session', headers)).status).toBe(status)
})

test('a link in another page may open a view, and loads nothing else', async () => {
  const { request } = await dashboard()
  const followed = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }
  expect((await request('/services', followed)).status).toBe(200)
})

test('every response has a strict policy', async () => {
  const { request } = await dashboard()
  for (const path of ['/', '/page.js', '/api/session', '/missing']) {
    const { headers } = await request(path)
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    )
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
  }
})

test('the files of the page are sent again only if they have changed', async () => {
  const { request } = await dashboard()
  const first = await request('/page.js')
  expect([await first.text(), first.headers.get('content-type')]).toEqual([
    'the file page.js',
    'text/javascript; charset=utf-8',
  ])
  const again = await request('/page.js', { 'if-none-match': first.headers.get('etag') ?? '' })
  expect(again.status).toBe(304)
  expect(await (await request('/products/123')).text()).toBe('the file index.html')
})

test('the token is exchanged for a cookie that scripts and other sites cannot use', async () => {
  const { request } = await dashboard()
  const signedIn = await request(`/?token=${token}`)
  expect([signedIn.status, signedIn.headers.get('location'), signedIn.headers.get('set-cookie')]).toEqual([
    303,
    '/',
    `offstream-8686=${token}; Path=/; HttpOnly; SameSite=Strict`,
  ])
  const wrong = await request('/?token=guess')
  expect([wrong.status, wrong.headers.get('set-cookie')]).toEqual([303, null])
  const mayAct = async (cookie: string) => (await (await request('/api/session', { cookie })).json()).mayAct
  expect([await mayAct(`offstream-8686=${token}`), await mayAct('offstream-8686=guess')]).toEqual([
    true,
    false,
  ])
})

test('an action needs the token, a service and a dashboard that is not read-only', async () => {
  const cookie = `offstream-8686=${token}`
  const [open, readOnly] = [await dashboard(), await dashboard(['dashboard.readOnly=true'])]
  const statusOf = async (response: Response | Promise<Response>) => (await response).status
  expect([
    await statusOf(open.request('/api/services/kafka/stop', {}, 'POST')),
    await statusOf(open.request('/api/services/kafka/stop', { cookie }, 'GET')),
    await statusOf(open.request('/api/services/bees/stop', { cookie }, 'POST')),
    await statusOf(open.request('/api/services/dashboard/stop', { cookie }, 'POST')),
    await statusOf(open.request('/api/services/kafka/stop', { cookie, origin: 'http://a.org' }, 'POST')),
    await statusOf(readOnly.request('/api/services/kafka/stop', { cookie }, 'POST')),
  ]).toEqual([401, 404, 404, 404, 403, 403])

  const failed = await open.request('/api/services/kafka/stop', { cookie }, 'POST')
  expect([failed.status, (await failed.json()).error.code]).toEqual([409, 'DAEMON_LOST'])
})

test('every viewer gets each new state', async () => {
  const { request, model, stop } = await dashboard()
  const bodies = [(await request('/api/live')).body, (await request('/api/live')).body]
  const first = await Promise.all(
    bodies.map(async body => {
      const reader = body?.getReader() ?? expect.fail()
      const { value } = await reader.read()
      await reader.cancel()
      return new TextDecoder().decode(value)
    }),
  )
  expect(first[0]).toBe(first[1])
  const sent = JSON.parse(first[0]?.replace(/^data: /, '') ?? '')
  expect(sent.status.state).toBe('stopped')
  expect(sent.hops.map(({ name, state }: { name: string; state: string }) => [name, state])).toEqual([
    ['site', 'ok'],
    ['topic', 'idle'],
    ['stream', 'idle'],
    ['table', 'ok'],
    ['thrift', 'idle'],
  ])
  expect(model.points.length).toBe(1)
  stop.abort()
})

test('jobs of the user are in the state, have logs, and can be stopped', async () => {
  const { request, state, model } = await dashboard()
  const { jobs, logs } = directoriesOf(state)
  for (const folder of [jobs, logs]) await mkdir(folder, { recursive: true })
  const job = {
    ...{ version: 1, name: 'sessions', program: '/sessions.py', args: [], directory: '/', cores: 1 },
    ...{ memory: '512m', packages: [], pyFiles: [], conf: {}, once: false, webPort: 4041 },
  }
  await writeFile(join(jobs, 'sessions.json'), JSON.stringify(job))
  await writeFile(join(logs, 'job-sessions.log'), 'counted 3\n')
  const body = (await request('/api/live')).body?.getReader() ?? expect.fail()
  await until(
    async () => {
      await body.read()
      expect(model.live?.status.jobs).toMatchObject([{ name: 'sessions', state: 'stopped' }])
      expect(model.live?.details['sessions']).toMatchObject({ memoryBytes: null, page: null })
    },
    { what: 'the job to be in the state', timeoutMs: 20_000 },
  )
  await body.cancel()
  const log = (await request('/api/logs?name=sessions')).body?.getReader() ?? expect.fail()
  let text = ''
  while (!text.includes('counted 3')) text += new TextDecoder().decode((await log.read()).value)
  await log.cancel()

  const cookie = `offstream-8686=${token}`
  const act = (name: string) => request(`/api/services/${name}/stop`, { cookie }, 'POST')
  expect([(await act('sessions')).status, (await act('others')).status]).toEqual([200, 404])
})

test('the log of a service is sent as it is written', async () => {
  const { request, state } = await dashboard()
  const { logs } = directoriesOf(state)
  await mkdir(logs, { recursive: true })
  await writeFile(
    join(logs, 'kafka.log'),
    '2026-11-24T21:54:06.507Z WARN  Server: slow\n2026-11-24T21:54:06.508Z INFO  Server: fast\n',
  )
  const reader = (await request('/api/logs?name=kafka&level=warn')).body?.getReader() ?? expect.fail()
  let text = ''
  while (!text.includes('slow')) text += new TextDecoder().decode((await reader.read()).value)
  await reader.cancel()
  expect(text).not.toContain('fast')
  expect((await request('/api/logs?name=../../etc/passwd')).status).toBe(400)
})
