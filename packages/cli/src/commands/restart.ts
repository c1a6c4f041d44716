import { serviceNames } from '@offstream/pipeline/names'
import type { DefineCommand } from '../command.ts'
import { selectServices } from '../selectServices.ts'

const define: DefineCommand = (command, context) =>
  command
    .argument('[services...]', 'names of services, as in `offstream status` (default: all running services)')
    .addHelpText(
      'after',
      `
Stops services and starts them again, with the settings that they were started
with; \`--set\` changes one of them. Dependent services stop first and start last.
The topic and the table stay. Restarting \`spark-master\` also restarts
\`spark-worker\` and the job \`products-stream\`, which cannot find a new master.

Exit status: 0 all are ready again, 2 unknown service, 3 not running.

Examples:
  offstream restart
  offstream restart kafka thrift
  offstream restart thrift --set thrift.memory=2g

Next: \`offstream status\` shows their state.`,
    )
    .action(async requested => {
      const { output, pipeline, stack, settings, call } = context()
      const selected = requested.length === 0 ? [] : selectServices(serviceNames, requested)
      const { state } = await stack()
      const names = await pipeline.restartedWith(state, selected)
      const running = await settings()
      await pipeline.restartServices(running, names, call)
      const services = names.map(name => ({ name, address: pipeline.addressOf(name, running.config) }))
      output.result({ kind: 'restart', services }, () => '')
      output.note('Restarted. Next: `offstream status`')
    })

export default define
