import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheDirectory, type Runtimes } from '@offstream/pipeline'
import { ensureJars, type Ivy, type LockedFile } from '@offstream/runtime'
import { root } from './repository.ts'

/** The servers of the tests that are written in Java, and what they need on their class path. */
export const testLibraries = {
  hadoop: {
    name: 'Hadoop test clusters 3.4.2',
    // In `hadoop-client-minicluster`, which has fewer jars, the web services of YARN return status 500.
    coordinates: ['org.apache.hadoop:hadoop-minicluster:3.4.2'],
    excludes: [],
  },
  'iceberg-rest': {
    name: "Iceberg's REST server 1.11.0",
    // The newest version that is published.
    coordinates: [
      'org.apache.iceberg:iceberg-open-api:1.11.0:test-fixtures',
      'org.apache.iceberg:iceberg-core:1.11.0',
      'org.apache.iceberg:iceberg-core:1.11.0:tests',
      'org.eclipse.jetty.ee10:jetty-ee10-servlet:12.1.5',
      'org.eclipse.jetty.compression:jetty-compression-server:12.1.5',
      'org.eclipse.jetty.compression:jetty-compression-gzip:12.1.5',
      'org.xerial:sqlite-jdbc:3.49.1.0',
      'org.slf4j:slf4j-simple:2.0.17',
      'org.apache.hadoop:hadoop-client-runtime:3.4.2',
    ],
    excludes: [],
  },
  ldap: {
    name: 'UnboundID LDAP server 7.0.3',
    coordinates: ['com.unboundid:unboundid-ldapsdk:7.0.3'],
    excludes: [],
  },
}
/** A name of `testLibraries`. */
export type TestLibraries = keyof typeof testLibraries

/** The lock file with the hash of each jar. */
export const lockOf = (name: TestLibraries): string => join(root, 'packages/e2e', name, 'jars.lock.json')

/** The Ivy in Spark's jars. */
export const ivyOf = async ({ java, sparkHome, ivy }: Runtimes): Promise<Ivy> => {
  const jars = join(sparkHome, 'jars')
  const jar = (await readdir(jars)).find(name => /^ivy-[\d.]+\.jar$/.test(name)) ?? ''
  return { java, jar: join(jars, jar), ...ivy, env: { PATH: process.env['PATH'] ?? '' }, javaOptions: [] }
}

/** The folder of the jars in the cache of offstream. They are downloaded and verified once. */
export const testJars = async (name: TestLibraries, runtimes: Runtimes): Promise<string> => {
  const text = await readFile(lockOf(name), 'utf8')
  const jars: readonly LockedFile[] = JSON.parse(text)
  const version = createHash('sha256').update(text).digest('hex').slice(0, 12)
  const folder = join(cacheDirectory(process.env), `${name}-${version}`)
  await ensureJars({ ...testLibraries[name], jars }, folder, await ivyOf(runtimes))
  return folder
}
