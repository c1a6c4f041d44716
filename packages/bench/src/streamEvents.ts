import { join } from 'node:path'
import type { Bench } from './scenario.ts'
import { note } from './streamResults.ts'
import type { StreamStack } from './streamStack.ts'

/** Which messages a file contains. */
export interface EventsChoice {
  readonly events: number
  readonly products: number
  /** The number of the first product. */
  readonly first?: number
  /** Each product once, in order; otherwise products are drawn at random. */
  readonly once?: boolean
  /** The records of a higher round are newer. */
  readonly round?: number
}

/** Older than any record that is made while a bench runs. */
const firstRoundMs = 1_750_000_000_000
const roundMs = 86_400_000

/** Writes generated messages. The same choice gives the same bytes. @returns the file */
export const writeEvents = async (
  { peers, scratch }: Pick<Bench, 'peers' | 'scratch'>,
  { events, products, first = 0, once = false, round = 0 }: EventsChoice,
): Promise<string> => {
  const file = join(scratch, `${events}-${products}-${first}-${once}-${round}.jsonl`)
  const startMs = firstRoundMs + round * roundMs
  const choice = ['--events', events, '--keys', products, '--first', first, '--start-ms', startMs].map(String)
  await peers.run('events.py', file, ...choice, ...(once ? ['--once'] : []))
  return file
}

/** Publishes the messages of files as quickly as possible. */
export const publish = ({ peers }: Pick<Bench, 'peers'>, broker: string, ...files: readonly string[]) =>
  peers.run<{ readonly delivered: number; readonly seconds: number }>('publish.py', broker, ...files)

/** Starts the job of a stack and waits until the table has `rows` products, which `writeEvents` wrote once each. */
export const loadTable = async (
  bench: Pick<Bench, 'peers'>,
  stack: StreamStack,
  file: string,
  rows: number,
): Promise<void> => {
  note(`loading ${rows} rows`)
  await publish(bench, stack.broker, file)
  await stack.submit()
  await stack.written(0, rows)
}

/** What compare.py prints. */
interface Comparison {
  readonly expected: number
  readonly missing: number
  readonly unexpected: number
  readonly different: number
  readonly examples: readonly string[]
}

/**
 * Compares a table with the messages of files, row by row, without Spark.
 * @throws if a row is missing, unexpected or different
 */
export const verify = (
  bench: Pick<Bench, 'peers'>,
  table: string,
  ...files: readonly string[]
): Promise<void> => verifyFrom(bench, table, 0, ...files)

/** Like `verify`, for the rows of messages from an offset of the topic on, which must have one partition then. */
export const verifyFrom = async (
  { peers }: Pick<Bench, 'peers'>,
  table: string,
  offset: number,
  ...files: readonly string[]
): Promise<void> => {
  const since = offset > 0 ? ['--from-offset', String(offset)] : []
  const comparison = await peers.run<Comparison>('compare.py', table, ...files, ...since)
  const { expected, missing, unexpected, different, examples } = comparison
  if (missing + unexpected + different > 0)
    throw new Error(
      `${table}: of ${expected} rows ${missing} are missing, ${unexpected} unexpected, ${different} different: ${examples.join('; ')}`,
    )
}
