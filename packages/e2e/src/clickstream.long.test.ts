import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { environmentName, findChromium, numberAt, portPaths } from '@offstream/pipeline'
import { chromium } from 'playwright'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { root } from './repository.ts'
import { type ScratchStack, scratchStack } from './stack.ts'
import { StatusContract } from './statusContract.ts'

const executablePath = await findChromium()

/** The first block of commands after a heading of docs/jobs.md. */
const commandsBelow = async (heading: string): Promise<string> => {
  const page = await readFile(join(root, 'docs', 'jobs.md'), 'utf8')
  const [, block] = /```sh\n(.*?)```/s.exec(page.slice(page.indexOf(`\n## ${heading}\n`))) ?? []
  return block ?? expect.fail(`docs/jobs.md has no commands below \`${heading}\``)
}

let stack: ScratchStack
let shop: string
/** The ports of the new project are free ones, and its file has the defaults. */
let ports: Readonly<Record<string, string>>
beforeAll(async () => {
  stack = await scratchStack()
  shop = join(stack.directory, 'shop')
  ports = Object.fromEntries(
    portPaths.map(path => [environmentName(path), String(numberAt(stack.config, path))]),
  )
})
afterAll(async () => {
  await stack?.run(['down'], inShop())
  await stack?.[Symbol.asyncDispose]()
})

const inShop = () => ({ cwd: shop, env: ports })
const run = (...args: readonly string[]) => stack.run(args, inShop())
const succeed = (...args: readonly string[]) => stack.succeed(args, inShop())
const query = async (sql: string): Promise<unknown> =>
  JSON.parse((await succeed('query', sql, '--format', 'json')).stdout)
/** Runs commands of the documents as they are. */
const shell = (script: string) => {
  const exported = Object.entries(ports).map(([name, value]) => `export ${name}=${value}`)
  return stack.shell(['set -e', 'npx() { "$@"; }', ...exported, script].join('\n'))
}

const Jobs = z.object({ jobs: StatusContract.shape.jobs })
const job = async () => Jobs.parse(await stack.json(['jobs'], inShop())).jobs[0]

const produce = ['topic', 'produce', '--topic', 'clicks', '--key', 'session', '--create'] as const
const publish = (...clicks: readonly object[]) =>
  stack.succeed(produce, { ...inShop(), input: clicks.map(click => JSON.stringify(click)).join('\n') })

const stepsOfVisits = 'SELECT step, count(*) AS visits FROM lake.shop.visits GROUP BY step ORDER BY step'
const untilRows = (count: number): Promise<unknown> =>
  expect
    .poll(() => query('SELECT count(*) AS clicks FROM lake.shop.clicks'), { timeout: 60_000, interval: 500 })
    .toEqual([{ clicks: count }])

test('the five commands of the documents lead from a template to its charts', async () => {
  const commands = await commandsBelow('A project with your own data')
  expect(commands.trim().split('\n')).toHaveLength(5)
  const { stdout } = await shell(commands)

  const charts = ['steps-of-visits', 'visits-by-hour'].map(name => join(shop, 'charts', `${name}.svg`))
  expect(stdout.split('\n').filter(line => line.endsWith('.svg'))).toEqual(charts)
  expect(await query(stepsOfVisits)).toEqual([
    { step: 1, visits: 72 },
    { step: 2, visits: 33 },
    { step: 3, visits: 15 },
    { step: 4, visits: 30 },
  ])
  const svg = await readFile(charts[0] ?? '', 'utf8')
  expect([...svg.matchAll(/aria-label="(visits: [^"]+)"/g)].map(([, label]) => label)).toEqual([
    'visits: 150; step: Visit',
    'visits: 78; step: Basket',
    'visits: 45; step: Checkout',
    'visits: 30; step: Order',
  ])
  expect(svg).toContain('>Data: clicks of the shop</text>')
  const status = StatusContract.parse(await stack.json(['status'], inShop()))
  expect([status.state, status.jobs.map(({ name, state }) => [name, state])]).toEqual([
    'healthy',
    [['clicks', 'running']],
  ])
})

test.skipIf(executablePath === null)('a browser shows the chart with its texts', async () => {
  const browser = await chromium.launch({
    ...{ executablePath: executablePath ?? '', chromiumSandbox: process.getuid?.() !== 0 },
  })
  try {
    const page = await browser.newPage()
    await page.goto(pathToFileURL(join(shop, 'charts', 'steps-of-visits.svg')).href)
    for (const text of ['How far do visitors get?', 'Checkout', '45 (30.0%)', 'Data: clicks of the shop'])
      expect(await page.getByText(text, { exact: true }).first().isVisible()).toBe(true)
  } finally {
    await browser.close()
  }
})

test('the same events again change nothing, a new one is added, and a later version of a click replaces it', async () => {
  await succeed(...produce, '--file', join(shop, 'events', 'clicks.jsonl'))
  const click = { id: 'new', session: 'visit-151', page: '/', action: 'view', at: '2026-05-04T23:59:00Z' }
  await publish(click)
  await untilRows(542)
  await publish({ ...click, action: 'order', at: '2026-05-04T23:59:59Z' }, { ...click, id: 'newer' })
  await untilRows(543)
  expect(await query("SELECT action FROM lake.shop.clicks WHERE id = 'new'")).toEqual([{ action: 'order' }])
  expect(await query(stepsOfVisits)).toEqual([
    { step: 1, visits: 72 },
    { step: 2, visits: 33 },
    { step: 3, visits: 15 },
    { step: 4, visits: 31 },
  ])
})

test('after `down` the tests of the template pass, and `jobs start` continues the job', async () => {
  await succeed('down')
  await shell(`cd shop
    eval "$(npx offstream env)"
    "$PYSPARK_PYTHON" -m unittest discover jobs 2>&1`)
  await succeed('up')
  // The views do not need the job.
  expect(await query('SELECT sum(clicks) AS clicks FROM lake.shop.visits')).toEqual([{ clicks: 543 }])
  await succeed('jobs', 'start', 'clicks')
  await publish({ id: 'last', session: 'visit-152', page: '/', action: 'view', at: '2026-05-05T00:00:00Z' })
  await untilRows(544)
})

test('if the topic was created again, the job fails and says how to continue', async () => {
  await succeed('topic', 'delete', 'clicks')
  await publish({ id: 'again', session: 'visit-153', page: '/', action: 'view', at: '2026-05-05T00:01:00Z' })
  await succeed('wait', '--for', 'job:clicks=failed', '--timeout', '2m')
  expect(await job()).toMatchObject({
    detail: expect.stringMatching(/topic `clicks` was deleted and created again/i),
  })
  await succeed('jobs', 'remove', 'clicks')
  await succeed('submit', join('jobs', 'clicks.py'))
  await untilRows(545)
  await succeed('jobs', 'stop', 'clicks')
  expect(await job()).toMatchObject({ state: 'stopped' })
  const { exitCode, stdout } = await run('logs', 'clicks', '--grep', 'Traceback')
  expect([exitCode, stdout]).toEqual([0, ''])
})
