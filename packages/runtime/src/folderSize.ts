import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** `length`: bytes that can be read. `disk`: bytes of the disk's blocks; less for a file with holes. */
export type SizeKind = 'length' | 'disk'

/**
 * The size of a file, or of everything in a folder; links are not followed. The folder may change meanwhile: what is
 * deleted in time does not count.
 * @returns null if the path does not exist
 */
export const sizeOf = async (path: string, kind: SizeKind): Promise<number | null> => {
  const stats = await lstat(path).catch(() => null)
  if (stats === null) return null
  const own = kind === 'disk' ? stats.blocks * blockBytes : stats.isDirectory() ? 0 : stats.size
  if (!stats.isDirectory()) return own
  const names = await readdir(path).catch(() => [])
  const sizes = await Promise.all(names.map(name => sizeOf(join(path, name), kind)))
  return sizes.reduce<number>((sum, size) => sum + (size ?? 0), own)
}

/** The unit of `st_blocks`, whatever the block size of the file system. */
const blockBytes = 512
