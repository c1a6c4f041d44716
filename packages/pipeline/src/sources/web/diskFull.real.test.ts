import { describe, expect, test, vi } from 'vitest'
import { codes, executablePath, productPages, resumable, testCrawl } from './testCrawl.ts'
import { listPage, pathOf, serve } from './testSite.ts'

const disk = vi.hoisted(() => ({ isFull: false }))
vi.mock(import('node:fs'), async importOriginal => {
  const fs = await importOriginal()
  const writeSync: typeof fs.writeSync = (...written: unknown[]) => {
    if (disk.isFull)
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), {
        ...{ code: 'ENOSPC', errno: -28, syscall: 'write' },
      })
    return (fs.writeSync as (...written: unknown[]) => number)(...written)
  }
  return { ...fs, writeSync }
})

describe.skipIf(executablePath === null)('a full disk (needs Chromium)', () => {
  const crawl = testCrawl()

  test('stops the crawl with DISK_FULL after the delivery in progress; no product is delivered twice', async () => {
    await using site = await serve(() => ({ '/': listPage(codes(9)), ...productPages(codes(9)) }))
    let deliveries = 0
    const deliver = async () => {
      deliveries += 1
      if (deliveries === 2) disk.isFull = true
    }
    const { done, results } = crawl(site, '/', resumable(), { deliver })
    const outcome = await done.then(
      () => null,
      error => error.code,
    )
    expect([outcome, results().delivered.map(([code]) => code), site.requested]).toEqual([
      'DISK_FULL',
      codes(2),
      ['/', ...codes(2).map(pathOf)],
    ])
  })
})
