import { type ErrorDefinition, errorClass } from '@offstream/runtime/errors'

/** The codes that this package throws. */
export const pipelineErrors = {
  ACCESS_DENIED: {
    outcome: 'refused',
    cause:
      'A permission is missing: an ACL of Kafka on the topic, the consumer group or the cluster; in PostgreSQL, to use or to create the tables of the catalog; in a REST catalog, to list its namespaces; in the object store, to list the bucket; or in Kubernetes, to manage the pods of the job.',
    remedy:
      'Ask an administrator for the permissions that `docs/clusters.md` lists: in Kafka, read, write and describe on the topic, and read on the groups; in PostgreSQL, a schema that belongs to `lake.catalog.user`; in a REST catalog, to create, read and write namespaces and tables; in the object store, to list the bucket, and to read, write and delete its objects; in Kubernetes, the role for the service account of `spark.kubernetes.tokenFile`.',
  },
  ADDRESS_INVALID: {
    outcome: 'usage',
    cause:
      'The value of `--url`, `--file` or `--deltas` is not a web address, or `--category`, `--lang` and similar options cannot be combined with it.',
    remedy:
      'Use an address that begins with `http://` or `https://`; with `--category` and similar options, the home page of the site.',
  },
  AUTHENTICATION_FAILED: {
    outcome: 'refused',
    cause:
      'Kafka, the Thrift server, the catalog of the tables, the object store of the tables or Kubernetes rejected the user: the user name, the password, the token, the SASL mechanism or a key is wrong.',
    remedy:
      'Check the settings in `sasl`, `thrift.auth`, `lake.catalog`, `lake.s3` or `spark.kubernetes`, and the environment variable or the file with the secret.',
  },
  CACHE_UNWRITABLE: {
    outcome: 'refused',
    cause: 'A folder in the cache cannot be written to or removed.',
    remedy: 'Check who owns it, or set `OFFSTREAM_CACHE` to a folder that you own.',
  },
  CATALOG_UNREACHABLE: {
    outcome: 'unreachable',
    cause:
      'Could not connect to `lake.catalog.uri`, the catalog of the tables, or the server does not have this database or warehouse.',
    remedy: 'Check the address, the network, and whether the server is running.',
  },
  CERTIFICATE_REJECTED: {
    outcome: 'refused',
    cause:
      'A TLS connection to Kafka, to the Thrift server, to the catalog of the tables or to Kubernetes was rejected: the certificate of the server is not signed by the authority in `tls.caFile` or `spark.kubernetes.caFile`, has expired or is for another host name, or the broker requires a client certificate.',
    remedy:
      'Set `tls.caFile` or `spark.kubernetes.caFile` to the authority that signed the certificates of the servers, use the host name in the certificate, and set `kafka.tls.certFile` and `keyFile` if the cluster requires a client certificate. A Thrift server here needs a certificate for the address in `host`.',
  },
  CHART_INVALID: {
    outcome: 'config',
    cause:
      'The `.sql` or `.json` file of a chart is missing, or its specification is not valid Vega-Lite or loads external data.',
    remedy: 'See `charts/README.md`.',
  },
  CHECKPOINT_DAMAGED: {
    outcome: 'failed',
    cause:
      'The checkpoint, which records how far the stream has read, has empty, truncated or missing files, or belongs to another topic or table. The stream does not start.',
    remedy:
      'Rebuild it with `offstream repair`, then run `offstream submit`. No message is skipped: those after the last snapshot of the table are read again, which changes nothing.',
  },
  CHROMIUM_FAILED: {
    outcome: 'prerequisite',
    cause: 'The browser was found but does not start; the last lines of its output are shown.',
    remedy: 'Run it manually to see why, or set `browser.executablePath`.',
  },
  CHROMIUM_MISSING: {
    outcome: 'prerequisite',
    cause:
      'No Chrome or Chromium was found and none could be installed, or `browser.executablePath` does not exist.',
    remedy: 'Install one, or correct the setting.',
  },
  CONFIG_INVALID: {
    outcome: 'config',
    cause: 'Settings are unknown or have invalid values; the message lists all of them, each with its line.',
    remedy: 'Compare with `config/offstream.yaml`.',
  },
  CONNECTION_LOST: {
    outcome: 'unreachable',
    cause: 'The download of an export was interrupted. Everything before that point was read.',
    remedy: 'Run the command again: a product that is read twice is one row in the table.',
  },
  FILE_DAMAGED: {
    outcome: 'failed',
    cause:
      'An export cannot be decompressed or read beyond some point, for example because a quote in a CSV file is never closed. Everything before that point was read.',
    remedy: 'Download the file again, or correct it.',
  },
  FILE_MISSING: {
    outcome: 'usage',
    cause:
      'A file that an option or a setting names does not exist or cannot be read, or is not a valid certificate, key or token.',
    remedy: 'Check the path or the address, and its permissions.',
  },
  FILE_TRUNCATED: {
    outcome: 'failed',
    cause: 'A Parquet file is truncated. Its index is at its end, so nothing of it can be read.',
    remedy: 'Download it again.',
  },
  FORMAT_UNKNOWN: {
    outcome: 'usage',
    cause: 'A file is not an export of products.',
    remedy: 'Use JSONL, CSV or Parquet.',
  },
  GROUP_ACTIVE: {
    outcome: 'locked',
    cause: 'Programs are reading with the consumer group, so its offsets cannot be moved.',
    remedy: 'Stop these programs, then try again.',
  },
  HOME_INVALID: {
    outcome: 'prerequisite',
    cause:
      'The folder of `SPARK_HOME` or `KAFKA_HOME` does not contain Spark or Kafka, or contains an unsupported version.',
    remedy:
      'Set it to an installation of Spark 4.1, or of Kafka 3 (Kafka 4 if `kafka.mode` is `kraft`), or unset it.',
  },
  INDEX_INVALID: {
    outcome: 'usage',
    cause: 'The value of `--deltas` is not an index of daily changes.',
    remedy: 'Use the address of `/data/delta/index.txt`.',
  },
  JAVA_MISSING: {
    outcome: 'prerequisite',
    cause: 'Java 17 or newer was not found.',
    remedy: 'Install it (Debian, Ubuntu: `openjdk-17-jre-headless`), or set `JAVA_HOME`.',
  },
  JOB_RUNNING: {
    outcome: 'locked',
    cause: 'A job with this name is running, and another program or other options were submitted.',
    remedy: 'Stop it with `offstream jobs stop`, or use another `--name`.',
  },
  JOB_UNKNOWN: {
    outcome: 'usage',
    cause: 'The job does not exist.',
    remedy: 'Run `offstream jobs`, which lists the jobs.',
  },
  KAFKA_DATA_LOSS: {
    outcome: 'failed',
    cause:
      'Messages were lost before the stream read them: the topic was deleted and created again, retention or `deleteRecords` has deleted unread messages, or the broker has lost messages. The stream has stopped, because otherwise the table would silently lack these messages.',
    remedy:
      '`offstream submit --accept-data-loss` records the loss in the table and continues with the messages that exist. Scrape again to publish the lost products.',
  },
  KAFKA_UNREACHABLE: {
    outcome: 'unreachable',
    cause: 'Could not connect to a Kafka broker.',
    remedy:
      'Run `offstream up`; `offstream status` shows the state of Kafka. For an external cluster check `kafka.brokers`, and whether the listener requires TLS or SASL.',
  },
  LAYOUT_CHANGED: {
    outcome: 'blocked',
    cause:
      'Product pages contain no product, or a list page contains no list: the layout of the site has changed.',
    remedy:
      'Use `--source export` or `--source api` until a newer version of offstream supports the new layout.',
  },
  MAPPING_INVALID: {
    outcome: 'config',
    cause: '`topic.mapping` has errors; the message lists all of them.',
    remedy: 'Use a JSONPath for each column, for example `$.product.name`.',
  },
  MESSAGE_REJECTED: {
    outcome: 'refused',
    cause: 'Kafka rejected a message: it is too large, or has no key.',
    remedy: 'Check the limits of the topic with `offstream topic describe`.',
  },
  MIGRATION_FAILED: {
    outcome: 'failed',
    cause:
      'The new tables of `lake migrate` could not be written, or do not have the same rows; they were deleted. The old tables are unchanged.',
    remedy: 'Fix what the message and the last log lines report, then repeat the command.',
  },
  MIGRATION_REFUSED: {
    outcome: 'refused',
    cause:
      '`lake migrate` has no tables to move, or the catalog of the profile is the same one or already has rows. Nothing was changed.',
    remedy:
      'Run it with the stack that has the tables, and name a profile with another `lake.catalog` and without rows. A killed `lake migrate` continues if you run it again before a stream uses the old or the new tables.',
  },
  MIRROR_LOOP: {
    outcome: 'usage',
    cause: '`--source topic` would copy the topic of this stack to itself.',
    remedy: 'Use another topic, or the brokers of another cluster.',
  },
  NOT_A_SOURCE: {
    outcome: 'usage',
    cause:
      'The address of `--url` is neither a list of products nor a product, or the site of `api.url` has no product API.',
    remedy: 'Use the home page, a category or a product; for the API, the home page of the site.',
  },
  NOT_RUNNING: {
    outcome: 'notRunning',
    cause: 'A command needs a service that is not running.',
    remedy: 'Run `offstream up`.',
  },
  OPTIMIZE_FAILED: {
    outcome: 'failed',
    cause: '`table optimize` could not rewrite the files of a table; the stream continues.',
    remedy:
      'Check the disk with `offstream doctor` and the log with `offstream logs products-stream`, then try again.',
  },
  OPTION_MISSING: {
    outcome: 'usage',
    cause: 'The source of `scrape` needs an option or a setting; the message names it.',
    remedy: 'Add it.',
  },
  PATH_UNSUPPORTED: {
    outcome: 'config',
    cause:
      'The path of the project contains a character that has a special meaning for Kafka or Spark: a comma, a colon, `?`, `#`, `%`, `*`, `|`, `^`, a double quote, a backslash, a back-tick, a bracket, a brace, an angle bracket, or a control character.',
    remedy: 'Rename the folder, or move the project to another one.',
  },
  PRODUCTS_LOST: {
    outcome: 'blocked',
    cause: 'The site reported ten products in a row as unknown; none of the ten was deleted.',
    remedy:
      'Open the site in a browser, and scrape again when it shows products. `offstream topic produce --delete <code>` deletes a product that no longer exists.',
  },
  PROFILE_UNKNOWN: {
    outcome: 'usage',
    cause: 'The profile of `--profile` or `OFFSTREAM_PROFILE` is not in `profiles` of `offstream.yaml`.',
    remedy: 'Use one of the profiles that the message lists, or add it to the file.',
  },
  PROJECT_EXISTS: {
    outcome: 'refused',
    cause: '`init` would overwrite files.',
    remedy: 'Choose another folder, or move the existing files.',
  },
  PROJECT_UNWRITABLE: {
    outcome: 'refused',
    cause: '`init` cannot write to the folder.',
    remedy: 'Choose a folder that you can write to.',
  },
  PYTHON_MISSING: {
    outcome: 'prerequisite',
    cause: 'Python 3.10 or newer was not found.',
    remedy: 'Install it.',
  },
  QUERY_TIMEOUT: {
    outcome: 'timeout',
    cause: 'The query took longer than `query --timeout` allows.',
    remedy: 'Query less data, or raise the timeout.',
  },
  RANGES_UNSUPPORTED: {
    outcome: 'refused',
    cause: 'The server does not support range requests, which reading a Parquet file requires.',
    remedy: 'Download the file, then use its path.',
  },
  REDIRECTED_ELSEWHERE: {
    outcome: 'refused',
    cause: 'An address redirects to another site, for example the page of a product that is not food.',
    remedy: 'Use that address instead, if you trust it.',
  },
  RESET_REFUSED: {
    outcome: 'refused',
    cause: 'A folder cannot be moved, so nothing was deleted.',
    remedy: 'If it is a mount point, or belongs to another user, empty it by hand.',
  },
  RESPONSE_TOO_LARGE: {
    outcome: 'refused',
    cause: 'A response of the site exceeds the limits: 8 MB a page, 32 MB of data.',
    remedy: 'Check the address.',
  },
  RUNTIME_IN_USE: {
    outcome: 'refused',
    cause: '`runtime` would remove files that a process is using; the message names the process.',
    remedy: 'Run `offstream down` in the project of that process, then try again.',
  },
  SCRAPE_RUNNING: {
    outcome: 'locked',
    cause: 'Another scrape of the same address is in progress; the message contains its pid.',
    remedy: 'Wait until it has finished, or stop it.',
  },
  SECRET_MISSING: {
    outcome: 'config',
    cause:
      'The environment variable that `kafka.sasl.passwordVariable`, `topic.sasl.passwordVariable`, `thrift.auth.passwordVariable` or `lake.catalog.passwordVariable` names is required and not set.',
    remedy: 'Set it for this command, or set `passwordFile` in the same section.',
  },
  SERVICES_RUNNING: {
    outcome: 'locked',
    cause: 'Services are running whose data would be deleted.',
    remedy: 'Run `offstream down`, then try again.',
  },
  SETTINGS_DIFFER: {
    outcome: 'refused',
    cause: 'A running service uses different settings than those requested.',
    remedy: 'Run `offstream down`, then start it with the new settings.',
  },
  SITE_UNREACHABLE: {
    outcome: 'unreachable',
    cause: 'Could not connect to the site.',
    remedy: 'Check the address and the network.',
  },
  SNAPSHOT_UNKNOWN: {
    outcome: 'usage',
    cause:
      'The snapshot of `table rollback --to` does not exist, or is not an ancestor of the current snapshot.',
    remedy:
      'Use a snapshot that `offstream table history` lists. Older snapshots expire after a few minutes.',
  },
  SOURCE_BLOCKED: {
    outcome: 'blocked',
    cause: 'The site blocks offstream or is down. It can report this with any HTTP status.',
    remedy: 'Wait a few hours and request fewer pages per minute; for many products use `--source export`.',
  },
  SOURCE_DISALLOWED: {
    outcome: 'refused',
    cause: 'The robots.txt of the site disallows this address.',
    remedy: 'Start at the home page or at a product; to search, use `--source api --search`.',
  },
  SPARK_UNREACHABLE: {
    outcome: 'unreachable',
    cause:
      'Could not connect to the Spark master of `spark.master`, to the resource manager of YARN or to the API server of Kubernetes; or it responds, but is not active.',
    remedy:
      'Check the address, the network, and whether the cluster is running. For a Spark master also check `spark.webPort`, for YARN `spark.hadoopConfDir`.',
  },
  SPARK_UNSUITABLE: {
    outcome: 'refused',
    cause:
      'The Spark cluster of `spark.master` cannot run the job: it has another version, no worker or node, too few cores or too little memory for an executor, or YARN does not have the queue.',
    remedy:
      'Start workers, lower `stream.executorMemory` and `stream.executorCores`, correct `spark.queue`, or use a cluster with Spark 4.1.',
  },
  SQL_FAILED: {
    outcome: 'failed',
    cause: 'The Thrift server rejected the statement, or could not complete it.',
    remedy: 'Correct it; `offstream query "SHOW VIEWS"` lists the views.',
  },
  STREAM_RUNNING: {
    outcome: 'locked',
    cause: 'The command changes the position at which the stream continues, but the stream is running.',
    remedy: 'Run `offstream down`, then `offstream up`, which does not start the stream, then try again.',
  },
  TABLE_IN_USE: {
    outcome: 'locked',
    cause:
      'Another stream is writing to the same tables; the message contains its pid, or its address if the catalog is shared. Only one stream may write them.',
    remedy: 'Stop the other stream, then run `offstream submit`.',
  },
  TABLE_TAKEN: {
    outcome: 'locked',
    cause:
      'Another stream, which was started later, writes the same tables in a REST catalog; the message contains its pid and its machine. This one has stopped, and is not restarted. Every row is in the tables once.',
    remedy:
      'Keep one of the two: run `offstream down` on the stack of the other stream, then `offstream submit` here, or leave this one stopped.',
  },
  TABLE_MISSING: {
    outcome: 'failed',
    cause:
      'A table that the views read was dropped, or an existing Thrift server (`thrift.host`) does not have the views.',
    remedy:
      'Refill a table from the topic: `offstream down && offstream reset --table && offstream up && offstream submit`. On an existing Thrift server, configure the catalog `lake` and run the statements of `config/views.sql`.',
  },
  TABLE_NEWER: {
    outcome: 'refused',
    cause:
      'A newer version of offstream has added columns to the table. Rows that this version updates would keep outdated values in these columns.',
    remedy:
      'Use the newer version, or refill the table with this one: `offstream down && offstream reset --table && offstream up && offstream submit`.',
  },
  THRIFT_UNREACHABLE: {
    outcome: 'unreachable',
    cause: 'Could not connect to the Thrift server.',
    remedy:
      'Run `offstream up`, then `offstream status`. For an existing server check `thrift.host` and `thrift.port`, and whether it requires TLS or another authentication.',
  },
  TOKEN_FAILED: {
    outcome: 'refused',
    cause:
      'The command of `kafka.sasl.tokenCommand` or `topic.sasl.tokenCommand` cannot be run, has failed, takes longer than 30 s, or prints something other than a valid token (JWT).',
    remedy:
      'Run the command in a shell, in the folder of the project and with only `PATH`, `HOME`, `USER`, `LOGNAME` and `TZ` of your environment. It must print nothing but the token. Then run `offstream submit` if the job has stopped.',
  },
  TOPIC_DELETED: {
    outcome: 'failed',
    cause: 'The topic of the stack no longer exists.',
    remedy:
      'Run `offstream down`, then `offstream up`, which creates it; in an existing cluster `offstream up` is enough.',
  },
  TOPIC_EXISTS: {
    outcome: 'refused',
    cause:
      'The topic of `topic create` exists with another number of partitions or another `cleanup.policy`.',
    remedy: 'Use it as it is, or delete it with `offstream topic delete`.',
  },
  TOPIC_MISSING: {
    outcome: 'usage',
    cause: 'The topic of an argument, `--topic` or `topic.topic` does not exist.',
    remedy: 'Check the name; `offstream topic list` shows the topics of the stack.',
  },
  TOPIC_UNREADABLE: {
    outcome: 'failed',
    cause:
      'The messages of a topic have an unknown compression or format, or its consumer group keeps rebalancing.',
    remedy:
      'If the group keeps rebalancing, use another one with `--group`. Messages in an unknown format cannot be read.',
  },
  TOPIC_UNSUITABLE: {
    outcome: 'refused',
    cause:
      'The topic exists and is not as `kafka.topic` requires: its number of partitions or its `cleanup.policy` differs, or it has more or fewer replicas than brokers that offstream starts. offstream does not change an existing topic.',
    remedy:
      'Change the topic with the tools of the cluster, or correct `kafka.topic`. For brokers that offstream starts: `offstream down && offstream reset --topic && offstream up`, which deletes the messages.',
  },
  WAIT_TIMEOUT: {
    outcome: 'timeout',
    cause: 'The condition was not met in time; the message shows the last state.',
    remedy: 'Run `offstream status`, or raise the timeout.',
  },
  WAREHOUSE_UNREACHABLE: {
    outcome: 'unreachable',
    cause:
      'Could not connect to the object store of `lake.warehouse` and `stream.checkpoint`, or it does not have the bucket.',
    remedy: 'Check the name of the bucket, `lake.s3.endpoint`, `lake.s3.region` and `lake.s3.pathStyle`.',
  },
} as const satisfies Readonly<Record<string, ErrorDefinition>>

export class PipelineError extends errorClass(pipelineErrors) {}
