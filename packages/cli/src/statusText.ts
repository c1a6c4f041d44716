import type { Flow, ServiceStatus, Status } from '@offstream/pipeline'
import chalk from 'chalk'
import { type Cell, paint, table } from './output.ts'
import { duration, printable } from './words.ts'

/** A stack as a person reads it: each service, then the way of the products. */
export const statusText = (status: Status): string =>
  [`${paint(stateCell(status.state))}\n`, servicesText(status.services), '', flowText(status.flow)].join('\n')

const stateCell = (state: Status['state']): Cell =>
  ({
    healthy: { text: '● healthy', tone: 'good' },
    degraded: { text: '● degraded', tone: 'bad' },
    stopped: { text: '○ stopped', tone: 'quiet' },
  })[state] as Cell

const servicesText = (services: readonly ServiceStatus[]): string =>
  table(
    ['service', 'state', 'address', 'pid', 'up', 'restarts', ''],
    services.map(({ name, state, health, address, pid, uptimeSeconds, restarts, detail }) => [
      name,
      serviceCell(state, health),
      address,
      pid === null ? '' : String(pid),
      uptimeSeconds === null ? '' : duration(uptimeSeconds * 1_000),
      restarts === 0 ? '' : String(restarts),
      printable(detail ?? ''),
    ]),
  )

const serviceCell = (state: ServiceStatus['state'], health: ServiceStatus['health']): Cell => {
  if (state === 'running' && health === 'healthy') return { text: 'healthy', tone: 'good' }
  if (state === 'running') return { text: health === 'unknown' ? 'running' : health, tone: 'bad' }
  if (state === 'stopped') return { text: 'stopped', tone: 'quiet' }
  return { text: state, tone: state === 'dead' || state === 'failed' ? 'bad' : 'doubtful' }
}

/** The chain of counts, and where it breaks. */
const flowText = (flow: Flow): string => {
  const step = (name: string, count: number | null) => `${name} ${chalk.bold(count ?? '?')}`
  const rejected = flow.rejected ? ` (+ ${flow.rejected} rejected)` : ''
  const chain = [
    step('fetched', flow.fetched),
    step('acknowledged', flow.acknowledged),
    step('consumed', flow.consumed),
    `${step('rows', flow.rows)}${rejected}`,
    step('visible', flow.visible),
  ].join(' → ')
  const lag = flow.lag === null ? '' : `lag ${flow.lag}`
  const age =
    flow.freshnessSeconds === null ? '' : `newest seen ${duration(flow.freshnessSeconds * 1_000)} ago`
  return [chain, [lag, age].filter(text => text !== '').join(', ')].filter(text => text !== '').join('\n')
}
