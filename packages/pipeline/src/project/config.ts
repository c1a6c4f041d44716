import { z } from 'zod'
import { productColumns } from '../product/product.ts'
import { brokers, memory, passwordSettings, port, securitySettings, tlsSettings } from './clusterSettings.ts'
import { lakeSettings } from './lakeSettings.ts'
import { sparkSettings } from './sparkSettings.ts'

// No IPv6: before a port it would need brackets, which Spark's own addresses do not support.
const hostName = z.string().regex(/^[\w-]+(?:\.[\w-]+)*$/, 'must be a host name or an IPv4 address')

/**
 * Every setting with its default. Users edit the commented file `config/offstream.yaml`; a test compares the two. A value
 * that the user cannot choose better than offstream is a constant elsewhere.
 */
export const Config = z.strictObject({
  host: hostName
    .refine(host => host !== '0.0.0.0', 'must be one address that clients can connect to')
    .default('127.0.0.1')
    .describe(
      'Address that every service listens on; with an address other than 127.0.0.1, anyone on the network can connect to Kafka and Spark without a password, and the Thrift server requires a password and TLS',
    ),
  kafka: z
    .strictObject({
      mode: z
        .enum(['zookeeper', 'kraft'])
        .default('zookeeper')
        .describe('`zookeeper`: Kafka 3.9 with ZooKeeper; `kraft`: Kafka 4, which needs no ZooKeeper'),
      brokers: brokers
        .default('')
        .describe(
          'Brokers of an existing Kafka cluster, which is used instead of one that is started here: `host:port`, comma separated; empty: start one',
        ),
      port: port.default(9092).describe('Port of the Kafka broker'),
      controllerPort: port
        .default(9091)
        .describe('Port of the controller, which stores the metadata of Kafka, with `kafka.mode: kraft`'),
      brokerCount: z
        .literal([1, 3])
        .default(1)
        .describe('Number of brokers that are started here; with 3, each message is stored on all of them'),
      secondPort: port.default(9192).describe('Port of the second broker, with `kafka.brokerCount: 3`'),
      thirdPort: port.default(9292).describe('Port of the third broker, with `kafka.brokerCount: 3`'),
      memory: memory.default('512m').describe('Heap of a broker'),
      ...securitySettings('OFFSTREAM_KAFKA_PASSWORD'),
      topic: z
        .strictObject({
          partitions: z
            .int()
            .min(1)
            .nullable()
            .default(null)
            .describe('Partitions of the topic; null: 1 for a new topic, any number for an existing one'),
          replication: z
            .int()
            .min(1)
            .nullable()
            .default(null)
            .describe(
              'Replicas of a new topic; null: one on each broker here, the default of an existing cluster',
            ),
          retention: z
            .string()
            .regex(/^[1-9]\d*[hd]$/, 'must be hours or days such as `72h` or `30d`')
            .nullable()
            .default(null)
            .describe(
              'Age at which Kafka deletes messages, such as `30d`; null: it keeps the newest message of each key',
            ),
        })
        .prefault({}),
    })
    .prefault({}),
  zookeeper: z
    .strictObject({ port: port.default(2181).describe('Port of ZooKeeper, which stores Kafka’s metadata') })
    .prefault({}),
  spark: sparkSettings,
  stream: z
    .strictObject({
      deployMode: z
        .enum(['client', 'cluster'])
        .default('client')
        .describe(
          'Where the driver of the job runs: `client`: on this machine; `cluster`: in YARN, with `spark.master: yarn`, `stream.checkpoint`, and tables in HDFS',
        ),
      webPort: port.default(4040).describe('Port of the job’s Spark UI'),
      triggerMs: z
        .int()
        .min(0)
        .default(0)
        .describe(
          'Minimum time between the starts of two batches, in milliseconds; 0: a batch starts when the last has finished',
        ),
      maxOffsetsPerTrigger: z.int().min(1).default(300_000).describe('Maximum number of messages in a batch'),
      maxIndexedRows: z
        .int()
        .min(0)
        .default(5_000_000)
        .describe(
          'Maximum number of products for the index in the driver’s memory, 60 MB for each million; with more, MERGE writes each batch, which takes longer',
        ),
      checkpoint: z
        .string()
        .regex(
          /^(?:hdfs:\/\/[\w.-]+(?::\d{1,5})?|s3:\/\/[a-z\d][a-z\d.-]*)\/[^,:?#%*|"[\]{}]*[^/,:?#%*|"[\]{}]$/,
          'must be a folder such as `hdfs://name.example.org:8020/offstream/checkpoint` or `s3://bucket/checkpoint`, without `,:?#%*|"` and brackets',
        )
        .nullable()
        .default(null)
        .describe(
          'Folder for the position of the job in the topic, in HDFS (`hdfs://host:8020/path`) or in the object store of the tables (`s3://bucket/path`); null: a folder here',
        ),
      driverMemory: memory.default('1g').describe('Memory of the job’s driver'),
      executorMemory: memory.default('1g').describe('Memory of each executor of the job'),
      executorCores: z
        .int()
        .min(1)
        .nullable()
        .default(null)
        .describe('Cores of each executor; null: all cores of a worker, 1 on YARN and Kubernetes'),
      executors: z
        .int()
        .min(1)
        .nullable()
        .default(null)
        .describe('Number of executors; null: one on each worker, 2 on YARN and Kubernetes'),
    })
    .prefault({}),
  thrift: z
    .strictObject({
      host: hostName
        .nullable()
        .default(null)
        .describe(
          'Host of an existing Thrift server (Spark or Kyuubi), which is used instead of one that is started here; null: start one',
        ),
      port: port.default(10_000).describe('Port that Tableau and SQL clients connect to'),
      cores: z.int().min(1).default(2).describe('Cores that queries can use'),
      memory: memory.default('1g').describe('Memory of the Thrift server'),
      tls: tlsSettings('the certificate of the Thrift server that is started here, with its chain'),
      auth: z
        .strictObject({
          username: z
            .string()
            .min(1)
            .nullable()
            .default(null)
            .describe('User name for the Thrift server; null: no authentication'),
          ...passwordSettings('OFFSTREAM_THRIFT_PASSWORD'),
        })
        .prefault({}),
      insecure: z
        .boolean()
        .default(false)
        .describe(
          'Whether a Thrift server that is started here may listen on the network without a password or without TLS',
        ),
    })
    .prefault({}),
  lake: lakeSettings,
  dashboard: z
    .strictObject({
      port: port.default(8686).describe('Port of the dashboard, a web page'),
      readOnly: z
        .boolean()
        .default(false)
        .describe('Whether the dashboard only shows the services, without buttons that restart or stop them'),
    })
    .prefault({}),
  scrape: z
    .strictObject({
      productTypes: z
        .string()
        .regex(
          /^\s*(?:food|beauty|petfood|product)\s*(?:,\s*(?:food|beauty|petfood|product)\s*)*$/,
          'must be types such as `food,petfood`; the types are `food`, `beauty`, `petfood` and `product`',
        )
        .default('food')
        .describe(
          'Product types that are published, comma separated: `food`, `beauty`, `petfood`, `product`; products of other types are skipped',
        ),
      partial: z
        .enum(['publish', 'skip'])
        .default('publish')
        .describe(
          'What to do with products whose input lacks the name, the nutriments or the countries; they would replace complete records',
        ),
    })
    .prefault({}),
  web: z
    .strictObject({
      url: z
        .url({ protocol: /^https?$/ })
        .default('https://fr.openfoodfacts.org')
        .describe('Address where `scrape` starts'),
      pagesPerMinute: z
        .number()
        .positive()
        .default(30)
        .describe('Rate limit for a real site; a site on this machine has no limit'),
      concurrency: z
        .int()
        .min(1)
        .max(16)
        .default(1)
        .describe('Number of pages that are open at the same time on a real site'),
      contact: z
        .string()
        .nullable()
        .default(null)
        .describe('Your web or e-mail address, sent in the User-Agent header; Open Food Facts requires one'),
    })
    .prefault({}),
  api: z
    .strictObject({
      url: z
        .url({ protocol: /^https?$/ })
        .default('https://world.openfoodfacts.org')
        .describe('Site whose API `scrape --source api` reads; its host determines language and country'),
    })
    .prefault({}),
  export: z
    .strictObject({
      file: z
        .string()
        .min(1)
        .default('https://static.openfoodfacts.org/data/openfoodfacts-products.jsonl.gz')
        .describe('Address or path of the export that `scrape --source export` reads: JSONL, CSV or Parquet'),
      deltas: z
        .string()
        .min(1)
        .default('https://static.openfoodfacts.org/data/delta/index.txt')
        .describe('Address or path of the list of daily changes that `--deltas` reads'),
    })
    .prefault({}),
  topic: z
    .strictObject({
      brokers: brokers
        .default('')
        .describe(
          'Kafka brokers that `scrape --source topic` reads from: `host:port`, comma separated; empty: not set',
        ),
      topic: z.string().default('').describe('Topic that `scrape --source topic` reads; empty: not set'),
      group: z
        .string()
        .min(1)
        .default('offstream')
        .describe('Consumer group; its committed offsets are the position in the topic'),
      from: z
        .enum(['beginning', 'latest'])
        .default('beginning')
        .describe('Where a group without committed offsets starts to read'),
      ...securitySettings('OFFSTREAM_TOPIC_PASSWORD'),
      mapping: z
        .partialRecord(
          z.enum(productColumns),
          z.string().regex(/^\$/, 'must be a JSONPath such as `$.product.name`'),
        )
        .nullable()
        .default(null)
        .describe(
          'JSONPath of each column in a message, such as `code: $.gtin`; null: a message is a record or a product of the API, plain or in the envelope of a known program',
        ),
    })
    .prefault({}),
  browser: z
    .strictObject({
      executablePath: z
        .string()
        .nullable()
        .default(null)
        .describe('Path of the Chrome or Chromium to use; null: search for one'),
    })
    .prefault({}),
})

/** A valid configuration. */
export type Config = z.infer<typeof Config>
