import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { localInput } from './input.ts'

const run = promisify(execFile)
const signal = new AbortController().signal

let directory: string
let file: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'offstream-input é-'))
  file = join(directory, 'a b.jsonl')
  await writeFile(file, 'abc')
})
afterAll(() => rm(directory, { recursive: true }))

const textOf = async (location: string): Promise<string> => {
  let text = ''
  for await (const chunk of (await localInput(location, signal)).chunks()) text += chunk.toString()
  return text
}

test('a path and a file address are read', async () => {
  expect([await textOf(file), await textOf(pathToFileURL(file).href)]).toEqual(['abc', 'abc'])
})

test('a named pipe is read as a pipe', async () => {
  const pipe = join(directory, 'pipe')
  await run('mkfifo', [pipe])
  const [text] = await Promise.all([textOf(pipe), writeFile(pipe, 'abc')])
  expect([text, (await localInput('/dev/null', signal)).isLive]).toEqual(['abc', true])
})

test.each(['file:///nowhere/a%20b', 'file://elsewhere/a', '/nowhere'])(
  '%s is FILE_MISSING',
  async location => {
    await expect(localInput(location, signal)).rejects.toMatchObject({
      ...{ code: 'FILE_MISSING', message: expect.stringContaining(location) },
    })
  },
)
