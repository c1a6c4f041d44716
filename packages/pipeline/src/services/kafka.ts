import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type OffstreamError, type ServiceCommand, until } from '@offstream/runtime'
import { PipelineError } from '../errors.ts'
import type { ServiceName } from '../names.ts'
import { assetPath } from '../project/assets.ts'
import type { Config } from '../project/config.ts'
import { directoriesOf } from '../project/directories.ts'
import { numberAt } from '../project/paths.ts'
import { javaEnvironment } from '../runtimes/environment.ts'
import { checkInSync, clusterIdOf, ensureTopic } from '../topic/admin.ts'
import { type ClusterAddress, localCluster } from '../topic/cluster.ts'
import { archiveFlags, fastStart, temporaryFlag } from './java.ts'
import {
  type BrokerId,
  brokerIds,
  brokerPortSetting,
  brokersOf,
  isKraft,
  ownBroker,
  ownBrokerData,
} from './kafkaCluster.ts'
import { propertyText } from './properties.ts'
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

/**
 * A Kafka broker; it is ready when it responds and its replicas are in sync. The last broker creates the topic. A broker
 * starts after those with lower ids, and stops before them: with KRaft the first one is the controller.
 */
export const kafka =
  (id: BrokerId) =>
  (stack: Stack): ServiceParts => {
    const { config, state } = stack
    const data = ownBrokerData(config, state, id)
    const earlier = brokerIds.filter(other => other < id).map(brokerName)
    return {
      command: kafkaProgram(stack, {
        name: brokerName(id),
        mainClass: 'kafka.Kafka',
        heap: config.kafka.memory,
      }),
      needs: ['zookeeper', ...earlier],
      port: numberAt(config, brokerPortSetting(id)),
      prepare: signal =>
        isKraft(config) ? prepareKraft(stack, id, signal) : prepareBroker(stack, id, signal),
      ready: async signal => {
        const own = localCluster(ownBroker(config, id))
        if (id === config.kafka.brokerCount)
          await ensureTopic(localCluster(...brokersOf(config)), config.kafka.topic, signal)
        await checkInSync(own, id, signal)
        await refuseOtherCluster(own, data, signal)
      },
      startTimeoutMs: 60_000,
      stopTimeoutMs: 20_000,
    }
  }

const brokerName = (id: BrokerId) => (({ 1: 'kafka', 2: 'kafka-2', 3: 'kafka-3' }) as const)[id]

/** The values of the placeholders in the properties of a broker. */
const brokerValues = ({ config, state }: Stack, id: BrokerId): Record<string, string> => {
  const { host, kafka } = config
  return {
    ...{ host, id: String(id), data: ownBrokerData(config, state, id) },
    port: String(numberAt(config, brokerPortSetting(id))),
    brokers: String(kafka.brokerCount),
    inSync: kafka.brokerCount === 1 ? '1' : '2',
  }
}

const prepareBroker = async (stack: Stack, id: BrokerId, signal: AbortSignal): Promise<void> => {
  const { host, zookeeper } = stack.config
  const values = { ...brokerValues(stack, id), zookeeper: `${host}:${zookeeper.port}` }
  await fillTemplate(stack, 'kafka.properties', values, `${brokerName(id)}.properties`)
  await earlierBrokerExpired(stack.config, id, signal)
}

/** Without ZooKeeper, the data folder must contain the id of the cluster before the first start. */
const prepareKraft = async (stack: Stack, id: BrokerId, signal: AbortSignal): Promise<void> => {
  const { config, state, runtimes } = stack
  const { host, kafka } = config
  const properties = `${brokerName(id)}.properties`
  const controller = id === 1 ? `,CONTROLLER://${host}:${kafka.controllerPort}` : ''
  const values = {
    ...brokerValues(stack, id),
    roles: id === 1 ? 'broker,controller' : 'broker',
    listeners: `PLAINTEXT://${ownBroker(config, id)}${controller}`,
    controllerPort: String(kafka.controllerPort),
  }
  await fillTemplate(stack, 'kafka.kraft.properties', values, properties)
  // The tool writes this file last: if it exists, the folder is complete.
  if (existsSync(join(ownBrokerData(config, state, id), 'meta.properties'))) return
  const clusterId = id === 1 ? newClusterId() : await clusterIdIn(ownBrokerData(config, state, 1))
  const { run, temporary } = directoriesOf(state)
  const { execa } = await import('execa')
  const format = ['format', '--ignore-formatted', '--config', join(run, properties)]
  await execa(
    runtimes.java,
    [
      ...[...fastStart, '-cp', join(runtimes.kafkaLibs, '*'), 'kafka.tools.StorageTool'],
      // With `=`, because an id may begin with a dash.
      ...[...format, `--cluster-id=${clusterId}`],
    ],
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
  const own = await clusterIdIn(data)
  const actual = await clusterIdOf(cluster, signal)
  if (actual !== own)
    throw new Error(`the broker at ${cluster.brokers.join(',')} belongs to cluster ${actual}, not ${own}`)
}

/** The id of the cluster that the data of a broker belongs to. */
const clusterIdIn = async (data: string): Promise<string | undefined> => {
  const properties = await readFile(join(data, 'meta.properties'), 'utf8')
  return /^cluster\.id=(.+)$/m.exec(properties)?.[1]
}

/** A program in Kafka's jars, which reads `<name>.properties`. */
const kafkaProgram = (
  { project, state, config, runtimes, archives }: Stack,
  {
    name,
    mainClass,
    heap,
  }: { readonly name: ServiceName; readonly mainClass: string; readonly heap: string },
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
const earlierBrokerExpired = (
  { host, zookeeper }: Config,
  id: BrokerId,
  signal: AbortSignal,
): Promise<void> =>
  until(
    async probe => {
      const sessions = await fourLetterWord('dump', host, zookeeper.port, probe)
      if (new RegExp(`/brokers/ids/${id}\\b`).test(sessions)) throw new Error('a broker is registered')
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
