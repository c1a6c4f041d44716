import { randomUUID } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'

export interface ReplaceOptions {
  readonly mode?: number
  /** Whether the text must be on the disk when this resolves, so that a loss of power can't take it any more. */
  readonly lasting?: boolean
}

/**
 * Writes a file in one step: who reads it, also after a kill in the middle, finds the old text or the new, whole. Its
 * folder must exist. Where it fails, on a full disk perhaps, the old text stays and nothing else is left.
 */
export const replaceFile = async (
  file: string,
  text: string,
  { mode = 0o666, lasting = false }: ReplaceOptions = {},
): Promise<void> => {
  // Two at once, of one process or of several, must not write into one another's file.
  const beside = `${file}.${randomUUID()}.tmp`
  try {
    const handle = await open(beside, 'wx', mode)
    try {
      await handle.writeFile(text)
      if (lasting) await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(beside, file)
  } catch (error) {
    await rm(beside, { force: true }).catch(() => undefined)
    throw error
  }
}
