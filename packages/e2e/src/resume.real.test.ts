import { randomInt } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { brokersOf, findChromium, localCluster, type PeekedMessage, peekTopic } from '@offstream/pipeline'
import { until } from '@offstream/runtime'
import { generateCatalogue, type Site } from '@offstream/site'
import { expect, test } from 'vitest'
import { startPipeline } from './pipeline.ts'
import type { ScratchStack } from './stack.ts'

const products = 100
const kills = 10
/** Set `OFFSTREAM_SEED` to repeat a failed run. */
const seed = Number(process.env['OFFSTREAM_SEED'] ?? randomInt(1_000_000))
const chromiumMissing = (await findChromium()) === null

test.skipIf(chromiumMissing)(
  `a scrape killed ${kills} times gives the same result as one without a kill, and fetches no acknowledged product again (needs Chromium, seed ${seed})`,
  async () => {
    await using pipeline = await startPipeline(generateCatalogue({ count: products }))
    const { site, stack } = pipeline
    const rows = () => pipeline.query('SELECT * FROM Products ORDER BY code')
    await pipeline.scrape()
    await pipeline.waitForTable(`rows=${products}`)
    const [expectedRecords, expectedRows] = [newestRecords(await messagesOf(stack)), await rows()]
    const sentBefore = (await messagesOf(stack)).length
    const startedAt = new Date().toISOString()

    const refetched: string[] = []
    let firstRequest = site.requests.length
    const firstOfAll = firstRequest
    for (const [index, count] of killCounts(seed).entries()) {
      const done = index === 0 ? [] : await acknowledged(stack)
      await using scrape = pipeline.startScrape('--json')
      await until(
        async () => {
          // The scrape runs, has sent a request, and has published enough products.
          expect(await readCrawlFile(stack, '.holder')).not.toBe('')
          expect(site.requests.length).toBeGreaterThan(firstRequest)
          expect((await acknowledged(stack)).length).toBeGreaterThanOrEqual(count)
        },
        { what: `${count} products to be acknowledged`, timeoutMs: 60_000, intervalMs: 5 },
      )
      scrape.signal('SIGKILL')
      await scrape.result
      await stack.waitUntilGone(/chrom/i)
      refetched.push(...refetchedCodes(site, firstRequest, done))
      firstRequest = site.requests.length
    }
    const done = await acknowledged(stack)
    const last = await pipeline.startScrape('--json').result
    refetched.push(...refetchedCodes(site, firstRequest, done))
    const requested = requestedCodes(site, firstOfAll).length

    expect(last.exitCode, last.shown).toBe(0)
    expect(JSON.parse(last.stdout.split('\n').at(-1) ?? '')).toMatchObject({
      ...{ kind: 'scrape', doneBefore: done.length, delivered: products - done.length },
    })
    expect(refetched).toEqual([])
    process.stdout.write(
      `seed ${seed}: ${requested} page requests for ${products} products over ${kills} kills\n`,
    )

    const sent = (await messagesOf(stack)).slice(sentBefore)
    expect(newestRecords(sent)).toEqual(expectedRecords)
    const journal = await acknowledged(stack)
    expect(new Set(journal.map(({ code }) => code)).size).toBe(products)
    // The journal names the partition and offset of each product's message.
    const keys = new Map(sent.map(({ partition, offset, key }) => [`${partition} ${offset}`, key]))
    expect(journal.map(({ partition, offset }) => keys.get(`${partition} ${offset}`))).toEqual(
      journal.map(({ code }) => code),
    )
    await pipeline.waitForTable(`rows=${products}`)
    const after = await rows()
    expect(after.map(withoutTimes)).toEqual(expectedRows.map(withoutTimes))
    expect(after.filter(row => new Date(String(row['observed_at'])) < new Date(startedAt))).toEqual([])
  },
)

/** An `acknowledged` line of the crawl journal. */
interface Acknowledged {
  readonly code: string
  readonly partition: number
  readonly offset: number
}

const acknowledged = async (stack: ScratchStack): Promise<readonly Acknowledged[]> =>
  (await readCrawlFile(stack, '.jsonl'))
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line))
    .filter(({ kind }) => kind === 'acknowledged')

/** The content of the only crawl's file with this extension, `''` if it does not exist yet. */
const readCrawlFile = async (stack: ScratchStack, extension: string): Promise<string> => {
  const folder = join(stack.directory, '.offstream/crawl/web')
  const names = await readdir(folder).catch(() => [])
  const [name] = names.filter(file => file.endsWith(extension))
  return name === undefined ? '' : readFile(join(folder, name), 'utf8').catch(() => '')
}

/** The codes of the product pages that were requested after the first `before` requests. */
const requestedCodes = (site: Site, before: number): readonly string[] =>
  site.requests.slice(before).flatMap(({ path }) => /^\/produit\/(\d+)\//.exec(path)?.[1] ?? [])

const refetchedCodes = (site: Site, before: number, done: readonly Acknowledged[]): readonly string[] =>
  requestedCodes(site, before).filter(requested => done.some(({ code }) => code === requested))

const messagesOf = async (stack: ScratchStack): Promise<readonly PeekedMessage[]> => {
  const all: PeekedMessage[] = []
  const { signal } = new AbortController()
  const everything = { from: 'beginning', limit: null, follow: false, signal } as const
  await peekTopic(localCluster(...brokersOf(stack.config)), everything, message => all.push(message))
  return all
}

/** The newest record of each product, without the times of its visit. */
const newestRecords = (all: readonly PeekedMessage[]) =>
  new Map(all.map(({ key, value }) => [key, { ...Object(value), as_of: undefined, observed_at: undefined }]))

const withoutTimes = (row: Record<string, unknown>) => ({ ...row, as_of: '', observed_at: '' })

/** For each kill, the number of acknowledged products at which it happens. */
const killCounts = (from: number): readonly number[] => {
  let state = from
  const next = (): number => {
    // The linear congruential generator of Numerical Recipes: the same seed must give the same numbers.
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    return state / 2 ** 32
  }
  return Array.from({ length: kills }, () => Math.floor(next() * (products - 10))).toSorted(
    (one, other) => one - other,
  )
}
