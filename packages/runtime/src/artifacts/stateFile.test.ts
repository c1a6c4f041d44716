import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { onDamagedState, readState, updateState, writeState } from './stateFile.ts'

const Hive = z.object({ bees: z.int() })

const damages = new Map<string, string>()
onDamagedState(({ file, reason }) => damages.set(file, reason))

const scratch = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'offstream-state-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return { folder, file: join(folder, 'hive.json') }
}

test('state is read as it was written, with its mode, and nothing else remains in the folder', async () => {
  const { folder, file } = await scratch()
  await writeFile(file, 'old')
  await chmod(file, 0o644)
  await writeState(file, { bees: 7 }, { durable: true })
  expect([await readState(file, Hive), (await stat(file)).mode & 0o777, await readdir(folder)]).toEqual([
    { bees: 7 },
    0o600,
    ['hive.json'],
  ])
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ version: 1, bees: 7 })
})

test('the folder of a state file is created for this user alone', async () => {
  const { folder } = await scratch()
  await writeState(join(folder, 'deep', 'hive.json'), { bees: 7 })
  expect((await stat(join(folder, 'deep'))).mode & 0o777).toBe(0o700)
})

test('an absent state file is not reported as damaged', async () => {
  const { file } = await scratch()
  expect([await readState(file, Hive), await readState(join(file, 'below'), Hive)]).toEqual([null, null])
  expect(damages.get(file)).toBeUndefined()
})

test.each([
  ['an empty file', '', 'it is not valid JSON'],
  ['a file that was cut off', '{"version":1,"be', 'it is not valid JSON'],
  ['binary data', '\0\xff\0', 'it is not valid JSON'],
  ['a list', '[]', 'it is not a JSON object with a `version`'],
  ['null', 'null', 'it is not a JSON object with a `version`'],
  ['a file without a version', '{"bees":7}', 'it is not a JSON object with a `version`'],
  ['a file of a later version', '{"version":2,"bees":7}', 'it has version 2, not 1'],
  ['a wrong value', '{"version":1,"bees":"many"}', '`bees`: Invalid input: expected number, received string'],
])('%s counts as absent and is reported', async (_, text, reason) => {
  const { file } = await scratch()
  await writeFile(file, text)
  expect(await readState(file, Hive)).toBeNull()
  expect(damages.get(file)).toBe(reason)
})

test('a folder in the place of a state file counts as absent and is reported', async () => {
  const { file } = await scratch()
  await mkdir(file)
  expect(await readState(file, Hive)).toBeNull()
  expect(damages.get(file)).toContain('EISDIR')
})

test('updates at the same time all take effect', async () => {
  const { folder, file } = await scratch()
  const more = () => updateState(file, Hive, hive => ({ bees: (hive?.bees ?? 0) + 1 }))
  await Promise.all(Array.from({ length: 10 }, more))
  expect([await readState(file, Hive), await readdir(folder)]).toEqual([{ bees: 10 }, ['hive.json']])
})

test('writes at the same time leave one whole state', async () => {
  const { folder, file } = await scratch()
  await Promise.all(Array.from({ length: 20 }, (_, bees) => writeState(file, { bees })))
  expect(await readState(file, Hive)).toEqual({ bees: expect.any(Number) })
  expect(await readdir(folder)).toEqual(['hive.json'])
})

test('if a state file cannot be replaced, the old one remains and nothing else', async () => {
  const { folder, file } = await scratch()
  // A file cannot replace a folder.
  await mkdir(join(file, 'comb'), { recursive: true })
  await expect(writeState(file, { bees: 7 })).rejects.toMatchObject({ code: 'EISDIR' })
  expect((await readdir(folder, { recursive: true })).sort()).toEqual(['hive.json', 'hive.json/comb'])
})
