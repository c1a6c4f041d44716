import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Config } from '@offstream/pipeline'
import { expect, onTestFinished, test, vi } from 'vitest'
import { runCommand } from '../testCommand.ts'
import { recordRunningStack } from '../testRunningStack.ts'

const projectOf = async (yaml: string): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'offstream-config-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  await writeFile(join(directory, 'offstream.yaml'), yaml)
  return directory
}

test('the output of `config show` is an `offstream.yaml` with the same settings', async () => {
  const project = await projectOf('kafka:\n  port: 1001\n')
  const { stdout } = await runCommand(['config', 'show'], { project, settings: ['thrift.cores=4'] })
  const copy = await projectOf(stdout)

  const again = await runCommand(['config', 'show'], { project: copy, json: true })
  expect(JSON.parse(again.stdout)).toEqual({
    version: 1,
    kind: 'config',
    file: join(copy, 'offstream.yaml'),
    config: Config.parse({ kafka: { port: 1001 }, thrift: { cores: 4 } }),
  })
})

test('`config show --sources` shows where each setting comes from', async () => {
  vi.stubEnv('OFFSTREAM_WEB_CONTACT', 'me@example.org')
  onTestFinished(() => void vi.unstubAllEnvs())
  const project = await projectOf('kafka:\n  port: 1001\ntopic: { mapping: { code: $.id } }\n')
  vi.spyOn(process, 'cwd').mockReturnValue(project)
  onTestFinished(() => void vi.restoreAllMocks())

  const { stdout } = await runCommand(['config', 'show', '--sources'], { settings: ['thrift.cores=4'] })
  const rows = stdout.split('\n').map(line => line.split(/ {2,}/))
  expect(
    rows.filter(([path = '']) =>
      ['kafka.port', 'thrift.cores', 'web.contact', 'host', 'topic.mapping'].includes(path),
    ),
  ).toEqual([
    ['host', '127.0.0.1', 'default'],
    ['kafka.port', '1001', 'offstream.yaml:2'],
    ['thrift.cores', '4', '--set'],
    ['web.contact', 'me@example.org', 'environment OFFSTREAM_WEB_CONTACT'],
    ['topic.mapping', '{"code":"$.id"}', 'offstream.yaml:3'],
  ])
})

test('`config show --sources` names the profile that a value comes from', async () => {
  const project = await projectOf('kafka:\n  port: 1001\nprofiles:\n  prod:\n    kafka: { memory: 2g }\n')
  vi.spyOn(process, 'cwd').mockReturnValue(project)
  onTestFinished(() => void vi.restoreAllMocks())

  const { stdout } = await runCommand(['config', 'show', '--sources'], { profile: 'prod' })
  expect(stdout.split('\n').filter(line => line.startsWith('kafka.memory'))).toEqual([
    expect.stringMatching(/^kafka\.memory +2g +offstream\.yaml:5 \(profile prod\)$/),
  ])
  const { stdout: json } = await runCommand(['config', 'show', '--sources'], { profile: 'prod', json: true })
  expect(JSON.parse(json)).toMatchObject({
    ...{ kind: 'config', profile: 'prod', config: { kafka: { port: 1001, memory: '2g' } } },
    sources: { 'kafka.memory': { kind: 'profile', place: `${project}/offstream.yaml:5` } },
  })
})

test('`config show` names the settings that differ from those of the running stack', async () => {
  const project = await projectOf('kafka:\n  port: 1001\n')
  await recordRunningStack(project)

  const { stdout, stderr } = await runCommand(['config', 'show', '--sources'], { project })
  expect(stdout).toMatch(/kafka\.port +1002 +the running stack\n/)
  expect(stderr).toBe(
    'The running stack was started with different values for `kafka.port`. Run `offstream down`, then `offstream up`, to apply the changes.\n',
  )
})
