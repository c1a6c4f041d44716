import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findChromium, serviceNames } from '@offstream/pipeline'
import type { Site } from '@offstream/site'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { arrived, type ScratchStack, type StartedPipeline, startedPipeline } from './stack.ts'
import { StatusContract } from './statusContract.ts'

const products = 160

/**
 * Anything may be killed, at any moment: what was wanted comes back, nothing stays behind, nothing is lost. The time
 * that each took is printed, for the README of this package; no test depends on it.
 */
describe.skipIf((await findChromium()) === null)('kill -9 while a scrape runs (needs Chromium)', () => {
  let pipeline: StartedPipeline
  let stack: ScratchStack
  let site: Site
  beforeAll(async () => {
    pipeline = await startedPipeline(products)
    ;({ stack, site } = pipeline)
  })
  afterAll(() => pipeline?.[Symbol.asyncDispose]())

  const status = async () => StatusContract.parse(await stack.json(['status']))
  const pidOf = async (name: string): Promise<number> => {
    if (name === 'daemon') {
      const line = (await stack.processes()).find(process => process.includes('main.js daemon'))
      return Number.parseInt(line ?? '', 10)
    }
    const record = join(stack.directory, '.offstream/run/services', `${name}.json`)
    return JSON.parse(await readFile(record, 'utf8')).pid
  }
  const killed = async (names: readonly string[]): Promise<void> => {
    const pids = await Promise.all(names.map(pidOf))
    const began = Date.now()
    for (const pid of pids) process.kill(pid, 'SIGKILL')
    // The job takes the longest to come back: whoever asks at once is told so.
    if (names.includes('products-stream')) expect((await stack.run(['status'])).exitCode).toBe(4)
    const { exitCode, shown } = await stack.run(['wait', '--for', 'healthy', '--timeout', '240s'])
    process.stdout.write(
      `${names.join(', ')}: healthy after ${((Date.now() - began) / 1_000).toFixed(1)} s\n`,
    )
    expect(exitCode, shown).toBe(0)
  }

  test('every service and the daemon, in turn and together, come back, and every product arrives', async () => {
    const victims = ['daemon', ...serviceNames]
    // As slow as it takes to be killed over.
    await using scrape = stack.begin(['scrape', '--url', site.address, '--rate', '90'])
    const first = await stack.run(['wait', '--for', 'acknowledged>=1', '--timeout', '2m'])
    expect(first.exitCode, first.shown).toBe(0)
    for (const victim of victims) await killed([victim])
    for (const { name, restarts } of (await status()).services)
      expect([name, restarts > 0]).toEqual([name, true])
    await killed(victims)

    const { exitCode, shown } = await scrape.ended
    expect(exitCode, shown).toBe(0)
    const { flow } = await arrived(stack, `rows=${products}`)
    expect(flow).toMatchObject({ fetched: products, rows: products, visible: products, rejected: 0 })
    // One JVM or daemon for each, and whatever they need: nobody is left over from before.
    const processes = await stack.processes()
    for (const main of ['main.js daemon', 'QuorumPeerMain', 'kafka.Kafka', 'master.Master', 'worker.Worker'])
      expect(processes.filter(line => line.includes(main))).toHaveLength(1)
  }, 1_800_000)
})
