import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheDirectory } from '@offstream/pipeline'
import { execa } from 'execa'
import { root } from './repository.ts'

const installTimeoutMs = 600_000

/**
 * A virtual environment with the packages of `packages/e2e/<name>/requirements.txt`, in the cache of offstream. It is
 * installed once.
 * @returns its folder
 */
export const installedPython = async (name: string): Promise<string> => {
  const requirements = join(root, 'packages/e2e', name, 'requirements.txt')
  const text = await readFile(requirements, 'utf8')
  const version = createHash('sha256').update(text).digest('hex').slice(0, 12)
  const folder = join(cacheDirectory(process.env), `${name}-${version}`)
  // Not renamed when complete: the scripts of a virtual environment contain its path.
  const complete = join(folder, 'complete')
  if (existsSync(complete)) return folder
  await rm(folder, { recursive: true, force: true })
  await execa('python3', ['-m', 'venv', folder])
  const install = ['-m', 'pip', 'install', '--quiet', '--requirement', requirements]
  await execa(join(folder, 'bin/python'), install, { timeout: installTimeoutMs })
  await writeFile(complete, '')
  return folder
}
