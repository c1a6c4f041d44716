import type { DefineCommand } from '../command.ts'

const define: DefineCommand = (command, context) =>
  command
    .addHelpText(
      'after',
      `
Ends the job, the Thrift server, Spark, Kafka and ZooKeeper, in this order, and
leaves no process behind. The products stay: the next \`offstream up\` finds them.
Where nothing runs, that is fine too.

Examples:
  offstream down
  offstream down --stack tests

Next: \`offstream reset\` wipes data, which this does not.`,
    )
    .action(async () => {
      const { output, pipeline, anyProject, call } = context()
      const { state } = await anyProject()
      const onWithdrawn = () =>
        output.note('Interrupted. The services go on ending; `offstream status` shows when they are gone')
      const anything = await pipeline.stopStack(state, { ...call, onWithdrawn })
      output.result({ kind: 'down', stopped: anything }, () => '')
      output.note(anything ? 'Everything has ended.' : 'Nothing was running.')
    })

export default define
