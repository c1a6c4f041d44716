import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { initProject } from './init.ts'
import { loadProject } from './project.ts'

const scratch = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'offstream-path-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

test.each([...',:?#%"\\{}[]*<>|^`\n\t\u007f'])(
  'a project path with the character %j is rejected before anything is created',
  async character => {
    const parent = await scratch()
    const folder = join(parent, `my${character}project`, 'inner')
    const expected = {
      code: 'PATH_UNSUPPORTED',
      outcome: 'config',
      message: expect.stringContaining('cannot be in the path of a project'),
    }
    await expect(initProject({ folder, contact: null, bare: true })).rejects.toMatchObject(expected)
    expect(await readdir(parent)).toEqual([])

    await mkdir(folder, { recursive: true })
    await expect(loadProject({ from: folder, environment: {} })).rejects.toMatchObject(expected)
    expect(await readdir(folder)).toEqual([])
  },
)

test('the message for an unsupported path names the character and the path', async () => {
  const parent = await scratch()
  await expect(loadProject({ from: join(parent, 'a,b'), environment: {} })).rejects.toThrow(
    `\`,\` cannot be in the path of a project: \`${parent}/a,b\``,
  )
  await expect(loadProject({ from: join(parent, 'a\nb'), environment: {} })).rejects.toThrow(
    `A control character cannot be in the path of a project: \`${parent}/a\\nb\``,
  )
})

test.each([
  "it's",
  '$HOME',
  'a & b',
  '(old)',
  'a+b=c;d',
  'x@y~z!',
  'trailing blank ',
  ' leading',
  'été 🥖',
  '’',
])('a project path with `%s` is supported', async name => {
  const folder = join(await scratch(), name)
  await initProject({ folder, contact: null, bare: true })
  expect((await loadProject({ from: folder, environment: {} })).directory).toBe(folder)
})
