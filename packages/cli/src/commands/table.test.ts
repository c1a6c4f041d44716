import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { directoriesOf, stateFolder } from '@offstream/pipeline'
import { identify, ServiceRecords } from '@offstream/runtime'
import { expect, onTestFinished, test } from 'vitest'
import { runCommand } from '../testCommand.ts'

/** The folder of a project whose stack is stopped. */
const project = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'offstream-table-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'offstream.yaml'), 'thrift:\n  port: 1\n')
  return folder
}

/** Records this process as the stream of the project. */
const withStream = async (folder: string): Promise<void> => {
  const self = (await identify(process.pid)) ?? expect.fail()
  await new ServiceRecords(directoriesOf(stateFolder(folder, null)).records).keep({
    ...{ name: 'products-stream', phase: 'running', ...self, port: null, logFile: '/dev/null', restarts: 0 },
    ...{ startedAt: new Date().toISOString(), detail: null },
  })
}

test.each([
  { words: ['table'] },
  { words: ['table', 'history'] },
  { words: ['table', 'optimize'] },
  { words: ['table', 'rollback', '--to', '1'] },
  { words: ['repair'] },
  { words: ['repair', '--dry-run'] },
])('`$words` needs the Thrift server', async ({ words }) => {
  await expect(runCommand(words, { project: await project() })).rejects.toMatchObject({
    code: 'THRIFT_UNREACHABLE',
  })
})

test.each([{ words: ['table', 'rollback', '--to', '1'] }, { words: ['repair'] }])(
  '`$words` is refused while the stream is running, before anything is queried',
  async ({ words }) => {
    const folder = await project()
    await withStream(folder)
    await expect(runCommand(words, { project: folder })).rejects.toMatchObject({
      code: 'STREAM_RUNNING',
      outcome: 'locked',
      message: `The stream is running (pid ${process.pid})`,
      hint: expect.stringContaining('`offstream down`'),
    })
  },
)

test('the id of a snapshot is a number', async () => {
  await expect(
    runCommand(['table', 'rollback', '--to', 'latest'], { project: await project() }),
  ).rejects.toThrow('It must be the id of a snapshot.')
})
