import { createHash } from 'node:crypto'
import { mkdtemp, open, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureArtifact, type FetchOptions, isComplete, Supervisor } from '@offstream/runtime'
import { directoriesOf } from '../project/directories.ts'
import { configOf } from '../project/layers.ts'
import type { Runtimes } from '../runtimes/distributions.ts'
import { services } from '../services/table.ts'
import { freePorts } from './ports.ts'

/** What they take, roughly; compared with the free space. */
const installedBytes = 600_000_000

/** To be raised with each change of what is on the class paths: an archive fits only the one it was made with. */
const formOfClassPath = 2

/** The folder of the archives for these runtimes; they hold for one Java and one set of jars only. */
export const archivesFolder = (
  cache: string,
  runtimes: Pick<Runtimes, 'java' | 'javaVersion' | 'sparkHome' | 'kafkaLibs' | 'connectors'>,
): string => {
  const { java, javaVersion, sparkHome, kafkaLibs, connectors } = runtimes
  const key = JSON.stringify([formOfClassPath, java, javaVersion, sparkHome, kafkaLibs, connectors])
  return join(cache, `archives-${createHash('sha256').update(key).digest('hex').slice(0, 12)}`)
}

/** Whether `ensureArchives` has nothing to do. */
export const hasArchives = (cache: string, runtimes: Runtimes): Promise<boolean> =>
  isComplete(archivesFolder(cache, runtimes))

/**
 * Makes the archives where they are not there yet, by running every service once in a folder of its own on free
 * ports. Where that fails there are simply fewer of them: a program without one starts, only later.
 *
 * @returns the folder
 * @throws OffstreamError DISK_FULL
 */
export const ensureArchives = async (
  cache: string,
  runtimes: Runtimes,
  options: FetchOptions = {},
): Promise<string> => {
  const folder = archivesFolder(cache, runtimes)
  await ensureArtifact(
    {
      name: 'Start-up archives',
      directory: folder,
      downloadBytes: 0,
      installedBytes,
      fill: async ({ directory }) => {
        await runOnce(runtimes, directory, options.signal).catch(() => options.signal?.throwIfAborted())
        for (const name of await readdir(directory)) {
          const file = join(directory, name)
          if (!(await isWhole(file))) await rm(file)
        }
      },
    },
    options,
  )
  return folder
}

/** Java writes the head of an archive last; one that it was killed over begins with zeros. */
const isWhole = async (file: string): Promise<boolean> => {
  await using handle = await open(file, 'r')
  const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0)
  return buffer.some(byte => byte !== 0)
}

const runOnce = async (
  runtimes: Runtimes,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<void> => {
  const scratch = await mkdtemp(join(tmpdir(), 'offstream-archives-'))
  const state = join(scratch, '.offstream')
  const supervisor = new Supervisor({ directory: directoriesOf(state).records, onEvent: () => undefined })
  try {
    const config = configOf(await freePorts(configOf([]), new Set()))
    await supervisor.start(
      services({ project: scratch, state, config, runtimes, archives: { folder, making: true } }),
      signal,
    )
  } finally {
    await supervisor.stop()
    await rm(scratch, { recursive: true, force: true })
  }
}
