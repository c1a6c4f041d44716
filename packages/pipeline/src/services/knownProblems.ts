import { refillHint } from '../table.ts'

/** The cause of a failure, and its fix. */
export interface KnownProblem {
  /** Does not change between versions. */
  readonly code: string
  /** One sentence without a full stop. */
  readonly cause: string
  /** The fix, as a phrase that can follow "→". */
  readonly hint: string
  /** The log line that shows it, with the file, the port or the class. */
  readonly evidence: string
}

/** A known problem and how it is recognised. */
export interface ProblemPattern extends Omit<KnownProblem, 'evidence'> {
  /** Matches what is logged; `knownProblems.test.ts` has samples. */
  readonly pattern: RegExp
}

/**
 * Recognises why a service failed from the last lines of its log; null if the problem is not known. Pass everything since
 * the start of the service, or some hundred lines: traces and shutdown messages follow the decisive line.
 */
export const diagnose = (lines: readonly string[]): KnownProblem | null => {
  for (const { pattern, ...problem } of knownProblems) {
    const evidence = lines.find(line => pattern.test(line))
    if (evidence !== undefined) return { ...problem, evidence: evidence.trim() }
  }
  return null
}

/**
 * The first match wins: a cause comes before its consequences (a full disk before unreadable data), and the specific
 * before the general (a taken port before a program that exited).
 */
export const knownProblems: readonly ProblemPattern[] = [
  {
    code: 'CLUSTER_JAVA_TOO_OLD',
    pattern:
      /UnsupportedClassVersionError: org\/apache\/spark\/(?:deploy\/yarn|executor)\/|Unrecognized option: --add-/,
    cause: 'The Java of the cluster is too old for Spark 4.1',
    hint: 'install Java 17 on its nodes, and name it with `spark.conf: [spark.yarn.appMasterEnv.JAVA_HOME=…, spark.executorEnv.JAVA_HOME=…]`, then `offstream submit`',
  },
  {
    code: 'CLUSTER_JAVA_MISSING',
    pattern: /\/bash: .*\/bin\/java: No such file or directory/,
    cause: 'A node of the cluster does not have Java at the place that the job expects',
    hint: 'correct JAVA_HOME of the nodes, or `spark.yarn.appMasterEnv.JAVA_HOME` and `spark.executorEnv.JAVA_HOME` in `spark.conf`, then `offstream submit`',
  },
  {
    code: 'EXECUTOR_TOO_LARGE',
    pattern: /Required (?:executor|AM) memory .* is above the max threshold/,
    cause: 'YARN does not allow containers of this size',
    hint: 'lower `stream.executorMemory`, or raise `yarn.scheduler.maximum-allocation-mb` and `yarn.nodemanager.resource.memory-mb` of the cluster, then `offstream submit`',
  },
  {
    code: 'JAVA_TOO_OLD',
    pattern: /UnsupportedClassVersionError|compiled by a more recent version of the Java Runtime/,
    cause: 'Java is too old',
    hint: 'install Java 17 or 21 (`offstream doctor` shows which Java is found and why), then `offstream up`',
  },
  {
    code: 'JAVA_TOO_NEW',
    pattern: /UnsupportedOperationException: getSubject is (?:not supported|supported only)/,
    cause: 'Java is too new for Hadoop, which Spark includes',
    hint: 'install Java 17 or 21 (`offstream doctor` shows which Java is found and why), then `offstream up`',
  },
  {
    code: 'LIMIT_REACHED',
    pattern: /Too many open files|unable to create (?:new )?native thread/,
    cause: 'The limit on open files or threads was reached',
    hint: 'raise the limit (`ulimit -n 65536`, `ulimit -u 8192`), then `offstream down` and `offstream up`',
  },
  {
    code: 'MACHINE_OUT_OF_MEMORY',
    pattern:
      /insufficient memory for the Java Runtime Environment|Could not reserve enough space for|error='Not enough space'|Cannot allocate memory/,
    cause: 'The machine is out of memory',
    hint: 'stop other programs or lower the memory settings in `offstream.yaml` (`offstream doctor` shows the memory of the machine), then `offstream up`',
  },
  {
    code: 'HEAP_TOO_SMALL',
    pattern: /java\.lang\.OutOfMemoryError|INVALID_(?:DRIVER|EXECUTOR)_MEMORY/,
    cause: 'Its memory setting is too small',
    hint: 'raise its memory setting in `offstream.yaml` (`offstream config show` lists them), then `offstream down` and `offstream up`',
  },
  {
    code: 'DISK_FULL',
    pattern: /No space left on device|Disk quota exceeded|\[SQLITE_FULL\]/,
    cause: 'The disk is full',
    hint: 'free some space (`offstream runtime prune` deletes unused runtimes), then `offstream up`',
  },
  {
    code: 'PERMISSION_DENIED',
    pattern:
      /\(Permission denied\)|AccessDeniedException: |PermissionError: \[Errno 13\]|Permission denied: user=|Unable to create data directory|\[SQLITE_READONLY/,
    cause: 'It has no permission to read or write its files, for example after a run as another user',
    hint: 'make your user the owner (`sudo chown -R "$USER" .offstream`), then `offstream up`',
  },
  {
    code: 'PORT_TAKEN',
    pattern: /Address already in use|could not bind on port \d+/,
    cause: 'Another program is listening on its port',
    hint: 'stop that program (`offstream doctor` shows it) or choose another port in `offstream.yaml`, then `offstream up`',
  },
  {
    code: 'CLUSTER_ID_MISMATCH',
    pattern: /InconsistentClusterIdException|Invalid cluster\.id in: /,
    cause:
      'Kafka and ZooKeeper have data from different clusters: the data of one was deleted without that of the other',
    hint: 'delete both with `offstream reset --topic`, then `offstream up`',
  },
  {
    code: 'KAFKA_DATA_IN_USE',
    pattern: /Failed to acquire lock on file \.lock in /,
    cause: 'Another Kafka broker uses the same data',
    hint: 'stop leftover services with `offstream down`, then `offstream up`',
  },
  {
    code: 'BROKER_STILL_REGISTERED',
    pattern:
      /\/brokers\/ids\/\d+, node already exists|KeeperException\$NodeExistsException|are already registered by broker \d+/,
    cause: 'ZooKeeper still has the session of a broker that was killed, or another broker is running',
    hint: 'try again in 20 seconds with `offstream up`; if that does not help, run `offstream down` first',
  },
  {
    code: 'ZOOKEEPER_DATA_CORRUPT',
    pattern:
      /has invalid magic number|Not able to find valid snapshots in|No snapshot found, but there are log entries|CRC check failed|Unable to load database on disk/,
    cause: 'ZooKeeper cannot read its data',
    hint: 'delete the data of ZooKeeper and Kafka with `offstream reset --topic`, then `offstream up`',
  },
  {
    code: 'KAFKA_DATA_CORRUPT',
    pattern:
      /Malformed line in checkpoint file|Error while reading meta\.properties|error in one of the threads during logs loading|Shutdown broker because (?:all|none of the specified) log dirs/,
    cause: 'Kafka cannot read its data',
    hint: 'delete the data of Kafka and ZooKeeper with `offstream reset --topic`, then `offstream up`',
  },
  {
    code: 'ZOOKEEPER_UNREACHABLE',
    pattern: /ZooKeeperClientTimeoutException/,
    cause: 'Kafka cannot connect to ZooKeeper',
    hint: '`offstream logs zookeeper` shows why, `offstream restart zookeeper` restarts it',
  },
  {
    code: 'SPARK_MASTER_UNREACHABLE',
    pattern: /All masters are unresponsive/,
    cause: 'Spark cannot connect to the master',
    hint: '`offstream logs spark-master` shows why, `offstream restart spark-master` restarts it',
  },
  {
    code: 'CONNECTOR_MISSING',
    pattern:
      /Failed to find (?:the )?data source: |Cannot find catalog plugin class|ClassNotFoundException: org\.(?:apache\.iceberg|apache\.spark\.sql\.kafka010|sqlite)\.|No suitable driver found for jdbc:sqlite|unresolved dependency: |\bUNRESOLVED DEPENDENCIES\b/,
    cause: 'A connector of Spark is missing: Kafka, Iceberg or SQLite',
    hint: '`offstream runtime verify` shows what is missing, `offstream runtime install` downloads it',
  },
  {
    code: 'RUNTIME_DAMAGED',
    pattern:
      /Could not find or load main class|zip END header not found|invalid (?:CEN|LOC|END) header|NoClassDefFoundError: (?:kafka|org\/apache)\//,
    cause: 'The files of Kafka or Spark on this machine are incomplete',
    hint: '`offstream runtime verify` shows what is wrong, `offstream runtime install` downloads it again',
  },
  {
    code: 'CATALOG_LOCKED',
    pattern: /\[SQLITE_BUSY/,
    cause: 'Another program has locked the catalog of the table',
    hint: 'stop the other program that has `catalog.db` open, then `offstream restart`',
  },
  {
    code: 'CATALOG_FILE_SYSTEM',
    pattern: /\[SQLITE_(?:PROTOCOL|IOERR_SHM\w*)\]/,
    cause:
      'The catalog of the table, a SQLite file with a write-ahead log, is on a file system that does not support it',
    hint: 'move the project to a local disk: network, Windows and FUSE folders do not work (`offstream doctor` shows the file system)',
  },
  {
    code: 'CATALOG_CORRUPT',
    pattern: /\[SQLITE_(?:CORRUPT|NOTADB)/,
    cause: 'The catalog of the table, a SQLite file, is damaged',
    hint: 'create an empty table with `offstream reset --table`; `offstream submit` refills it from the topic',
  },
  {
    code: 'TABLE_FILES_MISSING',
    pattern: /iceberg\.exceptions\.NotFoundException: Failed to open input stream for file: /,
    cause: 'Files of the table are missing',
    hint: 'create an empty table with `offstream reset --table`; `offstream submit` refills it from the topic',
  },
  {
    code: 'TABLE_MISSING',
    pattern: /TABLE_OR_VIEW_NOT_FOUND\] .*`lake`\.`off`\.`(?:products|rejected)`/,
    cause: 'A table that the views read was dropped',
    hint: refillHint,
  },
  {
    code: 'CHECKPOINT_IN_USE',
    pattern: /CONCURRENT_STREAM_LOG_UPDATE|Multiple streaming jobs detected/,
    cause: 'Another job uses the same checkpoint',
    hint: 'stop leftover services with `offstream down`, then `offstream up` and `offstream submit`',
  },
  {
    code: 'CHECKPOINT_UNUSABLE',
    pattern:
      /sources in the checkpoint offsets and now there are|KafkaIllegalStateException: Some data may have been lost|MALFORMED_LOG_FILE|Incomplete log file|CHECKPOINT_LOCATION_NOT_EMPTY|Error reading stream metadata from/,
    cause: 'The checkpoint of the job is damaged, or belongs to another topic or another job',
    hint: '`offstream repair`, then `offstream submit`; no message is skipped',
  },
  {
    code: 'TOPIC_MISSING',
    pattern: /UnknownTopicOrPartitionException/,
    cause: 'The topic does not exist',
    hint: 'create it with `offstream up`, then `offstream submit`',
  },
  {
    code: 'NO_RESOURCES',
    pattern:
      /Initial job has not accepted any resources|requires more resource than any of Workers could have/,
    cause: 'No Spark worker, or no node of the cluster, has the cores and memory that the job requires',
    hint: '`offstream status` shows whether a worker is running here; if one is, raise `spark.worker.memory` or lower `stream.executorMemory`, then `offstream down` and `offstream up`; on an existing cluster stop another program, or lower `stream.executors`, `stream.executorCores` or `stream.executorMemory`, then `offstream submit`',
  },
  {
    code: 'KILLED',
    pattern: /exited with code 137|\bwas killed by SIGKILL\b/,
    cause: 'Another process or the system killed it, for example because the machine is out of memory',
    hint: 'lower the memory settings in `offstream.yaml` (`offstream doctor` shows the memory of the machine), then `offstream up`',
  },
]
