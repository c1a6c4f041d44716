import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { brokersOf, topicName } from '@offstream/pipeline'
import { until } from '@offstream/runtime'
import { ConfigResourceTypes, Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { waitForTable } from './pipeline.ts'
import { type ScratchStack, scratchStack } from './stack.ts'
import { streamOf } from './stream.ts'

/** The tests share one stack and depend on their order, because a start per test takes too long. */
describe('a stream that cannot continue', () => {
  let stack: ScratchStack
  let calls: ReturnType<typeof streamOf>
  beforeAll(async () => {
    stack = await scratchStack()
    calls = streamOf(stack)
    for (const command of ['up', 'submit']) await stack.succeed([command])
  })
  afterAll(() => stack?.[Symbol.asyncDispose]())
  const admin = async <T>(work: (admin: ReturnType<Kafka['admin']>) => Promise<T>): Promise<T> => {
    const client = new Kafka({ brokers: [...brokersOf(stack.config)], logLevel: logLevel.NOTHING }).admin()
    await client.connect()
    return work(client).finally(() => client.disconnect())
  }

  test('a topic that is created again stops the stream until the user accepts the loss', async () => {
    await calls.publish('72000001', '72000002')
    await waitForTable(stack, 'rows=2')
    await admin(async client => {
      await client.deleteTopics({ topics: [topicName] })
      await until(async () => expect(await client.listTopics()).not.toContain(topicName), {
        what: 'the topic to be deleted',
        timeoutMs: 10_000,
      })
      const configEntries = [{ name: 'cleanup.policy', value: 'compact' }]
      await client.createTopics({ topics: [{ topic: topicName, numPartitions: 1, configEntries }] })
    })
    const failed = await calls.untilFailed()
    expect(failed.overall).toBe('degraded')
    expect(failed.detail).toMatch(
      /was deleted and created again: .* \[KAFKA_DATA_LOSS\]; `offstream submit --accept-data-loss`/,
    )
    expect(await calls.failure('submit')).toEqual(['KAFKA_DATA_LOSS', 12])

    await stack.succeed(['submit', '--accept-data-loss'])
    await calls.publish('72000003')
    await waitForTable(stack, 'rows=3')
    expect((await calls.stream()).detail).toMatch(/^a loss of messages was accepted on .* created again/)
  })

  test('offsets beyond the end of the topic stop the stream', async () => {
    await calls.stop()
    await stack.succeed(['repair'])
    const file = join(calls.directories.checkpoint, 'offsets/0')
    await writeFile(file, (await readFile(file, 'utf8')).replace(/\{"0":\d+\}/, '{"0":1000}'))
    expect(await calls.failure('submit')).toEqual(['KAFKA_DATA_LOSS', 12])
    expect((await calls.stream()).detail).toMatch(/ends at offset \d+, but the stream has read up to 1000/)
    await stack.succeed(['repair'])
  })

  test('messages that were deleted unread stop the stream until the user accepts the loss', async () => {
    await calls.publish('72000004', '72000005')
    await admin(async client => {
      // The broker deletes no messages of a topic that is only compacted.
      const configEntries = [{ name: 'cleanup.policy', value: 'compact,delete' }]
      const resources = [{ type: ConfigResourceTypes.TOPIC, name: topicName, configEntries }]
      await client.alterConfigs({ validateOnly: false, resources })
      const [{ offset } = { offset: '0' }] = await client.fetchTopicOffsets(topicName)
      const before = String(Number(offset) - 1)
      // The broker learns of its new policy from ZooKeeper, after the response.
      const partitions = [{ partition: 0, offset: before }]
      await until(() => client.deleteTopicRecords({ topic: topicName, partitions }), {
        what: 'the broker to delete messages',
        timeoutMs: 30_000,
      })
    })
    expect(await calls.failure('submit')).toEqual(['KAFKA_DATA_LOSS', 12])
    expect((await calls.stream()).detail).toMatch(/: 1 offsets were deleted unread/)

    await stack.succeed(['submit', '--accept-data-loss'])
    await waitForTable(stack, 'rows=4')
    expect((await calls.codes()).slice(-2)).toEqual(['72000003', '72000005'])
  })

  test('a second stream on the same table is rejected until the first has exited', async () => {
    await calls.stop()
    await stack.succeed(['repair'])
    const holder = spawn('python3', ['-c', holdLock, join(calls.directories.warehouse, 'stream.lock')])
    await once(holder.stdout, 'data')
    expect(await calls.failure('submit')).toEqual(['TABLE_IN_USE', 13])
    expect((await calls.stream()).detail).toContain(`Another stream (pid ${holder.pid}) writes`)
    holder.kill('SIGKILL')
    await once(holder, 'exit')
    await stack.succeed(['submit'])
    await calls.publish('72000006')
    await waitForTable(stack, 'rows=5')
  })

  test('a table of a newer version is rejected', async () => {
    await calls.stop()
    await stack.succeed(['repair'])
    await stack.succeed(['query', 'ALTER TABLE lake.off.products ADD COLUMN carbon_footprint DOUBLE'])
    expect(await calls.failure('submit')).toEqual(['TABLE_NEWER', 10])
    await stack.succeed(['query', 'ALTER TABLE lake.off.products DROP COLUMN carbon_footprint'])
    await stack.succeed(['submit'])
  })
})

/** Holds a lock as the stream does, until it is killed. */
const holdLock = `
import fcntl, os, sys, time
file = open(sys.argv[1], "w")
fcntl.lockf(file, fcntl.LOCK_EX)
file.write(f"{os.getpid()}\\n")
file.flush()
print("locked", flush=True)
time.sleep(600)
`
