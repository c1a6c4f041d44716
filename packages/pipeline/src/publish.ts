import type { Config } from './config.ts'
import { directoriesOf } from './directories.ts'
import { addFetched, type ProduceCounts, type ProduceOptions, produce } from './produce.ts'
import { brokerOf } from './services/addresses.ts'
import { openPublisher } from './topic.ts'

export interface PublishOptions extends Omit<ProduceOptions, 'deliver' | 'remove'> {
  /** The state folder of the stack, whose count of fetched products goes up. */
  readonly state: string
  readonly config: Config
}

const countEveryMs = 1_000

/**
 * Runs a source and publishes each of its products to the topic, and a delete for each that is no more; a product counts
 * as delivered, or removed, once Kafka has acknowledged it. Ends at the end of the source or when the signal is aborted, and then returns what was done.
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
    await publisher.close()
    await fetched.close()
  }
}

/** Adds to the stack's count every second, so that a run that is killed has told almost all of its own. */
class FetchedCount {
  private readonly file: string
  private readonly timer: NodeJS.Timeout
  private current = 0
  private told = 0
  private telling: Promise<void> = Promise.resolve()

  constructor(file: string) {
    this.file = file
    this.timer = setInterval(() => this.tell(), countEveryMs)
  }

  readonly is = (count: number): void => {
    this.current = count
  }

  readonly close = async (): Promise<void> => {
    clearInterval(this.timer)
    this.tell()
    await this.telling
  }

  private readonly tell = (): void => {
    const more = this.current - this.told
    if (more === 0) return
    this.told = this.current
    this.telling = this.telling.then(() => addFetched(this.file, more))
  }
}
