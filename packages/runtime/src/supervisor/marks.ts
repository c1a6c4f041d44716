import { createHash } from 'node:crypto'
import { type MarkedProcess, markedProcesses } from '../processes.ts'
import { ServiceRecords } from './records.ts'

/** The environment variable that marks every process of a service; their children inherit it. */
const markName = 'OFFSTREAM_MARK'

/** The beginning of the marks of all services whose records are in one folder. */
const prefixOf = (directory: string): string =>
  `${createHash('sha256').update(directory).digest('hex').slice(0, 16)}/`

/** The environment variable for the processes of a service whose record is in `directory`. */
export const markOf = (directory: string, service: string): Readonly<Record<string, string>> => ({
  [markName]: prefixOf(directory) + service,
})

/** The running processes of one service, including its children. */
export const processesOf = async (directory: string, service: string): Promise<readonly MarkedProcess[]> => {
  const expected = markOf(directory, service)[markName]
  return (await markedProcesses(markName)).filter(({ mark }) => mark === expected)
}

/** A service that runs without a record: the record was deleted, is damaged or could not be written. */
export interface OrphanedService {
  readonly name: string
  readonly pid: number
  /** Whether the process is the service itself; otherwise only children of it are left. */
  readonly leads: boolean
}

/** @param directory the folder of their records; it can have been deleted */
export const orphanedServices = async (directory: string): Promise<readonly OrphanedService[]> => {
  const prefix = prefixOf(directory)
  const recorded = new Set((await new ServiceRecords(directory).all()).map(({ name }) => name))
  const orphans = new Map<string, OrphanedService>()
  for (const { pid, mark, leads } of await markedProcesses(markName)) {
    const name = mark.startsWith(prefix) ? mark.slice(prefix.length) : ''
    if (name !== '' && !recorded.has(name) && (leads || !orphans.has(name)))
      orphans.set(name, { name, pid, leads })
  }
  return [...orphans.values()]
}
