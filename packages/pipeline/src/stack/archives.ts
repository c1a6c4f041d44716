import { randomInt } from 'node:crypto'
import { open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  ensureArtifact,
  type FetchOptions,
  groupOf,
  orphanedServices,
  Supervisor,
  send,
  until,
} from '@offstream/runtime'
import type { Config } from '../project/config.ts'
import { directoriesOf } from '../project/directories.ts'
import { configOf } from '../project/layers.ts'
import { portPaths } from '../project/paths.ts'
import { archivesFolder } from '../runtimes/archives.ts'
import { isFetching } from '../runtimes/cache.ts'
import type { Runtimes } from '../runtimes/distributions.ts'
import { pipelineServices, services } from '../services/table.ts'
import { freePorts } from './ports.ts'

/** Approximate size; compared with the free space. */
const installedBytes = 600_000_000

/**
 * Makes the start-up archives if they do not exist, by running every service of the pipeline once, in the cache and on free ports. If
 * that fails, fewer archives are made: a program without one only starts later. If it is aborted, the services are
 * killed at once.
 *
 * @returns the folder of the archives
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
      fill: async ({ directory, scratch }) => {
        await runOnce(runtimes, directory, scratch, options.signal).catch(() =>
          options.signal?.throwIfAborted(),
        )
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

/**
 * Kills the services of runs that were killed themselves, and deletes their files. A run in progress is left alone.
 * @returns whether such a service was running
 */
export const stopInterruptedArchives = async (cache: string): Promise<boolean> => {
  const names = (await readdir(cache).catch(() => [])).filter(name => /^archives-\w+\.partial$/.test(name))
  let found = false
  for (const scratch of names.map(name => join(cache, name))) {
    if (await isFetching(scratch)) continue
    // Without its records, everything that runs is found by its mark.
    await deleteFolder(scratch)
    if (await killMarked(scratch)) found = true
    await deleteFolder(scratch)
  }
  return found
}

/** A cache that cannot be written keeps no service running. */
const deleteFolder = (folder: string): Promise<void> =>
  rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined)

const stateIn = (scratch: string): string => join(scratch, '.offstream')

const runOnce = async (
  runtimes: Runtimes,
  folder: string,
  scratch: string,
  signal: AbortSignal | undefined,
): Promise<void> => {
  // Of a run that was killed: its files are deleted already.
  await killMarked(scratch)
  const state = stateIn(scratch)
  const supervisor = new Supervisor({ directory: directoriesOf(state).records, onEvent: () => undefined })
  // Nothing of it is worth an orderly stop, and after a second interrupt nobody would be there to finish one.
  const kill = () => supervisor.kill()
  signal?.addEventListener('abort', kill)
  try {
    const config = await configOnFreePorts()
    const all = services({ project: scratch, state, config, runtimes, archives: { folder, making: true } })
    await supervisor.start(
      all.filter(({ name }) => pipelineServices.some(program => program === name)),
      signal,
    )
  } finally {
    await supervisor.stop()
    signal?.removeEventListener('abort', kill)
  }
}

/** Kills every process that a run with this scratch folder has started. @returns whether there was one */
const killMarked = async (scratch: string): Promise<boolean> => {
  const { records } = directoriesOf(stateIn(scratch))
  let found = false
  await until(
    async () => {
      const orphans = await orphanedServices(records)
      for (const { pid } of orphans) {
        found = true
        send(-((await groupOf(pid)) ?? pid), 'SIGKILL')
      }
      if (orphans.length > 0) throw new Error(`${orphans.map(({ name }) => name).join(', ')} still run`)
    },
    { what: 'the services of an interrupted run to exit', timeoutMs: 10_000, intervalMs: 50 },
  )
  return found
}

/**
 * From a random start: the default ports may be wanted by a stack that starts meanwhile. Below the range from which
 * systems give ports to outgoing connections.
 */
const configOnFreePorts = async (): Promise<Config> => {
  const first = 20_000 + randomInt(10_000)
  const ports = portPaths.map((path, index) => `${path}=${first + index}`)
  return configOf([...ports, ...(await freePorts(configOf(ports), new Set()))])
}

/** Java writes the head of an archive last. If it was killed before, the file starts with zeros. */
const isWhole = async (file: string): Promise<boolean> => {
  await using handle = await open(file, 'r')
  const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0)
  return buffer.some(byte => byte !== 0)
}
