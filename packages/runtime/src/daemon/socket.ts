import { createHash } from 'node:crypto'
import { lstat, mkdir } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { RuntimeError } from '../errors.ts'

/** sockaddr_un.sun_path: 108 bytes on Linux, 104 on macOS, including the final zero. */
const maxPathBytes = 103

/**
 * The path of the unix socket of a folder: in the folder itself or, if that path is too long for a socket, a name made
 * from it in a folder of this user.
 */
export const socketPath = (directory: string): string => {
  const own = join(directory, 'daemon.sock')
  if (Buffer.byteLength(own) <= maxPathBytes) return own
  const name = createHash('sha256').update(directory).digest('hex').slice(0, 16)
  // Not TMPDIR: two terminals of one user may have different ones, but all commands need the same path.
  return join('/tmp', `daemon-${userInfo().uid}`, `${name}.sock`)
}

/**
 * Makes a folder for sockets unless it exists, and checks that only this user can use it: otherwise another user could
 * respond in place of the daemon.
 * @throws OffstreamError FOLDER_INSECURE
 */
export const ensureOwnFolder = async (folder: string): Promise<void> => {
  await mkdir(folder, { mode: 0o700 }).catch(error => {
    if (error.code !== 'EEXIST') throw error
  })
  // A link counts as itself, not as the folder that it leads to.
  const stats = await lstat(folder)
  if (stats.isDirectory() && stats.uid === userInfo().uid && (stats.mode & 0o077) === 0) return
  throw new RuntimeError(
    'FOLDER_INSECURE',
    `Other users can write to \`${folder}\`, the folder of the daemon's socket`,
    {
      hint: 'delete it, or move the project to a shorter path',
    },
  )
}
