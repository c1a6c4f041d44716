import type { DefineCommand } from '../command.ts'

const define: DefineCommand = (command, context) =>
  command
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

Exit status: 0 the job is running, 3 the services are not running, 8 the job was
not ready in time, 12 it exited before it was ready.

Example:
  offstream up && offstream submit

Next: \`offstream scrape --limit 100\` publishes products to the topic.`,
    )
    .action(async () => {
      const { output, pipeline, project, settings, call } = context()
      await pipeline.requireRunning((await project()).state, ['kafka', 'spark-worker'])
      const stack = await settings()
      await pipeline.startServices(stack, ['products-stream'], call)
      const address = pipeline.addressOf('products-stream', stack.config)
      output.result({ kind: 'submit', name: 'products-stream', address }, () => '')
      output.note('The job is running. Next: `offstream scrape --limit 100`, then `offstream status`')
    })

export default define
