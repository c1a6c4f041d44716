import type { Config } from '../project/config.ts'
import { directoriesOf } from '../project/directories.ts'
import { brokerOf } from '../services/kafka.ts'
import { openPublisher } from '../topic/topic.ts'
import { FetchedCount, type ProduceCounts, type ProduceOptions, produce } from './produce.ts'

export interface PublishOptions extends Omit<ProduceOptions, 'deliver' | 'remove'> {
  /** The state folder of the stack, whose count of fetched products goes up. */
  readonly state: string
  readonly config: Config
}

/**
 * Runs a source and publishes each of its products to the topic, and a delete for each that is no more; a product counts
 * as delivered, or removed, once Kafka has acknowledged it. Ends at the end of the source or when the signal is
 * aborted, and then returns what was done.
 *
 * @throws OffstreamError KAFKA_UNREACHABLE, before the source is even opened where no broker answers; and what the
 *   source as a whole came to
 */
export const publishProducts = async ({
  state,
  config,
  onProgress,
  ...options
}: PublishOptions): Promise<ProduceCounts> => {
  const publisher = await openPublisher(brokerOf(config))
  const fetched = new FetchedCount(directoriesOf(state).fetched)
  try {
    return await produce({
      ...options,
      deliver: publisher.publish,
      remove: publisher.remove,
      onProgress: (counts, event) => {
        fetched.is(counts.fetched)
        onProgress?.(counts, event)
      },
    })
  } finally {
    // First what can't fail: its clock would keep the process alive.
    await fetched.close()
    await publisher.close()
  }
}
