import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folders that come with offstream and are not TypeScript. */
export type AssetFolder = 'config' | 'charts' | 'spark-jobs'

// The installed package has one folder `assets` beside its code (packages/cli/rolldown.config.ts puts it there); in the
// repository each thing lies where people look for it.
const packed = fileURLToPath(new URL('./assets/', import.meta.url))
const installed = existsSync(packed)
const root = installed ? packed : fileURLToPath(new URL('../../../../', import.meta.url))
const locks = installed ? join(packed, 'locks') : fileURLToPath(new URL('../../locks/', import.meta.url))

/** The path of a file that comes with offstream, whatever a project has of its own. */
export const shippedPath = (...names: readonly string[]): string => join(root, ...names)

/**
 * The path of a file that comes with offstream. A project's own copy, where it has one, wins: whoever edits
 * `config/views.sql` beside `offstream.yaml` means it.
 */
export const assetPath = (projectDirectory: string, folder: AssetFolder, name = ''): string => {
  const own = join(projectDirectory, folder, name)
  return existsSync(own) ? own : shippedPath(folder, name)
}

/** The path of a lock file of this package. */
export const lockPath = (name: string): string => join(locks, name)
