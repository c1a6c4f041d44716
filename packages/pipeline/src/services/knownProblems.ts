import { refillHint } from '../table.ts'

/** Why a service failed, where that is well known, and what to do about it. */
export interface KnownProblem {
  /** Stable. */
  readonly code: string
  /** One sentence without a full stop. */
  readonly cause: string
  /** The next step for the person, as a phrase that can follow "→". */
  readonly hint: string
  /** The line that tells it: names the file, the port, the class. */
  readonly evidence: string
}

/** How a well known problem shows. */
export interface ProblemSign extends Omit<KnownProblem, 'evidence'> {
  /** What is written when it happens; the samples in `problems.test.ts` are of real failures. */
  readonly pattern: RegExp
}

/**
 * What the last lines of a service's log tell of why it failed; null where it is nothing well known. Give it all that
 * the service wrote since its start, or some hundred lines of it: below the telling line stand traces and farewells.
 */
export const diagnose = (lines: readonly string[]): KnownProblem | null => {
  for (const { pattern, ...problem } of knownProblems) {
    const evidence = lines.find(line => pattern.test(line))
    if (evidence !== undefined) return { ...problem, evidence: evidence.trim() }
  }
  return null
}

/**
 * What comes first is believed first: a cause stands before what follows from it (a full disk before data that can't be
 * read), and the particular before the general (a taken port before a program that ended).
 */
export const knownProblems: readonly ProblemSign[] = [
  {
    code: 'JAVA_TOO_OLD',
    pattern: /UnsupportedClassVersionError|compiled by a more recent version of the Java Runtime/,
    cause: 'The Java that runs it is too old',
    hint: 'install Java 17 or 21 (`offstream doctor` shows which Java is found and why), then `offstream up`',
  },
  {
    code: 'JAVA_TOO_NEW',
    pattern: /UnsupportedOperationException: getSubject is (?:not supported|supported only)/,
    cause: 'The Java that runs it is newer than Hadoop, a part of Spark, can bear',
    hint: 'install Java 17 or 21 (`offstream doctor` shows which Java is found and why), then `offstream up`',
  },
  {
    code: 'LIMIT_REACHED',
    pattern: /Too many open files|unable to create (?:new )?native thread/,
    cause: 'The system allows no more open files or threads',
    hint: 'raise the limit (`ulimit -n 65536`, `ulimit -u 8192`), then `offstream down` and `offstream up`',
  },
  {
    code: 'MACHINE_OUT_OF_MEMORY',
    pattern:
      /insufficient memory for the Java Runtime Environment|Could not reserve enough space for|error='Not enough space'|Cannot allocate memory/,
    cause: 'The machine has no memory left for it',
    hint: 'end other programs or lower the memory settings in `offstream.yaml` (`offstream doctor` shows what there is), then `offstream up`',
  },
  {
    code: 'HEAP_TOO_SMALL',
    pattern: /java\.lang\.OutOfMemoryError|INVALID_(?:DRIVER|EXECUTOR)_MEMORY/,
    cause: 'The memory that it was given is too small',
    hint: 'raise its memory setting in `offstream.yaml` (`offstream config show` lists them), then `offstream down` and `offstream up`',
  },
  {
    code: 'DISK_FULL',
    pattern: /No space left on device|Disk quota exceeded|\[SQLITE_FULL\]/,
    cause: 'The disk is full',
    hint: 'free some space (`offstream runtime prune` removes what is not used any more), then `offstream up`',
  },
  {
    code: 'PERMISSION_DENIED',
    pattern:
      /\(Permission denied\)|AccessDeniedException: |PermissionError: \[Errno 13\]|Permission denied: user=|Unable to create data directory|\[SQLITE_READONLY/,
    cause: 'It may not read or write its files, as after a run as another user',
    hint: 'make your user the owner (`sudo chown -R "$USER" .offstream`), then `offstream up`',
  },
  {
    code: 'PORT_TAKEN',
    pattern: /Address already in use|could not bind on port \d+/,
    cause: 'Another program listens on its port',
    hint: 'end that program (`offstream doctor` shows which it is) or choose another port in `offstream.yaml`, then `offstream up`',
  },
  {
    code: 'CLUSTER_ID_MISMATCH',
    pattern: /InconsistentClusterIdException|Invalid cluster\.id in: /,
    cause: "Kafka's data and ZooKeeper's are not of the same cluster: one was wiped without the other",
    hint: '`offstream reset --topic` wipes both, then `offstream up`',
  },
  {
    code: 'KAFKA_DATA_IN_USE',
    pattern: /Failed to acquire lock on file \.lock in /,
    cause: 'Another Kafka has the same data open',
    hint: '`offstream down` ends what an earlier start left, then `offstream up`',
  },
  {
    code: 'BROKER_STILL_REGISTERED',
    pattern:
      /\/brokers\/ids\/\d+, node already exists|KeeperException\$NodeExistsException|are already registered by broker \d+/,
    cause: 'ZooKeeper still waits for a broker that was killed a moment ago, or another one runs',
    hint: 'try again in 20 seconds with `offstream up`; if that does not help, `offstream down` first',
  },
  {
    code: 'ZOOKEEPER_DATA_CORRUPT',
    pattern:
      /has invalid magic number|Not able to find valid snapshots in|No snapshot found, but there are log entries|CRC check failed|Unable to load database on disk/,
    cause: "ZooKeeper can't read its own data",
    hint: '`offstream reset --topic` wipes them together with those of Kafka, then `offstream up`',
  },
  {
    code: 'KAFKA_DATA_CORRUPT',
    pattern:
      /Malformed line in checkpoint file|Error while reading meta\.properties|error in one of the threads during logs loading|Shutdown broker because (?:all|none of the specified) log dirs/,
    cause: "Kafka can't read its own data",
    hint: '`offstream reset --topic` wipes them together with those of ZooKeeper, then `offstream up`',
  },
  {
    code: 'ZOOKEEPER_UNREACHABLE',
    pattern: /ZooKeeperClientTimeoutException/,
    cause: 'ZooKeeper does not answer Kafka',
    hint: '`offstream logs zookeeper` shows why, `offstream restart zookeeper` starts it again',
  },
  {
    code: 'SPARK_MASTER_UNREACHABLE',
    pattern: /All masters are unresponsive/,
    cause: 'The Spark master does not answer',
    hint: '`offstream logs spark-master` shows why, `offstream restart spark-master` starts it again',
  },
  {
    code: 'CONNECTOR_MISSING',
    pattern:
      /Failed to find (?:the )?data source: |Cannot find catalog plugin class|ClassNotFoundException: org\.(?:apache\.iceberg|apache\.spark\.sql\.kafka010|sqlite)\.|No suitable driver found for jdbc:sqlite|unresolved dependency: |\bUNRESOLVED DEPENDENCIES\b/,
    cause: 'One of the connectors that Spark needs is missing: Kafka, Iceberg or SQLite',
    hint: '`offstream runtime verify` shows what is missing, `offstream runtime install` fetches it',
  },
  {
    code: 'RUNTIME_DAMAGED',
    pattern:
      /Could not find or load main class|zip END header not found|invalid (?:CEN|LOC|END) header|NoClassDefFoundError: (?:kafka|org\/apache)\//,
    cause: 'The files of Kafka or Spark on this machine are not complete',
    hint: '`offstream runtime verify` shows what is wrong, `offstream runtime install` fetches it again',
  },
  {
    code: 'CATALOG_LOCKED',
    pattern: /\[SQLITE_BUSY/,
    cause: 'Another program keeps the catalog of the table locked',
    hint: 'end what has `catalog.db` open beside Spark, then `offstream restart`',
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
    hint: '`offstream reset --table` begins an empty table, which `offstream submit` fills again from the topic',
  },
  {
    code: 'TABLE_FILES_MISSING',
    pattern: /iceberg\.exceptions\.NotFoundException: Failed to open input stream for file: /,
    cause: 'Files of the table are missing that its catalog tells of',
    hint: '`offstream reset --table` begins an empty table, which `offstream submit` fills again from the topic',
  },
  {
    code: 'TABLE_MISSING',
    pattern: /TABLE_OR_VIEW_NOT_FOUND\] .*`lake`\.`off`\.`(?:products|rejected)`/,
    cause: 'A table behind the views was dropped',
    hint: refillHint,
  },
  {
    code: 'CHECKPOINT_IN_USE',
    pattern: /CONCURRENT_STREAM_LOG_UPDATE|Multiple streaming jobs detected/,
    cause: 'Another job goes on from the same checkpoint',
    hint: '`offstream down` ends what an earlier start left, then `offstream up` and `offstream submit`',
  },
  {
    code: 'CHECKPOINT_UNUSABLE',
    pattern:
      /sources in the checkpoint offsets and now there are|KafkaIllegalStateException: Some data may have been lost|MALFORMED_LOG_FILE|Incomplete log file|CHECKPOINT_LOCATION_NOT_EMPTY|Error reading stream metadata from/,
    cause: 'The checkpoint of the job is damaged, or is of another topic or another job',
    hint: '`offstream reset --checkpoint`, then `offstream submit`: it reads the topic again from its beginning',
  },
  {
    code: 'TOPIC_MISSING',
    pattern: /UnknownTopicOrPartitionException/,
    cause: 'The topic is not there',
    hint: '`offstream up` makes it, then `offstream submit`',
  },
  {
    code: 'NO_RESOURCES',
    pattern:
      /Initial job has not accepted any resources|requires more resource than any of Workers could have/,
    cause: 'No Spark worker has the cores and the memory that the job asks for',
    hint: '`offstream status` shows whether a worker runs; if one does, raise `spark.worker.memory` or lower `stream.executorMemory`, then `offstream down` and `offstream up`',
  },
  {
    code: 'KILLED',
    pattern: /exited with code 137|\bwas killed by SIGKILL\b/,
    cause: 'It was killed from outside, as a machine does that runs out of memory',
    hint: 'lower the memory settings in `offstream.yaml` (`offstream doctor` shows what there is), then `offstream up`',
  },
]
