import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { runCommand } from '../testCommand.ts'

const emptyFolder = async (): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'offstream-init-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  return directory
}

test('`init` does not prompt without a terminal, and follows its options', async () => {
  const folder = join(await emptyFolder(), 'shop')
  const { stdout, stderr } = await runCommand(['init', folder, '--bare', '--contact', 'me@example.org'])

  expect(stdout.trim().split('\n')).toEqual([
    ...['.gitignore', 'Data-viz.twb', 'README.md', 'config/offstream.schema.json', 'offstream.yaml'],
  ])
  expect(stderr).toMatch(
    /^5 files written\. Next: `cd .*shop`, then `offstream doctor` and `offstream up`\n$/,
  )
  expect(await readFile(join(folder, 'offstream.yaml'), 'utf8')).toMatch(/^ {2}contact: "me@example\.org" /m)
})

test('`init` rejects a folder with a project, and `--json` lists the files that it wrote', async () => {
  const folder = await emptyFolder()
  const { stdout } = await runCommand(['init', folder], { json: true })

  const { files, ...result } = JSON.parse(stdout)
  expect(result).toEqual({ version: 1, kind: 'init', folder, unchanged: [] })
  expect((await readdir(folder)).sort()).toEqual([
    ...new Set(files.map((file: string) => file.split('/')[0])),
  ])
  await expect(runCommand(['init', folder])).rejects.toMatchObject({ code: 'PROJECT_EXISTS' })
})

test('`init --template` writes the template, and names what to read next', async () => {
  const folder = join(await emptyFolder(), 'shop')
  const { stdout, stderr } = await runCommand(['init', '--template', 'clickstream', folder])

  expect(stdout.split('\n')).toContain('jobs/clicks.py')
  expect(stderr).toMatch(/ files written\. Next: `cd .*shop`, then `offstream up`, and see `README\.md`\n$/)
})

test('an unknown template is an error that names the existing ones, and a template cannot be bare', async () => {
  const folder = await emptyFolder()
  await expect(runCommand(['init', '--template', 'shop', folder])).rejects.toMatchObject({
    message: expect.stringContaining('clickstream'),
  })
  await expect(runCommand(['init', '--template', 'clickstream', '--bare', folder])).rejects.toMatchObject({
    message: expect.stringContaining('--bare'),
  })
  expect(await readdir(folder)).toEqual([])
})
