import { InvalidArgumentError } from '@commander-js/extra-typings'
import type { Condition, Flow, ServiceStatus, Status } from '@offstream/pipeline'
import { serviceNames } from '@offstream/pipeline/names'

const stackStates: readonly Status['state'][] = ['healthy', 'degraded', 'stopped']

/** What a condition can count: the figures of the flow, by their names in `status --json`. */
const figures = [
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

/** How conditions are written, for the help. */
export const conditionForms = `
  healthy, degraded, stopped     the state of all services together
  kafka=healthy, thrift=stopped  the state of one service
  rows>=200, lag=0               a count and a number, with >=, <=, >, < or =:
                                 ${figures.slice(0, 4).join(', ')},
                                 ${figures.slice(4).join(', ')}`

/**
 * Reads one condition.
 * @throws InvalidArgumentError, saying what it could have been
 */
export const parseCondition = (written: string): Condition => {
  const text = written.replace(/\s+/g, '')
  const [, name, sign, value] = /^([\w-]+?)(?:(>=|<=|>|<|=)([\w.-]+))?$/.exec(text) ?? []
  const state = stackStates.find(known => known === name)
  if (state !== undefined && sign === undefined) return ofStack(text, state)
  const figure = figures.find(known => known === name)
  if (figure !== undefined) return ofFigure(text, figure, sign, value)
  const service = serviceNames.find(known => known === name)
  if (service !== undefined) return ofService(text, service, sign, value)
  throw new InvalidArgumentError(
    `It must be ${stackStates.join(', ')}, a service with its state such as kafka=healthy, or a figure with a number such as rows>=200.`,
  )
}

const ofStack = (text: string, state: Status['state']): Condition => ({
  text,
  holds: status => status.state === state,
  seen: status => {
    if (status.state !== 'degraded') return status.state
    const troubled = status.services
      .filter(service => stateOf(service) !== 'healthy' && !isUnsubmittedJob(service))
      .map(service => `${service.name} ${stateOf(service)}`)
    return `degraded (${troubled.join(', ')})`
  },
})

const ofFigure = (
  text: string,
  figure: (typeof figures)[number],
  sign: string | undefined,
  value: string | undefined,
): Condition => {
  const compare = comparisons[sign ?? '']
  // An unquoted `rows>=200` writes into a file `=200` and leaves `rows`.
  if (compare === undefined || value === undefined)
    throw new InvalidArgumentError(
      `It lacks a number. The shell takes > and < away unless quoted: '${figure}>=1'.`,
    )
  if (!/^\d{1,15}$/.test(value)) throw new InvalidArgumentError(`\`${value}\` must be a whole number.`)
  return {
    text,
    holds: ({ flow }) => {
      const count = flow[figure]
      return count !== null && compare(count, Number(value))
    },
    seen: ({ flow }) => `${figure} ${flow[figure] ?? 'unknown'}`,
  }
}

const ofService = (
  text: string,
  name: ServiceStatus['name'],
  sign: string | undefined,
  value: string | undefined,
): Condition => {
  const wanted = serviceStates.find(known => known === value)
  if (sign !== '=' || wanted === undefined)
    throw new InvalidArgumentError(
      `It must be ${serviceStates.map(state => `${name}=${state}`).join(' or ')}.`,
    )
  const find = (status: Status) => status.services.find(service => service.name === name)
  return {
    text,
    holds: status => {
      const service = find(status)
      return service !== undefined && stateOf(service) === wanted
    },
    seen: status => {
      const service = find(status)
      return `${name} ${service === undefined ? 'unknown' : stateOf(service)}`
    },
  }
}

/** It is part of the stack only once it was submitted. */
const isUnsubmittedJob = ({ name, state }: ServiceStatus): boolean =>
  name === 'products-stream' && state === 'stopped'

/** One word for a service: of a process that runs, its health. */
const stateOf = ({ state, health }: ServiceStatus): string =>
  state !== 'running' ? state : health === 'unknown' ? 'running' : health
