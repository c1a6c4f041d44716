import { Option } from '@commander-js/extra-typings'
import type { DefineCommand } from '../commands.ts'
import { withFreePorts } from '../freePorts.ts'
import { positiveInteger } from '../optionValues.ts'

const define: DefineCommand = (command, context) =>
  command
    .option('--foreground', 'stay here as their keeper, and end them with Ctrl-C')
    .addOption(
      new Option('--ports <choice>', 'what to do where a port is taken: `auto` takes the next free one')
        .choices(['configured', 'auto'] as const)
        .default('configured' as const),
    )
    .option('--cores <number>', 'cores that the Spark worker offers to jobs', positiveInteger)
    .addHelpText(
      'after',
      `
Starts what does not run yet, side by side where one does not need the other, and waits until each has answered a
question in its own language. Called again, it starts nothing.

With \`--ports auto\` the ports that were chosen hold, for every other command too, until \`offstream down\`.

Examples:
  offstream up
  offstream up --ports auto
  offstream up --cores 4 --set kafka.port=9093`,
    )
    .action(async ({ foreground = false, cores, ports }) => {
      const wanted = cores === undefined ? [] : [`spark.worker.cores=${cores}`]
      const { output, pipeline, settings, call, signal, force } =
        ports === 'auto' ? await withFreePorts(context, wanted) : context(wanted)
      const stack = await settings()
      const { onEvent } = call
      const keeper = foreground
        ? await (await import('../keeper.ts')).ownKeeper(stack.state, { signal, force, onEvent })
        : null
      await pipeline.startServices(
        stack,
        pipeline.stackServices,
        // A keeper that is here tells of everything itself.
        keeper === null ? call : { ...call, launchKeeper: keeper.start, onEvent: () => undefined },
      )
      const services = pipeline.stackServices.map(name => ({
        name,
        address: pipeline.addressOf(name, stack.config),
      }))
      output.result({ kind: 'up', services }, () => '')
      output.note(
        foreground
          ? 'All services are ready. Ctrl-C ends them.'
          : 'All services are ready. Next: `offstream submit`, then `offstream scrape --limit 100`',
      )
      await keeper?.ended()
    })

export default define
