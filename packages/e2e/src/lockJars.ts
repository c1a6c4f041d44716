import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { assetPath, ensureRuntimes, type Runtimes } from '@offstream/pipeline'
import { describeFiles, retrieve } from '@offstream/runtime'
import { ivyOf, lockOf, type TestLibraries, testLibraries } from './testJars.ts'

/**
 * Writes a lock file: resolves the coordinates of `testJars.ts` and records every file with its digest. Run it after a
 * change of a version, by `pnpm --filter @offstream/e2e lock:jars`, and read the difference.
 */
const lockJars = async (name: TestLibraries, runtimes: Runtimes): Promise<void> => {
  const scratch = await mkdtemp(join(tmpdir(), 'offstream-lock-'))
  try {
    const jars = join(scratch, 'jars')
    await mkdir(jars)
    await retrieve(testLibraries[name], jars, scratch, {
      ...(await ivyOf(runtimes)),
      cache: join(scratch, 'cache'),
    })
    await mkdir(dirname(lockOf(name)), { recursive: true })
    await writeFile(lockOf(name), `${JSON.stringify(await describeFiles(jars), null, 2)}\n`)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

const runtimes = await ensureRuntimes({
  environment: process.env,
  ivySettings: assetPath(process.cwd(), 'config', 'ivysettings.xml'),
})
for (const name of Object.keys(testLibraries) as TestLibraries[]) await lockJars(name, runtimes)
