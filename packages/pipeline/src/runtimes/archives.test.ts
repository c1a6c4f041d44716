import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { archiveFile, ensureArchives } from './archives.ts'

const runtimes = {
  ...{ java: 'java', javaVersion: '17', python: 'python' },
  ...{ sparkHome: '/spark', kafkaLibs: '/kafka', connectors: '/jars', additionalJars: [] },
  ivy: { settings: '/ivy.xml', cache: '/ivy' },
}

test('an archive exists when Java has written its header, which it does last', async () => {
  const cache = await mkdtemp(join(tmpdir(), 'offstream-archives-'))
  onTestFinished(() => rm(cache, { recursive: true }))
  const { folder, made } = await ensureArchives(cache, runtimes)
  expect(made).toEqual([])
  await writeFile(archiveFile(folder, 'kafka'), 'an archive')
  await writeFile(archiveFile(folder, 'thrift'), Buffer.alloc(100))
  await writeFile(archiveFile(folder, 'zookeeper'), '')
  expect(await ensureArchives(cache, runtimes)).toEqual({ folder, made: ['kafka'] })
})
