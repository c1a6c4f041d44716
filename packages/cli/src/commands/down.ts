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

Next: \`offstream up\` starts the services again; \`offstream reset\` deletes data.`,
    )
    .action(async () => {
      const { output, pipeline, anyProject, call } = context()
      const { state } = await anyProject()
      const onWithdrawn = () =>
        output.note('Interrupted. The services continue to stop in the background. Next: `offstream status`')
      const stack = await pipeline.stopStack(state, { ...call, onWithdrawn })
      // A first start that was killed leaves services, which belong to no stack.
      const interrupted = await pipeline.stopInterruptedArchives(pipeline.cacheDirectory(process.env))
      const stopped = stack || interrupted
      output.result({ kind: 'down', stopped }, () => '')
      output.note(
        stopped
          ? 'All services are stopped; the data stays. Next: `offstream up`'
          : 'Nothing was running. Next: `offstream up`',
      )
    })

export default define
