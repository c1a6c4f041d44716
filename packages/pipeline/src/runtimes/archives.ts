import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { isComplete } from '@offstream/runtime'
import type { Runtimes } from './distributions.ts'

/** To be raised with each change of a class path: an archive fits only the class path that it was made with. */
const classPathVersion = 2

/** The folder of the start-up archives for these runtimes. An archive fits only one Java and one set of jars. */
export const archivesFolder = (
  cache: string,
  runtimes: Pick<Runtimes, 'java' | 'javaVersion' | 'sparkHome' | 'kafkaLibs' | 'connectors'>,
): string => {
  const { java, javaVersion, sparkHome, kafkaLibs, connectors } = runtimes
  const key = JSON.stringify([classPathVersion, java, javaVersion, sparkHome, kafkaLibs, connectors])
  return join(cache, `archives-${createHash('sha256').update(key).digest('hex').slice(0, 12)}`)
}

/** Whether the start-up archives for these runtimes have been made. */
export const hasArchives = (cache: string, runtimes: Runtimes): Promise<boolean> =>
  isComplete(archivesFolder(cache, runtimes))
