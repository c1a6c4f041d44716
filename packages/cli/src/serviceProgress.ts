import type { ServiceEvent } from '@offstream/runtime'
import chalk from 'chalk'
import { formatDuration, printable } from './format.ts'
import type { Output } from './output.ts'

/** Tells of services as they start and end: a line for each that is done, and a spinner with those under way. */
export const printServiceEvents = (output: Output): ((event: ServiceEvent) => void) => {
  const underWay = new Map<string, string>()
  return event => {
    if (event.kind === 'starting') underWay.set(event.service, 'starting')
    else if (event.kind === 'asked') underWay.set(event.service, 'runs; asking it')
    else if (event.kind === 'stopping') underWay.set(event.service, 'ending')
    else if (event.kind !== 'unrecorded') underWay.delete(event.service)
    const line = lineOf(event)
    if (line !== null) output.event({ ...event }, line)
    else if (output.mode === 'json') output.event({ ...event }, '')
    if (underWay.size === 0) output.endLive()
    else output.live([...underWay].map(([name, what]) => `${name.padEnd(16)}${chalk.dim(what)}`).join('\n  '))
  }
}

/** Said when another command is being carried out on the same stack. */
export const waitingText = 'Another command is starting or ending services; waiting for it …'

/** Said when Ctrl-C takes a start back. */
export const startCancelledText =
  'Interrupted. What was begun is being ended in the background; `offstream status` shows when it is gone, `offstream down` waits for it'

/** The line for an event; null for a beginning, which only a spinner shows. */
export const lineOf = (event: ServiceEvent): string | null => {
  const name = event.service.padEnd(16)
  switch (event.kind) {
    case 'starting':
    case 'asked':
    case 'stopping':
      return null
    case 'ready': {
      const where = event.port === null ? '' : ` on port ${event.port}`
      return event.alreadyRunning
        ? `${chalk.green('✔')} ${name}already running${where}, pid ${event.pid}`
        : `${chalk.green('✔')} ${name}ready${where} after ${formatDuration(event.tookMs)}`
    }
    case 'stopped':
      return `${chalk.green('✔')} ${name}ended after ${formatDuration(event.tookMs)}${event.killed ? ', by force' : ''}`
    case 'fell':
      return `${chalk.yellow('!')} ${name}${printable(event.how)}; starts again in ${formatDuration(event.restartInMs)}`
    case 'gaveUp':
      return `${chalk.red('✖')} ${name}${printable(event.how)} and was given up`
    case 'unrecorded':
      return `${chalk.yellow('!')} ${name}how it is can't be written down: ${printable(event.reason)}`
  }
}
