import { Option } from '@commander-js/extra-typings'
import type { DefineCommand } from '../command.ts'
import { withFreePorts } from '../freePorts.ts'
import { positiveInteger } from '../optionValues.ts'

const define: DefineCommand = (command, context) =>
  command
    .option('--foreground', 'keep the services in this terminal; Ctrl-C ends them')
    .addOption(
      new Option(
        '--ports <choice>',
        '`auto` takes the next free port where one is taken; `configured` refuses then',
      )
        .choices(['configured', 'auto'] as const)
        .default('configured' as const),
    )
    .option(
      '--cores <number>',
      'processor cores that the Spark worker offers to jobs (default: the setting `spark.worker.cores`)',
      positiveInteger,
    )
    .addHelpText(
      'after',
      `
Starts the services that do not run yet, and waits until each has answered a
question in its own language:

  zookeeper     what Kafka keeps its own state in
  kafka         holds the products as messages, in the topic \`products-events\`
  spark-master  hands out work to the worker
  spark-worker  carries the work out
  thrift        answers SQL questions about the table

They go on in the background, watched by a process named daemon, which starts
again what crashes. Called again, it starts nothing. With \`--ports auto\` the
ports that were chosen hold, for every other command too, until \`offstream
down\`.

Exit status: 0 all are ready, 6 this machine lacks something, 7 a port is taken,
8 a service did not answer in time, 12 a service ended before it was ready.

Examples:
  offstream up
  offstream up --ports auto
  offstream up --cores 4 --set kafka.port=9093

Next: \`offstream submit\` starts the job that fills the table.`,
    )
    .action(async ({ foreground = false, cores, ports }) => {
      const wanted = cores === undefined ? [] : [`spark.worker.cores=${cores}`]
      const { output, pipeline, settings, call, signal, force } =
        ports === 'auto' ? await withFreePorts(context, wanted) : context(wanted)
      const stack = await settings()
      const { onEvent } = call
      const daemon = foreground
        ? await (await import('../daemon.ts')).ownDaemon(stack.state, { signal, force, onEvent })
        : null
      await pipeline.startServices(
        stack,
        pipeline.stackServices,
        // A daemon that is here tells of everything itself.
        daemon === null
          ? call
          : { ...call, launchDaemon: daemon.start, onEvent: () => undefined, onWithdrawn: () => undefined },
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
      await daemon?.ended()
    })

export default define
