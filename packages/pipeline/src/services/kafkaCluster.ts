import { rm } from 'node:fs/promises'
import type { Config } from '../project/config.ts'
import { directoriesOf, folderOfNumber, projectFolder } from '../project/directories.ts'
import { numberAt } from '../project/paths.ts'
import { savedPassword, savePassword } from '../project/savedPassword.ts'
import type { Environment } from '../runtimes/environment.ts'
import { checkTopic, clusterFailure, ensureTopic } from '../topic/admin.ts'
import {
  addressesOf,
  type ClusterAddress,
  configuredCluster,
  javaClientNames,
  javaClientSettings,
  localCluster,
  passwordOf,
} from '../topic/cluster.ts'
import { propertiesText, writePrivateFile } from './properties.ts'

/** Whether the topic is in an existing cluster instead of a broker that is started here. */
export const isKafkaExternal = ({ kafka }: Pick<Config, 'kafka'>): boolean =>
  addressesOf(kafka.brokers).length > 0

/** Whether a Kafka without ZooKeeper is started here. */
export const isKraft = (config: Config): boolean => config.kafka.mode === 'kraft' && !isKafkaExternal(config)

/** The ids of the brokers that can be started here. */
export const brokerIds = [1, 2, 3] as const
/** The id of a broker that is started here. */
export type BrokerId = (typeof brokerIds)[number]

/** The setting with the port of a broker that is started here. */
export const brokerPortSetting = (id: BrokerId): string =>
  ({ 1: 'kafka.port', 2: 'kafka.secondPort', 3: 'kafka.thirdPort' })[id]

/** The address of a broker that is started here. */
export const ownBroker = (config: Config, id: BrokerId): string =>
  `${config.host}:${numberAt(config, brokerPortSetting(id))}`

/**
 * The folder with the data of a broker that is started here.
 * @param state the state folder of the stack
 */
export const ownBrokerData = (config: Config, state: string, id: BrokerId): string => {
  const { kafkaData, kraftData } = directoriesOf(state)
  return folderOfNumber(isKraft(config) ? kraftData : kafkaData, id)
}

/** The folder with the data of the first broker; null if it is on another machine. */
export const brokerData = (config: Config, state: string): string | null =>
  isKafkaExternal(config) ? null : ownBrokerData(config, state, 1)

/** The addresses of the brokers with the topic, `host:port`. */
export const brokersOf = (config: Config): readonly string[] =>
  isKafkaExternal(config)
    ? addressesOf(config.kafka.brokers)
    : brokerIds.slice(0, config.kafka.brokerCount).map(id => ownBroker(config, id))

/**
 * The cluster with the topic.
 * @param state the state folder of the stack
 * @throws OffstreamError SECRET_MISSING, FILE_MISSING
 */
export const clusterOf = async (
  config: Config,
  state: string,
  environment: Environment = process.env,
): Promise<ClusterAddress> =>
  isKafkaExternal(config)
    ? configuredCluster(config.kafka, {
        directory: projectFolder(state),
        environment,
        savedPassword: await savedPassword(directoriesOf(state).kafkaSecret),
      })
    : localCluster(...brokersOf(config))

/**
 * Saves the password of an external cluster, if it is in the environment, in a file that only this user can read.
 * @throws OffstreamError SECRET_MISSING, FILE_MISSING
 */
export const saveKafkaSecret = async (
  config: Config,
  state: string,
  environment: Environment = process.env,
): Promise<void> =>
  savePassword(directoriesOf(state).kafkaSecret, config.kafka.sasl, environment, async () => {
    return passwordOf(await clusterOf(config, state, environment))
  })

/** Deletes what `saveKafkaSecret` and `prepareKafkaClients` wrote. */
export const forgetKafkaSecrets = async (state: string): Promise<void> => {
  const { kafkaSecret, kafkaClient, kafkaToken } = directoriesOf(state)
  for (const file of [kafkaSecret, kafkaClient, kafkaToken]) await rm(file, { force: true })
}

/**
 * Writes the settings of Kafka's Java client for the TLS and SASL of an existing cluster. Jobs name this file in their
 * settings, which Spark logs and shows on its pages, and the client itself reads the values from it.
 * @throws OffstreamError SECRET_MISSING, FILE_MISSING
 */
export const writeClientProperties = async (config: Config, state: string): Promise<void> => {
  if (!isKafkaExternal(config)) return
  const { kafkaClient } = directoriesOf(state)
  const settings = javaClientSettings(await clusterOf(config, state))
  await writePrivateFile(kafkaClient, propertiesText(settings))
}

/**
 * The options of Spark's Kafka source and sink for programs. Those of TLS and SASL refer to the file of
 * `writeClientProperties`.
 */
export const kafkaOptions = (config: Config, state: string): Readonly<Record<string, string>> => {
  const brokers = { 'kafka.bootstrap.servers': brokersOf(config).join(',') }
  const names = isKafkaExternal(config) ? javaClientNames(config.kafka) : []
  if (names.length === 0) return brokers
  const { kafkaClient } = directoriesOf(state)
  return {
    ...brokers,
    'kafka.config.providers': 'file',
    'kafka.config.providers.file.class': 'org.apache.kafka.common.config.provider.FileConfigProvider',
    ...Object.fromEntries(names.map(name => [`kafka.${name}`, `\${file:${kafkaClient}:${name}}`])),
  }
}

/**
 * Creates the topic in the external cluster if it does not exist; an existing one is checked.
 * @throws OffstreamError as `checkKafka`
 */
export const prepareKafka = async (config: Config, state: string, signal?: AbortSignal): Promise<void> => {
  const cluster = await clusterOf(config, state)
  await ensureTopic(cluster, config.kafka.topic, signal).catch(error => {
    signal?.throwIfAborted()
    throw clusterFailure(cluster, error)
  })
  await checkTopic(cluster, config.kafka.topic, signal)
}

/**
 * Resolves if the cluster responds, and the topic is as `kafka.topic` requires.
 * @throws OffstreamError the codes of `clusterErrorOf`, SECRET_MISSING, FILE_MISSING, TOPIC_DELETED, TOPIC_UNSUITABLE
 */
export const checkKafka = async (config: Config, state: string, signal?: AbortSignal): Promise<void> =>
  checkTopic(await clusterOf(config, state), config.kafka.topic, signal)
