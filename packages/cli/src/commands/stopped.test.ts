import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { runCommand } from '../testCommand.ts'

const project = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'offstream-stopped-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'offstream.yaml'), '')
  return folder
}

const notRunning = { code: 'NOT_RUNNING', outcome: 'notRunning' }

test.each([
  [['restart', 'kavka'], { code: 'SERVICE_UNKNOWN', outcome: 'usage' }],
  [['restart'], { ...notRunning, message: 'Nothing is running' }],
  [['restart', 'thrift'], { ...notRunning, message: 'thrift is not running' }],
  [['topic', 'describe'], { ...notRunning, message: 'kafka is not running' }],
  [['topic', 'peek'], notRunning],
  [['topic', 'produce'], notRunning],
  [['topic', 'produce', '--key', 'session'], { code: 'OPTIONS_CONFLICT', outcome: 'usage' }],
  [['topic', 'produce', '--create'], { code: 'OPTIONS_CONFLICT', outcome: 'usage' }],
  [['topic', 'produce', '--file', '/nowhere/a.jsonl'], { code: 'FILE_MISSING', outcome: 'usage' }],
  [['wait', '--for', 'rows>=1', '--timeout', '10ms'], { code: 'WAIT_TIMEOUT', outcome: 'timeout' }],
])('`offstream %j` fails if the stack is not running', async (words, error) => {
  await expect(runCommand(words, { project: await project() })).rejects.toMatchObject(error)
})

test('a project folder that does not exist is rejected and not created', async () => {
  const folder = join(await project(), 'tpyo')
  await expect(runCommand(['status'], { project: folder })).rejects.toMatchObject({
    ...{ code: 'PROJECT_MISSING', outcome: 'usage', message: `The folder \`${folder}\` does not exist` },
  })
  await expect(stat(folder)).rejects.toMatchObject({ code: 'ENOENT' })
})

test('`wait --for stopped` returns at once if nothing is running', async () => {
  const { stdout } = await runCommand(['wait', '--for', 'stopped', '--for', 'kafka=stopped'], {
    ...{ project: await project(), json: true },
  })
  expect(JSON.parse(stdout)).toMatchObject({
    ...{ kind: 'wait', conditions: ['stopped', 'kafka=stopped'], seconds: expect.any(Number) },
    status: { state: 'stopped' },
  })
})
