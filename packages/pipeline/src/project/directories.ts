import { basename, dirname, join, relative, sep } from 'node:path'

/** The folders and files of a stack, all in its state folder. */
export interface Directories {
  readonly state: string
  /**
   * Data of the first broker (see `folderOfNumber` for the others) and ZooKeeper. They can only be deleted together: all
   * store the id of the cluster.
   */
  readonly kafkaData: string
  readonly zookeeperData: string
  /** Data of the first broker with `kafka.mode: kraft`, in another format. */
  readonly kraftData: string
  /** What a Spark master that crashes leaves for the next one: its workers and jobs. */
  readonly sparkMaster: string
  /** Work folder of the first Spark worker (see `folderOfNumber` for the others). */
  readonly sparkWork: string
  /** The tables. */
  readonly warehouse: string
  /** The catalog of the tables, a SQLite file. */
  readonly catalog: string
  /** How far the stream has read, as Spark stores it. */
  readonly checkpoint: string
  /** The jobs of the user, one file each. */
  readonly jobs: string
  /** The checkpoints of the jobs of the user, one folder each. */
  readonly jobCheckpoints: string
  /** How far the stream has read, as the job reports it every second. */
  readonly streamProgress: string
  /** The last batches of the job. */
  readonly streamBatches: string
  /** A request to the job to rewrite its tables. */
  readonly optimizeRequest: string
  /** The number of products that scrapes have fetched since the topic was created. */
  readonly fetched: string
  readonly logs: string
  /** Temporary files of the services; deleted when they have exited. */
  readonly temporary: string
  /** Files of the running stack, and the socket of its daemon. */
  readonly run: string
  /** The password of an external Kafka cluster. */
  readonly kafkaSecret: string
  /** The settings of Kafka's Java client for an external cluster, with its secrets. */
  readonly kafkaClient: string
  /** The class with which this client requests tokens, for Spark. */
  readonly kafkaToken: string
  /** The password of the Thrift server, for its clients. */
  readonly thriftSecret: string
  /** The user of the Thrift server, with a hash of the password, for the server. */
  readonly thriftLogin: string
  /** The private key and the certificate of the Thrift server. */
  readonly thriftKey: string
  /** The class that checks logins, which the Thrift server compiles at its start. */
  readonly thriftClasses: string
  /** The settings of Spark in `spark.conf`. */
  readonly sparkConf: string
  /** The password of the catalog of the tables, and the keys of the object store of their files. */
  readonly lakeSecret: string
  /** The same for PostgreSQL’s driver, in the form of `.pgpass`. */
  readonly lakePasswords: string
  /** The same for the client of a REST catalog: a token, or a user and a password. */
  readonly lakeToken: string
  /** The jar with the class that reads that file. */
  readonly lakeLogin: string
  /** The keys of the object store of the tables, in the form of `~/.aws/credentials`. */
  readonly lakeKeys: string
  /** Files of `offstream lake migrate` while it runs, with the secrets of both catalogs. */
  readonly lakeMigration: string
  /** The secret that allows the actions of the dashboard. */
  readonly dashboardToken: string
  /** One file a service, with its last known state. */
  readonly records: string
}

/**
 * The folder of everything that a stack stores: `.offstream/` in the project, and for a profile or a named stack a folder
 * below it. Each profile has its own, so that no command uses the data or the services of another profile.
 */
export const stateFolder = (project: string, stack: string | null, profile: string | null = null): string =>
  join(
    ...[project, '.offstream'],
    ...(profile === null ? [] : ['profiles', profile]),
    ...(stack === null ? [] : ['stacks', stack]),
  )

/**
 * The folder of the broker or the worker with a number.
 * @param first the folder of the first one
 */
export const folderOfNumber = (first: string, id: number): string => (id === 1 ? first : `${first}-${id}`)

/** The folders in a state folder that contain other stacks, and the option that selects one of them. */
const stackOptions: Readonly<Record<string, string>> = { profiles: '--profile', stacks: '--stack' }

/** The folders in a state folder that belong to other stacks. */
export const otherStackFolders: readonly string[] = Object.keys(stackOptions)

/** The project of a state folder. */
export const projectFolder = (state: string): string => {
  const parent = dirname(state)
  return basename(state) === '.offstream' || parent === state ? parent : projectFolder(parent)
}

/** The options that select the stack of a state folder, such as `--profile` and `prod`; none for the default stack. */
export const optionsFor = (state: string): readonly string[] =>
  relative(join(projectFolder(state), '.offstream'), state)
    .split(sep)
    .flatMap((name, index) => (index % 2 === 0 ? (stackOptions[name] ?? []) : name))

/**
 * The folders and files of a stack.
 * @param state its state folder
 */
export const directoriesOf = (state: string): Directories => {
  const run = join(state, 'run')
  return {
    state,
    kafkaData: join(state, 'data', 'kafka'),
    zookeeperData: join(state, 'data', 'zookeeper'),
    kraftData: join(state, 'data', 'kraft'),
    sparkMaster: join(state, 'data', 'spark-master'),
    sparkWork: join(state, 'data', 'spark-work'),
    warehouse: join(state, 'lake'),
    catalog: join(state, 'lake', 'catalog.db'),
    checkpoint: join(state, 'checkpoints', 'products'),
    jobs: join(state, 'jobs'),
    jobCheckpoints: join(state, 'checkpoints', 'jobs'),
    streamProgress: join(run, 'products-stream.progress.json'),
    streamBatches: join(run, 'products-stream.batches.json'),
    optimizeRequest: join(run, 'products-stream.optimize'),
    fetched: join(run, 'fetched.json'),
    logs: join(state, 'logs'),
    temporary: join(state, 'tmp'),
    run,
    kafkaSecret: join(run, 'kafka.secret.json'),
    kafkaClient: join(run, 'kafka.client.properties'),
    kafkaToken: join(run, 'kafka.token.jar'),
    thriftSecret: join(run, 'thrift.secret.json'),
    thriftLogin: join(run, 'thrift.login.properties'),
    thriftKey: join(run, 'thrift.key.pem'),
    thriftClasses: join(run, 'thrift.classes'),
    sparkConf: join(run, 'spark.conf.properties'),
    lakeSecret: join(run, 'lake.secret.json'),
    lakePasswords: join(run, 'lake.pgpass'),
    lakeToken: join(run, 'lake.token'),
    lakeLogin: join(run, 'lake.login.jar'),
    lakeKeys: join(run, 'lake.credentials'),
    lakeMigration: join(run, 'lake.migration'),
    dashboardToken: join(run, 'dashboard.token'),
    records: join(run, 'services'),
  }
}
