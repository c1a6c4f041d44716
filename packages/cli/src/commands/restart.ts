import { serviceNames } from '@offstream/pipeline/names'
import type { DefineCommand } from '../command.ts'
import { selectServices } from '../selectServices.ts'

const define: DefineCommand = (command, context) =>
  command
    .argument('[services...]', 'which services, by their names in `offstream status` (default: all that run)')
    .addHelpText(
      'after',
      `
Ends the services and starts them again, with the settings that they run with;
\`--set\` changes one. Those that need others are ended first and started last.
Topic and table stay as they are. With \`spark-master\` go \`spark-worker\` and
the job \`products-stream\`, which a new master would not know.

Exit status: 0 all are ready again, 2 no such service, 3 it does not run.

Examples:
  offstream restart
  offstream restart kafka thrift
  offstream restart thrift --set thrift.memory=2g

Next: \`offstream status\` shows them.`,
    )
    .action(async asked => {
      const { output, pipeline, stack, settings, call } = context()
      const named = asked.length === 0 ? [] : selectServices(serviceNames, asked)
      const { state } = await stack()
      const names = await pipeline.restartedWith(state, named)
      const running = await settings()
      await pipeline.restartServices(running, names, call)
      const services = names.map(name => ({ name, address: pipeline.addressOf(name, running.config) }))
      output.result({ kind: 'restart', services }, () => '')
      output.note('Started again. Next: `offstream status`')
    })

export default define
