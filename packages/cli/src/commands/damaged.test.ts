import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { directoriesOf, stateFolder } from '@offstream/pipeline'
import { expect, onTestFinished, test, vi } from 'vitest'
import { runCommand } from '../testCommand.ts'

const projectOf = async (yaml: string): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'offstream-damaged-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  await writeFile(join(directory, 'offstream.yaml'), yaml)
  return directory
}

const logLine = '2026-11-26T06:00:00.000Z INFO  daemon: kafka is ready'

/** `down`, `logs` and `status` in this project: exit status, standard output and standard error of each. */
const runAll = async (project: string) => {
  const state = stateFolder(project, null)
  const { logs } = directoriesOf(state)
  await mkdir(logs, { recursive: true })
  await writeFile(join(logs, 'daemon.log'), `${logLine}\n`)
  return {
    logs: await runCommand(['logs'], { project }),
    status: await runCommand(['status'], { project }),
    down: await runCommand(['down'], { project }),
  }
}

const working = (note: unknown) => ({
  logs: { stdout: expect.stringContaining('kafka is ready'), stderr: '', exitCode: 0 },
  status: {
    stdout: expect.stringMatching(/^○ stopped\n(?:.*\n)*kafka +stopped +127\.0\.0\.1:9092\n/),
    stderr: note,
    exitCode: 3,
  },
  down: { stdout: '', stderr: 'Nothing was running. Next: `offstream up`\n', exitCode: 0 },
})

test('`down`, `logs` and `status` work with an invalid offstream.yaml, and `status` shows its problems', async () => {
  const project = await projectOf('kafka:\n  prot: 9093\n')
  const problem = `${project}/offstream.yaml:2: kafka.prot: unknown setting; did you mean \`kafka.port\`?`
  expect(await runAll(project)).toEqual(
    working(
      `The configuration has a problem:\n  ${problem}\nThis status uses the default settings.\nNothing is running. Next: \`offstream up\`\n`,
    ),
  )
})

test('`down`, `logs` and `status` work with an offstream.yaml that is not valid YAML', async () => {
  const project = await projectOf('kafka:\n  port: [1\n')
  expect(await runAll(project)).toEqual(working(expect.stringContaining(`${project}/offstream.yaml:`)))
})

test('`down`, `logs` and `status` work with an unknown environment variable', async () => {
  vi.stubEnv('OFFSTREAM_BEES', '1')
  onTestFinished(() => void vi.unstubAllEnvs())
  expect(await runAll(await projectOf(''))).toEqual(
    working(expect.stringContaining('environment OFFSTREAM_BEES: unknown setting\n')),
  )
})

test.each(['', '{', 'null', '[]', '{}', '{"version":1}'])(
  '`down`, `logs` and `status` work with state files that contain `%s`',
  async text => {
    const project = await projectOf('')
    const { run, records, fetched, streamProgress } = directoriesOf(stateFolder(project, null))
    for (const file of [
      join(run, 'stack.json'),
      join(records, 'kafka.json'),
      join(records, 'other.json'),
      fetched,
      streamProgress,
    ]) {
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, text)
    }
    const { status, ...others } = await runAll(project)
    expect(others).toMatchObject({ logs: { exitCode: 0 }, down: { exitCode: 0 } })
    expect(status).toMatchObject({ stdout: expect.stringContaining('fetched 0'), exitCode: 3 })
  },
)
