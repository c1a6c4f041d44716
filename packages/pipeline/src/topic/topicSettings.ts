import type { Config } from '../project/config.ts'
import { topicName } from './message.ts'

/** The section `kafka.topic` of the configuration; null: no requirement. */
export type TopicSettings = Config['kafka']['topic']

/** A topic without requirements. */
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
 * The topic as it is created. It is compacted: the key is the product's code, and a new reader needs only the newest record
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
      // A message that is acknowledged survives the loss of one broker, and the loss of one broker blocks no producer.
      ...(replicas >= 3 ? [{ name: 'min.insync.replicas', value: '2' }] : []),
    ],
  }
}

const policyOf = (retention: string | null): string => (retention === null ? 'compact' : 'compact,delete')

const unitMs: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000 }

const millisecondsOf = (retention: string): number =>
  Number.parseInt(retention, 10) * (unitMs[retention.slice(-1)] ?? Number.NaN)

/** What of an existing topic contradicts the settings, as phrases: `it has 1 partition, not 3`. */
export const contradictionsOf = (
  topic: { readonly partitions: readonly unknown[]; readonly config: Readonly<Record<string, string>> },
  { partitions, retention }: TopicSettings,
): string[] => {
  const [count, policy] = [topic.partitions.length, topic.config['cleanup.policy'] ?? 'delete']
  const required = policyOf(retention)
  return [
    ...(partitions === null || partitions === count
      ? []
      : [`it has ${count} partition${count === 1 ? '' : 's'}, not ${partitions}`]),
    ...(partsOf(policy) === partsOf(required)
      ? []
      : [`its \`cleanup.policy\` is \`${policy}\`, not \`${required}\``]),
  ]
}

const partsOf = (policy: string): string => policy.split(',').sort().join(',')
