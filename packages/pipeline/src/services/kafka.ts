import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type OffstreamError, type ServiceCommand, until } from '@offstream/runtime'
import { PipelineError } from '../errors.ts'
import { assetPath } from '../project/assets.ts'
import type { Config } from '../project/config.ts'
import { directoriesOf } from '../project/directories.ts'
import { javaEnvironment } from '../runtimes/environment.ts'
import { clusterIdOf, ensureTopic } from '../topic/admin.ts'
import { type ClusterAddress, localCluster } from '../topic/cluster.ts'
import { archiveFlags, fastStart, temporaryFlag } from './java.ts'
import { brokerData, brokersOf, isKraft, propertyText } from './kafkaCluster.ts'
import type { ServiceParts, Stack } from './stack.ts'

/** ZooKeeper; it is ready when it responds to `srvr`. */
export const zookeeper = (stack: Stack): ServiceParts => {
  const { config } = stack
  return {
    command: kafkaProgram(stack, {
      name: 'zookeeper',
      mainClass: 'org.apache.zookeeper.server.quorum.QuorumPeerMain',
      heap: '256m',
    }),
    needs: [],
    port: config.zookeeper.port,
    prepare: () =>
      fillTemplate(stack, 'zookeeper.properties', {
        host: config.host,
        port: String(config.zookeeper.port),
        data: directoriesOf(stack.state).zookeeperData,
      }),
    ready: signal => probeZookeeper(config.host, config.zookeeper.port, signal),
    startTimeoutMs: 30_000,
    stopTimeoutMs: 10_000,
  }
}

/** The Kafka broker; it is ready when its topic exists. */
export const kafka = (stack: Stack): ServiceParts => {
  const { config } = stack
  const data = brokerData(config, stack.state) ?? directoriesOf(stack.state).kafkaData
  return {
    command: kafkaProgram(stack, {
      name: 'kafka',
      mainClass: 'kafka.Kafka',
      heap: config.kafka.memory,
    }),
    needs: ['zookeeper'],
    port: config.kafka.port,
    prepare: signal =>
      isKraft(config) ? prepareKraft(stack, data, signal) : prepareBroker(stack, data, signal),
    ready: async signal => {
      const cluster = localCluster(...brokersOf(config))
      await ensureTopic(cluster, config.kafka.topic, signal)
      await refuseOtherCluster(cluster, data, signal)
    },
    startTimeoutMs: 60_000,
    stopTimeoutMs: 20_000,
  }
}

const prepareBroker = async (stack: Stack, data: string, signal: AbortSignal): Promise<void> => {
  const { config } = stack
  await fillTemplate(stack, 'kafka.properties', {
    host: config.host,
    port: String(config.kafka.port),
    zookeeper: `${config.host}:${config.zookeeper.port}`,
    data,
  })
  await earlierBrokerExpired(config, signal)
}

/** Without ZooKeeper, the folder of the data must have the id of the cluster before the first start. */
const prepareKraft = async (stack: Stack, data: string, signal: AbortSignal): Promise<void> => {
  const { config, state, runtimes } = stack
  await fillTemplate(
    stack,
    'kafka.kraft.properties',
    {
      host: config.host,
      port: String(config.kafka.port),
      controllerPort: String(config.kafka.controllerPort),
      data,
    },
    'kafka.properties',
  )
  // The tool writes this file last.
  if (existsSync(join(data, 'meta.properties'))) return
  const { run, temporary } = directoriesOf(state)
  const classPath = ['-cp', join(runtimes.kafkaLibs, '*')]
  const { execa } = await import('execa')
  const format = ['format', '--ignore-formatted', '--config', join(run, 'kafka.properties')]
  await execa(
    runtimes.java,
    // With `=`, because an id may begin with a dash.
    [...fastStart, ...classPath, 'kafka.tools.StorageTool', ...format, `--cluster-id=${newClusterId()}`],
    { env: javaEnvironment(temporary), extendEnv: false, cwd: state, stdin: 'ignore', cancelSignal: signal },
  )
}

/** 16 random bytes, as Kafka writes the id of a cluster. */
const newClusterId = (): string => randomBytes(16).toString('base64url')

/** Throws if the broker that responds belongs to another cluster than the data of this stack. */
const refuseOtherCluster = async (
  cluster: ClusterAddress,
  data: string,
  signal: AbortSignal,
): Promise<void> => {
  const properties = await readFile(join(data, 'meta.properties'), 'utf8')
  const own = /^cluster\.id=(.+)$/m.exec(properties)?.[1]
  const actual = await clusterIdOf(cluster, signal)
  if (actual !== own)
    throw new Error(`the broker at ${cluster.brokers.join(',')} belongs to cluster ${actual}, not ${own}`)
}

/** A program in Kafka's jars, which reads `<name>.properties`. */
const kafkaProgram = (
  { project, state, config, runtimes, archives }: Stack,
  {
    name,
    mainClass,
    heap,
  }: { readonly name: 'kafka' | 'zookeeper'; readonly mainClass: string; readonly heap: string },
): ServiceCommand => {
  const directories = directoriesOf(state)
  return {
    file: runtimes.java,
    args: [
      ...[`-Xmx${heap}`, ...fastStart, ...archiveFlags(archives, name), temporaryFlag(directories)],
      ...['-cp', join(runtimes.kafkaLibs, '*')],
      logging(project, config),
      ...[mainClass, join(directories.run, `${name}.properties`)],
    ],
    env: javaEnvironment(directories.temporary),
    cwd: state,
  }
}

const logging = (project: string, config: Config): string =>
  isKraft(config)
    ? `-Dlog4j2.configurationFile=${pathToFileURL(assetPath(project, 'config', 'kafka.log4j2.properties'))}`
    : `-Dlog4j.configuration=${pathToFileURL(assetPath(project, 'config', 'kafka.log4j.properties'))}`

/**
 * Writes `config/<name>`, with `{{…}}` filled in, to the run folder, where the program reads it.
 * @throws OffstreamError CONFIG_INVALID
 */
const fillTemplate = async (
  { project, state }: Pick<Stack, 'project' | 'state'>,
  name: string,
  values: Readonly<Record<string, string>>,
  filledName = name,
): Promise<void> => {
  const template = await readFile(assetPath(project, 'config', name), 'utf8')
  const filled = template.replace(/\{\{(\w*)\}\}/g, (whole, key: string) => {
    const value = values[key]
    if (value === undefined) throw unknownPlaceholder(name, whole, Object.keys(values))
    return propertyText(value)
  })
  const { run } = directoriesOf(state)
  await mkdir(run, { recursive: true, mode: 0o700 })
  await writeFile(join(run, filledName), filled)
}

const unknownPlaceholder = (file: string, placeholder: string, known: readonly string[]): OffstreamError =>
  new PipelineError('CONFIG_INVALID', `\`${file}\` has the unknown placeholder \`${placeholder}\``, {
    hint: `use one of these: ${known.map(key => `\`{{${key}}}\``).join(', ')}`,
  })

const responseTimeoutMs = 2_000

/** Resolves if ZooKeeper serves requests. */
const probeZookeeper = async (host: string, port: number, signal: AbortSignal): Promise<void> => {
  const answer = await fourLetterWord('srvr', host, port, signal)
  if (!answer.includes('Mode:')) throw new Error(`answered \`srvr\` with \`${answer.trim()}\``)
}

/**
 * Waits until the session of a killed broker has expired in ZooKeeper. A broker that starts earlier exits, since its id
 * is still registered. After a timeout the broker starts anyway.
 */
const earlierBrokerExpired = ({ host, zookeeper }: Config, signal: AbortSignal): Promise<void> =>
  until(
    async probe => {
      const sessions = await fourLetterWord('dump', host, zookeeper.port, probe)
      if (sessions.includes('/brokers/ids/')) throw new Error('a broker is registered')
    },
    { what: 'the session of the earlier broker to expire', timeoutMs: 20_000, intervalMs: 200, signal },
  ).catch(() => signal.throwIfAborted())

/** @see https://zookeeper.apache.org/doc/r3.8.4/zookeeperAdmin.html#sc_zkCommands */
const fourLetterWord = (
  word: 'srvr' | 'dump',
  host: string,
  port: number,
  signal: AbortSignal,
): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal })
    // During its start ZooKeeper 3.8 can fail to respond and leave the connection open.
    socket.setTimeout(responseTimeoutMs, () => socket.destroy(new Error(`did not respond to \`${word}\``)))
    let answer = ''
    socket.once('connect', () => socket.write(word))
    socket.on('data', chunk => {
      answer += chunk.toString('latin1')
    })
    socket.once('error', reject)
    socket.once('close', () => resolve(answer))
  })
