import type { DefineCommand } from '../commands.ts'

const define: DefineCommand = (command, context) =>
  command
    .addHelpText(
      'after',
      `
Submits the PySpark job of \`spark-jobs/stream.py\` to the Spark master. It reads the topic \`products-events\` and puts
each product into the table behind \`Products\`; from then on it is kept like the other services, until
\`offstream down\`. Called again, it starts nothing.

Example:
  offstream up && offstream submit`,
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
