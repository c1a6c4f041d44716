import type { DefineCommand } from '../commands.ts'
import { ownKeeper } from '../keeper.ts'
import { lineOf } from '../serviceLines.ts'

const define: DefineCommand = (command, context) =>
  command.action(async () => {
    const { output, signal, project } = context()
    const { state } = await project()
    // The form of the services' own logs, so that `offstream logs` reads this one too.
    const keeper = await ownKeeper(state, signal, event => {
      const level = event.kind === 'gaveUp' ? 'ERROR' : event.kind === 'fell' ? 'WARN ' : 'INFO '
      const line = lineOf(event) ?? `${event.service} is ${event.kind}`
      output.note(`${new Date().toISOString()} ${level} keeper: ${line}`)
    })
    await keeper.start()
    await keeper.ended()
  })

export default define
