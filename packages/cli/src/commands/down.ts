import type { DefineCommand } from '../command.ts'

const define: DefineCommand = (command, context) =>
  command
    .addHelpText(
      'after',
      `
Stops the job, the Thrift server, Spark, Kafka and ZooKeeper, in this order, and
the daemon. The data stays: the next \`offstream up\` continues with it. If
nothing is running, it does nothing.

Exit status: 0 everything is stopped.

Examples:
  offstream down
  offstream down --stack tests
  offstream down --profile prod

Next: \`offstream up\` starts the services again; \`offstream reset\` deletes data.`,
    )
    .action(async () => {
      const { output, pipeline, anyProject, call, noteOtherServices } = context()
      const { state } = await anyProject()
      const onWithdrawn = () =>
        output.note('Interrupted. The services continue to stop in the background. Next: `offstream status`')
      if (await pipeline.writesArchives(state))
        output.event(
          { kind: 'archiving' },
          'The services write start-up archives as they stop, so that later starts are faster',
        )
      const stopped = await pipeline.stopStack(state, { ...call, onWithdrawn })
      output.result({ kind: 'down', stopped }, () => '')
      output.note(
        stopped
          ? 'All services are stopped; the data stays. Next: `offstream up`'
          : 'Nothing was running. Next: `offstream up`',
      )
      if (!stopped) await noteOtherServices()
    })

export default define
