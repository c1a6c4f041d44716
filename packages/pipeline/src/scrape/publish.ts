import type { Config } from '../project/config.ts'
import { directoriesOf } from '../project/directories.ts'
import { clusterOf } from '../services/kafkaCluster.ts'
import { openPublisher } from '../topic/publisher.ts'
import { FetchedCount, type ProduceCounts, type ProduceOptions, produce } from './produce.ts'

/** Options of `publishProducts`. */
export interface PublishOptions extends Omit<ProduceOptions, 'deliver' | 'remove'> {
  /** The state folder of the stack, which contains the number of fetched products. */
  readonly state: string
  readonly config: Config
}

/**
 * Runs a source to its end, or until the signal is aborted, and publishes its products to the topic, with a delete for
 * each that no longer exists. A product counts as delivered, or removed, when Kafka has acknowledged it.
 *
 * @throws OffstreamError those of `clusterOf` and `openPublisher` before the source is opened; the error of the source
 */
export const publishProducts = async ({
  state,
  config,
  onProgress,
  ...options
}: PublishOptions): Promise<ProduceCounts> => {
  const publisher = await openPublisher(await clusterOf(config, state))
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
    // First, because it cannot fail, and its timer would keep the process alive.
    await fetched.close()
    await publisher.close()
  }
}
