import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Artifact, describeFiles, ensureArtifact, type FetchProgress, verifyFiles } from './store.ts'

/** A separate cache, and an artifact `honey` that counts how often it was fetched. */
const scratch = async () => {
  const cache = await mkdtemp(join(tmpdir(), 'offstream-store-'))
  const directory = join(cache, 'honey')
  let fetched = 0
  const artifact: Artifact = {
    name: 'honey',
    directory,
    downloadBytes: 5,
    installedBytes: 5,
    fill: async folders => {
      fetched += 1
      await writeFile(join(folders.scratch, 'comb'), 'wax')
      await writeFile(join(folders.directory, 'jar'), 'honey')
    },
  }
  return {
    cache,
    directory,
    artifact,
    fetched: () => fetched,
    [Symbol.asyncDispose]: () => rm(cache, { recursive: true, force: true }),
  }
}

test('an artifact is downloaded once, with progress, and used from then on', async () => {
  await using store = await scratch()
  const reports: FetchProgress[] = []
  const onProgress = (progress: FetchProgress) => reports.push(progress)
  expect(await ensureArtifact(store.artifact, { onProgress })).toBe(true)
  expect(await ensureArtifact(store.artifact, { onProgress })).toBe(false)
  expect(store.fetched()).toBe(1)
  expect(reports.at(-1)).toEqual({ artifact: 'honey', bytes: 5, totalBytes: 5 })
  expect((await readdir(store.cache)).sort()).toEqual(['honey'])
})

test('of two at the same time, one downloads and the other waits', async () => {
  await using store = await scratch()
  const both = await Promise.all([ensureArtifact(store.artifact), ensureArtifact(store.artifact)])
  expect(both.sort()).toEqual([false, true])
  expect(store.fetched()).toBe(1)
})

test('an aborted wait for another download does not disturb that download', async () => {
  await using store = await scratch()
  let finish: () => void = () => undefined
  const begun = new Promise<void>(resolve => {
    const slow = {
      ...store.artifact,
      fill: async (folders: Parameters<Artifact['fill']>[0]) => {
        resolve()
        await new Promise<void>(done => {
          finish = done
        })
        await store.artifact.fill(folders)
      },
    }
    void ensureArtifact(slow)
  })
  await begun
  const abort = new AbortController()
  const waiting = ensureArtifact(store.artifact, { signal: abort.signal })
  const outcome = expect(waiting).rejects.toThrow('enough')
  abort.abort(new Error('enough'))
  await outcome
  finish()
  expect(await ensureArtifact(store.artifact)).toBe(false)
})

test('an incomplete download is deleted and repeated', async () => {
  await using store = await scratch()
  await mkdir(store.directory)
  await writeFile(join(store.directory, 'half'), 'ho')
  await ensureArtifact(store.artifact)
  expect((await describeFiles(store.directory)).map(({ file }) => file)).toEqual(['jar'])
})

test('a download that fails or is aborted leaves nothing', async () => {
  await using store = await scratch()
  const fails = { ...store.artifact, fill: () => Promise.reject(new Error('no bees')) }
  await expect(ensureArtifact(fails)).rejects.toThrow('no bees')
  const unwanted = AbortSignal.abort(new Error('enough'))
  await expect(ensureArtifact(store.artifact, { signal: unwanted })).rejects.toThrow('enough')
  expect(await readdir(store.cache)).toEqual([])
})

test('a full disk is reported before anything is downloaded', async () => {
  await using store = await scratch()
  const large = { ...store.artifact, installedBytes: Number.MAX_SAFE_INTEGER }
  await expect(ensureArtifact(large)).rejects.toMatchObject({ code: 'DISK_FULL', outcome: 'prerequisite' })
  expect(store.fetched()).toBe(0)
})

test('every file that differs from the lock file, is missing or is unknown is named', async () => {
  await using store = await scratch()
  await ensureArtifact(store.artifact)
  const locked = await describeFiles(store.directory)
  await verifyFiles('honey', store.directory, locked)

  await writeFile(join(store.directory, 'jar'), 'sugar')
  await writeFile(join(store.directory, 'fly'), '')
  const lid = { file: 'lid', sha256: '0'.repeat(64), bytes: 1 }
  await expect(verifyFiles('honey', store.directory, [...locked, lid])).rejects.toMatchObject({
    code: 'CHECKSUM_MISMATCH',
    message: expect.stringMatching(
      /`jar` has SHA-256 [0-9a-f]{64}, expected [0-9a-f]{64}; `lid` is missing; `fly` is not in the lock file$/,
    ),
  })
})
