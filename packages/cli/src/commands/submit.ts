import type { DefineCommand } from '../command.ts'

const define: DefineCommand = (command, context) =>
  command
    .addHelpText(
      'after',
      `
The job is the Spark program \`spark-jobs/stream.py\`. It reads each message that
comes to the topic \`products-events\`, sets aside what is no product, and puts
the newest record of each barcode into the table that SQL knows as \`Products\`.

It is kept running like the other services, under the name \`products-stream\`,
until \`offstream down\`. Called again, it starts nothing.

Exit status: 0 it reads the topic, 3 the services do not run, 8 it did not begin
in time, 12 it ended before.

Example:
  offstream up && offstream submit

Next: \`offstream scrape --limit 100\` sends products on their way.`,
    )
    .action(async () => {
      const { output, pipeline, project, settings, call } = context()
      await pipeline.requireRunning((await project()).state, ['kafka', 'spark-worker'])
      const stack = await settings()
      await pipeline.startServices(stack, ['products-stream'], call)
      const address = pipeline.addressOf('products-stream', stack.config)
      output.result({ kind: 'submit', name: 'products-stream', address }, () => '')
      output.note('The job reads the topic. Next: `offstream scrape --limit 100`, then `offstream status`')
    })

export default define
