import { readFile, realpath } from 'node:fs/promises'

/** The file system of a folder. */
export interface FileSystem {
  /** As the system calls it, such as `ext4`, `9p` or `nfs4`. */
  readonly type: string
  readonly mountPoint: string
}

/**
 * Types on which a SQLite file with a write-ahead log fails: its processes share memory through a file (`-shm`), and
 * these lock or map files only partly. Windows drives under WSL are `9p` or `drvfs`.
 */
const withoutSharedMemory =
  /^(?:drvfs|9p|nfs\d?|cifs|smb\w*|afpfs|webdav|vboxsf|vmhgfs|prl_fs|fuse\.(?!fuse-overlayfs$).*)$/

/** Whether the table's catalog works on this file system. */
export const supportsCatalog = ({ type }: FileSystem): boolean => !withoutSharedMemory.test(type)

/**
 * The file system of a folder that exists; null if the system does not say.
 * @param mounts reads the list of mounts, in the form of `/proc/self/mountinfo` or of the command `mount`
 */
export const fileSystemOf = async (folder: string, mounts = readMounts): Promise<FileSystem | null> => {
  const path = await realpath(folder)
  const all = (await mounts().catch(() => '')).split('\n').flatMap(line => parseMount(line) ?? [])
  // Of several mounts on one folder the last one counts.
  return all.reduce<FileSystem | null>(
    (best, one) =>
      isBelow(path, one.mountPoint) && one.mountPoint.length >= (best?.mountPoint.length ?? 0) ? one : best,
    null,
  )
}

const readMounts = async (): Promise<string> => {
  if (process.platform === 'linux') return readFile('/proc/self/mountinfo', 'utf8')
  const { execa } = await import('execa')
  return (await execa('/sbin/mount', [], { stdin: 'ignore' })).stdout
}

const isBelow = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`)

const parseMount = (line: string): FileSystem | null => {
  // Linux, see proc_pid_mountinfo(5): 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw
  const linux = /^\d+ \d+ \S+ \S+ (\S+) .*? - (\S+) /.exec(line)
  if (linux !== null) return { mountPoint: unescaped(linux[1] ?? ''), type: linux[2] ?? '' }
  // macOS: //me@server/share on /Volumes/share (smbfs, nodev, nosuid)
  const mac = /^.* on (\/.*) \((\w+)[,)]/.exec(line)
  return mac === null ? null : { mountPoint: mac[1] ?? '', type: mac[2] ?? '' }
}

/** A blank, for example, is written as `\040`. */
const unescaped = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
