import type { Flow, JobStatus, ServiceStatus, Status } from '@offstream/pipeline'
import chalk from 'chalk'
import { formatDuration, plural, printable } from './format.ts'
import { type Cell, paint, table } from './output.ts'

/** A service, or a job of the user. */
type Shown = ServiceStatus | JobStatus

/**
 * A status for people: each service, then the counts of the products.
 * @param options those that select the stack, such as `--profile` and `prod`
 */
export const statusText = (status: Status, options: readonly string[] = []): string =>
  [
    `${[paint(headline(status)), ...options.map(word => chalk.dim(word))].join(' ')}\n`,
    servicesText([...status.services, ...status.jobs]),
    ...detailLines([...status.services, ...status.jobs]),
    '',
    flowText(status.flow),
    ...executorsText(status.executors),
  ].join('\n')

const headline = ({ state, services: ofOffstream, jobs }: Status): Cell => {
  const services = [...ofOffstream, ...jobs]
  const failed = services.flatMap(({ name, state }) => (state === 'failed' ? [name] : []))
  if (state === 'healthy') return { text: '● healthy', tone: 'good' }
  if (state === 'degraded')
    return isStarting(services)
      ? { text: '● starting', tone: 'warning' }
      : { text: '● degraded', tone: 'bad' }
  return failed.length === 0
    ? { text: '○ stopped', tone: 'dim' }
    : { text: `○ stopped: ${failed.join(', ')} failed`, tone: 'bad' }
}

/** Whether the only problem is that some services are not ready yet. */
const isStarting = (services: readonly Shown[]): boolean =>
  services.some(({ state }) => state === 'starting') &&
  services.every(
    ({ state, health }) =>
      ['starting', 'stopped', 'unused', 'completed'].includes(state) ||
      ((state === 'running' || state === 'external') && health === 'healthy'),
  )

/** Below the table: as a column they would make it wider than a terminal. */
const detailLines = (services: readonly Shown[]): string[] => {
  const lines = services.flatMap(({ name, detail }) =>
    detail === null ? [] : [`${chalk.bold(name)}: ${printable(detail)}`],
  )
  return lines.length === 0 ? [] : ['', ...lines]
}

const servicesText = (services: readonly Shown[]): string =>
  table(
    ['service', 'state', 'address', 'pid', 'up', 'restarts'],
    services.map(({ name, state, health, address, pid, uptimeSeconds, restarts }) => [
      name,
      serviceCell(state, health),
      state === 'unused' ? '' : address,
      pid === null ? '' : String(pid),
      uptimeSeconds === null ? '' : formatDuration(uptimeSeconds * 1_000),
      restarts === 0 ? '' : String(restarts),
    ]),
  )

const serviceCell = (state: Shown['state'], health: Shown['health']): Cell => {
  if (state === 'running' && health === 'healthy') return { text: 'healthy', tone: 'good' }
  if (state === 'running') return { text: health === 'unknown' ? 'running' : health, tone: 'bad' }
  if (state === 'external')
    return health === 'healthy'
      ? { text: 'external', tone: 'good' }
      : { text: `external, ${health}`, tone: 'bad' }
  if (state === 'completed') return { text: state, tone: 'good' }
  if (state === 'stopped' || state === 'unused') return { text: state, tone: 'dim' }
  return { text: state, tone: state === 'exited' || state === 'failed' ? 'bad' : 'warning' }
}

/** Where the job runs; nothing if it does not run. */
const executorsText = (executors: Status['executors']): string[] => {
  if (executors.length === 0) return []
  const cores = executors.reduce((sum, executor) => sum + executor.cores, 0)
  const places = [...new Set(executors.map(({ worker, host }) => worker ?? host))]
  const others = places.length > maxPlaces ? ` and ${places.length - maxPlaces} more` : ''
  const shown = places.slice(0, maxPlaces).map(printable).join(', ')
  return [`${plural(executors.length, 'executor')} with ${plural(cores, 'core')}: ${shown}${others}`]
}

/** The places of more executors would fill the terminal. */
const maxPlaces = 5

/** The chain of counts, then lag and age. */
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
    flow.freshnessSeconds === null ? '' : `newest record ${formatDuration(flow.freshnessSeconds * 1_000)} ago`
  return [chain, [lag, age].filter(text => text !== '').join(', ')].filter(text => text !== '').join('\n')
}
