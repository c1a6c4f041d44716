import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { sizeOf } from './folderSize.ts'

test('the size of a folder is that of its files, without what links lead to', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'offstream-size-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await mkdir(join(folder, 'comb', 'cell'), { recursive: true })
  await writeFile(join(folder, 'comb', 'cell', 'honey'), '12345')
  await writeFile(join(folder, 'wax'), '123')
  const links = await mkdtemp(join(tmpdir(), 'offstream-links-'))
  onTestFinished(() => rm(links, { recursive: true }))
  await symlink(folder, join(links, 'hive'))
  expect([
    ...[await sizeOf(folder, 'length'), await sizeOf(join(folder, 'wax'), 'length')],
    ...[(await sizeOf(links, 'length')) === folder.length, await sizeOf(join(folder, 'none'), 'length')],
  ]).toEqual([8, 3, true, null])
})

test('on the disk a hole in a file takes no space', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'offstream-size-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'index'), '')
  await truncate(join(folder, 'index'), 100_000_000)
  const [length, disk] = [await sizeOf(folder, 'length'), await sizeOf(folder, 'disk')]
  expect([length, (disk ?? 0) < 1_000_000]).toEqual([100_000_000, true])
})
