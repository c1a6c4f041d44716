import { type FileHandle, open } from 'node:fs/promises'
import { type Command, InvalidArgumentError, Option } from '@commander-js/extra-typings'
import type { TopicDescription } from '@offstream/pipeline'
import { normaliseCode } from '@offstream/pipeline/names'
import { messageOf, type OffstreamError } from '@offstream/runtime/errors'
import type { DefineCommand, MakeContext } from '../command.ts'
import { CliError } from '../errors.ts'
import { formatBytes, plural } from '../format.ts'
import { positiveInteger } from '../optionValues.ts'
import type { Output } from '../output.ts'
import { withKafka } from '../withKafka.ts'
import { addTopicAdmin } from './topicAdmin.ts'

const define: DefineCommand = (command, context) => {
  command.addHelpText(
    'after',
    `
The topic \`products-events\` contains one message for each product that
\`offstream scrape\` publishes. The key is the barcode. The value is the record as
JSON, or null for a deleted product. The job of \`offstream submit\` reads it.
Other topics are for your own jobs: select one with \`--topic\`.

Exit status: 0 ok, 2 the topic does not exist, 3 Kafka is not running, 9 could
not connect to Kafka, 10 some lines were rejected, or the topic exists with
other partitions, 13 the consumer group has members.

Examples:
  offstream topic describe
  offstream topic peek --from latest --limit 3
  offstream topic produce --file records.jsonl
  offstream topic create clicks --partitions 2

Next: \`offstream status\` shows whether the job keeps up with the topic.`,
  )
  addDescribe(command, context)
  addPeek(command, context)
  addProduce(command, context)
  addTopicAdmin(command, context)
}

const addDescribe = (command: Command, context: MakeContext) =>
  command
    .command('describe')
    .description('show the size, the partitions and the settings of the topic')
    .addOption(otherTopic())
    .addHelpText(
      'after',
      `
A topic has one or more partitions, in which each message has an offset, counted
from 0. \`earliest\` is the offset of the oldest message that exists, \`latest\`
that of the next new message. If \`cleanup.policy\` is \`compact\`, Kafka keeps the
newest message of each key, so offsets between them can be missing.

Example:
  offstream topic describe

Next: \`offstream topic peek\` shows messages.`,
    )
    .action(async ({ topic }) => {
      const { output, pipeline, signal, project, cluster } = await withKafka(context)
      const data = pipeline.brokerData(project.config, project.state)
      const description = await pipeline.describeTopic(cluster, data, signal, topic)
      const broker = cluster.brokers.join(',')
      output.result({ kind: 'topic', broker, ...description }, () => descriptionText(description, output))
    })

const addPeek = (command: Command, context: MakeContext) =>
  command
    .command('peek')
    .description('show messages as JSON lines, without committing offsets')
    .addOption(otherTopic())
    .option(
      '--limit <number>',
      'stop after this number of messages (default: 10; with --follow no limit)',
      positiveInteger,
    )
    .addOption(
      new Option(
        '--from <position>',
        'start with the oldest or with the newest messages (default: beginning; with --follow latest)',
      ).choices(['beginning', 'latest'] as const),
    )
    .option('--follow', 'also show new messages, until Ctrl-C; with `--from latest` only new ones')
    .addHelpText(
      'after',
      `
Each line has partition, offset, timestamp, key, headers and value. The value is
JSON, a string, null for a deleted product, or base64 if it is not text. Other
consumers are not affected.

Examples:
  offstream topic peek
  offstream topic peek --from latest --limit 1
  offstream topic peek --follow

Next: \`offstream topic produce\` publishes such lines.`,
    )
    .action(async ({ follow = false, limit, from, topic }) => {
      const { output, pipeline, signal, cluster } = await withKafka(context)
      const count = await pipeline.peekTopic(
        cluster,
        {
          from: from ?? (follow ? 'latest' : 'beginning'),
          limit: limit ?? (follow ? null : 10),
          follow,
          signal,
          ...(topic === undefined ? {} : { topic }),
        },
        message => {
          if (output.mode === 'json') output.event({ kind: 'message', ...message }, '')
          else output.data(output.jsonText(message))
        },
      )
      if (output.mode === 'json') output.result({ kind: 'peek', messages: count }, () => '')
      else if (count === 0) output.note('No messages. Next: `offstream scrape --limit 100`')
    })

const addProduce = (command: Command, context: MakeContext) =>
  command
    .command('produce')
    .description('publish JSON lines from standard input or a file')
    .addOption(otherTopic())
    .option('--key <member>', 'with `--topic`: the member of each line that becomes the key of its message')
    .option('--create', 'with `--topic`: create the topic with one partition if it does not exist')
    .option('--file <path>', 'read these lines instead of standard input')
    .option('--raw', 'do not check the values; only a key is required')
    .addOption(
      new Option('--delete <code>', 'delete the product with this barcode; can be repeated')
        .argParser((code: string, earlier: readonly string[] = []): readonly string[] => [
          ...earlier,
          barcode(code),
        ])
        .conflicts('topic'),
    )
    .addHelpText(
      'after',
      `
A line is a record, as \`offstream scrape --dry-run\` prints it, or an object with
\`key\` and \`value\`, as \`offstream topic peek\` prints it; a value of null deletes
the product. Lines that are not products are rejected and reported with their
line number, and the exit status is 10. With \`--raw\` values are not checked, and
a string is published as is.

With \`--topic\` the lines are for one of your topics, and values are not checked.
A line without \`key\` and \`value\` is the value itself, and \`--key\` names the
member that is its key. \`offstream topic create\` has more options than
\`--create\`, such as the number of partitions.

Examples:
  offstream scrape --limit 5 --dry-run | offstream topic produce
  offstream topic produce --delete 3017620422003
  echo '{"key":"1","value":"any text"}' | offstream topic produce --raw
  offstream topic produce --topic clicks --key session --file clicks.jsonl

Next: \`offstream topic peek --from latest\` shows the published messages.`,
    )
    .action(async ({ file, raw = false, delete: deletes = [], topic, key, create = false }) => {
      if (topic === undefined && key !== undefined) throw onlyWithTopic('--key')
      if (topic === undefined && create) throw onlyWithTopic('--create')
      await using lines = file === undefined ? null : await openFile(file)
      const { output, pipeline, signal, project, cluster } = await withKafka(context)
      const isOther = topic !== undefined && topic !== pipeline.topicName
      if (isOther && create) await pipeline.createTopicIfMissing(cluster, topic, signal)
      const readsStdin = file === undefined && deletes.length === 0
      if (readsStdin && process.stdin.isTTY) output.note('Reading lines from the terminal until Ctrl-D.')
      const counts = await pipeline.produceLines({
        cluster,
        fetched: pipeline.directoriesOf(project.state).fetched,
        input: readsStdin ? process.stdin : (lines?.createReadStream() ?? null),
        deletes,
        raw,
        other: isOther ? { topic, keyMember: key ?? 'key' } : null,
        onSkip: (line, problem, skippedBy) =>
          output.event(
            { kind: 'skipped', line, skippedBy, problem },
            `${output.paint({ text: '!', tone: 'warning' })} line ${line}: ${problem}`,
          ),
        onProgress: ({ published, deleted }) =>
          output.live(`${plural(published + deleted, 'message')} published`),
        signal,
      })
      output.result({ kind: 'produce', ...counts }, () => '')
      const { published, deleted, skipped } = counts
      output.note(
        `${plural(published, 'message')} published, ${plural(deleted, 'delete')}, ${plural(skipped, 'line')} rejected. Next: \`offstream status\``,
      )
      if (skipped > 0) throw linesRejected(skipped, raw || isOther)
    })

const onlyWithTopic = (option: string): CliError =>
  new CliError('OPTIONS_CONFLICT', `\`${option}\` is for a topic of yours, and \`--topic\` is missing`, {
    hint: `add \`--topic <topic>\`, or omit \`${option}\`: the topic of the products exists, and their key is the barcode`,
  })

const descriptionText = (topic: TopicDescription, output: Output): string => {
  const size = topic.bytes === null ? '' : `, ${formatBytes(topic.bytes)}`
  return [
    `${output.paint({ text: topic.name, tone: 'bold' })}  at most ${plural(topic.maxMessages, 'message')}${size}\n`,
    output.table(
      ['partition', 'earliest', 'latest', 'leader', 'replicas', 'in sync'],
      topic.partitions.map(({ partition, earliest, latest, leader, replicas, inSync }) =>
        [partition, earliest, latest, leader, replicas.join(' '), inSync.join(' ')].map(String),
      ),
    ),
    '',
    output.table(['setting', 'value'], Object.entries(topic.config)),
  ].join('\n')
}

const otherTopic = () => new Option('--topic <topic>', 'one of your topics (default: products-events)')

const barcode = (text: string): string => {
  const code = normaliseCode(text)
  if (code === null) throw new InvalidArgumentError('It must be a barcode: up to 24 digits.')
  return code
}

/** Opened rather than checked for existence: the file may not be readable. */
const openFile = (file: string): Promise<FileHandle> =>
  open(file).catch(async (error: unknown) => {
    const { PipelineError } = await import('@offstream/pipeline/errors')
    throw new PipelineError('FILE_MISSING', `Cannot read \`${file}\`: ${messageOf(error)}`, {
      hint: 'use the path of a file with JSON lines',
      cause: error,
    })
  })

const linesRejected = (skipped: number, raw: boolean): OffstreamError =>
  new CliError('LINES_REJECTED', `${plural(skipped, 'line')} ${skipped === 1 ? 'was' : 'were'} rejected`, {
    hint: raw
      ? 'add a key to each: `{"key": …, "value": …}`'
      : 'compare them with the output of `offstream topic peek`, or publish them unchecked with `--raw`',
  })

export default define
