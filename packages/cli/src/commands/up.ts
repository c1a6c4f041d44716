import { Option } from '@commander-js/extra-typings'
import type { DefineCommand } from '../command.ts'
import { CliError } from '../errors.ts'
import { prepareExternalServices } from '../externalServices.ts'
import { withFreePorts } from '../freePorts.ts'
import { positiveInteger } from '../optionValues.ts'

const define: DefineCommand = (command, context) =>
  command
    .option('--foreground', 'run the services in this terminal until Ctrl-C')
    .option('--dashboard', 'also start the dashboard, and print its address')
    .addOption(
      new Option(
        '--ports <choice>',
        '`auto`: use the next free port if a port is in use; `configured`: fail in that case',
      )
        .choices(['configured', 'auto'] as const)
        .default('configured' as const),
    )
    .option(
      '--cores <number>',
      'CPU cores of each Spark worker (default: the setting `spark.worker.cores`)',
      positiveInteger,
    )
    .addHelpText(
      'after',
      `
Starts the services that are not running, and waits until each has responded to
a request in its own protocol:

  zookeeper     stores the metadata of Kafka
  kafka         stores the products as messages in the topic \`products-events\`
  spark-master  schedules the Spark programs
  spark-worker  executes them
  thrift        answers SQL queries on the table

With \`kafka.brokers\`, Kafka is an existing cluster: it is only checked, and the
topic is created if it does not exist. With \`kafka.brokerCount: 3\`, the brokers
\`kafka-2\` and \`kafka-3\` start too; with \`kafka.mode: kraft\`, no ZooKeeper. With
\`thrift.host\`, an existing Thrift server answers the queries.
With \`spark.master\`, an existing Spark cluster runs the job: it is only checked,
and no master or worker starts. With \`spark.workers: 3\`, \`spark-worker-2\` and
\`spark-worker-3\` start too.
With \`lake.catalog.uri\`, the catalog of the tables is an existing database or
REST catalog, which is only checked.

The services run in the background. A daemon supervises them and restarts those
that crash. If all services are already running, nothing is started. All
commands use the ports that \`--ports auto\` chose, until \`offstream down\`.

Exit status: 0 all are ready, 2 \`--cores\` has no effect, 6 a prerequisite is
missing, 7 a port is in use, 8 a service was not ready in time, 9 could not
connect to an existing cluster, server or catalog, 10 it denies access or is
unsuitable, or the topic is not as configured, 12 a service exited before it was
ready.

Examples:
  offstream up
  offstream up --ports auto
  offstream up --cores 4 --set kafka.port=9093

Next: \`offstream submit\` starts the job that fills the table.`,
    )
    .action(async ({ foreground = false, dashboard = false, cores, ports }) => {
      const settingsHere = cores === undefined ? [] : [`spark.worker.cores=${cores}`]
      const { output, pipeline, project, settings, call, signal, force } =
        ports === 'auto' ? await withFreePorts(context, settingsHere) : context(settingsHere)
      if (cores !== undefined && pipeline.placeOf('spark-worker', (await project()).config) !== 'here')
        throw coresWithoutWorker()
      const stack = await settings()
      const { onEvent } = call
      const daemon = foreground
        ? await (await import('../daemon.ts')).daemonInProcess(stack.state, { signal, force, onEvent })
        : null
      const own = pipeline.stackServices(stack.config)
      const names = dashboard ? [...own, 'dashboard' as const] : own
      await prepareExternalServices(stack, { pipeline, output, signal })
      await pipeline.startServices(
        stack,
        names,
        // A daemon in this process prints its events itself.
        daemon === null
          ? call
          : { ...call, launchDaemon: daemon.start, onEvent: () => undefined, onWithdrawn: () => undefined },
      )
      // The topic of an earlier start may have other partitions.
      await pipeline.checkKafka(stack.config, stack.state, signal)
      const services = names.map(name => ({
        name,
        address: pipeline.addressOf(name, stack.config),
      }))
      if (dashboard) {
        const { signInAddress } = await import('@offstream/dashboard')
        const address = await signInAddress(stack.state, stack.config)
        output.event({ kind: 'dashboard', address }, `Dashboard: ${address}`)
      }
      if (daemon === null) {
        output.result({ kind: 'up', services }, () => '')
        output.note('All services are ready. Next: `offstream submit`, then `offstream scrape --limit 100`')
        return
      }
      output.event(
        { kind: 'allReady', services },
        'All services are ready; Ctrl-C stops them. Next: `offstream submit` in another terminal',
      )
      await daemon.stopped()
      output.result({ kind: 'up', services }, () => '')
    })

const coresWithoutWorker = (): CliError =>
  new CliError('OPTIONS_CONFLICT', '`--cores` has no effect with `spark.master`: no worker starts here', {
    hint: 'omit it, and set `stream.executors` and `stream.executorCores` for the job',
  })

export default define
