import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { identify } from '@offstream/runtime'

const prefix = 'offstream-chromium-'

/**
 * Makes a folder for the profile of one Chromium and all that Playwright writes, named after this process. Playwright's
 * own temporary folders stay for ever when the process is killed; of these, those are cleared away here whose process
 * is no more.
 */
export const browserFolder = async (): Promise<string> => {
  const names = await readdir(tmpdir()).catch(() => [])
  for (const name of names) {
    const pid = Number(new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1])
    // Another user's can't be removed, and need not be.
    if (pid > 0 && (await identify(pid)) === null) await removeFolder(join(tmpdir(), name))
  }
  return mkdtemp(join(tmpdir(), `${prefix}${process.pid}-`))
}

/** Removes it; its browser may still be writing a last file. Where that is in vain, the next browser's start does it. */
export const removeFolder = (folder: string): Promise<void> =>
  rm(folder, { recursive: true, force: true, maxRetries: 5 }).catch(() => undefined)
