import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { directoriesOf, stateFolder } from '@offstream/pipeline'
import { identify, ServiceRecords } from '@offstream/runtime'
import { expect, onTestFinished, test } from 'vitest'
import { runCommand } from '../testCommand.ts'

/** The folder of a project with a profile for other tables. */
const project = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'offstream-lake-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'offstream.yaml'), 'profiles:\n  other:\n    thrift: {port: 10001}\n')
  return folder
}

const migrate = (folder: string, to: string) =>
  runCommand(['lake', 'migrate', '--to', to], { project: folder })

test('tables move only to a profile that exists', async () => {
  await expect(migrate(await project(), 'prod')).rejects.toMatchObject({ code: 'PROFILE_UNKNOWN' })
})

test.each([
  { stream: 'old', profile: null },
  { stream: 'new', profile: 'other' },
])('no table moves while the stream of the $stream tables is running', async ({ profile }) => {
  const folder = await project()
  const self = (await identify(process.pid)) ?? expect.fail()
  await new ServiceRecords(directoriesOf(stateFolder(folder, null, profile)).records).keep({
    ...{ name: 'products-stream', phase: 'running', ...self, port: null, logFile: '/dev/null', restarts: 0 },
    ...{ startedAt: new Date().toISOString(), detail: null },
  })
  await expect(migrate(folder, 'other')).rejects.toMatchObject({ code: 'STREAM_RUNNING' })
})
