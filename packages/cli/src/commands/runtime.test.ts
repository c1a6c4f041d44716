import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { runCommand } from '../testCommand.ts'

const stale = 'kafka-000000000000'

/** A cache with a runtime of an older offstream. */
const staleCache = async (): Promise<string> => {
  const cache = await mkdtemp(join(tmpdir(), 'offstream-cache-'))
  vi.stubEnv('OFFSTREAM_CACHE', cache)
  onTestFinished(async () => {
    vi.unstubAllEnvs()
    await rm(cache, { recursive: true })
  })
  await mkdir(join(cache, stale))
  await writeFile(join(cache, stale, '.complete.json'), '{}')
  await writeFile(join(cache, stale, 'kafka_2.13-3.8.0.jar'), 'x'.repeat(2_000_000))
  return cache
}

test('`runtime list` shows what is used, and the next step', async () => {
  await staleCache()
  const { stdout, stderr } = await runCommand(['runtime', 'list'])

  const rows = stdout.split('\n').map(line => line.trim().split(/ {2,}/))
  expect(rows).toContainEqual(['Kafka 3.8.0', '2.0 MB', 'unused', stale])
  expect(rows.filter(([, use]) => use === 'missing').map(([what]) => what)).toEqual([
    'start-up archives of the services',
    'Spark connectors',
    'cache of Ivy, which downloads jars',
    'Kafka',
    expect.stringMatching(/^Spark 4\.1\.1 for Python 3\./),
  ])
  expect(stderr).toMatch(/2\.0 MB in `.*`\. Next: `offstream runtime prune --dry-run`/)
})

test('`runtime prune` removes exactly what `--dry-run` showed', async () => {
  const cache = await staleCache()
  const shown = JSON.parse((await runCommand(['runtime', 'prune', '--dry-run'], { json: true })).stdout)
  const before = await readdir(cache)
  const done = JSON.parse((await runCommand(['runtime', 'prune'], { json: true })).stdout)

  expect(shown.removed.map(({ name }: { name: string }) => name)).toEqual([stale])
  expect(done).toEqual({ ...shown, dryRun: false })
  expect([before, await readdir(cache)]).toEqual([[stale], []])
})

test('`runtime verify` fails if a checksum differs', async () => {
  const cache = await staleCache()
  const { runtimes } = JSON.parse((await runCommand(['runtime', 'list'], { json: true })).stdout)
  const kafka = runtimes.find(
    ({ name, use }: Record<string, string>) => name?.startsWith('kafka-') && use === 'missing',
  )
  await mkdir(join(cache, kafka.name))
  await writeFile(join(cache, kafka.name, '.complete.json'), '{}')

  await expect(runCommand(['runtime', 'verify'])).rejects.toMatchObject({
    code: 'CHECKSUM_MISMATCH',
    message: expect.stringMatching(/^Checksums differ: Kafka \(\d+ files\)$/),
    hint: 'download again with `offstream runtime verify --repair`',
  })
})
