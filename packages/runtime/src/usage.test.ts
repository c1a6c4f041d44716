import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { until } from './until.ts'
import { usageIn, usageOf } from './usage.ts'

test('the usage of a group contains that of its children', async () => {
  const busy = 'const end = Date.now() + 200; while (Date.now() < end); setInterval(() => {}, 1000)'
  const script = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(busy)}]); ${busy}`
  const child = spawn(process.execPath, ['-e', script], { detached: true })
  const pid = child.pid ?? expect.fail()
  onTestFinished(() => void process.kill(-pid, 'SIGKILL'))
  await once(child, 'spawn')

  const usage = await until(
    async () => {
      const found = (await usageOf([pid])).get(pid)
      // One alone has about 45 MB.
      if (found === undefined || found.cpuMs < 100 || found.memoryBytes < 65_000_000)
        throw new Error('not yet')
      return found
    },
    { what: 'two busy processes', timeoutMs: 20_000, intervalMs: 50 },
  )
  expect(usage.memoryBytes).toBeLessThan(1_000_000_000)
})

test('`ps` prints processor time with or without hours, days and hundredths', () => {
  expect(usageIn('  12  2048 00:01:05\n 7 1 1-02:03:04\n 9 10   0:01.23\n\n')).toEqual([
    { group: 12, memoryBytes: 2_097_152, cpuMs: 65_000 },
    { group: 7, memoryBytes: 1_024, cpuMs: 93_784_000 },
    { group: 9, memoryBytes: 10_240, cpuMs: 1_230 },
  ])
})
