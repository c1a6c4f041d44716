import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type OffstreamError, type Service, until } from '@offstream/runtime'
import { PipelineError } from '../errors.ts'
import { assetPath } from '../project/assets.ts'
import type { Config } from '../project/config.ts'
import { clusterIdOf, ensureTopic } from '../topic/topic.ts'
import { brokerOf, portsOf } from './addresses.ts'
import { archiveFlags, fastStart, javaEnvironment, temporaryFlag } from './java.ts'
import type { Surroundings } from './surroundings.ts'

export const zookeeper = (surroundings: Surroundings): Service => {
  const { project, config, directories } = surroundings
  return {
    name: 'zookeeper',
    command: kafkaProgram(surroundings, {
      name: 'zookeeper',
      mainClass: 'org.apache.zookeeper.server.quorum.QuorumPeerMain',
      heap: '256m',
    }),
    needs: [],
    port: config.zookeeper.port,
    listensOn: portsOf('zookeeper', config),
    logFile: join(directories.logs, 'zookeeper.log'),
    prepare: () =>
      fillTemplate({ project, directories }, 'zookeeper.properties', {
        host: config.host,
        port: String(config.zookeeper.port),
        data: directories.zookeeperData,
      }),
    ready: signal => askZookeeper(config.host, config.zookeeper.port, signal),
    startTimeoutMs: 30_000,
    stopTimeoutMs: 10_000,
  }
}

export const kafka = (surroundings: Surroundings): Service => {
  const { project, config, directories } = surroundings
  return {
    name: 'kafka',
    command: kafkaProgram(surroundings, {
      name: 'kafka',
      mainClass: 'kafka.Kafka',
      heap: config.kafka.memory,
    }),
    needs: ['zookeeper'],
    port: config.kafka.port,
    listensOn: portsOf('kafka', config),
    logFile: join(directories.logs, 'kafka.log'),
    prepare: async signal => {
      await fillTemplate({ project, directories }, 'kafka.properties', {
        host: config.host,
        port: String(config.kafka.port),
        zookeeper: `${config.host}:${config.zookeeper.port}`,
        data: directories.kafkaData,
      })
      await earlierBrokerForgotten(config, signal)
    },
    ready: async signal => {
      await ensureTopic(brokerOf(config), signal)
      await refuseOtherCluster(brokerOf(config), directories.kafkaData, signal)
    },
    startTimeoutMs: 60_000,
    stopTimeoutMs: 20_000,
  }
}

/** Throws where the broker that answers is of another cluster than the one whose data we keep. */
const refuseOtherCluster = async (broker: string, data: string, signal: AbortSignal): Promise<void> => {
  const properties = await readFile(join(data, 'meta.properties'), 'utf8')
  const own = /^cluster\.id=(.+)$/m.exec(properties)?.[1]
  const answering = await clusterIdOf(broker, signal)
  if (answering !== own) throw new Error(`cluster ${answering} answers at ${broker}, ours is ${own}`)
}

/** A program among Kafka's jars; its properties are `<name>.properties`. */
const kafkaProgram = (
  { project, runtimes, archives, directories }: Surroundings,
  { name, mainClass, heap }: { readonly name: string; readonly mainClass: string; readonly heap: string },
): Service['command'] => ({
  file: runtimes.java,
  args: [
    ...[`-Xmx${heap}`, ...fastStart, ...archiveFlags(archives, name), temporaryFlag(directories)],
    ...['-cp', join(runtimes.kafkaLibs, '*')],
    `-Dlog4j.configuration=${pathToFileURL(assetPath(project, 'config', 'kafka.log4j.properties'))}`,
    ...[mainClass, join(directories.run, `${name}.properties`)],
  ],
  env: javaEnvironment,
  cwd: directories.state,
})

/**
 * `config/<name>` with `{{…}}` filled in, written to the run folder for the program to read.
 * @throws OffstreamError CONFIG_INVALID
 */
const fillTemplate = async (
  { project, directories }: Pick<Surroundings, 'project' | 'directories'>,
  name: string,
  values: Readonly<Record<string, string>>,
): Promise<void> => {
  const template = await readFile(assetPath(project, 'config', name), 'utf8')
  const filled = template.replace(/\{\{(\w*)\}\}/g, (whole, key: string) => {
    const value = values[key]
    if (value === undefined) throw unknownPlace(name, whole, Object.keys(values))
    return propertyText(value)
  })
  await mkdir(directories.run, { recursive: true, mode: 0o700 })
  await writeFile(join(directories.run, name), filled)
}

/** Java reads the files of its properties as ISO 8859-1, and takes a backslash for a beginning. */
const propertyText = (value: string): string =>
  value
    .replaceAll('\\', '\\\\')
    .replace(/[^ -~]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

const unknownPlace = (file: string, place: string, known: readonly string[]): OffstreamError =>
  new PipelineError('CONFIG_INVALID', `\`${file}\` has \`${place}\`, which offstream does not know`, {
    hint: `these are filled in: ${known.map(key => `\`{{${key}}}\``).join(', ')}`,
  })

const responseTimeoutMs = 2_000

/** Resolves when ZooKeeper has said that it is well. */
const askZookeeper = async (host: string, port: number, signal: AbortSignal): Promise<void> => {
  const answer = await fourLetters('srvr', host, port, signal)
  if (!answer.includes('Mode:')) throw new Error(`answered \`srvr\` with \`${answer.trim()}\``)
}

/**
 * Waits until ZooKeeper has forgotten the session of a broker that was killed: until then it takes the next one for
 * a second broker of the same number, and that one ends at once. After the wait it may try in any case.
 */
const earlierBrokerForgotten = ({ host, zookeeper }: Config, signal: AbortSignal): Promise<void> =>
  until(
    async asked => {
      const sessions = await fourLetters('dump', host, zookeeper.port, asked)
      if (sessions.includes('/brokers/ids/')) throw new Error('it still knows a broker')
    },
    { what: 'ZooKeeper to forget the earlier broker', timeoutMs: 20_000, intervalMs: 200, signal },
  ).catch(() => signal.throwIfAborted())

/** @see https://zookeeper.apache.org/doc/r3.8.4/zookeeperAdmin.html#sc_zkCommands */
const fourLetters = (
  word: 'srvr' | 'dump',
  host: string,
  port: number,
  signal: AbortSignal,
): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal })
    // Asked in the middle of its start, ZooKeeper 3.8 falls over its own answer and leaves the connection open.
    socket.setTimeout(responseTimeoutMs, () => socket.destroy(new Error(`did not answer \`${word}\``)))
    let answer = ''
    socket.once('connect', () => socket.write(word))
    socket.on('data', chunk => {
      answer += chunk.toString('latin1')
    })
    socket.once('error', reject)
    socket.once('close', () => resolve(answer))
  })
