import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { OffstreamError } from '@offstream/runtime'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { assetPath } from './assets.ts'
import { Config, environmentName, loadProject, type ProjectOptions, settingPaths } from './config.ts'

/** A folder with these files in it. */
const scratchFolder = async (files: Readonly<Record<string, string>>) => {
  const directory = await mkdtemp(join(tmpdir(), 'offstream-config-'))
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true })
    await writeFile(join(directory, name), text)
  }
  return { directory, [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) }
}

const load = (from: string, options: Partial<ProjectOptions> = {}) =>
  loadProject({ from, environment: {}, ...options })

/** What is wrong with a project, one problem each, with the folder left out. */
const problemsOf = async (from: string, options: Partial<ProjectOptions> = {}): Promise<string[]> => {
  const error: OffstreamError = await load(from, options).then(
    () => expect.unreachable('it was accepted'),
    error => error,
  )
  expect(error).toMatchObject({ code: 'CONFIG_INVALID', outcome: 'config' })
  const [, ...problems] = error.message.split('\n')
  return problems.map(problem => problem.trim().replace(`${from}/`, ''))
}

test('the commented lines of config/offstream.yaml are the settings there are, with their defaults', async () => {
  const text = await readFile(assetPath('/nowhere', 'config', 'offstream.yaml'), 'utf8')
  const settings = text.slice(text.indexOf('\n\n')).replace(/^( *)# (?=\w+:)/gm, '$1')
  expect(parse(settings)).toEqual(Config.parse({}))
})

test('the file as it is delivered changes nothing', async () => {
  const text = await readFile(assetPath('/nowhere', 'config', 'offstream.yaml'), 'utf8')
  await using folder = await scratchFolder({ 'offstream.yaml': text })
  const { config, origins } = await load(folder.directory)
  expect(config).toEqual(Config.parse({}))
  expect(new Set(origins.values())).toEqual(new Set(['default']))
})

test('a flag wins over the environment, that over the file, that over the default', async () => {
  await using folder = await scratchFolder({
    'offstream.yaml': 'zookeeper: {port: 1001}\nkafka: {port: 1002}\nthrift: {port: 1003, cores: 3}\n',
  })
  const { config, origins } = await load(folder.directory, {
    environment: {
      OFFSTREAM_ZOOKEEPER_PORT: '2001',
      OFFSTREAM_KAFKA_PORT: '2002',
      OFFSTREAM_THRIFT_PORT: '',
    },
    settings: ['kafka.port=3002'],
  })
  expect(config).toEqual(
    Config.parse({ zookeeper: { port: 2001 }, kafka: { port: 3002 }, thrift: { port: 1003, cores: 3 } }),
  )
  expect(Object.fromEntries([...origins].filter(([, origin]) => origin !== 'default'))).toEqual({
    'zookeeper.port': 'environment',
    'kafka.port': 'flag',
    'thrift.port': 'file',
    'thrift.cores': 'file',
  })
})

test('while a stack runs its settings hold, whatever file and environment say by now; only a flag wins', async () => {
  await using folder = await scratchFolder({ 'offstream.yaml': 'kafka: {port: 1002}\nhost: elsewhere\n' })
  const running = Config.parse({ kafka: { port: 3002 }, thrift: { port: 3003 } })
  const { config, origins } = await load(folder.directory, {
    environment: { OFFSTREAM_THRIFT_CORES: '7' },
    remembered: async () => running,
    settings: ['thrift.port=4003'],
  })
  expect(config).toEqual({ ...running, thrift: { ...running.thrift, port: 4003 } })
  expect([origins.get('kafka.port'), origins.get('thrift.port')]).toEqual(['stack', 'flag'])
})

test('a running stack is looked for in the state folder of its name', async () => {
  await using folder = await scratchFolder({ 'offstream.yaml': '' })
  const asked: string[] = []
  const remembered = async (state: string) => {
    asked.push(state)
    return null
  }
  const states = [
    await load(folder.directory, { remembered }),
    await load(folder.directory, { remembered, stack: 'second' }),
  ].map(({ state }) => state)
  expect(new Set(states).size).toBe(2)
  expect(asked).toEqual(states)
})

test('the nearest offstream.yaml above is the project', async () => {
  await using folder = await scratchFolder({
    'offstream.yaml': 'host: outer',
    'inner/config/offstream.yaml': 'host: inner',
    'inner/deep/er/file': '',
  })
  const { directory } = folder
  const found = await Promise.all(['inner/deep/er', 'inner', '.'].map(from => load(join(directory, from))))
  expect(found.map(({ config, directory, file }) => [config.host, directory, file])).toEqual([
    ['inner', join(directory, 'inner'), join(directory, 'inner/config/offstream.yaml')],
    ['inner', join(directory, 'inner'), join(directory, 'inner/config/offstream.yaml')],
    ['outer', directory, join(directory, 'offstream.yaml')],
  ])
})

test('all problems are told at once, each with its place', async () => {
  await using folder = await scratchFolder({
    'offstream.yaml': `
kafka:
  port: 90000
  memory: much
spark:
  worker:
    core: 3
thrift: 10000
web:
  url: ftp://example.org
`,
  })
  expect(
    await problemsOf(folder.directory, {
      environment: { OFFSTREAM_STREAM_TRIGGER_MS: 'soon' },
      settings: ['kafka.prot=1', 'nonsense', 'zookeeper.port=21.5'],
    }),
  ).toEqual([
    '--set nonsense: must have the form `kafka.port=9093`',
    'offstream.yaml:3: kafka.port: Too big: expected number to be <=65535',
    'offstream.yaml:4: kafka.memory: must be a number of megabytes or gigabytes such as `512m` or `1g`',
    '--set kafka.prot: kafka.prot: there is no such setting',
    '--set zookeeper.port: zookeeper.port: Invalid input: expected int, received number',
    'offstream.yaml:7: spark.worker.core: there is no such setting',
    'environment OFFSTREAM_STREAM_TRIGGER_MS: stream.triggerMs: Invalid input: expected number, received string',
    'offstream.yaml:8: thrift: Invalid input: expected object, received number',
    'offstream.yaml:10: web.url: Invalid URL',
  ])
})

test('two services on one port are a problem', async () => {
  await using folder = await scratchFolder({ 'offstream.yaml': 'thrift: {port: 9092}\n' })
  expect(await problemsOf(folder.directory, { settings: ['stream.webPort=8080'] })).toEqual([
    'stream.webPort: must differ from spark.webPort (both are 8080)',
    'thrift.port: must differ from kafka.port (both are 9092)',
  ])
})

test('a setting in the wrong place is told where it belongs', async () => {
  await using folder = await scratchFolder({ 'offstream.yaml': 'webPort: 1\ntriggerMs: 5\n' })
  expect(await problemsOf(folder.directory)).toEqual([
    'offstream.yaml:1: webPort: there is no such setting; did you mean `spark.webPort` or `spark.worker.webPort` or `stream.webPort`?',
    'offstream.yaml:2: triggerMs: there is no such setting; did you mean `stream.triggerMs`?',
  ])
})

test.each([
  ['is no YAML', 'kafka:\n  port: [1\n', /^offstream\.yaml:\d: /],
  ['says a thing twice', 'host: a\nhost: b\n', /^offstream\.yaml:2: .*unique/],
  ['is no map of settings', '- kafka\n', /^offstream\.yaml:1: .*settings/],
])('a file that %s is a problem', async (_, text, expected) => {
  await using folder = await scratchFolder({ 'offstream.yaml': text })
  expect(await problemsOf(folder.directory)).toEqual([expect.stringMatching(expected)])
})

test('a file that cannot be read is a problem, and not as if it were not there', async () => {
  await using folder = await scratchFolder({ 'offstream.yaml/keep': '' })
  expect(await problemsOf(folder.directory)).toEqual([expect.stringMatching(/^offstream\.yaml: .*EISDIR/)])
})

test('every setting has an environment variable of its own', () => {
  expect(environmentName('spark.worker.webPort')).toBe('OFFSTREAM_SPARK_WORKER_WEB_PORT')
  expect(new Set(settingPaths.map(environmentName)).size).toBe(settingPaths.length)
})

test('text from a flag or the environment stays text where the setting is text', async () => {
  await using folder = await scratchFolder({})
  const { config } = await load(folder.directory, {
    environment: { OFFSTREAM_WEB_CONTACT: '12345' },
    settings: ['browser.executablePath=true', 'kafka.port=0x10'],
  })
  expect([config.web.contact, config.browser.executablePath, config.kafka.port]).toEqual([
    '12345',
    'true',
    16,
  ])
})
