import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folders that come with offstream and are not TypeScript. */
export type AssetFolder = 'config' | 'charts' | 'spark-jobs'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/**
 * The path of a file that comes with offstream. A project's own copy, where it has one, wins: whoever edits
 * `config/views.sql` beside `offstream.yaml` means it.
 */
export const assetPath = (projectDirectory: string, folder: AssetFolder, name = ''): string => {
  const own = join(projectDirectory, folder, name)
  return existsSync(own) ? own : join(root, folder, name)
}

/** The path of a lock file of this package. */
export const lockPath = (name: string): string => fileURLToPath(new URL(`../locks/${name}`, import.meta.url))
