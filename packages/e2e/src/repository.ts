import { readdirSync, readFileSync } from 'node:fs'
import { extname, join, relative } from 'node:path'

export const root = join(import.meta.dirname, '../../..')

/** Folders of builds, caches and dependencies. Hidden folders are skipped too, except `.github`. */
const ignored = /^(node_modules|dist|coverage|__pycache__|spark-warehouse|metastore_db|\.(?!github$).*)$/

/** The repository's files with one of these extensions (such as `.md`), as paths from the root. */
export const filesWith = (extensions: readonly string[], folder: string = root): readonly string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return ignored.test(entry.name) ? [] : filesWith(extensions, path)
    return extensions.includes(extname(entry.name)) ? [relative(root, path)] : []
  })

export const linesOf = (file: string): readonly string[] => readFileSync(join(root, file), 'utf8').split('\n')
