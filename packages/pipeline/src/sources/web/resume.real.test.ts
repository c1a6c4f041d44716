import { describe, expect, test } from 'vitest'
import { allOf, codes, executablePath, productPages, resumable, testCrawl } from './testCrawl.ts'
import { listPage, nextLink, pathOf, serve, type TestSite } from './testSite.ts'

describe.skipIf(executablePath === null)('resuming a crawl (needs Chromium)', () => {
  const crawl = testCrawl()

  const site = () =>
    serve(() => ({
      '/': listPage(codes(4), nextLink('/2')),
      '/2': listPage(codes(4, 5)),
      ...productPages(codes(8)),
    }))
  const interruptedAfter = async (count: number, of: TestSite): Promise<void> => {
    const abort = new AbortController()
    let delivered = 0
    const deliver = async () => {
      delivered += 1
      if (delivered === count) abort.abort()
    }
    await crawl(of, '/', resumable(), { deliver, signal: abort.signal }).done
  }

  test('a resumed crawl requests neither lists nor products again; the crawl after it starts from the beginning', async () => {
    await using one = await site()
    await interruptedAfter(6, one)
    const second = crawl(one, '/', resumable())
    await second.done
    expect(second.results()).toEqual(allOf(codes(2, 7)))
    expect(second.resumed()).toEqual([[6, 8]])
    expect(one.requested).toEqual(['/', ...codes(4).map(pathOf), '/2', ...codes(4, 5).map(pathOf)])

    const third = crawl(one, '/', resumable())
    await third.done
    expect([third.results(), third.resumed()]).toEqual([allOf(codes(8)), []])
  })

  test('the limit counts what the interrupted and the resumed crawl deliver together', async () => {
    await using one = await site()
    await interruptedAfter(3, one)
    const { done, results } = crawl(one, '/', { ...resumable(), limit: 5 })
    await done
    expect(results()).toEqual(allOf(codes(2, 4)))
  })

  test('a fresh crawl starts from the beginning', async () => {
    await using one = await site()
    await interruptedAfter(3, one)
    const { done, results, resumed } = crawl(one, '/', resumable(true))
    await done
    expect([results(), resumed()]).toEqual([allOf(codes(8)), []])
  })

  test('a dry run neither resumes a crawl nor is resumed', async () => {
    await using one = await site()
    await interruptedAfter(3, one)
    const dry = crawl(one, '/')
    await dry.done
    expect(dry.results()).toEqual(allOf(codes(8)))
    const { done, results } = crawl(one, '/', resumable())
    await done
    expect(results()).toEqual(allOf(codes(5, 4)))
  })

  test('a crawl that cannot read a list is not finished: the next crawl resumes it', async () => {
    let isBroken = true
    await using one = await serve(() => ({
      '/': listPage(codes(4), nextLink('/2')),
      '/2': (_request, response) =>
        void (isBroken ? response.writeHead(500).end('<h1>oops</h1>') : response.end(listPage(codes(4, 5)))),
      ...productPages(codes(8)),
    }))
    await crawl(one, '/', resumable()).done
    isBroken = false
    const { done, results } = crawl(one, '/', resumable())
    await done
    expect(results()).toEqual(allOf(codes(4, 5)))
  })

  test('a second crawl of the same address is rejected while the first is running', async () => {
    await using one = await site()
    let other: unknown
    const deliver = async () => {
      other ??= await crawl(one, '/', resumable()).done.catch(error => error)
    }
    await crawl(one, '/', resumable(), { deliver }).done
    expect(other).toMatchObject({ code: 'SCRAPE_RUNNING', outcome: 'locked' })
  })
})
