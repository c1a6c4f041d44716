import { createHash } from 'node:crypto'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

/** sockaddr_un.sun_path: 108 bytes on Linux, 104 on macOS, the closing zero included. */
const longestPath = 103

/**
 * The address of the unix socket for a folder: in the folder itself, or, where that path is longer than a socket's
 * may be, a name made from it in the temporary folder.
 */
export const socketPath = (directory: string): string => {
  const own = join(directory, 'keeper.sock')
  if (Buffer.byteLength(own) <= longestPath) return own
  const name = createHash('sha256').update(directory).digest('hex').slice(0, 16)
  return join(tmpdir(), `keeper-${userInfo().uid}-${name}.sock`)
}
