import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { shippedPath } from './assets.ts'
import { Config } from './config.ts'
import { configYaml, environmentName, settingPaths } from './paths.ts'
import { loadProject, loadProjectLeniently } from './project.ts'
import { withEverySetting } from './testConfig.ts'

/** A project with this `offstream.yaml`. */
const projectOf = async (yaml: string): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'offstream-config-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  await writeFile(join(directory, 'offstream.yaml'), yaml)
  return directory
}

test('every setting has the place that its value comes from, and the later of two layers has precedence', async () => {
  const directory = await projectOf('kafka:\n  # memory: 512m\n  port: 1001\nthrift:\n  port: 1002\n')
  const running = Config.parse({ kafka: { port: 1003 }, thrift: { port: 1004 } })
  const options = {
    from: directory,
    environment: { OFFSTREAM_THRIFT_PORT: '1005', OFFSTREAM_SPARK_WORKER_WEB_PORT: '1006' },
    settings: ['spark.port=1007'],
  }
  const placesOf = async (project: ReturnType<typeof loadProject>) => {
    const { config, origins } = await project
    const place = (path: string) => origins.get(path)?.place
    return {
      'kafka.port': [config.kafka.port, place('kafka.port')],
      'kafka.memory': [config.kafka.memory, place('kafka.memory')],
      'thrift.port': [config.thrift.port, place('thrift.port')],
      'spark.worker.webPort': [config.spark.worker.webPort, place('spark.worker.webPort')],
      'spark.port': [config.spark.port, place('spark.port')],
    }
  }

  expect(await placesOf(loadProject(options))).toEqual({
    'kafka.port': [1001, `${directory}/offstream.yaml:3`],
    'kafka.memory': ['512m', 'default'],
    'thrift.port': [1005, 'environment OFFSTREAM_THRIFT_PORT'],
    'spark.worker.webPort': [1006, 'environment OFFSTREAM_SPARK_WORKER_WEB_PORT'],
    'spark.port': [1007, '--set'],
  })
  expect(await placesOf(loadProject({ ...options, runningConfig: async () => running }))).toEqual({
    'kafka.port': [1003, 'the running stack'],
    'kafka.memory': ['512m', 'the running stack'],
    'thrift.port': [1004, 'the running stack'],
    'spark.worker.webPort': [8081, 'the running stack'],
    'spark.port': [1007, '--set'],
  })
})

test('all problems of a configuration are reported together, each with its place', async () => {
  const directory = await projectOf('kafka:\n  port: 70000\nzookeper:\n  port: 1\nspark:\n  cores: 4\n')
  const loading = loadProject({
    from: directory,
    environment: { OFFSTREAM_WEB_URL: 'ftp://example.org' },
    settings: ['thrift.memory=1 GB', 'thrift.cores'],
  })

  await expect(loading).rejects.toMatchObject({ code: 'CONFIG_INVALID', outcome: 'config' })
  const lines = await loading.catch((error: Error) => error.message.split('\n  ').slice(1).sort())
  expect(lines).toEqual([
    '--set thrift.cores: must have the form `kafka.port=9093`',
    '--set: thrift.memory: must be a number of megabytes or gigabytes such as `512m` or `1g`',
    `${directory}/offstream.yaml:2: kafka.port: must be at most 65535`,
    `${directory}/offstream.yaml:3: zookeper: unknown setting; did you mean \`zookeeper\`?`,
    `${directory}/offstream.yaml:6: spark.cores: unknown setting; did you mean \`spark.worker.cores\` or \`thrift.cores\`?`,
    'environment OFFSTREAM_WEB_URL: web.url: must be an address that begins with `http://` or `https://`',
  ])
})

test('the message for an invalid value says what the value must be', async () => {
  const settings = [
    ...['kafka.port=none', 'zookeeper.port=1.5', 'spark.port=0', 'web.pagesPerMinute=0', 'export.file='],
    ...['topic.tls.enabled=maybe', 'topic.from=end', 'thrift=9'],
  ]
  const loading = loadProject({ from: await projectOf(''), environment: {}, settings })
  const lines = await loading.catch((error: Error) => error.message.split('\n  ').slice(1).sort())
  expect(lines).toEqual([
    '--set: export.file: must not be empty',
    '--set: kafka.port: must be a number',
    '--set: spark.port: must be at least 1',
    '--set: thrift: must be a section with its own settings',
    '--set: topic.from: must be one of `beginning`, `latest`',
    '--set: topic.tls.enabled: must be `true` or `false`',
    '--set: web.pagesPerMinute: must be more than 0',
    '--set: zookeeper.port: must be a whole number',
  ])
})

test('an unknown environment variable is a problem, with the most similar setting as a suggestion', async () => {
  const loading = loadProject({
    from: await projectOf('topic: { sasl: { passwordVariable: OFFSTREAM_SECRET } }'),
    environment: {
      ...{ OFFSTREAM_KAFKA_PROT: '1', OFFSTREAM_BEES: '1', OFFSTREAM_SECRET: 'x', OFFSTREAM_CACHE: '/tmp' },
      ...{ KAFKA_PORT: '1', OFFSTREAM_STACK: 'a', OFFSTREAM_MARK: 'b' },
    },
  })
  await expect(loading).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: [
      'The configuration has 2 problems:',
      '  environment OFFSTREAM_KAFKA_PROT: unknown setting; did you mean `OFFSTREAM_KAFKA_PORT`?',
      '  environment OFFSTREAM_BEES: unknown setting',
    ].join('\n'),
  })
})

test.each([
  ['is not valid YAML', 'kafka:\n  port: [1\n', /offstream\.yaml:\d: /],
  ['has a key twice', 'host: a\nhost: b\n', /offstream\.yaml:2: .*unique/],
  ['is not a map', '- kafka\n', /offstream\.yaml:1: must be settings/],
])('a file that %s is a problem', async (_, yaml, expected) => {
  const loading = loadProject({ from: await projectOf(yaml), environment: {} })
  await expect(loading).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(expected),
  })
})

test.each(['', '0.0.0.0', '::1', '[::1]', 'a b', 'http://a'])('the host `%s` is invalid', host => {
  expect(Config.safeParse({ host }).success).toBe(false)
})

test.each(['127.0.0.1', 'localhost', 'spark-1.lan'])('the host `%s` is valid', host => {
  expect(Config.parse({ host }).host).toBe(host)
})

test('a configuration file that cannot be read is a problem, not a missing file', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'offstream-config-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  await mkdir(join(directory, 'offstream.yaml'))
  await expect(loadProject({ from: directory, environment: {} })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining(`${directory}/offstream.yaml: EISDIR`),
  })
})

test('two services with the same port are a problem', async () => {
  const directory = await projectOf('thrift: {port: 9092}\n')
  await expect(
    loadProject({ from: directory, environment: {}, settings: ['stream.webPort=8080'] }),
  ).rejects.toThrow(
    [
      '  stream.webPort: must differ from spark.webPort (both are 8080)',
      '  thrift.port: must differ from kafka.port (both are 9092)',
    ].join('\n'),
  )
})

test('the nearest file above is used, also if it is in a folder `config`', async () => {
  const outer = await projectOf('host: 127.0.0.2')
  await mkdir(join(outer, 'inner', 'config'), { recursive: true })
  await mkdir(join(outer, 'inner', 'deep'))
  await writeFile(join(outer, 'inner', 'config', 'offstream.yaml'), 'host: 127.0.0.3')
  const found = await loadProject({ from: join(outer, 'inner', 'deep'), environment: {} })
  expect([found.config.host, found.directory]).toEqual(['127.0.0.3', join(outer, 'inner')])
})

test('every setting has its own environment variable', () => {
  expect(environmentName('spark.worker.webPort')).toBe('OFFSTREAM_SPARK_WORKER_WEB_PORT')
  expect(new Set(settingPaths.map(environmentName)).size).toBe(settingPaths.length)
})

test('a value from a flag or the environment stays text if the setting is text', async () => {
  const { config } = await loadProject({
    from: await projectOf(''),
    environment: { OFFSTREAM_WEB_CONTACT: '12345' },
    settings: ['browser.executablePath=true', 'kafka.port=0x10'],
  })
  expect([config.web.contact, config.browser.executablePath, config.kafka.port]).toEqual([
    '12345',
    'true',
    16,
  ])
})

test('the configuration of a project is found from any folder inside it', async () => {
  const directory = await projectOf('kafka: { port: 1001 }')
  const inside = join(directory, 'some', 'folder')
  await mkdir(inside, { recursive: true })

  const { config, directory: found } = await loadProject({ from: inside, environment: {} })
  expect([config.kafka.port, found]).toEqual([1001, directory])
})

test('config/offstream.yaml has every setting with its default', async () => {
  const text = await readFile(shippedPath('config', 'offstream.yaml'), 'utf8')
  expect(parse(withEverySetting(text))).toEqual(Config.parse({}))
})

test('a configuration that is written as YAML is read as the same configuration', async () => {
  const config = Config.parse({ kafka: { port: 1001 }, web: { contact: 'me: "a" # b', pagesPerMinute: 7.5 } })
  const directory = await projectOf(configYaml(config))

  expect((await loadProject({ from: directory, environment: {} })).config).toEqual(config)
})

test('the mapping of a topic is one setting, whose entries can come from several layers', async () => {
  const directory = await projectOf("topic:\n  mapping:\n    code: $.gtin\n    brands: '$.makers[*].n'\n")
  const { config, origins } = await loadProject({
    from: directory,
    environment: {},
    settings: ["topic.mapping.fat_100g=$.facts[?@.id == 'fat'].value"],
  })
  expect([config.topic.mapping, origins.get('topic.mapping')?.place]).toEqual([
    { code: '$.gtin', brands: '$.makers[*].n', fat_100g: "$.facts[?@.id == 'fat'].value" },
    '--set',
  ])
  const { config: other } = await loadProject({
    from: directory,
    environment: { OFFSTREAM_TOPIC_MAPPING: '{code: $.ean}' },
  })
  expect(other.topic.mapping).toEqual({ code: '$.ean' })
})

test('contradictory settings of another cluster are problems, reported together', async () => {
  const directory = await projectOf(
    'topic:\n  brokers: one\n  tls:\n    caFile: ca.pem\n  sasl:\n    mechanism: plain\n  mapping:\n    gtin: $.code\n    code: gtin\n',
  )
  const loading = loadProject({ from: directory, environment: {} })
  const lines = await loading.catch((error: Error) => error.message.split('\n  ').slice(1))
  expect(lines).toEqual([
    `${directory}/offstream.yaml:2: topic.brokers: must be addresses such as \`one.example.org:9092,two.example.org:9092\``,
    `${directory}/offstream.yaml:9: topic.mapping.code: must be a JSONPath such as \`$.product.name\``,
    `${directory}/offstream.yaml:8: topic.mapping.gtin: the record does not have this column`,
  ])
  const settings = ['topic.tls.caFile=ca.pem', 'topic.sasl.mechanism=plain']
  await expect(loadProject({ from: await projectOf(''), environment: {}, settings })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: [
      'The configuration has 2 problems:',
      '  topic.tls.caFile: has no effect without topic.tls.enabled',
      '  topic.sasl.username: must be set if topic.sasl.mechanism is set',
    ].join('\n'),
  })
})

test('settings of the catalog that contradict each other, or contain a password, are problems', async () => {
  const problemsWith = async (...settings: readonly string[]) =>
    loadProject({ from: await projectOf(''), environment: {}, settings })
      .then(() => [])
      .catch((error: Error) => error.message.split('\n  ').slice(1))
  expect(
    await problemsWith('lake.catalog.uri=postgresql://me:secret@db/lake', 'lake.warehouse=lake'),
  ).toEqual([
    '--set: lake.catalog.uri: must be an address such as `postgresql://db.example.org:5432/lake` or `https://catalog.example.org`, without a user or a password',
    '--set: lake.warehouse: must be an absolute path such as `/shared/lake`, `s3://bucket/lake` or `hdfs://name.example.org/lake`, without `,:?#%*|"` and brackets',
  ])
  expect(
    await problemsWith(
      ...['lake.warehouse=/shared', 'lake.catalog.user=me', 'lake.s3.endpoint=http://s3'],
      ...['lake.s3.region=eu-west-3', 'lake.s3.pathStyle=true'],
    ),
  ).toEqual([
    'lake.catalog.user: has no effect without lake.catalog.uri',
    'lake.warehouse: has no effect without lake.catalog.uri',
    'lake.s3.endpoint: has no effect without a lake.warehouse that begins with s3://',
    'lake.s3.region: has no effect without a lake.warehouse that begins with s3://',
    'lake.s3.pathStyle: has no effect without a lake.warehouse that begins with s3://',
  ])
  expect(
    await problemsWith('lake.catalog.uri=postgresql://db/lake', 'lake.catalog.tls.caFile=ca.pem'),
  ).toEqual([
    'lake.catalog.user: must be set if lake.catalog.uri is set',
    'lake.warehouse: must be set if lake.catalog.uri is set',
    'lake.catalog.tls.caFile: has no effect without lake.catalog.tls.enabled',
  ])
  const shared = ['lake.catalog.uri=postgresql://db/lake', 'lake.catalog.user=me']
  expect(await problemsWith(...shared, 'lake.warehouse=/shop/.offstream/lake')).toEqual([
    'lake.warehouse: must not be in a folder `.offstream`, which `offstream reset` deletes',
  ])
  expect(await problemsWith(...shared, 'lake.warehouse=/shop/lake')).toEqual([])
  const checkpoint = 'stream.checkpoint=s3://tables/checkpoint'
  expect(await problemsWith(...shared, 'lake.warehouse=/shop/lake', checkpoint)).toEqual([
    'stream.checkpoint: must not begin with s3:// without a lake.warehouse that begins with s3://, whose object store it uses',
  ])
  expect(await problemsWith(...shared, 'lake.warehouse=s3://tables/lake', checkpoint)).toEqual([])
  const rest = ['lake.catalog.warehouse=shop', 'lake.catalog.oauth.scope=all']
  expect(await problemsWith(...shared, 'lake.warehouse=/shop/lake', ...rest)).toEqual([
    'lake.catalog.warehouse: has no effect without a REST catalog',
    'lake.catalog.oauth.scope: has no effect without a REST catalog',
  ])
  const plain = ['lake.catalog.uri=http://catalog', 'lake.warehouse=/shop/lake']
  expect(
    await problemsWith(...plain, ...rest, 'lake.catalog.tls.enabled=true', 'lake.catalog.tls.caFile=ca.pem'),
  ).toEqual([
    'lake.catalog.tls.enabled: has no effect with a REST catalog, which uses TLS if its address begins with https:',
    'lake.catalog.tls.caFile: has no effect with an address that begins with http:',
    'lake.catalog.oauth.scope: has no effect without lake.catalog.user',
  ])
  expect(
    await problemsWith(
      ...['lake.catalog.uri=https://catalog:8181/api/catalog', 'lake.catalog.tls.caFile=ca.pem'],
      ...['lake.warehouse=s3://shop/lake', 'lake.catalog.user=me', ...rest],
    ),
  ).toEqual([])
  expect(
    await problemsWith('lake.catalog.uri=https://catalog', 'lake.warehouse=s3://tables', checkpoint),
  ).toEqual([
    'stream.checkpoint: must not be set with a REST catalog, which has no lock that lets only one stream write it',
  ])
  expect(
    await problemsWith(...shared, 'lake.warehouse=s3://tables', 'lake.s3.endpoint=https://me:secret@s3'),
  ).toEqual(['--set: lake.s3.endpoint: must be an address without a user or a password'])
})

test('settings of an existing Kafka cluster that contradict each other are problems, reported together', async () => {
  const problemsWith = async (...settings: readonly string[]) =>
    loadProject({ from: await projectOf(''), environment: {}, settings })
      .then(() => [])
      .catch((error: Error) => error.message.split('\n  ').slice(1))
  expect(
    await problemsWith(
      ...['kafka.tls.enabled=true', 'kafka.tls.certFile=cert.pem', 'kafka.sasl.mechanism=plain'],
      'kafka.topic.replication=3',
    ),
  ).toEqual([
    'kafka.tls.keyFile: must be set if kafka.tls.certFile is set',
    'kafka.sasl.username: must be set if kafka.sasl.mechanism is set',
    'kafka.tls.enabled: has no effect without kafka.brokers',
    'kafka.sasl.mechanism: has no effect without kafka.brokers',
    'kafka.topic.replication: must be at most kafka.brokerCount (1)',
  ])
  expect(
    await problemsWith(
      ...['kafka.brokers=one:9092', 'kafka.sasl.mechanism=oauthbearer', 'kafka.sasl.username=me'],
      ...['topic.sasl.tokenCommand=[token]', 'topic.sasl.mechanism=plain', 'topic.sasl.username=me'],
    ),
  ).toEqual([
    'kafka.sasl.tokenCommand: must be set if kafka.sasl.mechanism is oauthbearer',
    'kafka.sasl.username: has no effect if kafka.sasl.mechanism is oauthbearer: the token names the user',
    'topic.sasl.tokenCommand: has no effect unless topic.sasl.mechanism is oauthbearer',
  ])
  const brokers = 'kafka.brokers=one:9092'
  expect(await problemsWith(brokers, 'kafka.sasl.tokenCommand=token', 'kafka.sasl.mechanism=oauth')).toEqual([
    '--set: kafka.sasl.mechanism: must be one of `plain`, `scram-sha-256`, `scram-sha-512`, `oauthbearer`',
    '--set: kafka.sasl.tokenCommand: must be a list such as `[program, argument]`',
  ])
  expect(await problemsWith(brokers, 'kafka.topic.replication=3', 'kafka.topic.partitions=6')).toEqual([])
  expect(await problemsWith('kafka.topic.retention=30', 'kafka.topic.partitions=0')).toEqual([
    '--set: kafka.topic.partitions: must be at least 1',
    '--set: kafka.topic.retention: must be hours or days such as `72h` or `30d`',
  ])
})

test.each(['one', 'one:', '[::1]:9092', '::1:9092', 'kafka://one:9092'])(
  'the brokers `%s` are invalid',
  async brokers => {
    const settings = [`kafka.brokers=${brokers}`]
    await expect(loadProject({ from: await projectOf(''), environment: {}, settings })).rejects.toMatchObject(
      {
        code: 'CONFIG_INVALID',
        message: expect.stringContaining('kafka.brokers: must be addresses such as `one.example.org:9092,'),
      },
    )
  },
)

test('a port that nothing listens on may be equal to another one', async () => {
  const load = async (...settings: readonly string[]) =>
    loadProject({ from: await projectOf(''), environment: {}, settings })
  await load('kafka.port=9192', 'thrift.port=9292', 'dashboard.port=9091')
  await load('kafka.mode=kraft', 'kafka.port=2181')
  await load('kafka.brokers=one:9092', 'thrift.port=9092', 'dashboard.port=2181')
  for (const started of ['kafka.brokerCount=3', 'kafka.mode=kraft'])
    await expect(load(started, 'kafka.secondPort=9091', 'thrift.port=9091')).rejects.toMatchObject({
      message: expect.stringMatching(/thrift\.port: must differ from kafka\.\w+ \(both are 9091\)/),
    })
})

test('a Thrift server that the network can connect to requires a password and TLS, unless this is turned off', async () => {
  const problemsWith = async (...settings: readonly string[]) =>
    loadProject({ from: await projectOf(''), environment: {}, settings })
      .then(() => [])
      .catch((error: Error) => error.message.split('\n  ').slice(1))
  const why =
    'because the network can connect to the Thrift server at 192.168.1.5; thrift.insecure: true permits it without'
  const open = 'host=192.168.1.5'
  const tls = ['thrift.tls.enabled=true', 'thrift.tls.certFile=a.pem', 'thrift.tls.keyFile=a.key']
  expect(await problemsWith(open)).toEqual([
    `thrift.tls.enabled: must be true, ${why}`,
    `thrift.auth.username: must be set, ${why}`,
  ])
  expect(await problemsWith(open, ...tls)).toEqual([`thrift.auth.username: must be set, ${why}`])
  for (const settings of [
    [open, ...tls, 'thrift.auth.username=ana'],
    [open, 'thrift.insecure=true'],
    [open, 'thrift.host=sql.example.org'],
    ['host=localhost'],
    ['host=127.1.2.3', 'thrift.auth.username=ana'],
  ])
    expect(await problemsWith(...settings)).toEqual([])
})

test('contradictory settings of the Thrift server are problems', async () => {
  const problemsWith = async (...settings: readonly string[]) =>
    loadProject({ from: await projectOf(''), environment: {}, settings })
      .then(() => [])
      .catch((error: Error) => error.message.split('\n  ').slice(1))
  expect([
    await problemsWith('thrift.tls.enabled=true'),
    await problemsWith('thrift.tls.enabled=true', 'thrift.tls.certFile=a.pem'),
    await problemsWith('thrift.tls.caFile=ca.pem'),
    await problemsWith(
      ...['thrift.host=sql.example.org', 'thrift.tls.enabled=true'],
      ...['thrift.tls.certFile=a.pem', 'thrift.tls.keyFile=a.key'],
    ),
  ]).toEqual([
    ['thrift.tls.certFile: must be set if thrift.tls.enabled is set, for the Thrift server here'],
    ['thrift.tls.keyFile: must be set if thrift.tls.certFile is set'],
    ['thrift.tls.caFile: has no effect without thrift.tls.enabled'],
    ['thrift.tls.certFile: has no effect with thrift.host'],
  ])
})

test('on the command line, a setting without a default is read as a number or as text, as its schema says', async () => {
  const settings = ['kafka.brokers=one:9092', 'kafka.topic.partitions=6', 'kafka.sasl.passwordFile=12']
  const { config } = await loadProject({ from: await projectOf(''), environment: {}, settings })
  expect([config.kafka.topic.partitions, config.kafka.sasl.passwordFile]).toEqual([6, '12'])
})

test('settings that only scrapes use can change while a stack runs', async () => {
  const { config } = await loadProject({
    from: await projectOf('web: { contact: new@example.org }\nkafka: { port: 1001 }\n'),
    environment: {},
    settings: ['topic.tls.enabled=true'],
    runningConfig: async () => Config.parse({ web: { contact: 'old@example.org' }, kafka: { port: 1002 } }),
  })
  expect([config.web.contact, config.kafka.port, config.topic.tls.enabled]).toEqual([
    'new@example.org',
    1002,
    true,
  ])
})

test.each(['__proto__', 'constructor', 'prototype'])(
  'a setting named `%s` is unknown wherever it is written, and changes no object of JavaScript',
  async name => {
    const expected = (place: string, path: string) => ({
      code: 'CONFIG_INVALID',
      message: `The configuration has a problem:\n  ${place}: ${path}: unknown setting`,
    })
    const empty = await projectOf('')
    for (const path of [`${name}.polluted`, `kafka.${name}.polluted`]) {
      const flag = loadProject({ from: empty, environment: {}, settings: [`${path}=1`] })
      const reported = path.slice(0, path.lastIndexOf('.'))
      await expect(flag).rejects.toMatchObject(expected('--set', reported))
    }
    const file = await projectOf(`${name}:\n  polluted: 1\n`)
    await expect(loadProject({ from: file, environment: {} })).rejects.toMatchObject(
      expected(`${file}/offstream.yaml:1`, name),
    )
    // In a map, zod skips `__proto__`.
    const mapping = { OFFSTREAM_TOPIC_MAPPING: `{${name}: {polluted: 1}}` }
    await loadProject({ from: empty, environment: mapping }).catch(() => undefined)
    expect(Object.keys(Object.prototype)).toEqual([])
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  },
)

test('an invalid file gives way to the defaults and the flags, but an invalid flag is rejected', async () => {
  const options = { from: await projectOf('kafka:\n  prot: 9093\n'), environment: {} }
  const { config, problem } = await loadProjectLeniently({ ...options, settings: ['kafka.port=9095'] })
  expect([config.kafka.port, problem?.code]).toEqual([9095, 'CONFIG_INVALID'])
  await expect(loadProjectLeniently({ ...options, settings: ['kafka.port=none'] })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('--set'),
  })
})
