import { createHash } from 'node:crypto'
import { lstat, mkdir } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { RuntimeError } from '../errors.ts'

/** sockaddr_un.sun_path: 108 bytes on Linux, 104 on macOS, the closing zero included. */
const longestPath = 103

/**
 * The address of the unix socket for a folder: in the folder itself, or, where that path is longer than a socket's
 * may be, a name made from it in a folder of this user.
 */
export const socketPath = (directory: string): string => {
  const own = join(directory, 'daemon.sock')
  if (Buffer.byteLength(own) <= longestPath) return own
  const name = createHash('sha256').update(directory).digest('hex').slice(0, 16)
  // Not that of TMPDIR, in which two terminals of one person may differ: all must come to the same place.
  return join('/tmp', `daemon-${userInfo().uid}`, `${name}.sock`)
}

/**
 * Sees to it that a folder for sockets is this user's alone, and makes it where it is not there: in one that is open to
 * all, whoever comes first could answer in the daemon's place.
 * @throws OffstreamError FOLDER_INSECURE
 */
export const ensureOwnFolder = async (folder: string): Promise<void> => {
  await mkdir(folder, { mode: 0o700 }).catch(error => {
    if (error.code !== 'EEXIST') throw error
  })
  // Not where a link leads to.
  const stats = await lstat(folder)
  if (stats.isDirectory() && stats.uid === userInfo().uid && (stats.mode & 0o077) === 0) return
  throw new RuntimeError(
    'FOLDER_INSECURE',
    `\`${folder}\`, where a socket has to lie, is open to other users`,
    {
      hint: 'remove it, or use a project folder with a shorter path, which needs no other place',
    },
  )
}
