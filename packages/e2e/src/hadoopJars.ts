import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheDirectory, type Runtimes } from '@offstream/pipeline'
import { ensureJars, type Ivy, type LockedFile } from '@offstream/runtime'
import { root } from './repository.ts'

/** Hadoop's own test clusters, and what they need on their class path. */
export const hadoopLibraries = {
  name: 'Hadoop test clusters 3.4.2',
  // In `hadoop-client-minicluster`, which has fewer jars, the web services of YARN return status 500.
  coordinates: ['org.apache.hadoop:hadoop-minicluster:3.4.2'],
  excludes: [],
}

/** The lock file with the hash of each jar. */
export const hadoopLock = join(root, 'packages/e2e/hadoop/jars.lock.json')

/** The Ivy in Spark's jars. */
export const ivyOf = async ({ java, sparkHome, ivy }: Runtimes): Promise<Ivy> => {
  const jars = join(sparkHome, 'jars')
  const jar = (await readdir(jars)).find(name => /^ivy-[\d.]+\.jar$/.test(name)) ?? ''
  return { java, jar: join(jars, jar), ...ivy, env: { PATH: process.env['PATH'] ?? '' }, javaOptions: [] }
}

/** The folder of the jars in the cache of offstream. They are downloaded and verified once. */
export const hadoopJars = async (runtimes: Runtimes): Promise<string> => {
  const text = await readFile(hadoopLock, 'utf8')
  const jars: readonly LockedFile[] = JSON.parse(text)
  const version = createHash('sha256').update(text).digest('hex').slice(0, 12)
  const folder = join(cacheDirectory(process.env), `hadoop-${version}`)
  await ensureJars({ ...hadoopLibraries, jars }, folder, await ivyOf(runtimes))
  return folder
}
