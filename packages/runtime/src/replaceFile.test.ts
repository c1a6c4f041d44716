import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { replaceFile } from './replaceFile.ts'

const scratch = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'offstream-replace-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

test('a file is replaced as a whole, with its mode, and nothing stays beside it', async () => {
  const folder = await scratch()
  const file = join(folder, 'hive.json')
  await writeFile(file, 'old')
  await chmod(file, 0o644)
  await replaceFile(file, 'new', { mode: 0o600, lasting: true })
  expect([await readFile(file, 'utf8'), (await stat(file)).mode & 0o777, await readdir(folder)]).toEqual([
    'new',
    0o600,
    ['hive.json'],
  ])
})

test('many at once leave the text of one of them', async () => {
  const folder = await scratch()
  const texts = Array.from({ length: 20 }, (_, bee) => `${bee}`.repeat(10_000))
  await Promise.all(texts.map(text => replaceFile(join(folder, 'hive.json'), text)))
  expect(texts).toContain(await readFile(join(folder, 'hive.json'), 'utf8'))
  expect(await readdir(folder)).toEqual(['hive.json'])
})

test('where it can not be replaced, what was there stays, and nothing beside it', async () => {
  const folder = await scratch()
  // A folder is not replaced by a file.
  await mkdir(join(folder, 'hive.json', 'comb'), { recursive: true })
  await expect(replaceFile(join(folder, 'hive.json'), 'new')).rejects.toMatchObject({ code: 'EISDIR' })
  expect((await readdir(folder, { recursive: true })).sort()).toEqual(['hive.json', 'hive.json/comb'])
})
