import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { serviceNames } from '../names.ts'
import { shippedPath } from '../project/assets.ts'
import { Config } from '../project/config.ts'
import { directoriesOf } from '../project/directories.ts'
import { configOf } from '../project/layers.ts'
import { portPaths, settingPaths } from '../project/paths.ts'
import { unusedPorts } from '../project/rules.ts'
import type { Stack } from './stack.ts'
import {
  addressOf,
  externalServices,
  isStartedWith,
  listedServices,
  listeningPorts,
  pipelineServices,
  placeOf,
  serviceLogFile,
  services,
  stackServices,
} from './table.ts'

const config = Config.parse({})
const state = '/project/.offstream'
const stack: Stack = {
  ...{ project: '/project', state, config, archives: null },
  runtimes: {
    ...{ java: 'java', javaVersion: '17', python: 'python' },
    ...{ sparkHome: '/spark', kafkaLibs: '/kafka', connectors: '/jars', additionalJars: [] },
    ivy: { settings: '/ivy.xml', cache: '/ivy' },
  },
}

test('every name has a service, in the order of the names; `up` starts all but the job and the dashboard', () => {
  const names = listedServices(config)
  expect(services(stack).map(({ name }) => name)).toEqual(names)
  expect([...stackServices(config), 'products-stream', 'dashboard']).toEqual(names)
  expect([...pipelineServices(config), 'dashboard']).toEqual(names)
  expect(serviceNames.filter(name => !names.includes(name))).toEqual([
    ...['kafka-2', 'kafka-3', 'spark-worker-2', 'spark-worker-3'],
  ])
})

test('every service has an address, a log, and the ports of its settings', () => {
  expect(
    services(stack).map(({ name, logFile, listensOn }) => [
      addressOf(name as (typeof serviceNames)[number], config),
      logFile,
      listensOn?.map(({ port, choose }) => `${port} ${choose}`).join(', '),
    ]),
  ).toEqual([
    ['127.0.0.1:2181', join(state, 'logs/zookeeper.log'), '2181 `--set zookeeper.port=…`'],
    ['127.0.0.1:9092', join(state, 'logs/kafka.log'), '9092 `--set kafka.port=…`'],
    [
      'spark://127.0.0.1:7077',
      join(state, 'logs/spark-master.log'),
      '7077 `--set spark.port=…`, 8080 `--set spark.webPort=…`',
    ],
    ['http://127.0.0.1:8081', join(state, 'logs/spark-worker.log'), '8081 `--set spark.worker.webPort=…`'],
    ['127.0.0.1:10000', join(state, 'logs/thrift.log'), '10000 `--set thrift.port=…`'],
    ['http://127.0.0.1:4040', join(state, 'logs/streaming.log'), '4040 `--set stream.webPort=…`'],
    ['http://127.0.0.1:8686', join(state, 'logs/dashboard.log'), '8686 `--set dashboard.port=…`'],
  ])
  expect(serviceLogFile(state, 'kafka')).toBe(join(state, 'logs/kafka.log'))
})

test('every setting of a service belongs to one service, those of Kafka to all brokers, those of workers to all workers, and the host to all services', () => {
  const startedWith = (path: string) => serviceNames.filter(name => isStartedWith(name, path))
  const ofServices = settingPaths.filter(path =>
    /^(zookeeper|kafka|spark|thrift|stream|dashboard)\./.test(path),
  )
  const several = ofServices.filter(path => startedWith(path).length !== 1)
  const ofJob = (path: string) => (/^kafka\.(brokers|tls|sasl)\b/.test(path) ? ['products-stream'] : [])
  const startedTogether = (path: string) => {
    if (path === 'spark.hadoopConfDir') return ['thrift', 'products-stream']
    const workers = ['spark-worker', 'spark-worker-2', 'spark-worker-3']
    if (path === 'spark.master') return ['spark-master', ...workers, 'products-stream']
    if (path.startsWith('kafka.')) return ['kafka', 'kafka-2', 'kafka-3', ...ofJob(path)]
    return workers
  }
  expect(several.map(path => [path, startedWith(path)])).toEqual(
    settingPaths
      .filter(path => /^(kafka\.|spark\.(?:master$|workers?\b|hadoopConfDir))/.test(path))
      .map(path => [path, startedTogether(path)]),
  )
  expect(portPaths.filter(path => startedWith(path).length === 0)).toEqual([])
  expect(startedWith('host')).toEqual(serviceNames)
  expect(startedWith('web.url')).toEqual([])
})

test('with an existing Kafka cluster, Kafka is external, ZooKeeper is unused, and only their ports are free', () => {
  const external = configOf(['kafka.brokers=one:9092, two:9092'])
  expect(services({ ...stack, config: external }).map(({ name }) => name)).toEqual(
    listedServices(config).slice(2),
  )
  expect(stackServices(external)).toEqual(['spark-master', 'spark-worker', 'thrift'])
  expect([externalServices(external), placeOf('zookeeper', external)]).toEqual([['kafka'], 'unused'])
  expect(addressOf('kafka', external)).toBe('one:9092,two:9092')
  expect(portPaths.filter(path => !listeningPorts(external).includes(path))).toEqual([
    'kafka.port',
    ...['kafka.controllerPort', 'kafka.secondPort', 'kafka.thirdPort'],
    'zookeeper.port',
    ...['spark.worker.secondWebPort', 'spark.worker.thirdWebPort'],
  ])
  const unused = portPaths.filter(path => !listeningPorts(config).includes(path))
  expect([externalServices(config), unused]).toEqual([
    [],
    [
      ...['kafka.controllerPort', 'kafka.secondPort', 'kafka.thirdPort'],
      ...['spark.worker.secondWebPort', 'spark.worker.thirdWebPort'],
    ],
  ])
})

test.each([
  ...['kafka.mode=zookeeper', 'kafka.mode=kraft', 'kafka.brokerCount=3', 'kafka.brokers=one:9092'],
  ...['thrift.host=sql.example.org', 'stream.deployMode=cluster'],
  ...['spark.workers=2', 'spark.workers=3', 'spark.master=spark://one:7077'],
])('with `%s`, the services listen on all ports except the unused ones', setting => {
  const config = configOf([setting])
  const used = portPaths.filter(path => !unusedPorts(config).includes(path))
  expect(listeningPorts(config).toSorted()).toEqual(used.toSorted())
})

test('with an existing Thrift server none is started, and its port here is free', () => {
  const external = configOf(['thrift.host=sql.example.org', 'thrift.port=10009'])
  expect(services({ ...stack, config: external }).map(({ name }) => name)).not.toContain('thrift')
  expect([externalServices(external), addressOf('thrift', external)]).toEqual([
    ['thrift'],
    'sql.example.org:10009',
  ])
  expect(listeningPorts(external)).not.toContain('thrift.port')
})

test('the Thrift server gets the files with its password and its key, and no secret', () => {
  const settings = [
    ...['thrift.auth.username=canary', 'thrift.tls.enabled=true'],
    ...['thrift.tls.certFile=a.pem', 'thrift.tls.keyFile=a.key'],
  ]
  const thrift = services({ ...stack, config: configOf(settings) }).find(({ name }) => name === 'thrift')
  const args = thrift?.command.args ?? []
  const { thriftLogin, thriftKey, thriftClasses } = directoriesOf(state)
  expect(args.slice(args.indexOf('--login'))).toEqual([
    ...['--login', thriftLogin, '--classes', thriftClasses, '--key', thriftKey],
  ])
  expect(args[args.indexOf('--driver-class-path') + 1]).toBe(`/jars/*:${thriftClasses}`)
  expect(args.filter(arg => arg.includes('hive.server2'))).toEqual([
    'spark.hadoop.hive.server2.thrift.bind.host=127.0.0.1',
    'spark.hadoop.hive.server2.thrift.port=10000',
    'spark.hadoop.hive.server2.authentication=CUSTOM',
    'spark.hadoop.hive.server2.use.SSL=true',
  ])
  expect(JSON.stringify(thrift?.command)).not.toContain('canary')
})

test('with `kafka.mode: kraft` ZooKeeper is unused, and Kafka also listens on the port of its controller', () => {
  const kraft = services({ ...stack, config: configOf(['kafka.mode=kraft']) })
  expect(kraft.map(({ name }) => name)).toEqual(listedServices(config).slice(1))
  expect(kraft[0]?.listensOn?.map(({ port }) => port)).toEqual([9092, 9091])
  expect(placeOf('zookeeper', configOf(['kafka.mode=kraft']))).toBe('unused')
})

test('three brokers start one after the other, each on its port, and share the start-up archive', () => {
  const config = configOf(['kafka.brokerCount=3'])
  const archives = { folder: '/archives', made: ['kafka' as const] }
  const brokers = services({ ...stack, config, archives }).slice(1, 4)
  expect(brokers.map(({ name, needs, port }) => [name, needs, port])).toEqual([
    ['kafka', ['zookeeper'], 9092],
    ['kafka-2', ['zookeeper', 'kafka'], 9192],
    ['kafka-3', ['zookeeper', 'kafka', 'kafka-2'], 9292],
  ])
  for (const { command } of brokers)
    expect(command.args).toContain('-XX:SharedArchiveFile=/archives/kafka.jsa')
})

test('three workers have their own ports and folders, share the start-up archive, and the job waits for all', () => {
  const config = configOf(['spark.workers=3'])
  const archives = { folder: '/archives', made: ['spark-worker' as const] }
  const all = services({ ...stack, config, archives })
  const workers = all.filter(({ name }) => name.startsWith('spark-worker'))
  const folderOf = (args: readonly string[]) => args[args.indexOf('--work-dir') + 1]
  expect(
    workers.map(({ name, needs, restartsWith, port, command }) => [
      ...[name, needs, restartsWith, port],
      folderOf(command.args),
    ]),
  ).toEqual([
    ['spark-worker', ['spark-master'], ['spark-master'], 8081, join(state, 'data/spark-work')],
    ['spark-worker-2', ['spark-master'], ['spark-master'], 8082, join(state, 'data/spark-work-2')],
    ['spark-worker-3', ['spark-master'], ['spark-master'], 8083, join(state, 'data/spark-work-3')],
  ])
  for (const { command } of workers)
    expect(command.env['SPARK_DAEMON_JAVA_OPTS']).toContain('SharedArchiveFile=/archives/spark-worker.jsa')
  const job = all.find(({ name }) => name === 'products-stream')
  expect(job?.needs).toEqual(expect.arrayContaining(workers.map(({ name }) => name)))
  const two = listedServices(configOf(['spark.workers=2']))
  expect(two.filter(name => name.startsWith('spark-worker'))).toEqual(['spark-worker', 'spark-worker-2'])
})

test('with an existing Spark cluster the master is external, no worker is started, and the job takes its jars there', () => {
  const external = configOf([
    ...['spark.master=spark://one:7077', 'spark.driverHost=10.0.0.2', 'spark.conf=[spark.a.password=canary]'],
    ...['stream.executors=2', 'stream.executorCores=1'],
  ])
  expect(stackServices(external)).toEqual(['zookeeper', 'kafka', 'thrift'])
  expect([externalServices(external), placeOf('spark-worker', external)]).toEqual([
    ['spark-master'],
    'unused',
  ])
  expect(addressOf('spark-master', external)).toBe('spark://one:7077')
  const job = services({ ...stack, config: external }).find(({ name }) => name === 'products-stream')
  const args = job?.command.args ?? []
  expect(args[args.indexOf('--master') + 1]).toBe('spark://one:7077')
  expect(args[args.indexOf('--properties-file') + 1]).toBe(directoriesOf(state).sparkConf)
  expect(args).toEqual(
    expect.arrayContaining([
      ...['spark.driver.host=10.0.0.2', 'spark.driver.bindAddress=10.0.0.2', '--jars', 'file:/jars/*.jar'],
      ...['spark.cores.max=2', 'spark.executor.cores=1', 'spark.pyspark.python=python3'],
    ]),
  )
  expect(args.filter(argument => argument.startsWith('spark.executor.extraClassPath'))).toEqual([])
  expect(JSON.stringify(job?.command)).not.toContain('canary')
})

test('the job and the Thrift server get the configuration of Hadoop, and their local paths stay local', () => {
  const yarn = configOf(['spark.master=yarn', 'spark.hadoopConfDir=/etc/hadoop'])
  const [thrift, job] = services({ ...stack, config: yarn }).slice(2)
  for (const service of [thrift, job]) expect(service?.command.env['HADOOP_CONF_DIR']).toBe('/etc/hadoop')
  const args = job?.command.args ?? []
  expect(args[args.indexOf('--checkpoint') + 1]).toBe(`file:${directoriesOf(state).checkpoint}`)
  expect(args[args.indexOf('--master') + 1]).toBe('yarn')
  expect(args).not.toContain('--new-checkpoint')
})

test('on Kubernetes the job has the settings of the pods, and its environment has no folder that they would get', () => {
  const master = 'spark.master=k8s://https://api.example.org'
  const job = services({ ...stack, config: configOf([master, 'spark.kubernetes.tokenFile=token']) }).find(
    ({ name }) => name === 'products-stream',
  )
  expect(job?.command.args).toEqual(
    expect.arrayContaining([
      ...['k8s://https://api.example.org', 'spark.kubernetes.namespace=default'],
      'spark.kubernetes.authenticate.oauthTokenFile=/project/token',
    ]),
  )
  expect(Object.keys(job?.command.env ?? {})).toEqual(
    expect.arrayContaining(['KUBERNETES_AUTH_TRYKUBECONFIG', 'SPARK_LOCAL_IP']),
  )
  expect(job?.command.env).not.toHaveProperty('SPARK_LOCAL_DIRS')
})

test.each([
  ['HDFS', 'hdfs://name:8020/checkpoint', 'FileSystemBased'],
  ['an object store', 's3://tables/checkpoint', 'AbortableStreamBased'],
])('with a checkpoint in %s, the job also gets the local folder of a new one', (_, remote, manager) => {
  const job = services({ ...stack, config: configOf([`stream.checkpoint=${remote}`]) }).find(
    ({ name }) => name === 'products-stream',
  )
  const args = job?.command.args ?? []
  expect(['--checkpoint', '--new-checkpoint'].map(option => args[args.indexOf(option) + 1])).toEqual([
    remote,
    directoriesOf(state).checkpoint,
  ])
  const managers = args.filter(arg => arg.startsWith('spark.sql.streaming.checkpointFileManagerClass='))
  expect(managers).toEqual([expect.stringContaining(`.${manager}CheckpointFileManager`)])
})

test('the job gets the file with the secrets of an external cluster, and no secret', () => {
  const settings = ['kafka.brokers=one:9092', 'kafka.sasl.mechanism=plain', 'kafka.sasl.username=canary']
  const job = services({ ...stack, config: configOf(settings) }).find(
    ({ name }) => name === 'products-stream',
  )
  const args = job?.command.args ?? []
  expect(args[args.indexOf('--kafka-client') + 1]).toBe(directoriesOf(state).kafkaClient)
  expect(JSON.stringify(job?.command)).not.toContain('canary')
})

test('the programs that open the tables get the file with the password of the catalog, and the jars for it', () => {
  const catalog = ['lake.catalog.uri=postgresql://db/lake', 'lake.catalog.user=me', 'lake.warehouse=/shared']
  const runtimes = { ...stack.runtimes, additionalJars: ['/postgresql'] }
  const all = services({ ...stack, runtimes, config: configOf(catalog) })
  const opens = all.filter(({ command }) => JSON.stringify(command).includes('pgpassfile'))
  expect(opens.map(({ name }) => name)).toEqual(['thrift', 'products-stream'])
  expect(opens.map(({ command }) => command.args[command.args.indexOf('--driver-class-path') + 1])).toEqual([
    `/jars/*:/postgresql/*:${directoriesOf(state).thriftClasses}`,
    '/jars/*:/postgresql/*',
  ])
  expect(serviceNames.filter(name => isStartedWith(name, 'lake.catalog.uri'))).toEqual([
    'thrift',
    'products-stream',
  ])
})

test('a service reads its start-up archive, or writes one when it stops, which takes longer', () => {
  const all = services({ ...stack, archives: { folder: '/archives', made: ['kafka', 'thrift'] } })
  const flags = /-XX:(?:SharedArchiveFile|ArchiveClassesAtExit)=[\w/.-]+/g
  const shown = all.map(({ name, command, stopTimeoutMs }) => [
    name,
    [...command.args, ...Object.values(command.env)].join(' ').match(flags)?.join(' '),
    stopTimeoutMs > 30_000,
  ])
  expect(shown).toEqual([
    ['zookeeper', '-XX:ArchiveClassesAtExit=/archives/zookeeper.jsa', true],
    ['kafka', '-XX:SharedArchiveFile=/archives/kafka.jsa', false],
    ['spark-master', '-XX:ArchiveClassesAtExit=/archives/spark-master.jsa', true],
    ['spark-worker', '-XX:ArchiveClassesAtExit=/archives/spark-worker.jsa', true],
    ['thrift', '-XX:SharedArchiveFile=/archives/thrift.jsa', false],
    // The driver, not its executors.
    ['products-stream', '-XX:ArchiveClassesAtExit=/archives/products-stream.jsa', true],
    ['dashboard', undefined, false],
  ])
})

test('a Thrift server with classes of its own writes no archive, so its stop does not take longer', () => {
  const elsewhere = [
    'lake.catalog.uri=postgresql://db/lake',
    'lake.catalog.user=me',
    'lake.warehouse=/shared',
  ]
  const archives = { folder: '/archives', made: [] }
  const all = services({ ...stack, config: configOf(elsewhere), archives })
  expect(all.find(({ name }) => name === 'thrift')?.stopTimeoutMs).toBe(10_000)
})

/** Every character of ASCII that a path can have (see project/supportedPath.ts), and others. */
const oddPath = "/my pröject ’🥖 !$&'()+-.;=@_~ /inner"

test.each([oddPath, oddPath.replaceAll(' ', '')])('the services get the path `%s` unchanged', path => {
  const own = { ...stack, project: path, state: join(path, '.offstream') }
  const { temporary, run } = directoriesOf(own.state)
  const log4j2 = `-Dlog4j2.configurationFile=${pathToFileURL(shippedPath('config', 'spark.log4j2.properties'))}`
  const [zookeeper, kafka, master, worker, thrift, stream] = services(own).map(({ command }) => command)
  for (const [command, name] of [
    [zookeeper, 'zookeeper'],
    [kafka, 'kafka'],
  ] as const) {
    expect(command?.args).toContain(`-Djava.io.tmpdir=${temporary}`)
    expect(command?.args.at(-1)).toBe(join(run, `${name}.properties`))
  }
  for (const command of [master, worker]) {
    const options = splitLikeSpark(command?.env['SPARK_DAEMON_JAVA_OPTS'] ?? '')
    expect(options).toContain(`-Djava.io.tmpdir=${temporary}`)
    expect(options).toContain(log4j2)
  }
  for (const command of [thrift, stream]) {
    const options = splitLikeSpark(command?.args[1] ?? '')
    expect(options).toContain(`-Djava.io.tmpdir=${temporary}`)
    expect(options).toContain(`-Dderby.stream.error.file=${join(temporary, 'derby.log')}`)
  }
  const prefix = 'spark.executor.extraJavaOptions='
  const executor = stream?.args.find(argument => argument.startsWith(prefix))?.slice(prefix.length)
  expect(splitLikeSpark(executor ?? '')).toContain(`-Djava.io.tmpdir=${temporary}`)
})

/** As `CommandBuilderUtils.parseOptionString` of Spark's launcher does, and `Utils.splitCommandString`. */
const splitLikeSpark = (text: string): string[] => {
  const words: string[] = []
  let word: string | null = null
  let quote: string | null = null
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? ''
    if (character === '\\' && quote !== "'") word = (word ?? '') + (text[++at] ?? '')
    else if (character === quote) quote = null
    else if (quote === null && /["']/.test(character)) {
      quote = character
      word ??= ''
    } else if (quote === null && /\s/.test(character)) {
      if (word !== null) words.push(word)
      word = null
    } else word = (word ?? '') + character
  }
  return word === null ? words : [...words, word]
}
