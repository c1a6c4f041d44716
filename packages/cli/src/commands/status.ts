import { readServices, readStatus, type Status } from '@offstream/pipeline'
import { exitStatus } from '@offstream/runtime'
import type { DefineCommand } from '../commands.ts'
import { statusText } from '../statusText.ts'

/** What each state of a stack makes the command come to. */
export const exitOf: Readonly<Record<Status['state'], number>> = {
  healthy: exitStatus.ok,
  stopped: exitStatus.notRunning,
  degraded: exitStatus.degraded,
}

const define: DefineCommand = (command, context) =>
  command
    .addHelpText(
      'after',
      `
Asks every service that runs a real question, the Thrift server through its own protocol, and counts the products at
each step of their way: fetched, acknowledged by Kafka, consumed by the job, rows in the table, visible in \`Products\`.
Exit status: 0 healthy, 3 stopped, 4 degraded.

Examples:
  offstream status
  offstream status --json`,
    )
    .action(async () => {
      const { output, stack } = context()
      const { state, config } = await stack()
      const status = await readStatus(state, config, await readServices(state))
      output.result({ ...status }, () => statusText(status))
      if (status.state === 'stopped') output.note('Nothing is running. Next: `offstream up`')
      process.exitCode = exitOf[status.state]
    })

export default define
