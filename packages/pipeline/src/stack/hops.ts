import { type StationName, stations } from '../names.ts'
import { emptyTable, type ServiceStatus } from './states.ts'
import type { Status } from './status.ts'

/** A station on the path of the products. */
export type HopName = StationName

/** A station in the current status. */
export interface Hop {
  readonly name: HopName
  /** `idle`: a service that it needs was stopped on request. */
  readonly state: 'ok' | 'waiting' | 'bad' | 'idle'
  /** How many products have reached it; null if unknown. */
  readonly count: number | null
  /** Why it is not `ok`. */
  readonly reason: string | null
}

/** The path of the products, as the diagram of the dashboard shows it. */
export const hopsOf = ({ services, flow }: Pick<Status, 'services' | 'flow'>): readonly Hop[] => {
  const wrong = impossibleCounts(flow)
  return stations.map(({ name, count, services: own }) => {
    // `kafka` also means the other brokers, and `spark-worker` the other workers.
    const needed = services.filter(({ name }) => own.some(one => one === name || name.startsWith(`${one}-`)))
    const worst = needed.map(conditionOf).toSorted((one, other) => severity(other) - severity(one))[0]
    const contradiction = wrong[name]
    const isRunning = worst === undefined || worst.state === 'ok'
    return {
      name,
      count: flow[count],
      ...(contradiction !== undefined && isRunning
        ? { state: 'bad' as const, reason: contradiction }
        : { state: worst?.state ?? 'ok', reason: worst?.reason ?? null }),
    }
  })
}

/** The counts that cannot be correct. */
const impossibleCounts = ({
  acknowledged,
  consumed,
  rows,
  rejected,
  visible,
}: Status['flow']): Partial<Record<HopName, string>> => ({
  ...(consumed !== null && acknowledged !== null && consumed > acknowledged
    ? {
        stream: `the job has read ${consumed} messages, but the topic has only ${acknowledged}: the topic was created again`,
      }
    : {}),
  ...(consumed !== null && rows !== null && rejected !== null && consumed > rejected && rows === 0
    ? { table: emptyTable(consumed) }
    : {}),
  ...(visible !== null && rows !== null && visible > rows
    ? { thrift: `${visible} products are visible, but the table has only ${rows} rows` }
    : {}),
})

type Condition = Pick<Hop, 'state' | 'reason'>

const conditionOf = ({ name, state, health, restarts, detail }: ServiceStatus): Condition => {
  if (state === 'unused') return { state: 'ok', reason: null }
  if (state === 'stopped') return { state: 'idle', reason: `${name} is stopped` }
  if (state === 'starting' && restarts > 0)
    return { state: 'bad', reason: `${name} crashed and is restarting` }
  if (state === 'starting' || state === 'stopping') return { state: 'waiting', reason: `${name} is ${state}` }
  const wasChecked = state === 'running' || state === 'external'
  if (wasChecked && health === 'healthy') return { state: 'ok', reason: null }
  const what = wasChecked ? health : state
  return { state: 'bad', reason: `${name} is ${what}${detail === null ? '' : `: ${detail}`}` }
}

const severity = ({ state }: Condition): number => ['ok', 'idle', 'waiting', 'bad'].indexOf(state)
