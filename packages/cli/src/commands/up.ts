import { addressOf, stackServices, startServices } from '@offstream/pipeline'
import type { DefineCommand } from '../commands.ts'
import { ownKeeper } from '../keeper.ts'
import { positiveInteger } from '../optionValues.ts'
import { serviceLines } from '../serviceLines.ts'

const define: DefineCommand = (command, context) =>
  command
    .option('--foreground', 'stay here as their keeper, and end them with Ctrl-C')
    .option('--cores <number>', 'cores that the Spark worker offers to jobs', positiveInteger)
    .addHelpText(
      'after',
      `
Starts what does not run yet, side by side where one does not need the other, and waits until each has answered a
question in its own language. Called again, it starts nothing.

Examples:
  offstream up
  offstream up --cores 4 --set kafka.port=9093`,
    )
    .action(async ({ foreground = false, cores }) => {
      const { output, signal, settings, launchKeeper } = context(
        cores === undefined ? [] : [`spark.worker.cores=${cores}`],
      )
      const stack = await settings()
      const onEvent = serviceLines(output)
      const keeper = foreground ? await ownKeeper(stack.state, signal, onEvent) : null
      await startServices(stack, stackServices, {
        launchKeeper: keeper?.start ?? launchKeeper,
        ...(keeper === null ? { onEvent } : {}),
        signal,
      })
      const services = stackServices.map(name => ({ name, address: addressOf(name, stack.config) }))
      output.result({ kind: 'up', services }, () => '')
      output.note(
        foreground
          ? 'All services are ready. Ctrl-C ends them.'
          : 'All services are ready. Next: `offstream submit`, then `offstream scrape --limit 100`',
      )
      await keeper?.ended()
    })

export default define
