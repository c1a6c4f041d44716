import { randomInt } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { brokerOf, findChromium, type PeekedMessage, peekTopic } from '@offstream/pipeline'
import { until } from '@offstream/runtime'
import type { Site } from '@offstream/site'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { arrived, type ScratchStack, type StartedPipeline, startedPipeline } from './stack.ts'

const products = 100
const kills = 10
/** Names the run again that failed: `OFFSTREAM_SEED=… vitest …`. */
const seed = Number(process.env['OFFSTREAM_SEED'] ?? randomInt(1_000_000))

/** A line of the journal, as far as a checker needs it. */
interface Acknowledged {
  readonly code: string
  readonly partition: number
  readonly offset: number
}

describe.skipIf((await findChromium()) === null)('kill -9 of a scrape (needs Chromium)', () => {
  let pipeline: StartedPipeline
  let stack: ScratchStack
  let site: Site
  beforeAll(async () => {
    pipeline = await startedPipeline(products)
    ;({ stack, site } = pipeline)
  })
  afterAll(() => pipeline?.[Symbol.asyncDispose]())

  const scrape = () => ['scrape', '--url', site.address, '--json']
  const crawlFolder = () => join(stack.directory, '.offstream/crawl/web')
  /** The file of the only crawl that there is, `''` before it begins. */
  const readCrawlFile = async (ending: string): Promise<string> => {
    const names = await readdir(crawlFolder()).catch(() => [])
    const [name] = names.filter(file => file.endsWith(ending))
    return name === undefined ? '' : readFile(join(crawlFolder(), name), 'utf8').catch(() => '')
  }
  const journalled = async (): Promise<readonly Acknowledged[]> =>
    (await readCrawlFile('.jsonl'))
      .split('\n')
      .slice(0, -1)
      .map(line => JSON.parse(line))
      .filter(({ kind }) => kind === 'acknowledged')

  /** The pages of products that were asked for since the first `before` requests, by their codes. */
  const askedSince = (before: number): readonly string[] =>
    site.requests.slice(before).flatMap(({ path }) => /^\/produit\/(\d+)\//.exec(path)?.[1] ?? [])

  const messages = async (): Promise<readonly PeekedMessage[]> => {
    const all: PeekedMessage[] = []
    const { signal } = new AbortController()
    const everything = { from: 'beginning', limit: null, follow: false, signal } as const
    await peekTopic(brokerOf(stack.config), everything, message => all.push(message))
    return all
  }
  /** The newest record of each product, without the times of its visit. */
  const newest = (all: readonly PeekedMessage[]) =>
    new Map(
      all.map(({ key, value }) => [key, { ...Object(value), as_of: undefined, observed_at: undefined }]),
    )

  const rows = async (): Promise<Record<string, unknown>[]> => {
    const { stdout, shown, exitCode } = await stack.run([
      ...['query', 'SELECT * FROM Products ORDER BY code', '--format', 'json'],
    ])
    if (exitCode !== 0) throw new Error(shown)
    return JSON.parse(stdout)
  }
  const withoutTimes = (row: Record<string, unknown>) => ({ ...row, as_of: '', observed_at: '' })

  const noBrowserLeft = () =>
    until(
      async () => {
        const browsers = (await stack.processes()).filter(line => /chrom/i.test(line))
        expect(browsers).toEqual([])
      },
      { what: 'the browser of the killed scrape to end', timeoutMs: 10_000, intervalMs: 20 },
    )

  test(`ten times in the middle changes nothing of the outcome, and nothing acknowledged is fetched twice (seed ${seed})`, async () => {
    const undisturbed = await stack.run(scrape())
    expect(undisturbed.exitCode, undisturbed.shown).toBe(0)
    await arrived(stack, `rows=${products}`)
    const [expectedRecords, expectedRows] = [newest(await messages()), await rows()]
    const sentBefore = (await messages()).length
    const began = new Date().toISOString()

    const refetched: string[] = []
    let first = site.requests.length
    const firstOfAll = first
    for (const [index, moment] of momentsOf(seed).entries()) {
      const done = index === 0 ? [] : await journalled()
      await using scraping = stack.begin(scrape())
      await until(
        async () => {
          // Under way, and as far as it shall come.
          expect(await readCrawlFile('.holder')).not.toBe('')
          expect(site.requests.length).toBeGreaterThan(first)
          expect((await journalled()).length).toBeGreaterThanOrEqual(moment)
        },
        { what: `${moment} products to be acknowledged`, timeoutMs: 60_000, intervalMs: 5 },
      )
      scraping.signal('SIGKILL')
      await scraping.ended
      await noBrowserLeft()
      refetched.push(...askedSince(first).filter(asked => done.some(({ code }) => code === asked)))
      first = site.requests.length
    }
    const done = await journalled()
    const last = await stack.run(scrape())
    refetched.push(...askedSince(first).filter(asked => done.some(({ code }) => code === asked)))
    const asked = askedSince(firstOfAll).length

    expect(last.exitCode, last.shown).toBe(0)
    expect(JSON.parse(last.stdout.split('\n').at(-1) ?? '')).toMatchObject({
      ...{ kind: 'scrape', doneBefore: done.length, delivered: products - done.length },
    })
    expect(refetched).toEqual([])
    process.stdout.write(`seed ${seed}: ${asked} pages asked for ${products} products over ${kills} kills\n`)

    const sent = (await messages()).slice(sentBefore)
    expect(newest(sent)).toEqual(expectedRecords)
    const journal = await journalled()
    expect(new Set(journal.map(({ code }) => code)).size).toBe(products)
    // The journal says where each product lies.
    const keys = new Map(sent.map(({ partition, offset, key }) => [`${partition} ${offset}`, key]))
    expect(journal.map(({ partition, offset }) => keys.get(`${partition} ${offset}`))).toEqual(
      journal.map(({ code }) => code),
    )
    await arrived(stack, `rows=${products}`)
    const after = await rows()
    expect(after.map(withoutTimes)).toEqual(expectedRows.map(withoutTimes))
    expect(after.filter(row => new Date(String(row['observed_at'])) < new Date(began))).toEqual([])
  })
})

/** So many products shall be acknowledged when the scrape is killed, each time. */
const momentsOf = (from: number): readonly number[] => {
  let state = from
  const next = (): number => {
    // The linear congruential generator of Numerical Recipes: all that is wanted is the same again for the same seed.
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    return state / 2 ** 32
  }
  return Array.from({ length: kills }, () => Math.floor(next() * (products - 10))).toSorted(
    (one, other) => one - other,
  )
}
