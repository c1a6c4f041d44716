import type { Config } from '../project/config.ts'
import { topicName } from './message.ts'

/** The section `kafka.topic` of the configuration; null: no requirement. */
export type TopicSettings = Config['kafka']['topic']

/** Settings without a requirement. */
export const anyTopic: TopicSettings = { partitions: null, replication: null, retention: null }

/** How Kafka's clients describe a topic that is to be created. */
interface NewTopic {
  readonly topic: string
  readonly numPartitions: number
  /** -1: the default of the cluster. */
  readonly replicationFactor: number
  readonly configEntries: { readonly name: string; readonly value: string }[]
}

/**
 * The topic that offstream creates. It is compacted: the key is the product's code, and a new reader needs only the newest record
 * of each code.
 * @param ownBrokers how many brokers offstream starts; 0: an existing cluster, which has its own default for replicas
 */
export const newTopic = (
  { partitions, replication, retention }: TopicSettings,
  ownBrokers: number,
): NewTopic => {
  const request = { name: topicName, partitions: partitions ?? 1, compacted: true, retention }
  return topicOf(request, replication ?? replicasOn(ownBrokers))
}

/** A topic for jobs of the user. */
export interface TopicRequest {
  readonly name: string
  readonly partitions: number
  /** Whether Kafka keeps the newest message of each key, and no others. */
  readonly compacted: boolean
  /** How long Kafka keeps messages, such as `12h` or `7d`; null: as the cluster does by default. */
  readonly retention: string | null
}

/** The topic of a request as it is created. @param ownBrokers as that of `newTopic` */
export const requestedTopic = (request: TopicRequest, ownBrokers: number): NewTopic =>
  topicOf(request, replicasOn(ownBrokers))

const replicasOn = (ownBrokers: number): number => ownBrokers || -1

const topicOf = (request: TopicRequest, replicas: number): NewTopic => {
  const { name, partitions, retention } = request
  return {
    topic: name,
    numPartitions: partitions,
    replicationFactor: replicas,
    configEntries: [
      { name: 'cleanup.policy', value: policyOf(request) },
      ...(retention === null ? [] : [{ name: 'retention.ms', value: String(millisecondsOf(retention)) }]),
      // An acknowledged message survives the loss of a broker, and producers continue without that broker.
      ...(replicas >= 3 ? [{ name: 'min.insync.replicas', value: '2' }] : []),
    ],
  }
}

const policyOf = ({ compacted, retention }: Pick<TopicRequest, 'compacted' | 'retention'>): string => {
  if (!compacted) return 'delete'
  return retention === null ? 'compact' : 'compact,delete'
}

const unitMs: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000 }

const millisecondsOf = (retention: string): number =>
  Number.parseInt(retention, 10) * (unitMs[retention.slice(-1)] ?? Number.NaN)

/** An existing topic, as far as settings or a request require something of it. */
interface ExistingTopic {
  readonly partitions: readonly { readonly replicas: readonly unknown[] }[]
  readonly config: Readonly<Record<string, string>>
}

/**
 * How an existing topic contradicts the settings, as phrases such as `it has 1 partition, not 3`.
 * @param ownBrokers how many brokers offstream starts; 0: an existing cluster, whose replicas are not checked
 */
export const contradictionsOf = (
  topic: ExistingTopic,
  { partitions, replication, retention }: TopicSettings,
  ownBrokers: number,
): string[] =>
  differencesOf(topic, {
    partitions,
    replicas: ownBrokers === 0 ? null : (replication ?? ownBrokers),
    policy: policyOf({ compacted: true, retention }),
  })

/** How an existing topic contradicts a request, as such phrases. @param ownBrokers as that of `contradictionsOf` */
export const requestContradictions = (
  topic: ExistingTopic,
  request: TopicRequest,
  ownBrokers: number,
): string[] =>
  differencesOf(topic, {
    partitions: request.partitions,
    replicas: ownBrokers === 0 ? null : ownBrokers,
    policy: policyOf(request),
  })

/** What a topic must have; null: any number. */
interface Required {
  readonly partitions: number | null
  readonly replicas: number | null
  readonly policy: string
}

const differencesOf = (topic: ExistingTopic, { partitions, replicas, policy }: Required): string[] => {
  const [count, found] = [topic.partitions.length, topic.config['cleanup.policy'] ?? 'delete']
  const other = topic.partitions
    .map(partition => partition.replicas.length)
    .find(each => replicas !== null && each !== replicas)
  return [
    ...(partitions === null || partitions === count
      ? []
      : [`it has ${counted(count, 'partition')}, not ${partitions}`]),
    ...(other === undefined ? [] : [`it has ${counted(other, 'replica')}, not ${replicas}`]),
    ...(partsOf(found) === partsOf(policy)
      ? []
      : [`its \`cleanup.policy\` is \`${found}\`, not \`${policy}\``]),
  ]
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

const partsOf = (policy: string): string => policy.split(',').sort().join(',')
