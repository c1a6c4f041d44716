import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureArtifact, type FetchOptions } from '@offstream/runtime'
import { type ServiceName, serviceNames } from '../names.ts'
import type { Runtimes } from './distributions.ts'

/** To be raised with each change of a class path: an archive fits only the class path that it was made with. */
const classPathVersion = 2

/** The folder of the start-up archives for these runtimes. An archive fits only one Java and one set of jars. */
export const archivesFolder = (
  cache: string,
  runtimes: Pick<
    Runtimes,
    'java' | 'javaVersion' | 'sparkHome' | 'kafkaLibs' | 'connectors' | 'additionalJars'
  >,
): string => {
  const { java, javaVersion, sparkHome, kafkaLibs, connectors, additionalJars } = runtimes
  const classPath = [sparkHome, kafkaLibs, connectors, ...additionalJars]
  const key = JSON.stringify([classPathVersion, java, javaVersion, ...classPath])
  return join(cache, `archives-${createHash('sha256').update(key).digest('hex').slice(0, 12)}`)
}

/** The start-up archive of a service. */
export const archiveFile = (folder: string, name: ServiceName): string => join(folder, `${name}.jsa`)

/** Approximate size of all archives. */
const installedBytes = 600_000_000

/**
 * The folder of the start-up archives, which is created if it does not exist, and the services that have one there.
 * @throws OffstreamError DISK_FULL
 */
export const ensureArchives = async (
  cache: string,
  runtimes: Runtimes,
  options: FetchOptions = {},
): Promise<{ readonly folder: string; readonly made: ServiceName[] }> => {
  const folder = archivesFolder(cache, runtimes)
  const artifact = { name: 'start-up archives', directory: folder, downloadBytes: 0, installedBytes }
  await ensureArtifact({ ...artifact, fill: async () => undefined }, options)
  const whole = await Promise.all(serviceNames.map(name => isWhole(archiveFile(folder, name))))
  return { folder, made: serviceNames.filter((_, index) => whole[index]) }
}

/** Java writes the header of an archive last. If Java was killed before that, the file starts with zeros. */
const isWhole = async (file: string): Promise<boolean> => {
  await using handle = await open(file, 'r').catch(() => null)
  if (handle === null) return false
  const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0)
  return buffer.some(byte => byte !== 0)
}
