import { join } from 'node:path'

/** The folders and files of one stack, all below its state folder. */
export interface Directories {
  readonly state: string
  /** Kafka's and ZooKeeper's data: wiped together or not at all, each holds the other's cluster id. */
  readonly kafkaData: string
  readonly zookeeperData: string
  /** Where the Spark worker unpacks jobs. */
  readonly sparkWork: string
  /** The tables, and the catalog that knows them. */
  readonly warehouse: string
  readonly catalog: string
  /** How far the stream has read, as Spark keeps it. */
  readonly checkpoint: string
  /** How far the stream has read, as the job tells it each second. */
  readonly streamProgress: string
  /** What the producers have fetched since the topic was made. */
  readonly fetched: string
  readonly logs: string
  /** What the services unpack and spill while they run; nothing of it outlives them. */
  readonly temporary: string
  readonly run: string
  /** One file for each service: what was last known of it. */
  readonly records: string
}

/**
 * Where a stack keeps all that it has: `.offstream/` beside the project's `offstream.yaml`, and below it for a stack
 * with a name of its own.
 */
export const stateFolder = (project: string, stack: string | null): string =>
  stack === null ? join(project, '.offstream') : join(project, '.offstream', 'stacks', stack)

/** @param state the state folder of the stack */
export const directoriesOf = (state: string): Directories => {
  const run = join(state, 'run')
  return {
    state,
    kafkaData: join(state, 'data', 'kafka'),
    zookeeperData: join(state, 'data', 'zookeeper'),
    sparkWork: join(state, 'data', 'spark-work'),
    warehouse: join(state, 'lake'),
    catalog: join(state, 'lake', 'catalog.db'),
    checkpoint: join(state, 'checkpoints', 'products'),
    streamProgress: join(run, 'products-stream.progress.json'),
    fetched: join(run, 'fetched.json'),
    logs: join(state, 'logs'),
    temporary: join(state, 'tmp'),
    run,
    records: join(run, 'services'),
  }
}
