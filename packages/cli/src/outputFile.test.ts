import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { writeFileOfParts } from './outputFile.ts'

const never = new AbortController().signal

async function* parts(...all: readonly (string | Error)[]): AsyncGenerator<string, void, undefined> {
  for (const part of all) {
    if (part instanceof Error) throw part
    yield part
  }
}

const folder = async () => {
  const created = await mkdtemp(join(tmpdir(), 'offstream-output-'))
  onTestFinished(() => rm(created, { recursive: true }))
  return created
}

test('a file appears when it is complete', async () => {
  const directory = await folder()
  const seen: string[][] = []
  async function* observed() {
    yield 'one\n'
    seen.push(await readdir(directory))
    yield 'two\n'
  }
  await writeFileOfParts(join(directory, 'rows.csv'), observed(), never)
  expect(seen).toEqual([[expect.stringMatching(/^\.rows\.csv\.\w+\.partial$/)]])
  expect(await readdir(directory)).toEqual(['rows.csv'])
  expect(await readFile(join(directory, 'rows.csv'), 'utf8')).toBe('one\ntwo\n')
})

test('after an error the folder is as before, with the existing file', async () => {
  const directory = await folder()
  const file = join(directory, 'rows.csv')
  await writeFile(file, 'before')
  await expect(writeFileOfParts(file, parts('one', new Error('no')), never)).rejects.toThrow('no')
  expect([await readdir(directory), await readFile(file, 'utf8')]).toEqual([['rows.csv'], 'before'])
})

test('an existing file keeps its permissions, and a link stays a link', async () => {
  const directory = await folder()
  await writeFile(join(directory, 'target'), 'before', { mode: 0o640 })
  await symlink('target', join(directory, 'link'))
  await writeFileOfParts(join(directory, 'link'), parts('after'), never)
  expect(await readFile(join(directory, 'target'), 'utf8')).toBe('after')
  expect((await stat(join(directory, 'target'))).mode & 0o777).toBe(0o640)
})

test('a device is written directly', async () => {
  await writeFileOfParts('/dev/null', parts('one'), never)
  expect((await stat('/dev/null')).isCharacterDevice()).toBe(true)
})

test('a partial file is deleted before a second Ctrl-C stops the process', async () => {
  const directory = await folder()
  const force = new AbortController()
  async function* interrupted() {
    yield 'one'
    force.abort()
    expect(await readdir(directory)).toEqual([])
    throw new Error('the process exits')
  }
  await expect(writeFileOfParts(join(directory, 'rows'), interrupted(), force.signal)).rejects.toThrow(
    'exits',
  )
})

test.each(['missing/rows.csv', 'folder'])('if `%s` cannot be written, the query is not read', async name => {
  const directory = await folder()
  await mkdir(join(directory, 'folder'))
  await expect(
    writeFileOfParts(join(directory, name), parts(new Error('read')), never),
  ).rejects.toMatchObject({ code: 'OUTPUT_UNWRITABLE', outcome: 'refused' })
})
