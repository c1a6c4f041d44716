import { addressOf, requireRunning, startServices } from '@offstream/pipeline'
import type { DefineCommand } from '../commands.ts'
import { serviceLines, waitingLine } from '../serviceLines.ts'

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
      const { output, signal, project, settings, launchKeeper } = context()
      await requireRunning((await project()).state, ['kafka', 'spark-worker'])
      const stack = await settings()
      await startServices(stack, ['products-stream'], {
        launchKeeper,
        onEvent: serviceLines(output),
        onWaiting: () => output.note(waitingLine),
        signal,
      })
      output.result(
        { kind: 'submit', name: 'products-stream', address: addressOf('products-stream', stack.config) },
        () => '',
      )
      output.note('The job reads the topic. Next: `offstream scrape --limit 100`, then `offstream status`')
    })

export default define
