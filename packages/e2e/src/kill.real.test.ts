import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findChromium, pipelineServices } from '@offstream/pipeline'
import { generateCatalogue } from '@offstream/site'
import { expect, test } from 'vitest'
import { startPipeline } from './pipeline.ts'
import type { ScratchStack } from './stack.ts'

const products = 160
const chromiumMissing = (await findChromium()) === null

// The test prints the time of each recovery for this package's README. It does not assert it.
test.skipIf(chromiumMissing)(
  'after kill -9 of every service and the daemon, one by one and together, all restart and every product arrives (needs Chromium)',
  async () => {
    await using pipeline = await startPipeline(generateCatalogue({ count: products }))
    const { stack } = pipeline
    const own = pipelineServices(stack.config)
    const victims = ['daemon', ...own]
    // Slow enough to last until the last kill.
    await using scrape = pipeline.startScrape('--rate', '90')
    await stack.succeed(['wait', '--for', 'acknowledged>=1', '--timeout', '2m'])
    for (const victim of victims) {
      const others = own.filter(name => name !== victim)
      const before = await pidsOf(stack, others)
      await killAndRecover(stack, [victim])
      // No service restarts because of another.
      expect(await pidsOf(stack, others)).toEqual(before)
    }
    const { services } = await pipeline.status()
    const restarted = services.flatMap(({ name, restarts }) => (restarts > 0 ? [name] : []))
    expect(restarted).toEqual(own)
    await killAndRecover(stack, victims)

    const { exitCode, shown } = await scrape.result
    expect(exitCode, shown).toBe(0)
    const { flow } = await pipeline.waitForTable(`rows=${products}`)
    expect(flow).toMatchObject({ fetched: products, rows: products, visible: products, rejected: 0 })
    // One process of each kind, and no orphaned one.
    const processes = await stack.processes()
    for (const main of ['main.js daemon', 'QuorumPeerMain', 'kafka.Kafka', 'master.Master', 'worker.Worker'])
      expect(processes.filter(line => line.includes(main))).toHaveLength(1)
  },
  1_800_000,
)

const killAndRecover = async (stack: ScratchStack, names: readonly string[]): Promise<void> => {
  const pids = await pidsOf(stack, names)
  const killedAt = Date.now()
  for (const pid of pids) process.kill(pid, 'SIGKILL')
  // The job takes the longest to restart, so `status` reports it as degraded at first.
  if (names.includes('products-stream')) expect((await stack.run(['status'])).exitCode).toBe(4)
  const { exitCode, shown } = await stack.run(['wait', '--for', 'healthy', '--timeout', '240s'])
  const seconds = ((Date.now() - killedAt) / 1_000).toFixed(1)
  process.stdout.write(`${names.join(', ')}: healthy after ${seconds} s\n`)
  expect(exitCode, shown).toBe(0)
}

const pidsOf = (stack: ScratchStack, names: readonly string[]): Promise<number[]> =>
  Promise.all(names.map(name => pidOf(stack, name)))

const pidOf = async (stack: ScratchStack, name: string): Promise<number> => {
  if (name === 'daemon') {
    const line = (await stack.processes()).find(process => process.includes('main.js daemon'))
    return Number.parseInt(line ?? '', 10)
  }
  const record = join(stack.directory, '.offstream/run/services', `${name}.json`)
  return JSON.parse(await readFile(record, 'utf8')).pid
}
