import { InvalidArgumentError } from '@commander-js/extra-typings'
import type { Condition, Flow, JobStatus, ServiceStatus, Status } from '@offstream/pipeline'
import { serviceNames } from '@offstream/pipeline/names'

const stackStates: readonly Status['state'][] = ['healthy', 'degraded', 'stopped']

/** The counts that a condition can compare, by their names in `status --json`. */
const counts = [
  'fetched',
  'acknowledged',
  'consumed',
  'rows',
  'rejected',
  'visible',
  'lag',
  'freshnessSeconds',
] as const satisfies readonly (keyof Flow)[]

const comparisons: Readonly<Record<string, (one: number, other: number) => boolean>> = {
  '>=': (one, other) => one >= other,
  '<=': (one, other) => one <= other,
  '>': (one, other) => one > other,
  '<': (one, other) => one < other,
  '=': (one, other) => one === other,
}

const serviceStates = ['healthy', 'stopped'] as const
const jobStates = [...serviceStates, 'completed', 'failed'] as const

/** The forms of a condition, for the help. */
export const conditionForms = `
  healthy, degraded, stopped     the state of all services together
  kafka=healthy, thrift=stopped  the state of one service
  job:sessions=completed         the state of one of your jobs: healthy,
                                 stopped, completed or failed
  rows>=200, lag=0               a count and a number, with >=, <=, >, < or =:
                                 ${counts.slice(0, 4).join(', ')},
                                 ${counts.slice(4).join(', ')}`

/** @throws InvalidArgumentError, which lists the valid forms */
export const parseCondition = (written: string): Condition => {
  const text = written.replace(/\s+/g, '')
  const [, name = '', sign, value] = /^([\w:-]+?)(?:(>=|<=|>|<|=)([\w.-]+))?$/.exec(text) ?? []
  const state = stackStates.find(known => known === name)
  if (state !== undefined && sign === undefined) return ofStack(text, state)
  const count = counts.find(known => known === name)
  if (count !== undefined) return ofCount(text, count, sign, value)
  const service = serviceNames.find(known => known === name)
  if (service !== undefined) return ofService(text, service, sign, value)
  const [, job] = /^job:(.+)$/.exec(name) ?? []
  if (job !== undefined) return ofJob(text, job, sign, value)
  throw new InvalidArgumentError(
    `It must be ${stackStates.join(', ')}, a service with its state such as kafka=healthy, or a count with a number such as rows>=200.`,
  )
}

const ofStack = (text: string, state: Status['state']): Condition => ({
  text,
  holds: status => status.state === state,
  seen: status => {
    if (status.state !== 'degraded') return status.state
    const services = status.services.filter(
      service => !['healthy', 'unused'].includes(stateOf(service)) && !isUnsubmittedJob(service),
    )
    const jobs = status.jobs.filter(job => !['healthy', 'stopped', 'completed'].includes(stateOf(job)))
    const unhealthy = [...services, ...jobs].map(one => `${one.name} ${stateOf(one)}`)
    return `degraded (${unhealthy.join(', ')})`
  },
})

const ofCount = (
  text: string,
  count: (typeof counts)[number],
  sign: string | undefined,
  value: string | undefined,
): Condition => {
  const compare = comparisons[sign ?? '']
  // In a shell, an unquoted `rows>=200` writes a file `=200` and passes `rows`.
  if (compare === undefined || value === undefined)
    throw new InvalidArgumentError(
      `A number is missing. In a shell, put conditions with > and < in quotes: '${count}>=1'.`,
    )
  if (!/^\d{1,15}$/.test(value)) throw new InvalidArgumentError(`\`${value}\` must be a whole number.`)
  return {
    text,
    holds: ({ flow }) => {
      const number = flow[count]
      return number !== null && compare(number, Number(value))
    },
    seen: ({ flow }) => `${count} ${flow[count] ?? 'unknown'}`,
  }
}

const ofService = (
  text: string,
  name: ServiceStatus['name'],
  sign: string | undefined,
  value: string | undefined,
): Condition => {
  const requested = serviceStates.find(known => known === value)
  if (sign !== '=' || requested === undefined)
    throw new InvalidArgumentError(
      `It must be ${serviceStates.map(state => `${name}=${state}`).join(' or ')}.`,
    )
  return ofState(text, name, requested, ({ services }) => services.find(service => service.name === name))
}

const ofJob = (
  text: string,
  name: string,
  sign: string | undefined,
  value: string | undefined,
): Condition => {
  const requested = jobStates.find(known => known === value)
  if (sign !== '=' || requested === undefined)
    throw new InvalidArgumentError(
      `It must be ${jobStates.map(state => `job:${name}=${state}`).join(' or ')}.`,
    )
  return ofState(text, name, requested, ({ jobs }) => jobs.find(job => job.name === name))
}

const ofState = (
  text: string,
  name: string,
  requested: string,
  find: (status: Status) => ServiceStatus | JobStatus | undefined,
): Condition => ({
  text,
  holds: status => {
    const service = find(status)
    return service !== undefined && stateOf(service) === requested
  },
  seen: status => {
    const service = find(status)
    return `${name} ${service === undefined ? 'unknown' : stateOf(service)}`
  },
})

/** The job is part of the stack only after it was submitted. */
const isUnsubmittedJob = ({ name, state }: ServiceStatus): boolean =>
  name === 'products-stream' && state === 'stopped'

/** One word for a service: the health of one that was checked, otherwise its state. */
const stateOf = ({ state, health }: ServiceStatus | JobStatus): string =>
  state !== 'running' && state !== 'external' ? state : health === 'unknown' ? state : health
