import type { ServiceEvent } from '@offstream/runtime'
import chalk from 'chalk'
import { formatDuration, printable } from './format.ts'
import type { Output } from './output.ts'

/** Prints the events of services: a line for each result, and a spinner for those that are starting or stopping. */
export const printServiceEvents = (output: Output): ((event: ServiceEvent) => void) => {
  const inProgress = new Map<string, string>()
  return event => {
    if (event.kind === 'starting') inProgress.set(event.service, 'starting')
    else if (event.kind === 'probing') inProgress.set(event.service, 'running, not ready yet')
    else if (event.kind === 'stopping') inProgress.set(event.service, 'stopping')
    else if (event.kind !== 'recordFailed') inProgress.delete(event.service)
    const line = serviceEventText(event)
    if (line !== null) output.event({ ...event }, line)
    else if (output.mode === 'json') output.event({ ...event }, '')
    if (inProgress.size === 0) output.endLive()
    else
      output.live([...inProgress].map(([name, what]) => `${name.padEnd(16)}${chalk.dim(what)}`).join('\n  '))
  }
}

/** Printed while another command changes the same stack. */
export const waitingText = 'Waiting for another command that is starting or stopping services …'

/** Printed when Ctrl-C interrupts a start. */
export const startCancelledText =
  'Interrupted. The started services are being stopped in the background. Next: `offstream down` waits until they have stopped'

/** The line for an event; null for what only the spinner shows. */
export const serviceEventText = (event: ServiceEvent): string | null => {
  const name = event.service.padEnd(16)
  switch (event.kind) {
    case 'starting':
    case 'probing':
    case 'stopping':
      return null
    case 'ready': {
      const where = event.port === null ? '' : ` on port ${event.port}`
      return event.alreadyRunning
        ? `${chalk.green('✔')} ${name}already running${where}, pid ${event.pid}`
        : `${chalk.green('✔')} ${name}ready${where} after ${formatDuration(event.tookMs)}`
    }
    case 'stopped':
      return `${chalk.green('✔')} ${name}stopped after ${formatDuration(event.tookMs)}${event.killed ? ', killed' : ''}`
    case 'crashed':
      return `${chalk.yellow('!')} ${name}${printable(event.how)}; restarts in ${formatDuration(event.restartInMs)}`
    case 'completed':
      return `${chalk.green('✔')} ${name}completed`
    case 'failed':
      return `${chalk.red('✖')} ${name}${printable(event.how)}; it will not be restarted`
    case 'recordFailed':
      return `${chalk.yellow('!')} ${name}its state cannot be saved: ${printable(event.reason)}`
  }
}
