import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assetPath, ensureRuntimes } from '@offstream/pipeline'
import { describeFiles, retrieve } from '@offstream/runtime'
import { hadoopLibraries, hadoopLock, ivyOf } from './hadoopJars.ts'

/**
 * Writes `hadoop/jars.lock.json`: resolves the coordinates of `hadoopJars.ts` and records every file with its digest. Run it
 * after a change of a version, by `pnpm --filter @offstream/e2e lock:hadoop`, and read the difference.
 */
const lockHadoop = async (): Promise<void> => {
  const scratch = await mkdtemp(join(tmpdir(), 'offstream-lock-'))
  try {
    const runtimes = await ensureRuntimes({
      environment: process.env,
      ivySettings: assetPath(process.cwd(), 'config', 'ivysettings.xml'),
    })
    const jars = join(scratch, 'jars')
    await mkdir(jars)
    await retrieve(hadoopLibraries, jars, scratch, {
      ...(await ivyOf(runtimes)),
      cache: join(scratch, 'cache'),
    })
    await writeFile(hadoopLock, `${JSON.stringify(await describeFiles(jars), null, 2)}\n`)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

await lockHadoop()
