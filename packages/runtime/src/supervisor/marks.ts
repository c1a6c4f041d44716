import { createHash } from 'node:crypto'
import { type MarkedProcess, markedProcesses } from '../processes.ts'
import { ServiceRecords } from './records.ts'

/** The environment variable that marks every process started here, and, inherited, their children. */
const markName = 'OFFSTREAM_MARK'

/** Of the services of one folder; services are named after it. */
const beginningOf = (directory: string): string =>
  `${createHash('sha256').update(directory).digest('hex').slice(0, 16)}/`

/** What stands in the environment of the processes of a service whose record is kept in `directory`. */
export const markOf = (directory: string, service: string): Readonly<Record<string, string>> => ({
  [markName]: beginningOf(directory) + service,
})

/** The processes of one service that live, its children among them. */
export const processesOf = async (directory: string, service: string): Promise<readonly MarkedProcess[]> => {
  const wanted = markOf(directory, service)[markName]
  return (await markedProcesses(markName)).filter(({ mark }) => mark === wanted)
}

/** A service that runs though nothing is written down of it: its record was deleted, or could not be written. */
export interface OrphanedService {
  readonly name: string
  readonly pid: number
  /** Whether the process is the service itself; else children have outlived it. */
  readonly leads: boolean
}

/** @param directory where the records lie, or lay */
export const orphanedServices = async (directory: string): Promise<readonly OrphanedService[]> => {
  const beginning = beginningOf(directory)
  const known = new Set((await new ServiceRecords(directory).all()).map(({ name }) => name))
  const strays = new Map<string, OrphanedService>()
  for (const { pid, mark, leads } of await markedProcesses(markName)) {
    const name = mark.startsWith(beginning) ? mark.slice(beginning.length) : ''
    if (name !== '' && !known.has(name) && (leads || !strays.has(name)))
      strays.set(name, { name, pid, leads })
  }
  return [...strays.values()]
}
