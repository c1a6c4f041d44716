import { expect, test } from 'vitest'
import {
  anyTopic,
  contradictionsOf,
  newTopic,
  requestContradictions,
  requestedTopic,
} from './topicSettings.ts'

test('a new topic is compacted, with one partition and a replica on each broker here, or as many as the cluster chooses', () => {
  const compacted = [{ name: 'cleanup.policy', value: 'compact' }]
  const topic = { topic: 'products-events', numPartitions: 1, configEntries: compacted }
  const inSync = { name: 'min.insync.replicas', value: '2' }
  expect([newTopic(anyTopic, 1), newTopic(anyTopic, 3), newTopic(anyTopic, 0)]).toEqual([
    { ...topic, replicationFactor: 1 },
    { ...topic, replicationFactor: 3, configEntries: [...compacted, inSync] },
    { ...topic, replicationFactor: -1 },
  ])
})

test('a new topic with settings has its partitions, replicas and retention', () => {
  expect(newTopic({ partitions: 6, replication: 3, retention: '36h' }, 0)).toEqual({
    ...{ topic: 'products-events', numPartitions: 6, replicationFactor: 3 },
    configEntries: [
      { name: 'cleanup.policy', value: 'compact,delete' },
      { name: 'retention.ms', value: '129600000' },
      { name: 'min.insync.replicas', value: '2' },
    ],
  })
})

test.each([
  ['compact', 1, anyTopic, []],
  ['compact', 3, anyTopic, []],
  ['delete,compact', 3, { ...anyTopic, partitions: 3, retention: '7d' }, []],
  [undefined, 1, anyTopic, ['its `cleanup.policy` is `delete`, not `compact`']],
  ['compact,delete', 1, anyTopic, ['its `cleanup.policy` is `compact,delete`, not `compact`']],
  [
    'compact',
    1,
    { ...anyTopic, partitions: 3, retention: '7d' },
    ['it has 1 partition, not 3', 'its `cleanup.policy` is `compact`, not `compact,delete`'],
  ],
])(
  'a topic with the policy %s and %d partitions contradicts %j: %j',
  (policy, partitions, settings, expected) => {
    const config: Record<string, string> = policy === undefined ? {} : { 'cleanup.policy': policy }
    expect(
      contradictionsOf({ partitions: Array(partitions).fill({ replicas: [1] }), config }, settings, 1),
    ).toEqual(expected)
  },
)

test.each([
  [1, 1, null, []],
  [3, 3, null, []],
  [1, 3, 1, []],
  [1, 3, null, ['it has 1 replica, not 3']],
  [3, 1, null, ['it has 3 replicas, not 1']],
  [2, 0, 3, []],
])(
  'a topic with %d replicas, %d brokers here and `replication: %j`: %j',
  (count, own, replication, expected) => {
    const replicas = Array.from({ length: count }, (_, index) => index + 1)
    const topic = { partitions: [{ replicas }], config: { 'cleanup.policy': 'compact' } }
    expect(contradictionsOf(topic, { ...anyTopic, replication }, own)).toEqual(expected)
  },
)

const clicks = { name: 'clicks', partitions: 2, compacted: false, retention: null }

test('a topic of the user has a replica on each of our brokers too, and deletes or compacts messages as requested', () => {
  const topics = [
    requestedTopic(clicks, 1),
    requestedTopic({ ...clicks, compacted: true }, 3),
    requestedTopic({ ...clicks, compacted: true, retention: '1h' }, 0),
  ]
  const topic = { topic: 'clicks', numPartitions: 2 }
  const policy = (value: string) => ({ name: 'cleanup.policy', value })
  expect(topics).toEqual([
    { ...topic, replicationFactor: 1, configEntries: [policy('delete')] },
    {
      ...{ ...topic, replicationFactor: 3 },
      configEntries: [policy('compact'), { name: 'min.insync.replicas', value: '2' }],
    },
    {
      ...{ ...topic, replicationFactor: -1 },
      configEntries: [policy('compact,delete'), { name: 'retention.ms', value: '3600000' }],
    },
  ])
})

test('an existing topic with another policy contradicts the request of a user', () => {
  const existing = { partitions: [{ replicas: [1] }, { replicas: [1] }], config: {} }
  expect([
    requestContradictions(existing, clicks, 1),
    requestContradictions(existing, clicks, 0),
    requestContradictions(existing, { ...clicks, compacted: true }, 3),
  ]).toEqual([[], [], ['it has 1 replica, not 3', 'its `cleanup.policy` is `delete`, not `compact`']])
})
