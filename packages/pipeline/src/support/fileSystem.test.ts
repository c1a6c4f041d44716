import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { fileSystemOf, supportsCatalog } from './fileSystem.ts'

const folder = async (name: string): Promise<string> => {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'offstream-mounts-')))
  onTestFinished(() => rm(root, { recursive: true }))
  const path = join(root, name, 'project')
  await mkdir(path, { recursive: true })
  return path
}

test.each([
  ['9p', false],
  ['drvfs', false],
  ['nfs4', false],
  ['cifs', false],
  ['smb3', false],
  ['fuse.sshfs', false],
  ['fuse.fuse-overlayfs', true],
  ['ext4', true],
  ['overlay', true],
])('on Linux the nearest mount counts: %s', async (type, supported) => {
  const project = await folder('my disk')
  const mountPoint = join(project, '..')
  const mounts = `22 1 254:0 / / rw,relatime - ext3 /dev/vda rw
36 22 0:30 / ${mountPoint.replaceAll(' ', '\\040')} rw,noatime shared:1 master:2 - ${type} C:\\134 rw,dirsync
37 22 0:31 / ${mountPoint.replaceAll(' ', '\\040')}-other rw - tmpfs tmpfs rw
`
  const found = await fileSystemOf(project, async () => mounts)
  expect(found).toEqual({ type, mountPoint })
  expect(found === null ? null : supportsCatalog(found)).toBe(supported)
})

test('a share is recognised in what `mount` prints on macOS', async () => {
  const project = await folder('my disk')
  const mountPoint = join(project, '..')
  const mounts = `/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)
//me@server/my share on ${mountPoint} (smbfs, nodev, nosuid, mounted by me)
`
  const found = await fileSystemOf(project, async () => mounts)
  expect(found).toEqual({ type: 'smbfs', mountPoint })
  expect(found === null ? null : supportsCatalog(found)).toBe(false)
})

test('the file system of this machine is found, and one that cannot be read is unknown', async () => {
  expect(await fileSystemOf(tmpdir())).toMatchObject({ mountPoint: expect.stringMatching(/^\//) })
  expect(await fileSystemOf(tmpdir(), () => Promise.reject(new Error('no /proc')))).toBeNull()
})
