import { z } from 'zod'
import { memory, port } from './clusterSettings.ts'
import { kubernetesSettings } from './kubernetesSettings.ts'
import { isRestAddress } from './lakeSettings.ts'

/** The cluster that runs the job: a master and workers here, or one that exists. */
export const sparkSettings = z
  .strictObject({
    master: z
      .string()
      .regex(
        /^(?:yarn|spark:\/\/[\w.-]+:\d{1,5}(?:,[\w.-]+:\d{1,5})*|k8s:\/\/https:\/\/[\w.-]+(?::\d{1,5})?)$/,
        'must be an address such as `spark://one.example.org:7077` or `k8s://https://api.example.org:6443`, or `yarn`',
      )
      .nullable()
      .default(null)
      .describe(
        'Existing cluster that runs the job, instead of a master and a worker that are started here: `spark://host:port`, `k8s://https://host:port` or `yarn`; null: start them here',
      ),
    driverHost: z
      .string()
      .regex(/^[\w-]+(?:\.[\w-]+)*$/, 'must be a host name or an IPv4 address')
      .nullable()
      .default(null)
      .describe(
        'Address of this machine to which the executors of an existing cluster connect; null: that of `host`',
      ),
    queue: z.string().min(1).nullable().default(null).describe('Queue of YARN; null: its default queue'),
    hadoopConfDir: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe(
        'Folder with `core-site.xml` and `yarn-site.xml` of an existing Hadoop cluster; null: none. The variable HADOOP_CONF_DIR is ignored',
      ),
    kubernetes: kubernetesSettings,
    conf: z
      .array(
        z.string().regex(/^spark\.[\w.-]+=/, 'must be a setting of Spark such as `spark.locality.wait=1s`'),
      )
      .default([])
      .describe(
        'Other settings of Spark for the job, such as `[spark.locality.wait=1s]`, except those that offstream sets',
      ),
    port: port.default(7077).describe('Port of the Spark master'),
    webPort: port.default(8080).describe('Port of the web UI of the Spark master, also of an existing one'),
    workers: z
      .int()
      .min(1)
      .max(3)
      .default(1)
      .describe('Number of workers that are started here; the job has an executor on each'),
    worker: z
      .strictObject({
        cores: z.int().min(1).default(2).describe('Cores that a worker offers to the job of the products'),
        jobCores: z
          .int()
          .min(0)
          .default(2)
          .describe(
            'Additional cores of a worker for your own jobs, which run beside the job of the products',
          ),
        memory: memory.default('2g').describe('Memory that a worker offers to jobs'),
        webPort: port.default(8081).describe('Port of the worker’s web UI'),
        secondWebPort: port
          .default(8082)
          .describe('Port of the second worker’s web UI, with `spark.workers: 2` or more'),
        thirdWebPort: port
          .default(8083)
          .describe('Port of the third worker’s web UI, with `spark.workers: 3`'),
      })
      .prefault({}),
  })
  .prefault({})

interface Settings {
  readonly spark: z.infer<typeof sparkSettings>
  readonly stream: { readonly executors: number | null; readonly executorCores: number | null }
}

interface DriverSettings {
  readonly spark: { readonly master: string | null; readonly conf: readonly string[] }
  readonly stream: { readonly deployMode: 'client' | 'cluster'; readonly checkpoint: string | null }
  readonly lake: { readonly warehouse: string | null; readonly catalog: { readonly uri: string | null } }
}

/** Problems of the settings for a driver in YARN, which cannot use the folders of this machine. */
export const deployConflicts = ({ spark, stream, lake }: DriverSettings): string[] => {
  if (stream.deployMode === 'client') return []
  const condition = 'if stream.deployMode is cluster'
  return [
    ...(spark.master === 'yarn' ? [] : [`spark.master: must be yarn ${condition}`]),
    ...(stream.checkpoint?.startsWith('hdfs://')
      ? []
      : [`stream.checkpoint: must begin with hdfs:// ${condition}`]),
    ...(lake.warehouse?.startsWith('hdfs://')
      ? []
      : [`lake.warehouse: must begin with hdfs:// ${condition}`]),
    // The file with the token and the class for the login are only on this machine.
    ...(isRestAddress(lake.catalog.uri)
      ? [`lake.catalog.uri: must begin with postgresql:// ${condition}`]
      : []),
    ...spark.conf
      .map(nameOf)
      .filter(name => ownedInCluster.includes(name))
      .map(name => `spark.conf: offstream itself sets ${name} ${condition}`),
  ]
}

/** The settings by which the job and its files get to a driver in YARN. */
const ownedInCluster: readonly string[] = [
  ...['spark.yarn.tags', 'spark.yarn.submit.waitAppCompletion', 'spark.yarn.appMasterEnv.PYTHONPATH'],
  ...['spark.files', 'spark.archives', 'spark.yarn.dist.files', 'spark.yarn.dist.archives'],
  'spark.yarn.stagingDir',
]

/** Values of the section that contradict each other, or settings of Spark that are offstream's own. */
export const sparkConflicts = ({ spark, stream }: Settings): string[] => {
  const { master, driverHost, queue, hadoopConfDir, workers } = spark
  return [
    ...(master === null && driverHost !== null
      ? ['spark.driverHost: has no effect without spark.master']
      : []),
    ...(master !== null && workers !== 1 ? ['spark.workers: has no effect with spark.master'] : []),
    ...(master !== 'yarn' && queue !== null ? ['spark.queue: has no effect without spark.master: yarn'] : []),
    ...(master === 'yarn' && hadoopConfDir === null
      ? ['spark.hadoopConfDir: must be set if spark.master is yarn']
      : []),
    // Spark's own master knows only the sum of the cores.
    ...(!/^(?:yarn$|k8s:)/.test(master ?? '') && stream.executors !== null && stream.executorCores === null
      ? ['stream.executorCores: must be set if stream.executors is set']
      : []),
    ...(master === null ? sizeProblems(spark, stream) : []),
    ...spark.conf.flatMap(setting => ownedProblem(nameOf(setting))),
  ]
}

/** Executors that the workers here cannot run, or only with the cores for jobs of the user. */
const sizeProblems = (
  { workers, worker }: Settings['spark'],
  { executors, executorCores }: Settings['stream'],
): string[] => {
  if (executorCores === null) return []
  if (executorCores > worker.cores)
    return [`stream.executorCores: must be at most spark.worker.cores (${worker.cores})`]
  const max = workers * Math.floor(worker.cores / executorCores)
  return executors !== null && executors > max
    ? [`stream.executors: must be at most ${max}, which spark.workers and spark.worker.cores have room for`]
    : []
}

/** The name and the value of a setting of Spark, `name=value`. */
export const entryOf = (setting: string): [name: string, value: string] => {
  const sign = setting.indexOf('=')
  return [setting.slice(0, sign), setting.slice(sign + 1)]
}

/** The name of a setting of Spark. */
export const nameOf = (setting: string): string => entryOf(setting)[0]

/** The settings of Spark that offstream sets, and the setting of offstream for each; null: it has none. */
const owned: Readonly<Record<string, string | null>> = {
  'spark.master': 'spark.master',
  'spark.submit.deployMode': 'stream.deployMode',
  'spark.app.name': null,
  'spark.driver.host': 'spark.driverHost',
  'spark.driver.bindAddress': 'spark.driverHost',
  'spark.driver.memory': 'stream.driverMemory',
  'spark.driver.extraClassPath': null,
  'spark.driver.extraJavaOptions': null,
  'spark.executor.memory': 'stream.executorMemory',
  'spark.executor.instances': 'stream.executors',
  'spark.executor.cores': 'stream.executorCores',
  'spark.cores.max': 'stream.executors',
  'spark.executor.extraClassPath': null,
  'spark.executor.extraJavaOptions': null,
  'spark.jars': null,
  'spark.yarn.queue': 'spark.queue',
  'spark.kubernetes.namespace': 'spark.kubernetes.namespace',
  'spark.kubernetes.container.image': 'spark.kubernetes.image',
  'spark.kubernetes.executor.container.image': 'spark.kubernetes.image',
  'spark.kubernetes.authenticate.executor.serviceAccountName': 'spark.kubernetes.serviceAccount',
  'spark.kubernetes.authenticate.oauthToken': 'spark.kubernetes.tokenFile',
  'spark.kubernetes.authenticate.oauthTokenFile': 'spark.kubernetes.tokenFile',
  'spark.kubernetes.authenticate.caCertFile': 'spark.kubernetes.caFile',
  'spark.ui.port': 'stream.webPort',
  'spark.hadoop.fs.file.impl': null,
  'spark.log.structuredLogging.enabled': null,
  'spark.pyspark.driver.python': null,
  'spark.sql.extensions': null,
  'spark.sql.adaptive.enabled': null,
  'spark.sql.session.timeZone': null,
  'spark.sql.shuffle.partitions': null,
  'spark.sql.streaming.checkpointFileManagerClass': null,
  'spark.sql.warehouse.dir': null,
}

const ownedProblem = (name: string): string[] => {
  const isCatalog = name === 'spark.sql.catalog.lake' || name.startsWith('spark.sql.catalog.lake.')
  const setting = isCatalog ? null : owned[name]
  if (setting === undefined) return []
  return [`spark.conf: offstream itself sets ${name}${setting === null ? '' : `; use ${setting}`}`]
}
