import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeFiles, type Ivy, type JarSet, type LockedFile, retrieve } from '@offstream/runtime'
import { assetPath, lockPath } from '../project/assets.ts'
import {
  additionalLibraries,
  connectorLibraries,
  ensureSpark,
  kafkaLibraries,
  kraftLibraries,
} from './distributions.ts'

/**
 * Writes `locks/jars.lock.json`: resolves the coordinates of `distributions.ts` and records every file with its digest.
 * Run it after a change of a version, by `pnpm --filter @offstream/pipeline lock:runtimes`, and read the difference.
 */
const lockRuntimes = async (): Promise<void> => {
  const ivySettings = assetPath(process.cwd(), 'config', 'ivysettings.xml')
  const { ivy } = await ensureSpark({ environment: process.env, ivySettings })
  const lock = {
    kafka: await resolved(kafkaLibraries, ivy),
    kraft: await resolved(kraftLibraries, ivy),
    connectors: await resolved(connectorLibraries, ivy),
    postgresql: await resolved(additionalLibraries.postgresql, ivy),
    icebergAws: await resolved(additionalLibraries.icebergAws, ivy),
    hadoopAws: await resolved(additionalLibraries.hadoopAws, ivy),
  }
  await writeFile(lockPath('jars.lock.json'), `${JSON.stringify(lock, null, 2)}\n`)
}

const resolved = async (set: Omit<JarSet, 'jars'>, ivy: Ivy): Promise<LockedFile[]> => {
  const scratch = await mkdtemp(join(tmpdir(), 'offstream-lock-'))
  try {
    const jars = join(scratch, 'jars')
    await mkdir(jars)
    await retrieve(set, jars, scratch, { ...ivy, cache: join(scratch, 'cache') })
    return await describeFiles(jars)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

await lockRuntimes()
