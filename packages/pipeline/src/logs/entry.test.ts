import { expect, test } from 'vitest'
import { EntryAssembler, maxLines } from './entry.ts'

/** What comes of a log with these lines. */
const entriesIn = (...lines: readonly string[]) => {
  const assembler = new EntryAssembler('kafka', '')
  const placed = [...lines.map((text, begins) => assembler.push({ text, begins })), assembler.flush()]
  return placed.filter(entry => entry !== null)
}

test('a line of log4j has a moment, a level, a logger and a message', () => {
  expect(
    entriesIn(
      '2026-11-24T21:54:06.507Z WARN  ServerCnxnFactory: maxCnxns is not configured, using default value 0.',
      '2026-11-24T21:54:07.785Z INFO  ClientQuotaManager$ThrottledChannelReaper: [ThrottledChannelReaper-Fetch]: Starting',
      '2026-11-24T21:54:07.786Z FATAL Kafka$: ',
    ).map(({ entry }) => entry),
  ).toEqual([
    {
      service: 'kafka',
      at: '2026-11-24T21:54:06.507Z',
      level: 'warn',
      logger: 'ServerCnxnFactory',
      message: 'maxCnxns is not configured, using default value 0.',
      stack: [],
    },
    {
      service: 'kafka',
      at: '2026-11-24T21:54:07.785Z',
      level: 'info',
      logger: 'ClientQuotaManager$ThrottledChannelReaper',
      message: '[ThrottledChannelReaper-Fetch]: Starting',
      stack: [],
    },
    {
      service: 'kafka',
      at: '2026-11-24T21:54:07.786Z',
      level: 'error',
      logger: 'Kafka$',
      message: '',
      stack: [],
    },
  ])
})

test('a stack trace belongs to the line before it', () => {
  const lines = [
    '2026-11-24T21:54:49.834Z ERROR DataPlaneAcceptor: Unable to start acceptor for ListenerName(PLAINTEXT)',
    'org.apache.kafka.common.KafkaException: Socket server failed to bind to 127.0.0.1:39092: Address already in use.',
    '\tat kafka.network.Acceptor.openServerSocket(SocketServer.scala:731)',
    'Caused by: java.net.BindException: Address already in use',
    '\tat java.base/sun.nio.ch.Net.bind0(Native Method)',
    '\t... 13 more',
    '',
  ]
  expect(
    entriesIn(
      ...lines,
      '2026-11-24T21:54:49.840Z ERROR KafkaServer: [KafkaServer id=1] Fatal error during KafkaServer startup. Prepare to shutdown',
    ).map(({ entry, startsAt }) => ({ startsAt, message: entry.message, stack: entry.stack })),
  ).toEqual([
    {
      startsAt: 0,
      message: 'Unable to start acceptor for ListenerName(PLAINTEXT)',
      stack: lines.slice(1, -1),
    },
    {
      startsAt: 7,
      message: '[KafkaServer id=1] Fatal error during KafkaServer startup. Prepare to shutdown',
      stack: [],
    },
  ])
})

test('a Python traceback is a separate entry, whose message is the error at its end', () => {
  const traceback = [
    'Traceback (most recent call last):',
    '  File "/tmp/fail/noiceberg.py", line 3, in <module>',
    '    s.sql("create table if not exists lake.off.x (a int) using iceberg")',
    'py4j.protocol.Py4JJavaError: An error occurred while calling o30.sql.',
    ": org.apache.spark.SparkException: Cannot find catalog plugin class for catalog 'lake': org.apache.iceberg.spark.SparkCatalog.",
    '\tat org.apache.spark.sql.connector.catalog.Catalogs$.load(Catalogs.scala:71)',
  ]
  const [before, error] = entriesIn(
    '2026-11-24T21:59:02.977Z WARN  SparkSession: Cannot use org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions to configure session extensions.',
    ...traceback,
    '',
  )
  expect(before?.entry.stack).toEqual([])
  expect(error).toEqual({
    startsAt: 1,
    moment: '2026-11-24T21:59:02.977Z',
    lines: traceback,
    entry: {
      service: 'kafka',
      at: null,
      level: 'error',
      logger: null,
      message:
        "py4j.protocol.Py4JJavaError: An error occurred while calling o30.sql.: org.apache.spark.SparkException: Cannot find catalog plugin class for catalog 'lake': org.apache.iceberg.spark.SparkCatalog.",
      stack: traceback,
    },
  })
})

test('chained tracebacks are one entry, whose message is the last error', () => {
  const found = entriesIn(
    'Traceback (most recent call last):',
    '  File "a.py", line 1, in <module>',
    'KeyError: 1',
    '',
    'The above exception was the direct cause of the following exception:',
    '',
    'Traceback (most recent call last):',
    '  File "a.py", line 3, in <module>',
    'ValueError: no such bee',
    'Traceback (most recent call last):',
    '  File "b.py", line 1, in <module>',
    'OSError: another one',
  )
  expect(found.map(({ entry }) => entry.message)).toEqual(['ValueError: no such bee', 'OSError: another one'])
})

test('the first words of a line without a logger show its level', () => {
  expect(
    entriesIn(
      'WARNING: Using incubator modules: jdk.incubator.vector',
      "OpenJDK 64-Bit Server VM warning: INFO: os::commit_memory(0x00007f3f48000000, 64424509440, 0) failed; error='Not enough space' (errno=12)",
      '#',
      '# There is insufficient memory for the Java Runtime Environment to continue.',
      'Error: Could not find or load main class kafka.Kafka',
      'Caused by: java.lang.ClassNotFoundException: kafka.Kafka',
      'Error occurred during initialization of VM',
      'Could not reserve enough space for 943718400000KB object heap',
      'products-stream failed: [STREAM_FAILED] Query [id = 41d3, runId = 7b10] terminated with exception',
    ).map(({ entry }) => [entry.level, entry.stack.length]),
  ).toEqual([
    ['warn', 0],
    ['warn', 1],
    ['error', 0],
    ['error', 1],
    ['error', 1],
    ['error', 0],
  ])
})

test('at the beginning of a log each line without a moment is an entry, unless it is indented', () => {
  expect(
    entriesIn(
      ':: loading settings :: file = /work/main/config/ivysettings.xml',
      ':: resolving dependencies :: org.apache.spark#spark-submit-parent;1.0',
      '\tconfs: [default]',
      '2026-11-24T22:09:17.080Z INFO  Master: Started daemon with process name: 15847@vm',
    ).map(({ entry, moment }) => [entry.at, moment, entry.level, entry.stack.length]),
  ).toEqual([
    [null, '', null, 0],
    [null, '', null, 1],
    ['2026-11-24T22:09:17.080Z', '2026-11-24T22:09:17.080Z', 'info', 0],
  ])
})

test('an entry that is too long is split', () => {
  const found = entriesIn(
    '2026-11-24T22:09:17.080Z INFO  Master: a plan',
    ...Array.from({ length: maxLines + 10 }, (_, index) => ` line ${index}`),
  )
  expect(found.map(({ lines, moment }) => [lines.length, moment])).toEqual([
    [maxLines, '2026-11-24T22:09:17.080Z'],
    [11, '2026-11-24T22:09:17.080Z'],
  ])
})
