import type { DefineCommand } from '../command.ts'

const define: DefineCommand = (command, context) =>
  command
    .option('--open', 'open the address in the default browser')
    .addHelpText(
      'after',
      `
Starts the dashboard if it is not running, and prints its address. The dashboard
is a web page on this machine: the pipeline with its counts, the services with
their logs, the messages of the topic, the batches of the job, the table, the
products and the charts, all live.

The address contains a token, which allows the browser to restart and stop
services. Without the token the dashboard is read-only. \`dashboard.readOnly\`
removes the buttons for all users.

The daemon supervises the dashboard like the other services, until
\`offstream down\`. The dashboard is not part of the pipeline: \`offstream status\`
lists it, but it does not affect the state of the stack.

Exit status: 0 the dashboard is running, 7 its port is in use.

Examples:
  offstream dashboard
  offstream dashboard --open
  offstream up --dashboard

Next: open the printed address in a browser.`,
    )
    .action(async ({ open = false }) => {
      const { output, pipeline, settings, call } = context()
      const stack = await settings()
      await pipeline.startServices(stack, ['dashboard'], call)
      const { signInAddress } = await import('@offstream/dashboard')
      const address = await signInAddress(stack.state, stack.config)
      output.result({ kind: 'dashboard', address }, () => address)
      if (open) await (await import('../openAddress.ts')).openAddress(address)
      else output.note('Next: open this address in a browser')
    })

export default define
