import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { identify } from '@offstream/runtime'

const prefix = 'offstream-chromium-'

/**
 * Creates a folder for the profile of one Chromium and all other files of Playwright, with the pid of this process in
 * its name. Folders of processes that no longer exist are deleted: Playwright's own folders would stay after a kill.
 */
export const browserFolder = async (): Promise<string> => {
  const names = await readdir(tmpdir()).catch(() => [])
  for (const name of names) {
    const pid = Number(new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1])
    // Folders of other users cannot and do not have to be deleted.
    if (pid > 0 && (await identify(pid)) === null) await removeFolder(join(tmpdir(), name))
  }
  return mkdtemp(join(tmpdir(), `${prefix}${process.pid}-`))
}

/** Deletes the folder. If the browser is still writing, the start of the next browser deletes the rest. */
export const removeFolder = (folder: string): Promise<void> =>
  rm(folder, { recursive: true, force: true, maxRetries: 5 }).catch(() => undefined)
