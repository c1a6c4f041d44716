import type { DefineCommand } from '../command.ts'
import { selectServices } from '../selectServices.ts'

const define: DefineCommand = (command, context) =>
  command
    .argument(
      '[services...]',
      'names of services and jobs, as in `offstream status` (default: all running ones)',
    )
    .addHelpText(
      'after',
      `
Stops services and starts them again, with the settings that they were started
with; \`--set\` changes one of them. Dependent services stop first and start last.
The topic and the table stay. Restarting \`spark-master\` also restarts the
workers and the jobs, because its port may change. A job that has completed
restarts only by its name.

Exit status: 0 all are ready again, 2 unknown service, 3 not running.

Examples:
  offstream restart
  offstream restart kafka thrift
  offstream restart thrift --set thrift.memory=2g

Next: \`offstream status\` shows their state.`,
    )
    .action(async requested => {
      const { output, pipeline, stack, settings, call } = context()
      const { state } = await stack()
      const jobs = await pipeline.readJobs(state)
      const selected = requested.length === 0 ? [] : selectServices(pipeline.namesWith(jobs), requested)
      const names = await pipeline.restartedWith(state, selected)
      const running = await settings()
      await pipeline.restartServices(running, names, call)
      const services = names.map(name => ({ name, address: pipeline.addressOf(name, running.config, jobs) }))
      output.result({ kind: 'restart', services }, () => '')
      output.note('Restarted. Next: `offstream status`')
    })

export default define
