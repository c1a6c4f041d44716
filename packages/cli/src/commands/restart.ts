import { serviceNames } from '@offstream/pipeline/names'
import { chosenServices } from '../chosen.ts'
import type { DefineCommand } from '../commands.ts'

const define: DefineCommand = (command, context) =>
  command
    .argument('[services...]', 'which services, by their names in `offstream status` (default: all that run)')
    .addHelpText(
      'after',
      `
Ends what runs, those first that need others, and starts it again in the order of needs, with the settings that it runs
with; \`--set\` changes one. Nothing is lost: topic and table stay as they are. The job \`products-stream\` goes with
\`spark-master\`, since a new master would not know it.

Examples:
  offstream restart
  offstream restart kafka thrift
  offstream restart thrift --set thrift.memory=2g`,
    )
    .action(async asked => {
      const { output, pipeline, stack, settings, call } = context()
      const named = asked.length === 0 ? [] : chosenServices(serviceNames, asked)
      const { state } = await stack()
      const names = await pipeline.restartedWith(state, named)
      const running = await settings()
      await pipeline.restartServices(running, names, call)
      const services = names.map(name => ({ name, address: pipeline.addressOf(name, running.config) }))
      output.result({ kind: 'restart', services }, () => '')
      output.note('Started again. Next: `offstream status`')
    })

export default define
