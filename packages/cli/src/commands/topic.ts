import { type FileHandle, open } from 'node:fs/promises'
import { InvalidArgumentError, Option } from '@commander-js/extra-typings'
import type { Project, TopicDescription } from '@offstream/pipeline'
import { PipelineError } from '@offstream/pipeline/errors'
import { normaliseCode } from '@offstream/pipeline/names'
import { jsonText } from '@offstream/runtime/controls'
import { messageOf, type OffstreamError } from '@offstream/runtime/errors'
import type { DefineCommand, MakeContext } from '../command.ts'
import type { Context } from '../context.ts'
import { CliError } from '../errors.ts'
import { formatBytes, plural } from '../format.ts'
import { positiveInteger } from '../optionValues.ts'
import type { Output } from '../output.ts'

const define: DefineCommand = (command, context) => {
  command.addHelpText(
    'after',
    `
A topic is a list of messages that Kafka keeps. \`products-events\` holds the
products on their way from \`offstream scrape\` to the job of \`offstream submit\`:
one message a product, whose key is the barcode and whose value is the record as
JSON, or null for a product that is no more.

Exit status: 0 done, 3 Kafka does not run, 9 it does not answer, 10 lines were
refused.

Examples:
  offstream topic describe
  offstream topic peek --from latest --limit 3
  offstream topic produce --file records.jsonl

Next: \`offstream status\` tells whether the job keeps up with the topic.`,
  )

  command
    .command('describe')
    .description('show how much is in the topic, and its settings')
    .addHelpText(
      'after',
      `
A topic lies in one or more partitions. In each, messages are numbered from 0;
the number is the offset: \`earliest\` is that of the first message that is still
there, \`latest\` that of the next to come. Kafka keeps the newest message of each
key (\`cleanup.policy compact\`), so numbers may be missing between them.

Example:
  offstream topic describe`,
    )
    .action(async () => {
      const { output, pipeline, signal, project, broker } = await withKafka(context)
      const { kafkaData } = pipeline.directoriesOf(project.state)
      const description = await pipeline.describeTopic(broker, kafkaData, signal)
      output.result({ kind: 'topic', broker, ...description }, () => descriptionText(description, output))
    })

  command
    .command('peek')
    .description('show messages as JSON lines, without taking them from anybody')
    .option(
      '--limit <number>',
      'stop after so many messages (default: 10; with --follow no bound)',
      positiveInteger,
    )
    .addOption(
      new Option(
        '--from <place>',
        'the oldest messages, or the newest (default: beginning; with --follow latest)',
      ).choices(['beginning', 'latest'] as const),
    )
    .option('--follow', 'go on with what comes, until Ctrl-C; from `latest`: only what comes from now on')
    .addHelpText(
      'after',
      `
Each line holds partition, offset (the message's number), timestamp, key,
headers and value: JSON as JSON, other text as text, null for a product that is
no more, and bytes that are no text in base64. Looking takes nothing from any
other reader.

Examples:
  offstream topic peek
  offstream topic peek --from latest --limit 1
  offstream topic peek --follow`,
    )
    .action(async ({ follow = false, limit, from }) => {
      const { output, pipeline, signal, broker } = await withKafka(context)
      const shown = await pipeline.peekTopic(
        broker,
        {
          from: from ?? (follow ? 'latest' : 'beginning'),
          limit: limit ?? (follow ? null : 10),
          follow,
          signal,
        },
        message => {
          if (output.mode === 'json') output.event({ kind: 'message', ...message }, '')
          else output.data(jsonText(message))
        },
      )
      if (output.mode === 'json') output.result({ kind: 'peek', messages: shown }, () => '')
      else if (shown === 0) output.note('No messages.')
    })

  command
    .command('produce')
    .description('publish JSON lines, from standard input or a file')
    .option('--file <path>', 'read these lines instead of standard input')
    .option('--raw', 'publish anything that has a key, be it a product or not')
    .option(
      '--delete <code>',
      'say that the product with this barcode is no more; may be repeated',
      (code: string, earlier: readonly string[] = []): readonly string[] => [...earlier, barcode(code)],
    )
    .addHelpText(
      'after',
      `
A line is a record, as \`offstream scrape --dry-run\` writes it; or an object with
\`key\` and \`value\`, as \`offstream topic peek\` writes it, where a value of null
says that the product is no more. A line that is no product is told with its
number and left out, and the command then exits with status 10. With \`--raw\`
nothing is checked, and a value that is text goes as it is.

Examples:
  offstream scrape --limit 5 --dry-run | offstream topic produce
  offstream topic produce --delete 3017620422003
  echo '{"key":"1","value":"no product"}' | offstream topic produce --raw

Next: \`offstream topic peek --from latest\` shows what was published.`,
    )
    .action(async ({ file, raw = false, delete: deletes = [] }) => {
      await using lines = file === undefined ? null : await opened(file)
      const { output, pipeline, signal, project, broker } = await withKafka(context)
      const readsStdin = file === undefined && deletes.length === 0
      if (readsStdin && process.stdin.isTTY) output.note('Reading lines from the terminal; Ctrl-D ends them.')
      const counts = await pipeline.produceLines({
        broker,
        fetched: pipeline.directoriesOf(project.state).fetched,
        input: readsStdin ? process.stdin : (lines?.createReadStream() ?? null),
        deletes,
        raw,
        onSkip: (line, problem) =>
          output.event(
            { kind: 'skipped', line, problem },
            `${output.paint({ text: '!', tone: 'warning' })} line ${line}: ${problem}`,
          ),
        onProgress: ({ published, deleted }) =>
          output.live(`${plural(published + deleted, 'message')} published`),
        signal,
      })
      output.result({ kind: 'produce', ...counts }, () => '')
      const { published, deleted, skipped } = counts
      output.note(
        `${plural(published, 'message')} published, ${plural(deleted, 'delete')}, ${plural(skipped, 'line')} left out`,
      )
      if (skipped > 0) throw linesRefused(skipped, raw)
    })
}

/** A context whose Kafka runs, and where it is. */
const withKafka = async (
  context: MakeContext,
): Promise<
  Pick<Context, 'output' | 'pipeline' | 'signal'> & { readonly project: Project; readonly broker: string }
> => {
  const { output, pipeline, signal, stack } = context()
  const project = await stack()
  await pipeline.requireRunning(project.state, ['kafka'])
  return { output, pipeline, signal, project, broker: pipeline.brokerOf(project.config) }
}

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

const barcode = (text: string): string => {
  const code = normaliseCode(text)
  if (code === null) throw new InvalidArgumentError('It must be a barcode: up to 24 digits.')
  return code
}

/** That a file is there does not say that it may be read. */
const opened = (file: string): Promise<FileHandle> =>
  open(file).catch((error: unknown) => {
    throw new PipelineError('FILE_MISSING', `\`${file}\` can't be read: ${messageOf(error)}`, {
      hint: 'give the path of a file of JSON lines',
      cause: error,
    })
  })

const linesRefused = (skipped: number, raw: boolean): OffstreamError =>
  new CliError('LINES_REJECTED', `${plural(skipped, 'line')} could not be published`, {
    hint: raw
      ? 'give each a key: `{"key": …, "value": …}`'
      : 'compare them with what `offstream topic peek` shows, or publish them unchecked with `--raw`',
  })

export default define
