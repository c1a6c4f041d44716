import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Config } from './config.ts'
import { optionsFor, projectFolder, stateFolder } from './directories.ts'
import { loadProject, loadProjectLeniently } from './project.ts'

/** A project with this `offstream.yaml`. */
const projectOf = async (yaml: string): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'offstream-profiles-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  await writeFile(join(directory, 'offstream.yaml'), yaml)
  return directory
}

const twoProfiles = `kafka:
  port: 1001
  memory: 600m
profiles:
  prod:
    kafka:
      memory: 2g
      topic: { partitions: 6 }
    thrift: # every line is a comment
  ci: { kafka: { memory: 300m } }
`

test('precedence grows from the file to the profile, the environment, the running stack and the flags', async () => {
  const from = await projectOf(`${twoProfiles}thrift: { cores: 3, memory: 700m }\n`)
  const options = {
    ...{ from, profile: 'prod', environment: { OFFSTREAM_KAFKA_TOPIC_PARTITIONS: '7' } },
    settings: ['thrift.cores=5'],
  }
  const valuesOf = async (project: ReturnType<typeof loadProject>) => {
    const { config, origins, profile } = await project
    const place = (path: string) => origins.get(path)?.place.replace(from, '')
    return [
      profile,
      [config.kafka.port, place('kafka.port')],
      [config.kafka.memory, place('kafka.memory'), origins.get('kafka.memory')?.kind],
      [config.kafka.topic.partitions, place('kafka.topic.partitions')],
      [config.thrift.cores, place('thrift.cores')],
      [config.thrift.memory, place('thrift.memory')],
    ]
  }
  expect(await valuesOf(loadProject(options))).toEqual([
    'prod',
    [1001, '/offstream.yaml:2'],
    ['2g', '/offstream.yaml:7', 'profile'],
    [7, 'environment OFFSTREAM_KAFKA_TOPIC_PARTITIONS'],
    [5, '--set'],
    ['700m', '/offstream.yaml:11'],
  ])
  const running = Config.parse({ kafka: { port: 1002, memory: '3g' } })
  expect(await valuesOf(loadProject({ ...options, runningConfig: async () => running }))).toEqual([
    'prod',
    [1002, 'the running stack'],
    ['3g', 'the running stack', 'stack'],
    [null, 'the running stack'],
    [5, '--set'],
    ['1g', 'the running stack'],
  ])
})

test('without `--profile` no profile has an effect', async () => {
  const { config, profile, state } = await loadProject({
    from: await projectOf(twoProfiles),
    environment: {},
  })
  expect([config.kafka.memory, config.kafka.topic.partitions, profile]).toEqual(['600m', null, null])
  expect(optionsFor(state)).toEqual([])
})

test('a value that a profile sets to null has no value', async () => {
  const from = await projectOf(
    'web: { contact: me@example.org }\ntopic: { mapping: { code: $.a } }\nprofiles: { ci: { web: { contact: null }, topic: { mapping: null } } }\n',
  )
  const { config } = await loadProject({ from, environment: {}, profile: 'ci' })
  expect([config.web.contact, config.topic.mapping]).toEqual([null, null])
})

test('an unknown profile is an error that names the known ones', async () => {
  const unknown = (yaml: string) =>
    projectOf(yaml).then(from => loadProject({ from, environment: {}, profile: 'prd' }))
  await expect(unknown(twoProfiles)).rejects.toMatchObject({
    ...{ code: 'PROFILE_UNKNOWN', outcome: 'usage', message: 'The profile `prd` does not exist' },
    hint: 'use one of `prod`, `ci`, or add it to `profiles` in `offstream.yaml`',
  })
  await expect(unknown('profiles:\n')).rejects.toMatchObject({
    code: 'PROFILE_UNKNOWN',
    hint: 'add it to `profiles` in `offstream.yaml`, which has no profiles',
  })
  await expect(unknown('kafka: [\n')).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})

test.each([null, 'prod', 'ci'])(
  'with the profile %s in use, the problems of all profiles are reported with their path and line',
  async profile => {
    const from = await projectOf(`profiles:
  prod:
    kafka: { port: 70000 }
    thrift:
      corse: 2
    profiles: { deeper: { host: a } }
  ci:
    spark: 5
`)
    const error = await loadProject({ from, environment: {}, profile }).catch((error: Error) => error.message)
    expect(String(error).split('\n  ').slice(1).sort()).toEqual([
      `${from}/offstream.yaml:3: profiles.prod.kafka.port: must be at most 65535`,
      `${from}/offstream.yaml:5: profiles.prod.thrift.corse: unknown setting; did you mean \`thrift.cores\`?`,
      `${from}/offstream.yaml:6: profiles.prod.profiles: unknown setting`,
      `${from}/offstream.yaml:8: profiles.ci.spark: must be a section with its own settings`,
    ])
  },
)

test('settings of a profile that contradict each other or the file are problems when it is in use', async () => {
  const from = await projectOf('thrift: { port: 9999 }\nprofiles: { prod: { kafka: { port: 9999 } } }\n')
  await loadProject({ from, environment: {} })
  await expect(loadProject({ from, environment: {}, profile: 'prod' })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('thrift.port: must differ from kafka.port (both are 9999)'),
  })
})

test.each([
  ['profiles: [prod]', 'profiles: must be a map from names to settings, such as `prod: {…}`'],
  ['profiles: { prod: 5 }', 'profiles.prod: must be a section with its own settings'],
  [
    'profiles: { Prod: {} }',
    'profiles.Prod: the name must have at most 40 characters: lowercase letters, digits and hyphens',
  ],
  [
    'profiles: { ../up: {} }',
    'profiles.../up: the name must have at most 40 characters: lowercase letters, digits and hyphens',
  ],
])('`%s` is a problem', async (yaml, problem) => {
  const from = await projectOf(`host: localhost\n${yaml}\n`)
  await expect(loadProject({ from, environment: {} })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: `The configuration has a problem:\n  ${from}/offstream.yaml:2: ${problem}`,
  })
})

test('the variable of a password that only another profile names is known', async () => {
  const from = await projectOf(
    'profiles: { prod: { kafka: { sasl: { passwordVariable: OFFSTREAM_PROD_PASSWORD } } } }\n',
  )
  const environment = { OFFSTREAM_PROD_PASSWORD: 'x', OFFSTREAM_PROFILE: '', OFFSTREAM_KAFKA_PASSWORD: 'y' }
  await expect(loadProject({ from, environment })).resolves.toMatchObject({ profile: null })
})

test('each pair of a profile and a stack has its own state folder, from which project and options are known', () => {
  const all = [
    { profile: null, stack: null, folder: '', options: [] },
    { profile: null, stack: 'a', folder: '/stacks/a', options: ['--stack', 'a'] },
    { profile: 'a', stack: null, folder: '/profiles/a', options: ['--profile', 'a'] },
    { profile: 'profiles', stack: null, folder: '/profiles/profiles', options: ['--profile', 'profiles'] },
    { profile: null, stack: 'profiles', folder: '/stacks/profiles', options: ['--stack', 'profiles'] },
    { profile: 'stacks', stack: null, folder: '/profiles/stacks', options: ['--profile', 'stacks'] },
    {
      ...{ profile: 'stacks', stack: 'profiles', folder: '/profiles/stacks/stacks/profiles' },
      options: ['--profile', 'stacks', '--stack', 'profiles'],
    },
  ]
  for (const { profile, stack, folder, options } of all) {
    const state = stateFolder('/a/b', stack, profile)
    expect([state, projectFolder(state), optionsFor(state)]).toEqual([
      `/a/b/.offstream${folder}`,
      '/a/b',
      options,
    ])
  }
})

test('a profile that was deleted from the file still has its stack for lenient commands; an unknown profile is an error', async () => {
  const from = await projectOf(twoProfiles)
  const options = { from, environment: {}, profile: 'old' }
  await expect(loadProjectLeniently(options)).rejects.toMatchObject({ code: 'PROFILE_UNKNOWN' })
  const state = stateFolder(from, null, 'old')
  await mkdir(state, { recursive: true })
  const { problem, ...found } = await loadProjectLeniently(options)
  expect([found.state, found.profile, problem?.code]).toEqual([state, 'old', 'PROFILE_UNKNOWN'])
})
