import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Folders of offstream with files that a project can replace. */
export type AssetFolder = 'config' | 'charts' | 'spark-jobs'

// The installed package has the folder `assets` beside its code (see packages/cli/rolldown.config.ts); in the repository
// the folders are at the top.
const packed = fileURLToPath(new URL('./assets/', import.meta.url))
const installed = existsSync(packed)
const root = installed ? packed : fileURLToPath(new URL('../../../../', import.meta.url))
const locks = installed ? join(packed, 'locks') : fileURLToPath(new URL('../../locks/', import.meta.url))

/** The path of a file of offstream, also if a project has its own. */
export const shippedPath = (...names: readonly string[]): string => join(root, ...names)

/** The path of a file such as `config/views.sql`: the project's own if it has one, otherwise that of offstream. */
export const assetPath = (projectDirectory: string, folder: AssetFolder, name = ''): string => {
  const own = join(projectDirectory, folder, name)
  return existsSync(own) ? own : shippedPath(folder, name)
}

/** The program of the dashboard, as packages/dashboard and packages/cli build it. */
export const dashboardProgram = installed
  ? fileURLToPath(new URL('./dashboard.js', import.meta.url))
  : join(root, 'packages', 'dashboard', 'dist', 'main.js')
/** The folder with the page of the dashboard, as they build it. */
export const dashboardPage = installed
  ? join(packed, 'page')
  : join(root, 'packages', 'dashboard', 'dist', 'bundle')

/** The path of a lock file of this package. */
export const lockPath = (name: string): string => join(locks, name)
