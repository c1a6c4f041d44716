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
  const replicas = replication ?? (ownBrokers || -1)
  return {
    topic: topicName,
    numPartitions: partitions ?? 1,
    replicationFactor: replicas,
    configEntries: [
      { name: 'cleanup.policy', value: policyOf(retention) },
      ...(retention === null ? [] : [{ name: 'retention.ms', value: String(millisecondsOf(retention)) }]),
      // An acknowledged message survives the loss of a broker, and producers continue without that broker.
      ...(replicas >= 3 ? [{ name: 'min.insync.replicas', value: '2' }] : []),
    ],
  }
}

const policyOf = (retention: string | null): string => (retention === null ? 'compact' : 'compact,delete')

const unitMs: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000 }

const millisecondsOf = (retention: string): number =>
  Number.parseInt(retention, 10) * (unitMs[retention.slice(-1)] ?? Number.NaN)

/** An existing topic, as far as settings require something of it. */
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
): string[] => {
  const [count, policy] = [topic.partitions.length, topic.config['cleanup.policy'] ?? 'delete']
  const required = policyOf(retention)
  const requiredReplicas = replication ?? ownBrokers
  const replicas = topic.partitions.map(partition => partition.replicas.length)
  const other = ownBrokers === 0 ? undefined : replicas.find(each => each !== requiredReplicas)
  return [
    ...(partitions === null || partitions === count
      ? []
      : [`it has ${counted(count, 'partition')}, not ${partitions}`]),
    ...(other === undefined ? [] : [`it has ${counted(other, 'replica')}, not ${requiredReplicas}`]),
    ...(partsOf(policy) === partsOf(required)
      ? []
      : [`its \`cleanup.policy\` is \`${policy}\`, not \`${required}\``]),
  ]
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

const partsOf = (policy: string): string => policy.split(',').sort().join(',')
