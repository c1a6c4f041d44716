import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { runCommand } from '../testCommand.ts'
import { version } from '../version.ts'

// The doctor starts Java and Python and lists all processes, which takes long on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const emptyProject = async (): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'offstream-report-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  return directory
}

test('`report` writes a file that only its owner can read, and lists its sections', async () => {
  vi.stubEnv('OFFSTREAM_WEB_CONTACT', 'planted-contact')
  onTestFinished(() => void vi.unstubAllEnvs())
  const project = await emptyProject()
  const file = join(project, 'report.md')
  const { stdout, stderr } = await runCommand(['report', '--output', file], { project })

  const text = await readFile(file, 'utf8')
  expect(text.startsWith(`# Report of offstream ${version}, `)).toBe(true)
  expect(text).not.toContain('planted')
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  const titles = [...text.matchAll(/^## (.+)$/gm)].map(([, title]) => title)
  expect(
    stdout
      .trim()
      .split('\n')
      .slice(1)
      .map(line => line.split(/ {2,}/)[0]),
  ).toEqual(titles)
  expect(stderr).toContain('read it before you share it')
})

test('`report --output -` prints to standard output', async () => {
  const { stdout } = await runCommand(['report', '--output', '-'], { project: await emptyProject() })
  expect(stdout.startsWith(`# Report of offstream ${version}, `)).toBe(true)
})

test('`report` overwrites no file, and leaves no file if it fails', async () => {
  const project = await emptyProject()
  await writeFile(join(project, 'mine.md'), 'mine')
  const over = runCommand(['report', '--output', join(project, 'mine.md')], { project })
  await expect(over).rejects.toMatchObject({ code: 'REPORT_UNWRITABLE', outcome: 'refused' })
  const settings = ['kafka.port=0']
  const failing = runCommand(['report', '--output', join(project, 'new.md')], { project, settings })
  await expect(failing).rejects.toMatchObject({ code: 'CONFIG_INVALID' })

  expect(await readdir(project)).toEqual(['mine.md'])
  expect(await readFile(join(project, 'mine.md'), 'utf8')).toBe('mine')
})
