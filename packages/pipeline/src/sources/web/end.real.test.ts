import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '@offstream/runtime'
import { describe, expect, onTestFinished, test } from 'vitest'
import { allOf, codes, executablePath, productPages, testCrawl } from './testCrawl.ts'
import { type Answer, listPage, pathOf, productPage, serve } from './testSite.ts'

describe.skipIf(executablePath === null)('how a crawl ends (needs Chromium)', () => {
  const crawl = testCrawl()

  test('a failed delivery stops the crawl with its error, and no product is delivered twice', async () => {
    await using site = await serve(() => ({ '/': listPage(codes(9)), ...productPages(codes(9)) }))
    const full = new Error('the topic is full')
    const deliver = () => Promise.reject(full)
    const { done, results } = crawl(site, '/', { concurrency: 1 }, { deliver })
    await expect(done).rejects.toBe(full)
    expect(results()).toEqual({ ...allOf(codes(1)), found: 9 })
  })

  test('an abort closes a page that hangs and waits for the delivery in progress', async () => {
    const abort = new AbortController()
    let finished = false
    let started: () => void = () => undefined
    const delivering = new Promise<void>(resolve => {
      started = resolve
    })
    await using site = await serve(() => ({
      '/': listPage(codes(3)),
      ...productPages(codes(3)),
      [pathOf('40000002')]: () => void delivering.then(() => abort.abort()),
    }))
    const deliver = async () => {
      const aborted = new Promise(resolve => abort.signal.addEventListener('abort', resolve))
      started()
      await aborted
      finished = true
    }
    const { done, results } = crawl(site, '/', {}, { signal: abort.signal, deliver })
    await done
    expect(results()).toEqual({ ...allOf(codes(1)), found: 3 })
    expect(finished).toBe(true)
  })

  test('a crawl handles no signals and leaves no files', async () => {
    await using site = await serve(() => ({ '/': listPage(codes(2)), ...productPages(codes(2)) }))
    const before = process.listeners('SIGINT')
    const during: unknown[] = []
    const deliver = async () => void during.push(process.listeners('SIGINT'))
    const storage = await mkdtemp(join(tmpdir(), 'offstream-web-'))
    onTestFinished(() => rm(storage, { recursive: true }))
    await crawl(site, '/', { storageDirectory: storage }, { deliver }).done
    expect([...during, process.listeners('SIGINT')]).toEqual([before, before, before])
    expect([await readdir(storage), existsSync('storage')]).toEqual([[], false])
  })

  describe.skipIf(process.platform !== 'linux')('processes (need /proc)', () => {
    test.each([
      ['every page', (command: string) => command.includes('--type=renderer')],
      ['the browser', (command: string) => !command.includes('--type=')],
    ])('if %s is killed, no product is lost and none is delivered twice', async (_what, isVictim) => {
      const all = codes(30)
      let kills = 0
      const killOnce: Answer = (_request, response) => {
        kills += 1
        const victims = kills > 1 ? [] : chromiumProcesses().filter(({ command }) => isVictim(command))
        for (const { pid } of victims) process.kill(pid, 'SIGKILL')
        response.end(productPage('40000010', 'Product 40000010'))
      }
      await using site = await serve(() => ({
        '/': listPage(all),
        ...productPages(all),
        [pathOf('40000010')]: killOnce,
      }))
      const { done, results } = crawl(site, '/')
      await done
      expect(results()).toEqual(allOf(all))
      expect(kills).toBeGreaterThan(1)
    })

    test('a browser that does not exit is killed', async () => {
      await using site = await serve(() => ({ '/': listPage(codes(9)), ...productPages(codes(9)) }))
      const abort = new AbortController()
      const hang = async () => {
        for (const { pid } of chromiumProcesses()) process.kill(pid, 'SIGSTOP')
        abort.abort(new Error('enough'))
      }
      await crawl(site, '/', {}, { deliver: hang, signal: abort.signal }).done
      expect(chromiumProcesses()).toEqual([])
    })

    test('no browser process outlives a crawl, whether it succeeds or fails', async () => {
      await using site = await serve(() => ({
        '/': listPage(codes(2)),
        ...productPages(codes(2)),
        '/blocked': { status: 429 },
      }))
      let during = 0
      const count = async () => {
        during = chromiumProcesses().length
      }
      await crawl(site, '/', {}, { deliver: count }).done
      await expect(crawl(site, '/blocked').done).rejects.toMatchObject({ code: 'SOURCE_BLOCKED' })
      expect(during).toBeGreaterThan(0)
      await until(
        async () => {
          if (chromiumProcesses().length > 0) throw new Error('still there')
        },
        { what: 'the last browser process', timeoutMs: 10_000 },
      )
    })
  })
})

interface ProcessEntry {
  readonly pid: number
  readonly parent: number
  readonly command: string
}

/** The Chromium processes that this process started, at any depth. */
const chromiumProcesses = (): readonly ProcessEntry[] => {
  const entries = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(readProcess)
  const byPid = new Map(entries.map(entry => [entry.pid, entry]))
  const isOurs = ({ parent }: ProcessEntry): boolean => {
    const next = byPid.get(parent)
    return parent === process.pid || (next !== undefined && isOurs(next))
  }
  return entries.filter(entry => /chrom/.test(entry.command) && isOurs(entry))
}

const readProcess = (name: string): readonly ProcessEntry[] => {
  try {
    const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ')
    const parent = /\) \w (\d+)/.exec(readFileSync(`/proc/${name}/stat`, 'utf8'))?.[1]
    return [{ pid: Number(name), parent: Number(parent), command }]
  } catch {
    // It exited meanwhile.
    return []
  }
}
