import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { runCommand } from '../testCommand.ts'
import { version } from '../version.ts'

const emptyProject = async (): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'offstream-report-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  return directory
}

test('`report` writes a file that only its owner can read, and tells what is inside', async () => {
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

test('`report --output -` writes to standard output, and no report is written over another file', async () => {
  const project = await emptyProject()
  const { stdout } = await runCommand(['report', '--output', '-'], { project })

  expect(stdout.startsWith(`# Report of offstream ${version}, `)).toBe(true)
  await expect(runCommand(['report', '--output', project], { project })).rejects.toMatchObject({
    code: 'REPORT_UNWRITABLE',
    outcome: 'refused',
  })
})
