import { describe, expect, test } from 'vitest'
import { diagnose, knownProblems } from './knownProblems.ts'

/**
 * What the services logged when they were made to fail: Kafka 3.9.2, ZooKeeper 3.8.4, Spark 4.1.1, Iceberg 1.12.0,
 * sqlite-jdbc 3.49.1, Java 17. These were not produced here but come from public reports or from the texts in the
 * programs: CLUSTER_JAVA_TOO_OLD, CLUSTER_JAVA_MISSING, EXECUTOR_TOO_LARGE, JAVA_TOO_NEW, CATALOG_FILE_SYSTEM,
 * InconsistentClusterIdException, CONCURRENT_STREAM_LOG_UPDATE, DATA_SOURCE_NOT_FOUND, Ivy's.
 */
const failures: readonly (readonly [code: string, evidence: string])[] = [
  [
    'CLUSTER_JAVA_TOO_OLD',
    'java.lang.UnsupportedClassVersionError: org/apache/spark/deploy/yarn/ExecutorLauncher has been compiled by a more recent version of the Java Runtime (class file version 61.0), this version of the Java Runtime only recognizes class file versions up to 55.0',
  ],
  ['CLUSTER_JAVA_TOO_OLD', 'Unrecognized option: --add-modules=jdk.incubator.vector'],
  ['CLUSTER_JAVA_MISSING', '/bin/bash: line 1: /opt/java-17/bin/java: No such file or directory'],
  [
    'EXECUTOR_TOO_LARGE',
    "java.lang.IllegalArgumentException: Required executor memory (9216 MB), offHeap memory (0) MB, overhead (921 MB), and PySpark memory (0 MB) is above the max threshold (8192 MB) of this cluster! Please check the values of 'yarn.scheduler.maximum-allocation-mb' and/or 'yarn.nodemanager.resource.memory-mb'.",
  ],
  [
    'JAVA_TOO_OLD',
    'java.lang.UnsupportedClassVersionError: Hello has been compiled by a more recent version of the Java Runtime (class file version 65.0), this version of the Java Runtime only recognizes class file versions up to 61.0',
  ],
  ['JAVA_TOO_NEW', 'java.lang.UnsupportedOperationException: getSubject is not supported'],
  [
    'LIMIT_REACHED',
    'Exception in thread "main" java.io.FileNotFoundException: /etc/hostname (Too many open files)',
  ],
  [
    'LIMIT_REACHED',
    'Exception in thread "main" java.lang.OutOfMemoryError: unable to create native thread: possibly out of memory or process/resource limits reached',
  ],
  [
    'MACHINE_OUT_OF_MEMORY',
    "OpenJDK 64-Bit Server VM warning: INFO: os::commit_memory(0x00007f3f48000000, 64424509440, 0) failed; error='Not enough space' (errno=12)",
  ],
  ['MACHINE_OUT_OF_MEMORY', '# There is insufficient memory for the Java Runtime Environment to continue.'],
  ['MACHINE_OUT_OF_MEMORY', 'Could not reserve enough space for 943718400000KB object heap'],
  ['HEAP_TOO_SMALL', 'java.lang.OutOfMemoryError: Java heap space'],
  [
    'HEAP_TOO_SMALL',
    'org.apache.spark.SparkIllegalArgumentException: [INVALID_DRIVER_MEMORY] System memory 101384192 must be at least 471859200.',
  ],
  [
    'HEAP_TOO_SMALL',
    'org.apache.spark.SparkIllegalArgumentException: [INVALID_EXECUTOR_MEMORY] Executor memory 104857600 must be at least 471859200.',
  ],
  ['DISK_FULL', 'java.io.IOException: No space left on device'],
  [
    'PERMISSION_DENIED',
    'java.io.FileNotFoundException: /tmp/fail/kafka-ro/meta.properties.tmp (Permission denied)',
  ],
  ['PERMISSION_DENIED', 'java.nio.file.AccessDeniedException: /tmp/fail/kafka-ro/meta.properties'],
  [
    'PERMISSION_DENIED',
    'org.apache.zookeeper.server.persistence.FileTxnSnapLog$DatadirException: Unable to create data directory /tmp/fail/zkro/version-2',
  ],
  ['PORT_TAKEN', 'java.net.BindException: Address already in use'],
  [
    'PORT_TAKEN',
    'org.apache.kafka.common.KafkaException: Socket server failed to bind to 127.0.0.1:39092: Address already in use.',
  ],
  [
    'PORT_TAKEN',
    "2026-11-24T22:00:00.682Z WARN  Utils: Service 'WorkerUI' could not bind on port 8081. Attempting port 8082.",
  ],
  [
    'CLUSTER_ID_MISMATCH',
    'java.lang.RuntimeException: Invalid cluster.id in: /tmp/fail/kafka/meta.properties. Expected ZYvDjdkbRCi6n5iZyGJXJg, but read cXC2kdnvQPuNGjArLFkJ1w',
  ],
  [
    'CLUSTER_ID_MISMATCH',
    "kafka.common.InconsistentClusterIdException: The Cluster ID ZYvDjdkbRCi6n5iZyGJXJg doesn't match stored clusterId Some(cXC2kdnvQPuNGjArLFkJ1w) in meta.properties.",
  ],
  [
    'KAFKA_DATA_IN_USE',
    'org.apache.kafka.common.KafkaException: Failed to acquire lock on file .lock in /tmp/fail/kafka. A Kafka instance in another process or thread is using this directory.',
  ],
  [
    'BROKER_STILL_REGISTERED',
    "2026-11-24T21:54:13.471Z ERROR KafkaZkClient$CheckedEphemeral: Error while creating ephemeral at /brokers/ids/1, node already exists and owner '0x10000162e330000' does not match current session '0x10000162e330003'",
  ],
  [
    'BROKER_STILL_REGISTERED',
    'org.apache.zookeeper.KeeperException$NodeExistsException: KeeperErrorCode = NodeExists',
  ],
  [
    'BROKER_STILL_REGISTERED',
    'java.lang.IllegalArgumentException: requirement failed: Configured end points 127.0.0.1:39092 in advertised listeners are already registered by broker 1',
  ],
  [
    'ZOOKEEPER_DATA_CORRUPT',
    'java.io.IOException: Transaction log: /tmp/fail/zk/version-2/log.1 has invalid magic number 1734439522 != 1514884167',
  ],
  [
    'ZOOKEEPER_DATA_CORRUPT',
    'java.io.IOException: Not able to find valid snapshots in /tmp/fail/zk/version-2',
  ],
  [
    'ZOOKEEPER_DATA_CORRUPT',
    'java.io.IOException: No snapshot found, but there are log entries. Something is broken!',
  ],
  ['ZOOKEEPER_DATA_CORRUPT', 'java.io.IOException: CRC check failed'],
  [
    'KAFKA_DATA_CORRUPT',
    'java.io.IOException: Malformed line in checkpoint file [/tmp/fail/kafka/recovery-point-offset-checkpoint]: garbage',
  ],
  [
    'KAFKA_DATA_CORRUPT',
    '2026-11-24T21:57:37.787Z ERROR MetaPropertiesEnsemble: Error while reading meta.properties file /tmp/fail/kafka/meta.properties',
  ],
  [
    'KAFKA_DATA_CORRUPT',
    '2026-11-24T21:57:48.803Z ERROR LogManager: There was an error in one of the threads during logs loading: java.lang.NumberFormatException: For input string: "x"',
  ],
  [
    'KAFKA_DATA_CORRUPT',
    '2026-11-24T21:57:36.663Z ERROR LogManager: Shutdown broker because all log dirs in /tmp/fail/kafka have failed',
  ],
  [
    'ZOOKEEPER_UNREACHABLE',
    'kafka.zookeeper.ZooKeeperClientTimeoutException: Timed out waiting for connection while in state: CONNECTING',
  ],
  [
    'SPARK_MASTER_UNREACHABLE',
    '2026-11-24T22:02:45.721Z ERROR StandaloneSchedulerBackend: Application has been killed. Reason: All masters are unresponsive! Giving up.',
  ],
  [
    'CONNECTOR_MISSING',
    'pyspark.errors.exceptions.captured.AnalysisException: Failed to find data source: kafka. Please deploy the application as per the deployment section of Structured Streaming + Kafka Integration Guide.',
  ],
  [
    'CONNECTOR_MISSING',
    'java.lang.ClassNotFoundException: org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions',
  ],
  [
    'CONNECTOR_MISSING',
    ": org.apache.spark.SparkException: Cannot find catalog plugin class for catalog 'lake': org.apache.iceberg.spark.SparkCatalog.",
  ],
  [
    'CONNECTOR_MISSING',
    '[DATA_SOURCE_NOT_FOUND] Failed to find the data source: kafka. Make sure the provider name is correct and the package is properly registered and compatible with your Spark version. SQLSTATE: 42K02',
  ],
  [
    'CONNECTOR_MISSING',
    'Exception in thread "main" java.lang.RuntimeException: [unresolved dependency: org.apache.spark#spark-sql-kafka-0-10_2.13;4.1.2: not found]',
  ],
  ['RUNTIME_DAMAGED', 'Error: Could not find or load main class kafka.Kafka'],
  [
    'CATALOG_LOCKED',
    'Caused by: org.sqlite.SQLiteException: [SQLITE_BUSY] The database file is locked (database is locked)',
  ],
  [
    'CATALOG_FILE_SYSTEM',
    'Caused by: org.sqlite.SQLiteException: [SQLITE_PROTOCOL] NOT USED. Database lock protocol error (locking protocol)',
  ],
  [
    'CATALOG_FILE_SYSTEM',
    'Caused by: org.sqlite.SQLiteException: [SQLITE_IOERR_SHMMAP] I/O error within xShmMap while trying to map a shared memory segment (disk I/O error)',
  ],
  [
    'CATALOG_CORRUPT',
    'Caused by: org.sqlite.SQLiteException: [SQLITE_CORRUPT] The database disk image is malformed (database disk image is malformed)',
  ],
  [
    'CATALOG_CORRUPT',
    'Caused by: org.sqlite.SQLiteException: [SQLITE_NOTADB] File opened that is not a database file (file is not a database)',
  ],
  [
    'TABLE_FILES_MISSING',
    ': org.apache.iceberg.exceptions.NotFoundException: Failed to open input stream for file: file:/tmp/fail/lake/off/x/metadata/00001-98645cc7-1136-4413-a57c-5188c58375c9.metadata.json',
  ],
  [
    'TABLE_MISSING',
    'org.apache.spark.sql.AnalysisException: [TABLE_OR_VIEW_NOT_FOUND] The table or view `lake`.`off`.`products` cannot be found. Verify the spelling and correctness of the schema and catalog.',
  ],
  [
    'CHECKPOINT_IN_USE',
    '[CONCURRENT_STREAM_LOG_UPDATE] Concurrent update to the log. Multiple streaming jobs detected for 0.',
  ],
  [
    'CHECKPOINT_UNUSABLE',
    'java.lang.AssertionError: assertion failed: There are [1] sources in the checkpoint offsets and now there are [2] sources requested by the query. Cannot continue.',
  ],
  [
    'CHECKPOINT_UNUSABLE',
    'org.apache.spark.sql.kafka010.KafkaIllegalStateException: Some data may have been lost because they are not available in Kafka any more;',
  ],
  [
    'CHECKPOINT_UNUSABLE',
    'java.lang.IllegalStateException: Failed to read log file file:/tmp/fail/cp/offsets/0. [MALFORMED_LOG_FILE] Log file was malformed: failed to read correct log version from garbage. SQLSTATE: KD002',
  ],
  [
    'CHECKPOINT_UNUSABLE',
    'java.lang.IllegalStateException: Failed to read log file file:/tmp/fail/cp/offsets/0. Incomplete log file',
  ],
  [
    'CHECKPOINT_UNUSABLE',
    'org.apache.spark.sql.execution.streaming.state.StateStoreCheckpointLocationNotEmpty: [STATE_STORE_CHECKPOINT_LOCATION_NOT_EMPTY] The checkpoint location file:/tmp/fail/cp/commits should be empty on batch 0',
  ],
  [
    'CHECKPOINT_UNUSABLE',
    '2026-11-24T22:06:54.264Z ERROR StreamMetadata: Error reading stream metadata from file:/tmp/fail/cp/metadata',
  ],
  [
    'TOPIC_MISSING',
    'java.util.concurrent.ExecutionException: org.apache.kafka.common.errors.UnknownTopicOrPartitionException: This server does not host this topic-partition.',
  ],
  [
    'NO_RESOURCES',
    '2026-11-24T22:07:44.354Z WARN  TaskSchedulerImpl: Initial job has not accepted any resources; check your cluster UI to ensure that workers are registered and have sufficient resources',
  ],
  [
    'NO_RESOURCES',
    '2026-11-24T21:59:24.888Z WARN  Master: App app-20261124215924-0000 requires more resource than any of Workers could have.',
  ],
  [
    'KILLED',
    '2026-11-24T22:09:04.134Z ERROR TaskSchedulerImpl: Lost executor 0 on 127.0.0.1: Command exited with code 137',
  ],
  // The supervisor's message about a service.
  ['KILLED', 'kafka was killed by SIGKILL before it was ready'],
]

describe('a failure is recognised from the log of the service', () => {
  test.each(failures)('%s: %s', (code, evidence) => {
    const log = [
      '2026-11-24T21:54:09.181Z INFO  Bee: starting',
      evidence,
      '\tat bees.Hive.fly(Hive.java:12)',
      '2026-11-24T21:54:09.202Z INFO  Bee: shut down completed',
    ]
    expect(diagnose(log)).toMatchObject({ code, evidence })
  })
})

test('of a cause and its consequence, the cause is diagnosed', () => {
  expect(
    diagnose([
      '2026-11-24T22:09:14.740Z ERROR LogDirFailureChannel: Error while appending records to t1-0 in dir /tmp/fail/full/k',
      'java.io.IOException: No space left on device',
      '2026-11-24T22:09:14.759Z ERROR LogManager: Shutdown broker because all log dirs in /tmp/fail/full/k have failed',
    ])?.code,
  ).toBe('DISK_FULL')
  expect(
    diagnose([
      '2026-11-24T21:57:51.309Z ERROR LogDirFailureChannel: Error while writing meta.properties to /tmp/fail/kafka-ro',
      'java.io.FileNotFoundException: /tmp/fail/kafka-ro/meta.properties.tmp (Permission denied)',
      '2026-11-24T21:57:51.318Z ERROR LogManager: Shutdown broker because none of the specified log dirs from /tmp/fail/kafka-ro can be created or validated',
    ])?.code,
  ).toBe('PERMISSION_DENIED')
})

test('messages of a healthy service, and problems that Kafka fixes itself, are not diagnosed', () => {
  expect(
    diagnose([
      '2026-11-24T21:57:08.149Z INFO  LogManager: Recovering 1 logs from /tmp/fail/kafka since no clean shutdown file was found',
      '2026-11-24T21:57:08.215Z WARN  LogSegment: Found invalid messages in log segment /tmp/fail/kafka/t1-0/00000000000000000000.log at byte offset 0.',
      'org.apache.kafka.common.errors.CorruptRecordException: Found record size 0 smaller than minimum record overhead (14) in file /tmp/fail/kafka/t1-0/00000000000000000000.log.',
      '2026-11-24T21:57:08.224Z WARN  LogLoader: [LogLoader partition=t1-0, dir=/tmp/fail/kafka] Corruption found in segment 0, truncating to offset 0',
      '2026-11-24T21:54:52.231Z WARN  NetworkClient: [Controller id=1, targetBrokerId=1] Connection to node 1 (/127.0.0.1:39094) could not be established. Node may not be available.',
      '2026-11-24T22:06:52.297Z WARN  KafkaMicroBatchStream: Set(t1-0) are gone. Some data may have been missed.. ',
      'Some data may have been lost because they are not available in Kafka any more; either the',
      '2026-11-24T21:54:06.507Z WARN  ServerCnxnFactory: maxCnxns is not configured, using default value 0.',
    ]),
  ).toBe(null)
})

test('each known problem has a sample, and names only commands that exist', () => {
  expect([...new Set(failures.map(([code]) => code))]).toEqual(knownProblems.map(({ code }) => code))
  const commands =
    /^(?:up|down|submit|doctor|status|restart|logs \S+|config show|runtime (?:install|verify|prune)|reset --(?:topic|table|checkpoint)|repair|restart \S+)$/
  for (const { hint } of knownProblems) {
    const named = [...hint.matchAll(/`offstream ([^`]+)`/g)].map(([, command]) => command)
    expect(named.length, hint).toBeGreaterThan(0)
    for (const command of named) expect(command).toMatch(commands)
  }
})
