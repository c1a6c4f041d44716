import { type Command, InvalidArgumentError, Option } from '@commander-js/extra-typings'
import type { GroupPosition } from '@offstream/pipeline'
import type { MakeContext } from '../command.ts'
import { CliError } from '../errors.ts'
import { plural } from '../format.ts'
import { dateTime, positiveInteger } from '../optionValues.ts'
import { canPrompt, confirmLoss } from '../prompts.ts'
import { withKafka } from '../withKafka.ts'

/** The subcommands for topics of the user's own jobs. */
export const addTopicAdmin = (command: Command, context: MakeContext): void => {
  addList(command, context)
  addCreate(command, context)
  addDelete(command, context)
  addResetOffsets(command, context)
}

const addList = (command: Command, context: MakeContext) =>
  command
    .command('list')
    .description('list the topics')
    .addHelpText('after', '\nExample:\n  offstream topic list')
    .action(async () => {
      const { output, pipeline, signal, cluster } = await withKafka(context)
      const topics = await pipeline.listTopics(cluster, signal)
      output.result({ kind: 'topics', topics }, () =>
        output.table(
          ['topic', 'partitions', 'messages, at most'],
          topics.map(({ name, partitions, maxMessages }) => [name, String(partitions), String(maxMessages)]),
        ),
      )
    })

const addCreate = (command: Command, context: MakeContext) =>
  command
    .command('create')
    .description('create a topic for your own jobs')
    .argument('<name>', 'its name', topicName)
    .addOption(
      new Option('--partitions <number>', 'number of partitions').argParser(positiveInteger).default(1),
    )
    .option('--compact', 'keep the newest message of each key, instead of all messages')
    .option('--retention <time>', 'how long messages are kept, for example 12h or 7d', retention)
    .addHelpText(
      'after',
      `
If the topic exists already with these partitions and policy, it does nothing.

Examples:
  offstream topic create clicks
  offstream topic create customers --compact --partitions 2

Next: \`offstream topic produce --topic <topic>\` publishes messages.`,
    )
    .action(async (name, { partitions, compact = false, retention = null }) => {
      const { output, pipeline, signal, cluster } = await withKafka(context)
      const request = { name, partitions, compacted: compact, retention }
      const created = await pipeline.createTopic(cluster, request, signal)
      output.result({ kind: 'topicCreated', name, partitions, created }, () => '')
      output.note(
        `${created ? 'Created' : 'There is already'} \`${name}\` with ${plural(partitions, 'partition')}. Next: \`offstream topic produce --topic ${name}\``,
      )
    })

const addDelete = (command: Command, context: MakeContext) =>
  command
    .command('delete')
    .description('delete a topic with its messages')
    .argument('<topic>', 'its name', topicName)
    .option('--yes', 'do not prompt for confirmation')
    .addHelpText(
      'after',
      `
Tables that were filled from the topic stay. A job that reads the topic fails;
\`offstream jobs remove <job>\` deletes its position too. Only \`products-events\`
requires a confirmation: the job of the products would stop, and \`offstream
reset --topic\` is the way to delete its messages and its position together.

Exit status: 0 deleted, 2 the topic does not exist, or no terminal for the
confirmation, 130 not confirmed.

Example:
  offstream topic delete clicks`,
    )
    .action(async (name, { yes = false }) => {
      const { output, pipeline, signal, cluster } = await withKafka(context)
      if (name === pipeline.topicName && !yes) {
        if (!canPrompt({ output })) throw needsConfirmation(name)
        const question = `Delete \`${name}\`, with which the stack works?`
        if (!(await confirmLoss(question, signal))) throw notConfirmed(name)
      }
      await pipeline.deleteTopic(cluster, name, signal)
      output.result({ kind: 'topicDeleted', name }, () => '')
      const isOurs = name === pipeline.topicName
      output.note(
        `Deleted \`${name}\`.${isOurs ? ' Next: `offstream restart kafka` creates it again, empty' : ''}`,
      )
    })

const addResetOffsets = (command: Command, context: MakeContext) =>
  command
    .command('reset-offsets')
    .description('move the position of a consumer group in a topic')
    .argument('<topic>', 'its name', topicName)
    .requiredOption('--group <group>', 'the consumer group')
    .addOption(
      new Option(
        '--to <position>',
        '`earliest`, `latest`, or a time such as 2026-01-31 or 2026-01-31T12:00:00Z',
      )
        .argParser(position)
        .makeOptionMandatory(),
    )
    .option('--dry-run', 'only show the offsets')
    .addHelpText(
      'after',
      `
For programs that commit offsets, such as \`offstream scrape --source topic\`. No
program may be reading with the group. Spark does not commit offsets: the
position of a job is in its checkpoint, which \`offstream jobs remove\` deletes.

Exit status: 0 moved, 2 the topic does not exist, 13 the group has members.

Examples:
  offstream topic reset-offsets clicks --group report --to earliest
  offstream topic reset-offsets clicks --group report --to 2026-01-31 --dry-run`,
    )
    .action(async (topic, { group, to, dryRun = false }) => {
      const { output, pipeline, signal, cluster } = await withKafka(context)
      const partitions = await pipeline.resetOffsets(cluster, { topic, group, to, dryRun }, signal)
      output.result({ kind: 'offsetsReset', topic, group, dryRun, partitions }, () =>
        output.table(
          ['partition', 'before', 'after'],
          partitions.map(({ partition, before, after }) => [partition, before ?? 'none', after].map(String)),
        ),
      )
      output.note(dryRun ? 'Nothing was changed' : `Moved group \`${group}\``)
    })

const topicName = (text: string): string => {
  if (!/^(?!__|\.{1,2}$)[\w.-]{1,249}$/.test(text))
    throw new InvalidArgumentError(
      'It must have letters, digits, dots, hyphens and underscores; names that start with `__` are for topics of Kafka itself.',
    )
  return text
}

const retention = (text: string): string => {
  if (!/^[1-9]\d{0,4}[hd]$/.test(text)) throw new InvalidArgumentError('It must be a time such as 12h or 7d.')
  return text
}

const position = (text: string): GroupPosition =>
  text === 'earliest' || text === 'latest' ? text : dateTime(text)

const needsConfirmation = (name: string): CliError =>
  new CliError(
    'CONFIRMATION_REQUIRED',
    `\`${name}\` is the topic of the stack; deleting it requires confirmation`,
    {
      hint: 'add `--yes`, or delete its messages with `offstream reset --topic`',
    },
  )

const notConfirmed = (name: string): CliError =>
  new CliError('NOT_CONFIRMED', `\`${name}\` was not deleted`, { hint: 'answer `y`, or use `--yes`' })
