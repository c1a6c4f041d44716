import { Option } from '@commander-js/extra-typings'
import { OffstreamError } from '@offstream/runtime/errors'
import type { DefineCommand } from '../command.ts'

const define: DefineCommand = (command, context) =>
  command
    .option(
      '--accept-data-loss',
      'if messages were lost, record the loss in the table and continue without them',
    )
    .addOption(
      new Option('--dry-run', 'print the command that would start the job, without its secrets').conflicts(
        'acceptDataLoss',
      ),
    )
    .addHelpText(
      'after',
      `
The job is the Spark program \`spark-jobs/stream.py\`. It reads the messages of
the topic \`products-events\` and merges the newest record of each barcode into
the table, which SQL clients see as the view \`Products\`. Messages that are not
products are rejected; the view \`products_rejected\` shows them.

The daemon supervises the job like the other services, under the name
\`products-stream\`, until \`offstream down\`. If the job is running already, this
command does nothing.

The job stops if messages were lost before it read them: the topic was
deleted and created again, retention has deleted unread messages, or the broker
has lost some. \`--accept-data-loss\` records the loss in the table and continues
with the messages that exist; \`offstream status\` shows it from then on. It does
nothing if no message was lost.

\`--dry-run\` prints the \`spark-submit\` command for a shell, and changes nothing;
with \`--json\`, its arguments, environment and folder. Each secret is replaced
with \`[removed]\`. Missing runtimes are downloaded, because the command contains
their paths.

Exit status: 0 the job is running, 3 the services are not running, 8 the job was
not ready in time, 12 it exited before it was ready, 13 another stream writes
the table.

Examples:
  offstream up && offstream submit
  offstream submit --accept-data-loss
  offstream submit --dry-run --profile prod

Next: \`offstream scrape --limit 100\` publishes products to the topic.`,
    )
    .action(async ({ acceptDataLoss = false, dryRun = false }) => {
      const { output, pipeline, project, settings, call, signal } = context()
      if (dryRun) {
        const command = await pipeline.shownCommand(await settings(), 'products-stream')
        const { file, args, env, cwd } = command
        output.result(
          {
            ...{ kind: 'submit', dryRun, name: 'products-stream' },
            ...{ command: [file, ...args], environment: env, folder: cwd },
          },
          () => pipeline.shellText(command),
        )
        return
      }
      await pipeline.requireRunning(await project(), ['kafka', 'spark-worker'], signal)
      const stack = await settings()
      const start = () => pipeline.startServices(stack, ['products-stream'], call)
      const accept = async () => {
        const reason = await pipeline.acceptDataLoss(stack, signal)
        if (reason !== null) output.note(`Recorded the accepted loss: ${reason}`)
      }
      if (acceptDataLoss) await accept()
      await start().catch(async (error: unknown) => {
        if (!acceptDataLoss || !isDataLoss(error)) throw error
        await accept()
        await start()
      })
      const address = pipeline.addressOf('products-stream', stack.config)
      output.result({ kind: 'submit', name: 'products-stream', address }, () => '')
      output.note('The job is running. Next: `offstream scrape --limit 100`, then `offstream status`')
    })

const isDataLoss = (error: unknown): boolean =>
  error instanceof OffstreamError && error.code === 'KAFKA_DATA_LOSS'

export default define
